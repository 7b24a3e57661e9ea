import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from mmchat.stores.words import MAX_QUERY_WORDS, indexed_words, match_expression


def test_korean_becomes_pairs_of_syllables():
    assert indexed_words("아스파라거스는 A4 용지") == "아스 스파 파라 라거 거스 스는 a4 용지"


def test_stop_words_are_left_out_of_a_query_only():
    assert match_expression("How do I descale the kettle?") == '"descale" OR "kettle"'
    assert "how" in indexed_words("How do I descale the kettle?")
    assert match_expression("what is it") == ""


def test_a_query_is_bounded():
    expression = match_expression(" ".join(f"w{i}" for i in range(10_000)))
    assert expression.count(" OR ") == MAX_QUERY_WORDS - 1


@given(st.text(max_size=80))
def test_no_question_breaks_the_full_text_search(text: str):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (body, tokenize='porter unicode61')")
    connection.execute("INSERT INTO t VALUES (?)", (indexed_words(text),))
    expression = match_expression(text)
    if expression:
        connection.execute("SELECT * FROM t WHERE t MATCH ?", (expression,)).fetchall()


def test_operators_are_words():
    assert (
        match_expression('NOT "a" AND b* NEAR(c) -col:x')
        == '"not" OR "b" OR "near" OR "c" OR "col" OR "x"'
    )
