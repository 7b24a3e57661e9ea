"""What the owner does to an index: looks through it, hands files over, writes answers."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import pytest
from small_shop import small_shop

import mmchat
from mmchat.app import list_documents, overview, report, take_in, write_answer, written_answers
from mmchat.errors import IndexLocked, InputError
from mmchat.stores.local import LocalReader
from mmchat.stores.writing import LocalWriter
from mmchat.types import Answer, Status

MOWERS = "Do you sell lawn mowers?"

# Tests share one index, built after all of them were imported; indexes tell whole seconds.
IMPORTED = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[mmchat.Desk]:
    with small_shop(tmp_path) as opened:
        yield opened


@pytest.fixture
def index(desk: mmchat.Desk) -> mmchat.Index:
    return desk.assistant.index


def upload(folder: Path, **files: str | bytes) -> list[Path]:
    """Write files as a browser hands them over; `_` stands for the dot in a name."""
    (folder / "uploads").mkdir(exist_ok=True)
    paths = []
    for name, content in files.items():
        path = folder / "uploads" / name.replace("_", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append(path)
    return paths


def asked(desk: mmchat.Desk, question: str) -> None:
    own = desk.store.of(mmchat.new_owner())
    turn = own.begin_turn(own.start(), question)
    own.end_turn(turn, Answer("…", Status.ABSTAINED, (), 0.1, asked=question))


def test_the_owner_sees_how_an_index_stands(index: mmchat.Index):
    seen = overview(index)
    assert (seen.documents, seen.pictures, seen.source) == (5, 1, "documents")
    assert (seen.text_encoder, seen.image_encoder, seen.problems) == ("words", "colours", ())
    assert IMPORTED <= seen.changed <= datetime.datetime.now(datetime.UTC)


def test_documents_are_looked_through_page_by_page(index: mmchat.Index):
    whole = list_documents(index)
    paths = [row.path for row in whole.rows]
    assert paths == ["kettle.png", "prices.csv#A1", "prices.csv#B2", "returns.md", "warranty.md"]
    picture, *_, warranty = whole.rows
    assert picture.thumb is not None and picture.thumb.is_file()
    assert (picture.pictures, picture.has_text) == (1, False)
    assert (warranty.title, warranty.passages, warranty.has_text) == ("Warranty", 1, True)
    page = list_documents(index, limit=2, offset=3)
    assert ([row.path for row in page.rows], page.total) == (paths[3:], 5)
    found = list_documents(index, "KETTLE prices")
    assert ([row.path for row in found.rows], found.total) == (["prices.csv#A1"], 1)
    for words in ("%", "_", "\\", "' OR 1=1"):
        assert list_documents(index, words).total == 0


def test_a_bad_file_keeps_no_other_out(index: mmchat.Index, tmp_path: Path):
    files = upload(
        tmp_path, mowers_md="# Mowers\n\nWe sell lawn mowers.", broken_pdf=b"%PDF-1.4 no"
    )
    intake = take_in(index, files)
    assert intake.added == ("mowers.md",)
    assert [problem.document for problem in intake.problems] == ["broken.pdf"]
    assert [hit.document for hit in index.search("lawn mowers", k=1)] == ["mowers.md"]
    (row,) = list_documents(index, "mowers").rows
    assert row.added
    alone = take_in(index, upload(tmp_path, other_pdf=b"%PDF-1.4 no"))
    assert (alone.added, [each.document for each in alone.problems]) == ((), ["other.pdf"])


def test_a_newer_version_replaces_and_a_broken_one_does_not(index: mmchat.Index, tmp_path: Path):
    take_in(index, upload(tmp_path, price_txt="A mower costs 200 euros."))
    take_in(index, upload(tmp_path, price_txt="A mower costs 300 euros."))
    assert [hit.text for hit in index.search("mower", k=1)] == ["A mower costs 300 euros."]
    bad = take_in(index, upload(tmp_path, price_txt="", new_md="# New\n\nSomething new."))
    assert (bad.added, [each.document for each in bad.problems]) == (("new.md",), ["price.txt"])
    assert [hit.text for hit in index.search("mower", k=1)] == ["A mower costs 300 euros."]


def test_a_name_in_letters_that_a_mac_takes_apart_is_the_same_name(
    index: mmchat.Index, tmp_path: Path
):
    name = "환불.md"
    for spelled, text in ((name, "Refunds take a week."), (normalize("NFD", name), "")):
        (tmp_path / spelled).write_text(text)
    assert take_in(index, [tmp_path / name]).added == (name,)
    bad = take_in(index, [tmp_path / normalize("NFD", name)])
    assert (bad.added, [problem.document for problem in bad.problems]) == ((), [name])
    write_answer(index, "환불은?", "No.")
    write_answer(index, normalize("NFD", "환불은?"), "Yes.")
    assert [each.answer for each in written_answers(index)] == ["Yes."]


def test_a_file_of_the_folder_is_changed_there(index: mmchat.Index, tmp_path: Path):
    files = upload(tmp_path, returns_md="# Returns\n\nNever.")
    intake = take_in(
        index, [*files, *upload(tmp_path, a_md="# A\n\nFirst."), tmp_path / "x" / "a.md"]
    )
    assert intake.added == ("a.md",)
    assert [each.document for each in intake.problems] == ["returns.md", "a.md"]
    assert "Change it there" in intake.problems[0].reason
    assert "called a.md" in intake.problems[1].reason
    assert "thirty" in index.search("return things", k=1)[0].text


def test_who_comes_second_is_told_and_nothing_changes(index: mmchat.Index, tmp_path: Path):
    before = overview(index).generation
    with LocalWriter(index.path, LocalReader(index.path).manifest):
        with pytest.raises(IndexLocked):
            take_in(index, upload(tmp_path, a_md="# A\n\nFirst."))
        with pytest.raises(IndexLocked):
            write_answer(index, MOWERS, "No.")
    assert overview(index).generation == before


def test_an_answer_closes_the_gap_until_it_is_asked_again(desk: mmchat.Desk, index: mmchat.Index):
    for question in (MOWERS, "do you sell  LAWN mowers", "Do you repair bicycles?"):
        asked(desk, question)
    assert [gap.count for gap in report(index, desk.store)] == [2, 1]
    write_answer(index, "Lawn mowers", "We sell lawn mowers from May on.", asked=MOWERS)
    assert [gap.questions[0] for gap in report(index, desk.store)] == ["Do you repair bicycles?"]
    said = desk.assistant.ask(MOWERS)
    assert "from May on" in said.answer
    assert "asked" not in said.answer.casefold(), "what is noted of an answer is no part of it"
    asked(desk, "Do you sell lawn MOWERS?")
    assert [gap.count for gap in report(index, desk.store)] == [1, 1]
    (written,) = written_answers(index)
    mmchat.delete(index.path, written.path)
    assert sorted(gap.count for gap in report(index, desk.store)) == [1, 3]


def test_an_answer_is_replaced_by_the_next_and_outlives_a_rebuild(
    index: mmchat.Index, tmp_path: Path
):
    write_answer(index, MOWERS, "No.")
    write_answer(index, "Mowers?", "Yes.\n\n- From *May* on.", asked="do you sell lawn  MOWERS?")
    hostile = '"]: --- "\n---\n<script>alert(1)</script> \\ ${7*7} 가'
    write_answer(index, hostile, "Nothing.")
    nothing, mowers = written_answers(index)
    assert (mowers.question, mowers.answer) == ("Mowers?", "Yes.\n\n- From *May* on.")
    assert same(nothing.asked) == same(hostile)
    mmchat.build_index(tmp_path / "documents", index.path, config=index.config, rebuild=True)
    assert [each.answer for each in written_answers(index)] == ["Nothing.", mowers.answer]


def same(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("question", "answer"), [("", "Yes."), ("?", " \n"), ("?", "x" * 30_000)])
def test_an_answer_has_both_parts(index: mmchat.Index, question: str, answer: str):
    with pytest.raises(InputError, match="nothing was changed"):
        write_answer(index, question, answer)
    assert written_answers(index) == []
