import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmchat.stores.words import MAX_QUERY_WORDS, indexed_words, query_words


def test_korean_becomes_pairs_of_syllables():
    assert (
        indexed_words("아스파라거스는 A4 용지") == "아스 스파 파라 라거 거스 스는 a4 용지".split()
    )
    assert indexed_words("물") == ["물"]


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
