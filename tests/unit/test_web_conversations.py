"""Conversations on the page: kept, shown again after a reload, rated, and passed to a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from shelf_assistant import shelf_desk
from starlette.testclient import TestClient

import mmchat
from mmchat.config import WebConfig
from mmchat.types import Status
from mmchat.web.conversation import Conversation, Stage, Turn, answer_at
from mmchat.web.guard import OWNER_COOKIE
from mmchat.web.keeping import Kept
from mmchat.web.render import answer_html, messages, sources_html
from mmchat.web.server import server_for
from mmchat.web.steps import Steps
from mmchat.web.wording import COMPLAINTS

KEEP = "How long does asparagus keep in the refrigerator?"
WEEK = "Asparagus keeps for about one week in the refrigerator."
OWNER = mmchat.new_owner()
VISITOR: Any = SimpleNamespace(headers={}, cookies={OWNER_COOKIE: OWNER})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[mmchat.Desk]:
    with shelf_desk(tmp_path, WEEK) as opened:
        yield opened


@pytest.fixture
def steps(desk: mmchat.Desk) -> Steps:
    return Steps(desk.assistant, (), desk)


@pytest.fixture
def kept(desk: mmchat.Desk) -> Kept:
    return Kept(desk)


def said(steps: Steps, text: str, turns: Conversation = (), visitor: Any = VISITOR) -> Conversation:
    asked = steps.ask({"text": text, "files": []}, turns, visitor)[0]
    return list(steps.answer(asked))[-1][0]


def test_a_conversation_is_kept(steps: Steps, desk: mmchat.Desk):
    turns = said(steps, "Can it be eaten raw?", said(steps, KEEP))
    (head,) = desk.store.of(OWNER).list()
    assert {turn.kept_as for turn in turns} == {head.id}
    record = desk.store.of(OWNER).get(head.id).turns
    assert [turn.id for turn in record] == [turn.number for turn in turns]
    assert record[1].asked == "Can the Asparagus be eaten raw?"


def test_after_a_reload_it_is_there_with_its_sources(steps: Steps, kept: Kept):
    before = said(steps, KEEP)
    turns, shown, sources, *_ = kept.restore(VISITOR)
    assert turns[0].answer.answer == before[0].answer.answer
    assert turns[0].answer.sources == before[0].answer.sources
    assert "one week" in shown[-1]["content"][0]
    assert "<mark>" in sources
    assert len(said(steps, "And shoes?", turns)) == 2, "it goes on"


def test_nobody_elses_conversation_is_shown(steps: Steps, kept: Kept):
    said(steps, KEEP)
    for cookies in ({}, {OWNER_COOKIE: mmchat.new_owner()}, {OWNER_COOKIE: "short"}):
        assert kept.restore(SimpleNamespace(headers={}, cookies=cookies))[0] == ()


STRANGER: Any = SimpleNamespace(headers={}, cookies={OWNER_COOKIE: mmchat.new_owner()})


def test_conversations_are_listed_searched_and_opened(steps: Steps, kept: Kept):
    first, second = said(steps, KEEP), said(steps, "Can shoes be returned?")
    listed, tools, title, markdown, *_ = kept.list(second, "", VISITOR)
    assert [name for name, _ in listed.choices] == ["Can shoes be returned?", KEEP]
    assert (listed.value, tools.visible, title.value) == (
        second[0].kept_as,
        True,
        "Can shoes be returned?",
    )
    assert markdown.link == f"conversations/{second[0].kept_as}.md"
    found = kept.list(second, "week refrigerator", VISITOR)[0]
    assert (found.choices, found.value) == ([(KEEP, first[0].kept_as)], None)
    assert kept.open(first[0].kept_as, second, VISITOR)[0][0].question == KEEP


def test_an_open_conversation_is_renamed_and_deleted_for_good(
    steps: Steps, kept: Kept, desk: mmchat.Desk
):
    turns = said(steps, KEEP)
    listed = kept.rename("  My   asparagus ", turns, "", VISITOR)[0]
    assert listed.choices == [("My asparagus", turns[0].kept_as)]
    assert kept.rename("  ", turns, "", VISITOR)[0].choices == listed.choices
    assert kept.delete(turns, VISITOR)[0] == ()
    assert desk.store.everything().list() == []
    again, tools, *_ = kept.list((), "", VISITOR)
    assert (again.choices, tools.visible) == ([], False)
    assert kept.delete(turns, VISITOR)[0] == (), "deleted elsewhere meanwhile"
    assert kept.rename("Late", turns, "", VISITOR)[0].choices == []


def test_somebody_elses_conversation_is_as_good_as_none(
    steps: Steps, kept: Kept, desk: mmchat.Desk
):
    turns = said(steps, KEEP)
    assert kept.list((), "", STRANGER)[0].choices == []
    assert kept.open(turns[0].kept_as, (), STRANGER)[0] == ()
    kept.delete(turns, STRANGER)
    kept.rename("Mine", turns, "", STRANGER)
    assert [head.title for head in desk.store.of(OWNER).list()] == [KEEP]


def test_a_conversation_is_exported_to_its_customer_alone(
    steps: Steps, desk: mmchat.Desk, tmp_path: Path
):
    path = f"/conversations/{said(steps, KEEP)[0].kept_as}"
    assistant = ScriptedAssistant(ScriptedIndex(tmp_path / "index"))
    with TestClient(server_for(assistant, WebConfig(), desk=desk).config.app) as client:
        for owner in ("", mmchat.new_owner(), "short"):
            for kind in ("md", "json"):
                refused = client.get(
                    f"{path}.{kind}", headers={"cookie": f"{OWNER_COOKIE}={owner}"}
                )
                assert refused.status_code == 404
        mine = {"cookie": f"{OWNER_COOKIE}={OWNER}"}
        markdown = client.get(f"{path}.md", headers=mine)
        assert "about one week in the refrigerator" in markdown.text
        assert markdown.headers["content-disposition"].startswith("attachment")
        values = client.get(f"{path}.json", headers=mine).json()
        assert values["turns"][0]["question"] == KEEP
        assert values["turns"][0]["sources"][0]["document"] == "asparagus.md"


def test_without_cookies_the_conversation_lasts_as_long_as_the_page(
    steps: Steps, desk: mmchat.Desk
):
    nobody = SimpleNamespace(headers={}, cookies={})
    turns = said(steps, "Can shoes be returned?", said(steps, KEEP, visitor=nobody), visitor=nobody)
    assert len({(turn.owner, turn.kept_as) for turn in turns}) == 1
    assert len(desk.store.everything().list()) == 1


@pytest.mark.parametrize(
    ("liked", "useful", "reason"),
    [(True, True, ""), (False, False, ""), (COMPLAINTS[0], False, COMPLAINTS[0]), ("x", False, "")],
)
def test_a_thumb_is_kept(steps: Steps, desk: mmchat.Desk, liked: Any, useful: bool, reason: str):
    turns = said(steps, KEEP)
    steps.rate(turns, SimpleNamespace(index=1, liked=liked))
    (turn,) = desk.store.of(OWNER).get(turns[0].kept_as).turns
    assert turn.feedback is not None
    assert (turn.feedback.useful, turn.feedback.reason) == (useful, reason)


@pytest.mark.parametrize("index", [0, 7, (0, 1)])
def test_a_thumb_on_something_else_is_not(steps: Steps, desk: mmchat.Desk, index: Any):
    turns = said(steps, KEEP)
    steps.rate(turns, SimpleNamespace(index=index, liked=False))
    assert desk.store.of(OWNER).get(turns[0].kept_as).turns[0].feedback is None


def test_which_answer_a_message_is():
    spoken, photo = Turn("a", None, False), Turn("", "p.png", False)
    failed = Turn("", None, False, Stage.FAILED)
    turns = (spoken, failed, photo)
    shown = messages(turns)
    answers = [at for at, message in enumerate(shown) if message["role"] == "assistant"]
    assert [answer_at(turns, at) for at in answers] == list(turns)


@pytest.mark.parametrize(
    ("message", "badge"),
    [("talk to a person", "A person has this"), ("상담원 연결해 주세요", "담당자가 이 대화를")],
)
def test_a_person_who_took_over_is_shown_now_and_later(
    steps: Steps, kept: Kept, message: str, badge: str
):
    turns = said(steps, message)
    assert turns[0].handoff is not None
    for turn in (turns[0], kept.restore(VISITOR)[0][0]):
        assert badge in answer_html(turn)
        assert sources_html(turn) == ""
        assert turn.answer is not None
        assert turn.answer.status == Status.HANDED_OVER


def test_the_button_asks_for_a_person_in_the_language_of_the_conversation(desk: mmchat.Desk):
    steps = Steps(desk.assistant, (), desk, quick=("반품은요?",))
    asked = steps.ask_for_person(steps.quick_step(0)((), VISITOR)[0], VISITOR)[0]
    assert [turn.question for turn in asked] == ["반품은요?", "상담원과 이야기하고 싶어요."]
    assert list(steps.answer(asked))[-1][0][-1].handoff is not None
    assert "person" in steps.ask_for_person((), VISITOR)[0][0].question


def test_an_answer_that_was_stopped_is_shown_as_such(steps: Steps, kept: Kept):
    asked = steps.ask({"text": KEEP, "files": []}, (), VISITOR)[0]
    running = steps.answer(asked)
    for _ in range(3):
        next(running)
    running.close()
    (turn,) = kept.restore(VISITOR)[0]
    assert turn.stage is Stage.STOPPED


def test_a_visitor_gets_a_cookie_once_that_no_script_reads(tmp_path: Path):
    assistant = ScriptedAssistant(ScriptedIndex(tmp_path / "index"))
    with TestClient(server_for(assistant, WebConfig()).config.app) as client:
        first = client.get("/").headers["set-cookie"]
        assert first.startswith(f"{OWNER_COOKIE}=") and "HttpOnly" in first
        assert "SameSite=Lax" in first
        assert "set-cookie" not in client.get("/").headers
        assert "set-cookie" not in client.get("/config").headers


def test_the_page_with_a_desk_is_built(desk: mmchat.Desk, tmp_path: Path):
    assistant = ScriptedAssistant(ScriptedIndex(tmp_path / "index"))
    with TestClient(server_for(assistant, WebConfig(), desk=desk).config.app) as client:
        steps = client.get("/config").json()["dependencies"]
        events = {target[1] for step in steps for target in step["targets"]}
        assert {"load", "like"} <= events
        assert all(step["api_visibility"] == "private" for step in steps)
