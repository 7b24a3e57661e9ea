import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmchat.errors import MissingExtra
from mmchat.stores.words import MAX_QUERY_WORDS, WordSplitter

SPLITTER = WordSplitter()


def test_korean_becomes_pairs_of_syllables():
    assert (
        SPLITTER.indexed("아스파라거스는 A4 용지")
        == "아스 스파 파라 라거 거스 스는 a4 용지".split()
    )
    assert SPLITTER.indexed("물") == ["물"]


def test_korean_with_and_without_a_space_meet():
    assert set(SPLITTER.indexed("지명수배된")) <= set(SPLITTER.indexed("지명수배 된"))
    assert SPLITTER.indexed("물 값") == ["물", "물값", "값"]


def test_matched_words_are_those_of_the_query_as_written():
    passage = "Descaling a kettle: 주전자의 물때를 없앱니다."
    assert SPLITTER.matched("How do I descale the Kettles quickly?", passage) == (
        "descale",
        "kettles",
    )
    assert SPLITTER.matched("주전자는 물때가 냄비", passage) == ("주전자는", "물때가")
    assert SPLITTER.matched("what is it", passage) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [("kettles", "Kettle"), ("descaling", "descale"), ("café", "CAFE"), ("ﬁlter", "filter")],
)
def test_forms_of_a_word_are_one_word(one: str, other: str):
    assert SPLITTER.indexed(one) == SPLITTER.indexed(other)


def test_stop_words_are_left_out_of_a_query_only():
    assert SPLITTER.query("How do I descale the kettle?") == ["descal", "kettl"]
    assert "how" in SPLITTER.indexed("How do I descale the kettle?")
    assert SPLITTER.query("what is it") == []


def test_a_query_is_bounded_and_each_word_counts_once():
    assert len(SPLITTER.query(" ".join(f"w{i}" for i in range(10_000)))) == MAX_QUERY_WORDS
    assert SPLITTER.query("kettle kettles KETTLE") == ["kettl"]


@given(st.text(max_size=80))
def test_words_have_no_spaces_and_no_signs(text: str):
    assert all(word and word.isalnum() for word in SPLITTER.indexed(text))


def test_operators_are_words():
    assert SPLITTER.query('NOT "a" AND b* NEAR(c) -col:x') == ["not", "b", "near", "c", "col", "x"]


def test_signs_between_korean_words_are_no_words():
    assert SPLITTER.indexed("주전자, (물)") == ["주전", "전자", "자물", "물"]


def test_korean_morphemes_leave_out_particles_and_endings():
    splitter = WordSplitter("morphemes")
    words = splitter.indexed("주전자에서 물을 끓이려면 citric acids")
    assert words == ["주전자", "물", "끓이", "citric", "acid"]
    assert splitter.query("주전자는 어떻게 끓이나요?")[0] == "주전자"
    passage = "주전자의 물을 끓입니다."
    assert splitter.matched("주전자는 물이 냄비", passage) == ("주전자는", "물이")
    assert splitter.indexed("네") != []


def test_a_missing_analyser_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    with pytest.raises(MissingExtra, match=r"mmchat\[korean\].*pairs"):
        WordSplitter("morphemes")
