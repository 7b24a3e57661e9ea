"""Conversations that are kept, in Chromium: the real desk and assistant over four documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from shelf_assistant import shelf_desk
from visits import CHROMIUM, Visit, serious_faults, serving

import mmchat
from mmchat.config import WebConfig
from mmchat.sessions import Unanswered
from mmchat.types import HandoffReason
from mmchat.web.wording import COMPLAINTS

KEEP = "How long does asparagus keep in the refrigerator?"
WEEK = "Asparagus keeps for about one week in the refrigerator."
SHOES = "Can shoes be returned?"
CONFIG = WebConfig(company="Hearth & Home", port=0, quick_replies=(SHOES,))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def assistant(folder: Path) -> ScriptedAssistant:
    return ScriptedAssistant(ScriptedIndex(folder / "index"))


@pytest.fixture(scope="module")
def desk(folder: Path) -> Iterator[mmchat.Desk]:
    with shelf_desk(folder, *[WEEK] * 20) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(assistant: ScriptedAssistant, desk: mmchat.Desk) -> Iterator[str]:
    with serving(assistant, CONFIG, desk) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address, viewport={"width": 1280, "height": 800})
    yield visit
    visit.page.context.close()


def answered(visit: Visit, question: str, count: int = 1) -> None:
    visit.ask(question)
    expect(visit.page.locator(".took")).to_have_count(count)


def test_a_conversation_is_found_again_named_exported_and_deleted(visit: Visit, desk: mmchat.Desk):
    page = visit.page
    answered(visit, KEEP)
    page.get_by_role("button", name="New conversation").click()
    answered(visit, SHOES)
    page.get_by_role("button", name="Toggle Sidebar").click()
    kept = page.locator("#kept label")
    expect(kept).to_have_text([SHOES, KEEP])
    page.get_by_label("Search your conversations").fill("REFRIGERATOR week")
    expect(kept).to_have_text([KEEP])
    kept.first.click()
    expect(page.locator("#chat .user")).to_have_text(KEEP)
    expect(page.locator(".source mark")).to_be_visible()
    # The box gets the name that it has had first; what is typed before would be lost.
    expect(page.get_by_label("Name of this conversation")).to_have_value(KEEP)
    page.get_by_label("Name of this conversation").fill("My greens")
    page.get_by_label("Name of this conversation").press("Enter")
    expect(kept).to_have_text(["My greens"])
    with page.expect_download() as markdown:
        page.get_by_role("button", name="Markdown").or_(
            page.get_by_role("link", name="Markdown")
        ).click()
    assert Path(markdown.value.path()).read_text(encoding="utf-8").startswith("# My greens")
    with page.expect_download() as values:
        page.get_by_role("button", name="JSON").or_(page.get_by_role("link", name="JSON")).click()
    turns = json.loads(Path(values.value.path()).read_text(encoding="utf-8"))["turns"]
    assert [turn["question"] for turn in turns] == [KEEP]
    page.get_by_role("button", name="Delete this conversation").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".greeting")).to_be_visible()
    expect(kept).to_have_count(0)
    page.get_by_label("Search your conversations").fill("")
    expect(kept).to_have_text([SHOES])
    assert visit.complaints == []
    assert "My greens" not in [head.title for head in desk.store.everything().list()]


@pytest.mark.parametrize(
    ("locale", "button", "badge"),
    [
        ("en-GB", "Talk to a person", "A person has this conversation"),
        ("ko-KR", "상담원과 이야기하기", "담당자가 이 대화를 맡았습니다"),
    ],
)
def test_a_person_is_a_click_away_and_both_sides_see_it(
    browser: Browser, address: str, desk: mmchat.Desk, locale: str, button: str, badge: str
):
    phone = {"width": 375, "height": 812}
    visit = Visit(browser, address, viewport=phone, locale=locale)
    page = visit.page
    page.get_by_role("button", name=button).click()
    expect(page.locator(".badge.person")).to_have_text(badge)
    newest = desk.store.everything().list()[0]
    assert newest.handed_over
    handoff = desk.store.everything().get(newest.id).handoff
    assert handoff is not None
    assert handoff.handoff.reason == HandoffReason.REQUEST
    page.get_by_role("button", name=SHOES).click()
    expect(page.locator("#chat .user").last).to_have_text(SHOES)
    expect(page.locator(".took")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert visit.complaints == []
    page.context.close()


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-GB", "light", 1280), ("ko-KR", "dark", 375)]
)
def test_axe_finds_nothing_serious(
    browser: Browser, address: str, locale: str, scheme: str, width: int
):
    visit = Visit(
        browser,
        address,
        viewport={"width": width, "height": 812},
        locale=locale,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = visit.page

    expect(page.locator(".greeting")).to_be_visible()
    assert serious_faults(page) == []
    answered(visit, KEEP)
    page.locator(".has-card").first.focus()
    expect(page.locator(".card").first).to_be_visible()
    assert serious_faults(page) == []
    page.get_by_role("button", name="Toggle Sidebar").click()
    expect(page.locator("#kept label")).to_have_count(1)
    page.locator("#delete").click()
    expect(page.locator("#delete-yes")).to_be_visible()
    assert serious_faults(page) == []
    page.context.close()


def test_a_reason_for_a_thumb_down_reaches_the_owner(visit: Visit, desk: mmchat.Desk):
    page = visit.page
    answered(visit, KEEP)
    page.get_by_label("Feedback").or_(page.get_by_label("Extra feedback")).first.click()
    page.get_by_text(COMPLAINTS[0]).click()
    newest = desk.store.everything().list(limit=1)[0].id
    disliked: list[Unanswered] = []
    for _ in range(50):
        disliked = [each for each in desk.store.unanswered() if each.conversation == newest]
        if disliked:
            break
        page.wait_for_timeout(100)
    assert [(each.reason, each.abstained) for each in disliked] == [(COMPLAINTS[0], False)]


# The last: a server that stops deletes its copies of the example pictures, which the other one shows too.
def test_a_conversation_outlives_a_reload_and_a_restart(browser: Browser, folder: Path):
    assistant = ScriptedAssistant(ScriptedIndex(folder / "restarted"))
    with shelf_desk(folder, WEEK) as desk, serving(assistant, CONFIG, desk) as address:
        visit = Visit(browser, address)
        answered(visit, KEEP)
        visit.page.reload()
        expect(visit.page.locator(".answer")).to_contain_text("about one week")
    with shelf_desk(folder, WEEK) as desk, serving(assistant, CONFIG, desk) as address:
        # Cookies do not know ports, so this is the same visitor.
        visit.page.goto(address)
        expect(visit.page.locator(".answer")).to_contain_text("about one week")
        expect(visit.page.locator(".source mark")).to_be_visible()
        answered(visit, SHOES, 2)
        other = Visit(browser, address)
        expect(other.page.locator(".greeting")).to_be_visible()
        other.page.get_by_role("button", name="Toggle Sidebar").click()
        expect(other.page.locator("#kept label")).to_have_count(0)
        for each in (visit, other):
            each.page.context.close()
