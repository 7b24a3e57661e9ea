"""More people than places, in Chromium: each sees their number in the line, and who leaves makes room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from many_visitors import EchoAssistant, echo_desk
from playwright.sync_api import Browser, expect
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from visits import CHROMIUM, Visit, serving

import mmchat
from mmchat.config import WebConfig

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mmchat.Desk]:
    with echo_desk(tmp_path_factory.mktemp("waiting")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(desk: mmchat.Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    page = ScriptedAssistant(ScriptedIndex(tmp_path_factory.mktemp("waiting") / "index"))
    with serving(page, WebConfig(port=0, concurrency=1), desk) as address:
        yield address


def test_the_number_in_the_line_is_shown_and_falls(
    browser: Browser, address: str, desk: mmchat.Desk
):
    assert isinstance(desk.assistant, EchoAssistant)
    desk.assistant.gate.clear()
    served, first, stopped, second = (Visit(browser, address) for _ in range(4))
    served.ask("Who is served?")
    expect(served.page.locator(".answer")).to_have_text("You asked: ")
    first.ask("Who leaves?")
    expect(first.page.locator(".pending")).to_contain_text("You are number 1 in the queue")
    stopped.ask("Who stops waiting?")
    expect(stopped.page.locator(".pending")).to_contain_text("You are number 2 in the queue")
    second.ask("누가 기다리나요?")
    pending = second.page.locator(".pending")
    expect(pending).to_contain_text("대기 순서 3번째")
    stopped.page.locator("#box .stop-button").click()
    expect(stopped.page.locator(".status")).to_have_text("Stopped.")
    expect(pending).to_contain_text("대기 순서 2번째")
    first.page.context.close()
    # That somebody left is found out when they are told their number again.
    expect(pending).to_contain_text("대기 순서 1번째", timeout=30_000)
    desk.assistant.gate.set()
    for visit, asked in ((served, "Who is served?"), (second, "누가 기다리나요?")):
        expect(visit.page.locator(".took")).to_be_visible()
        expect(visit.page.locator(".answer")).to_have_text(f"You asked: {asked}")
        assert visit.complaints == []
    for visit in (served, stopped, second):
        visit.page.context.close()
