"""A question that is taken back, changed or asked once more: on the page and where it is kept."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image
from scripted_assistant import scripted_desk
from starlette.testclient import TestClient

import mmchat
from mmchat.config import WebConfig
from mmchat.web.conversation import Conversation, Stage, Turn, turn_at
from mmchat.web.guard import OWNER_COOKIE
from mmchat.web.keeping import Kept
from mmchat.web.render import messages
from mmchat.web.revising import Revising
from mmchat.web.server import server_for
from mmchat.web.steps import Steps

OWNER = mmchat.new_owner()
VISITOR: Any = SimpleNamespace(headers={}, cookies={OWNER_COOKIE: OWNER})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[mmchat.Desk]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    with scripted_desk(tmp_path) as opened:
        yield opened


@pytest.fixture
def revising(desk: mmchat.Desk) -> Revising:
    return Revising(desk)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a visitor is told in passing."""
    said: list[str] = []
    monkeypatch.setattr(gr, "Info", said.append)
    return said


def said(
    desk: mmchat.Desk, text: str, turns: Conversation = (), files: tuple[str, ...] = ()
) -> Conversation:
    steps = Steps(desk.assistant, (), desk)
    return finished(desk, steps.ask({"text": text, "files": list(files)}, turns, VISITOR)[0])


def finished(desk: mmchat.Desk, turns: Conversation) -> Conversation:
    return list(Steps(desk.assistant, (), desk).answer(turns))[-1][0]


def photo(folder: Path) -> str:
    path = folder / "mine.png"
    Image.new("RGB", (40, 30), "navy").save(path)
    return str(path)


def kept(desk: mmchat.Desk) -> list[list[str]]:
    own = desk.store.of(OWNER)
    return [[turn.question for turn in own.get(head.id).turns] for head in own.list()]


def changed(index: int, text: str) -> Any:
    return SimpleNamespace(index=index, value=text)


def test_undo_puts_the_question_back_into_the_box(desk: mmchat.Desk, revising: Revising):
    turns = said(desk, "second?", said(desk, "first?"))
    left, shown, *_, box = revising.undo(turns)
    assert [turn.question for turn in left] == ["first?"]
    assert len(shown) == 2
    assert box.value == {"text": "second?", "files": []}
    assert kept(desk) == [["first?"]]
    assert Kept(desk).restore(VISITOR)[0][0].question == "first?", "as after a reload"


def test_undoing_everything_leaves_no_conversation(desk: mmchat.Desk, revising: Revising):
    assert revising.undo(said(desk, "first?"))[0] == ()
    assert kept(desk) == []
    assert revising.undo(())[0] == ()


def test_undo_gives_a_photo_back_too(desk: mmchat.Desk, revising: Revising, tmp_path: Path):
    turns = said(desk, "", files=(photo(tmp_path),))
    (again,) = revising.undo(turns)[-1].value["files"]
    assert again["orig_name"] == "mine.png"
    said(desk, "this?", files=(photo(tmp_path),))
    restored = Kept(desk).restore(VISITOR)[0]
    (again,) = revising.undo(restored)[-1].value["files"]
    with Image.open(again["path"]) as opened:
        assert opened.size == (40, 30)
    with desk.store._database.session() as session:
        from sqlalchemy import text

        assert session.execute(text("SELECT count(*) FROM pictures")).scalar() == 0


def test_an_edited_question_takes_the_place_of_the_old_one(desk: mmchat.Desk, revising: Revising):
    turns = said(desk, "third?", said(desk, "second?", said(desk, "first?")))
    asked = revising.edit(turns, changed(2, " and now? "))[0]
    assert [(turn.question, turn.running) for turn in asked] == [
        ("first?", False),
        ("and now?", True),
    ]
    assert kept(desk) == [["first?", "second?", "third?"]], "nothing is lost before it begins"
    finished(desk, asked)
    assert kept(desk) == [["first?", "and now?"]]


def test_an_edited_question_keeps_its_photo_and_names_the_conversation(
    desk: mmchat.Desk, revising: Revising, tmp_path: Path
):
    said(desk, "this?", files=(photo(tmp_path),))
    restored = Kept(desk).restore(VISITOR)[0]
    finished(desk, revising.edit(restored, changed(0, "이건 뭐예요?"))[0])
    assert desk.assistant.asked[-1][:2] == ("이건 뭐예요?", True)
    (head,) = desk.store.of(OWNER).list()
    assert head.title == "이건 뭐예요?"
    (turn,) = desk.store.of(OWNER).get(head.id).turns
    assert turn.picture is not None


@pytest.mark.parametrize(("index", "text"), [(9, "x"), (0, "  "), ((0, 1), "x"), (0, None)])
def test_what_cannot_be_edited_stays(desk: mmchat.Desk, revising: Revising, index: Any, text: Any):
    turns = said(desk, "first?")
    assert revising.edit(turns, changed(index, text))[0] == turns
    assert list(Steps(desk.assistant, (), desk).answer(turns)) == []
    assert kept(desk) == [["first?"]]


def test_a_retry_replaces_what_is_kept(desk: mmchat.Desk, revising: Revising):
    turns = said(desk, "second?", said(desk, "first?"))
    finished(desk, revising.again(turns)[0])
    assert kept(desk) == [["first?", "second?"]]


def test_a_retry_that_never_begins_loses_nothing(desk: mmchat.Desk, revising: Revising):
    turns = said(desk, "first?")
    waiting = Steps(desk.assistant, (), desk).settle(revising.again(turns)[0])[0]
    assert kept(desk) == [["first?"]]
    finished(desk, revising.again(waiting)[0])
    assert kept(desk) == [["first?"]]
    waiting = Steps(desk.assistant, (), desk).settle(revising.edit(waiting, changed(0, "b?"))[0])[0]
    assert revising.undo(waiting)[-1].value["text"] == "b?"
    assert kept(desk) == [], "what stood in its place is taken back"


def test_a_retry_does_not_lean_on_what_it_replaces(desk: mmchat.Desk, revising: Revising):
    turns = said(desk, "second?", said(desk, "first?"))
    finished(desk, revising.again(turns)[0])
    assert [history for *_, history in desk.assistant.asked] == [[], ["first?"], ["first?"]]


def test_a_stopped_answer_is_replaced_too(desk: mmchat.Desk, revising: Revising):
    steps = Steps(desk.assistant, (), desk)
    running = steps.answer(steps.ask({"text": "first?", "files": []}, (), VISITOR)[0])
    *_, turns = (next(running)[0] for _ in range(4))
    running.close()
    finished(desk, revising.again(turns)[0])
    assert kept(desk) == [["first?"]]
    stopped = Kept(desk).restore(VISITOR)[0]
    assert stopped[0].stage is Stage.DONE


def test_more_like_this_is_asked_again_as_such(desk: mmchat.Desk, revising: Revising):
    turns = said(desk, "first?")
    asked = Steps(desk.assistant, (), desk).more_like(turns, changed("0.0", ""), VISITOR)[0]  # type: ignore[arg-type]
    finished(desk, asked)
    restored = Kept(desk).restore(VISITOR)[0]
    assert restored[-1].answer is not None
    assert [each.price for each in restored[-1].answer.similar] == ["32.90 EUR"]
    finished(desk, revising.again(restored)[0])
    assert desk.assistant.liked == ["kettle.png", "kettle.png"]
    assert kept(desk) == [["first?", "More like this: Red kettle"]]


def test_what_a_person_was_given_stays(desk: mmchat.Desk, revising: Revising, told: list[str]):
    turns = said(desk, "talk to a person", said(desk, "first?"))
    assert turns[-1].handoff is not None
    assert revising.undo(turns)[0] == turns
    assert revising.edit(turns, changed(0, "other?"))[0] == turns
    assert len(told) == 2 and "stays" in told[0]
    assert kept(desk) == [["first?", "talk to a person"]]
    asked = revising.again(turns)[0]
    finished(desk, asked)
    assert kept(desk) == [["first?", "talk to a person", "talk to a person"]]
    assert len(asked) == 3, "the page shows what is kept"
    later = said(desk, "and this?", Kept(desk).restore(VISITOR)[0])
    assert len(revising.undo(later)[0]) == 3, "what came after can be taken back"


def test_without_a_desk_the_page_alone_is_changed():
    turns = (Turn("a?", None, False, Stage.DONE), Turn("b?", None, False, Stage.DONE))
    assert Revising(None).undo(turns)[0] == turns[:1]
    assert [turn.question for turn in Revising(None).edit(turns, changed(0, "c?"))[0]] == ["c?"]


def test_which_turn_a_message_belongs_to():
    turns = (Turn("a", None, False), Turn("", None, False, Stage.FAILED), Turn("", "p.png", False))
    shown = [message["role"] for message in messages(turns)]
    assert [turn_at(turns, at) for at in range(len(shown) + 1)] == [0, 0, 1, 2, 2, None]


def test_a_deleted_conversation_ends_its_answer_and_leaves_nothing(desk: mmchat.Desk):
    steps, panel = Steps(desk.assistant, (), desk), Kept(desk)
    running = steps.answer(steps.ask({"text": "first?", "files": []}, (), VISITOR)[0])
    *_, turns = (next(running)[0] for _ in range(5))
    assert turns[-1].running and "24 months" in turns[-1].text
    assert panel.delete(turns, VISITOR)[0] == ()
    *_, last = running
    assert last[0][-1].text.startswith("This conversation was deleted.")
    assert desk.store.everything().list() == []
    assert kept(desk) == []
    assert said(desk, "and now?", last[0])[-1].stage is Stage.DONE, "the next begins a new one"
    assert kept(desk) == [["and now?"]]


def test_a_photo_that_cannot_be_read_begins_no_conversation(desk: mmchat.Desk, tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    turns = said(desk, "what?", files=(str(tmp_path / "broken.png"),))
    assert turns[-1].stage is Stage.FAILED
    assert turns[-1].text.startswith("This photo is not a picture that can be read")
    assert desk.store.everything().list() == []
    said(desk, "and without?", turns)
    assert kept(desk) == [["and without?"]]


def test_a_photo_is_there_again_for_its_owner_alone(desk: mmchat.Desk, tmp_path: Path):
    said(desk, "this?", files=(photo(tmp_path),))
    turns, shown, *_ = Kept(desk).restore(VISITOR)
    component = shown[0]["content"][0]
    assert isinstance(component, gr.HTML)
    address = f"/conversations/{turns[0].kept_as}/pictures/{turns[0].picture}.jpg"
    assert f'<img class="photo" src="{address[1:]}"' in component.value
    with TestClient(server_for(desk.assistant, WebConfig(), desk=desk).config.app) as client:
        mine = client.get(address, headers={"cookie": f"{OWNER_COOKIE}={OWNER}"})
        assert mine.headers["content-type"] == "image/jpeg"
        assert mine.headers["cache-control"] == "no-store"
        assert mine.headers["x-content-type-options"] == "nosniff"
        assert Image.open(io.BytesIO(mine.content)).size == (40, 30)
        for owner in ("", "short", mmchat.new_owner()):
            refused = client.get(address, headers={"cookie": f"{OWNER_COOKIE}={owner}"})
            assert refused.status_code == 404
        other = address.replace(turns[0].picture, "0" * 32)
        assert client.get(other, headers={"cookie": f"{OWNER_COOKIE}={OWNER}"}).status_code == 404
