import pytest

from mmchat.ingest.language import ScriptCheck

KOREAN = "반품은 삼십 일 안에 하셔야 합니다."
ENGLISH = "Returns are free within thirty days."


def letter_by_letter(text: str) -> float:
    return 0.4


def in_pieces(text: str) -> float:
    return 2.0


def test_an_encoder_that_reads_korean_letter_by_letter_is_told_of():
    check = ScriptCheck(letter_by_letter)
    check.look([KOREAN] * 3 + [ENGLISH] * 7)
    assert check.warning.startswith("30% of the passages")
    assert "encoders.text" in check.warning


@pytest.mark.parametrize(
    ("passages", "encoder"),
    [
        ([], letter_by_letter),
        ([ENGLISH] * 5, letter_by_letter),
        ([KOREAN] * 5, in_pieces),
        ([KOREAN, *[ENGLISH] * 30], letter_by_letter),
        (["12345 !!!", "Größe und Maße"], letter_by_letter),
    ],
)
def test_nothing_is_said_where_there_is_nothing_to_say(passages, encoder):
    check = ScriptCheck(encoder)
    check.look(passages)
    assert not check.warning


@pytest.mark.parametrize("text", ["Гарантия на чайник два года", "ประกันสองปีสำหรับกาต้มน้ำ"])
def test_other_scripts_need_more_letters_a_token(text: str):
    check = ScriptCheck(lambda _: 1.1)
    check.look([text])
    assert check.warning


def test_the_extra_for_korean_is_named_where_korean_is_seen():
    for passages, setting, said in (
        ([KOREAN] * 2 + [ENGLISH] * 8, "pairs", True),
        ([KOREAN] * 2 + [ENGLISH] * 8, "morphemes", False),
        ([KOREAN] + [ENGLISH] * 30, "pairs", False),
        ([], "pairs", False),
    ):
        check = ScriptCheck(in_pieces, korean_words=setting)
        check.look(passages)
        assert any("mmchat[korean]" in note for note in check.notes) == said
