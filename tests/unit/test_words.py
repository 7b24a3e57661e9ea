import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmchat.stores.words import (
    MAX_QUERY_WORDS,
    indexed_words,
    matched_tokens,
    query_words,
)


def test_korean_becomes_pairs_of_syllables():
    assert (
        indexed_words("아스파라거스는 A4 용지") == "아스 스파 파라 라거 거스 스는 a4 용지".split()
    )
    assert indexed_words("물") == ["물"]


def test_korean_with_and_without_a_space_meet():
    assert set(indexed_words("지명수배된")) <= set(indexed_words("지명수배 된"))
    assert indexed_words("물 값") == ["물", "물값", "값"]


def test_matched_words_are_those_of_the_query_as_written():
    passage = "Descaling a kettle: 주전자의 물때를 없앱니다."
    assert matched_tokens("How do I descale the Kettles quickly?", passage) == (
        "descale",
        "kettles",
    )
    assert matched_tokens("주전자는 물때가 냄비", passage) == ("주전자는", "물때가")
    assert matched_tokens("what is it", passage) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [("kettles", "Kettle"), ("descaling", "descale"), ("café", "CAFE"), ("ﬁlter", "filter")],
)
def test_forms_of_a_word_are_one_word(one: str, other: str):
    assert indexed_words(one) == indexed_words(other)


def test_stop_words_are_left_out_of_a_query_only():
    assert query_words("How do I descale the kettle?") == ["descal", "kettl"]
    assert "how" in indexed_words("How do I descale the kettle?")
    assert query_words("what is it") == []


def test_a_query_is_bounded_and_each_word_counts_once():
    assert len(query_words(" ".join(f"w{i}" for i in range(10_000)))) == MAX_QUERY_WORDS
    assert query_words("kettle kettles KETTLE") == ["kettl"]


@given(st.text(max_size=80))
def test_words_have_no_spaces_and_no_signs(text: str):
    assert all(word and word.isalnum() for word in indexed_words(text))


def test_operators_are_words():
    assert query_words('NOT "a" AND b* NEAR(c) -col:x') == ["not", "b", "near", "c", "col", "x"]
