"""The steps of the owner's panels, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_shop import small_shop

import mmchat
from mmchat.stores.local import LocalReader
from mmchat.stores.writing import LocalWriter
from mmchat.types import Answer, FileProblem, Status
from mmchat.web.owner import index as panel
from mmchat.web.owner.index import IndexSteps
from mmchat.web.owner.index_html import problems_html
from mmchat.web.owner.page import PANELS, owner_words
from mmchat.web.owner.questions import QuestionSteps

ENGLISH = SimpleNamespace(headers={"accept-language": "en-GB"})
KOREAN = SimpleNamespace(headers={"accept-language": "ko-KR,ko;q=0.9"})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[mmchat.Desk]:
    with small_shop(tmp_path) as opened:
        yield opened


@pytest.fixture
def steps(desk: mmchat.Desk) -> IndexSteps:
    return IndexSteps(desk.assistant.index)


class Heard:
    """Stands for `gr.Progress`."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def __call__(self, progress: tuple[int, int], *, desc: str) -> None:
        self.told.append(progress)


def uploaded(folder: Path, name: str, text: str) -> str:
    (folder / "up").mkdir(exist_ok=True)
    (folder / "up" / name).write_text(text)
    return str(folder / "up" / name)


def test_every_word_is_there_in_both_languages_and_is_its_panels_own():
    words = owner_words()
    assert words["en"].keys() == words["ko"].keys()
    for each in PANELS:
        assert f"{each.name}_tab" in each.words["en"]
        assert all(name.startswith(f"{each.name}_") for name in each.words["en"])


def test_pages_are_turned_and_a_page_that_is_gone_gives_the_last(
    steps: IndexSteps, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(panel, "_ROWS", 2)
    table, before, shown, following, offset = steps.find("", ENGLISH)
    assert "kettle.png" in table and "returns.md" not in table
    assert (before.interactive, following.interactive, offset) == (False, True, 0)
    assert "1 to 2 of 5" in shown
    *_, following, offset = steps.turn_over("", 2, ENGLISH)
    assert (following.interactive, offset) == (False, 4)
    assert steps.turn_over("", 98, ENGLISH)[-1] == 4
    assert steps.turn_back("", 0, ENGLISH)[-1] == 0
    assert "이름이나 제목에" in steps.find("nothing", KOREAN)[0]


def test_an_upload_is_told_as_it_goes_and_leaves_nothing_behind(
    steps: IndexSteps, desk: mmchat.Desk, tmp_path: Path
):
    heard = Heard()
    file = uploaded(tmp_path, "mowers.md", "# Mowers\n\nWe sell lawn mowers.")
    *_, (box, said) = steps.add([file], ENGLISH, heard)
    assert box is None
    assert "mowers.md" in said
    assert heard.told == [(0, 1), (1, 1)]
    assert not Path(file).exists(), "the index has its own copy"
    assert desk.assistant.index.search("lawn mowers", k=1)[0].document == "mowers.md"


def test_while_somebody_else_writes_a_sentence_says_so(
    steps: IndexSteps, desk: mmchat.Desk, tmp_path: Path
):
    index = desk.assistant.index
    with LocalWriter(index.path, LocalReader(index.path).manifest):
        for request, words in (
            (ENGLISH, "being changed by somebody else"),
            (KOREAN, "다른 사람이"),
        ):
            *_, (_, said) = steps.add(
                [uploaded(tmp_path, "a.md", "# A\n\nFirst.")], request, Heard()
            )
            assert words in said and "process" not in said
            assert words in steps.remove("returns.md", request)[0]
            said = QuestionSteps(desk.assistant, desk).save("?", "Yes.", "?", request)[-1]
            assert words in said
    assert "Removed: returns.md" in steps.remove("returns.md", ENGLISH)[0]
    assert "holds no document" in steps.remove("../../etc/passwd", ENGLISH)[0]


def test_nothing_from_outside_is_markup(steps: IndexSteps, tmp_path: Path, desk: mmchat.Desk):
    name = "<img src=x onerror=alert(1)>"
    file = uploaded(tmp_path, f"{name}.md", f"# {name}\n\n{name} text.")
    *_, (_, said) = steps.add([file], ENGLISH, Heard())
    words = panel.WORDS["en"]
    event: Any = SimpleNamespace(chosen=name)
    pages = [
        said,
        steps.find("", ENGLISH)[0],
        steps.choose(event, ENGLISH)[1],
        steps.remove(name, ENGLISH)[0],
        problems_html([FileProblem(name, name)], words),
    ]
    own = desk.store.of(mmchat.new_owner())
    turn = own.begin_turn(own.start(), name)
    own.end_turn(turn, Answer("…", Status.ANSWERED, (), 0.1, asked=name))
    desk.store.everything().rate(turn, useful=False, reason=name)
    questions = QuestionSteps(desk.assistant, desk)
    gaps = questions.show(ENGLISH)[-1]
    pages.append(questions.open_gap(0, gaps, ENGLISH)[0])
    for page in pages:
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


def test_a_form_is_emptied_once_kept_and_left_where_that_fails(desk: mmchat.Desk):
    questions = QuestionSteps(desk.assistant, desk)
    *form, said = questions.save("Do you sell mowers?", " ", "", ENGLISH)
    assert "nothing was changed" in said
    assert all(isinstance(part, dict) for part in form), "skipped: what was typed stays"
    assert questions.save("Do you sell mowers?", "We do.", "", ENGLISH)[:4] == ("",) * 4
    written = questions.show(ENGLISH)[2].choices
    assert [label for label, _ in written] == ["Do you sell mowers?"]
    assert questions.open_written(written[0][1])[1:3] == ["Do you sell mowers?", "We do."]
    text, _ = questions.draft("How long does the warranty of a kettle last?", ENGLISH)
    assert "24 months" in text and "[1]" not in text
    assert "hold nothing" in questions.draft("zebra crossings?", ENGLISH)[1]


def test_without_conversations_the_panel_says_so(desk: mmchat.Desk):
    note, gaps, *_ = QuestionSteps(desk.assistant, None).show(ENGLISH)
    assert "sessions.keep" in note
    assert gaps.visible is False
    assert "Every question was answered" in QuestionSteps(desk.assistant, desk).show(ENGLISH)[0]
