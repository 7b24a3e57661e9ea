"""The owner's pages in Chromium: the real index, assistant and desk with small encoders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from small_shop import small_shop
from visits import CHROMIUM, Visit, serious_faults, serving

import mmchat
from mmchat.types import Answer, Status
from mmchat.web.owner import Login
from mmchat.web.wording import COMPLAINTS

PASSWORD = "correct horse battery"
MOWERS = "Do you sell lawn mowers?"
BICYCLES = "Where can bicycles be repaired?"
HOSTILE = "Is <img src=x onerror=alert(1)> {{7*7}} ${7*7} yours?"
WARRANTY = "How long does the warranty of a kettle last?"
DESKTOP = {"width": 1280, "height": 860}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mmchat.Desk]:
    with small_shop(tmp_path_factory.mktemp("shop")) as opened:
        for question in (MOWERS, "do you sell lawn MOWERS?", BICYCLES, HOSTILE):
            own = opened.store.of(mmchat.new_owner())
            turn = own.begin_turn(own.start(), question)
            own.end_turn(turn, Answer("…", Status.ABSTAINED, (), 0.1, asked=question))
        yield opened


@pytest.fixture(scope="module")
def address(desk: mmchat.Desk) -> Iterator[str]:
    config = desk.assistant.config.web
    with serving(desk.assistant, config, desk, Login("owner", PASSWORD)) as address:
        yield address


def opened(browser: Browser, address: str, **context: Any) -> tuple[Page, list[str]]:
    """Open the owner's page; return it with what it complains of and asks others for."""
    page = browser.new_context(**{"viewport": DESKTOP, **context}).new_page()
    page.set_default_timeout(30_000)
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    own = (address, "data:", "blob:")
    page.on("request", lambda sent: None if sent.url.startswith(own) else faults.append(sent.url))
    page.goto(f"{address}owner")
    return page, faults


def log_in(page: Page, password: str = PASSWORD) -> None:
    name, word = page.locator("input").nth(0), page.locator("input[type=password]")
    name.fill("owner")
    word.fill(password)
    word.press("Enter")


def answer_of(visit: Visit, question: str) -> Any:
    visit.page.get_by_role("button", name="New conversation").click()
    visit.ask(question)
    expect(visit.page.locator(".took")).to_have_count(1)
    return visit.page.locator("#chat .answer").last


def test_only_the_owner_gets_in(browser: Browser, address: str):
    page, faults = opened(browser, address)
    log_in(page, "wrong horse battery")
    expect(page.locator(".creds")).to_be_visible()
    expect(page.locator("#panels")).to_have_count(0)
    faults.clear()  # the browser itself complains of the refusal
    log_in(page)
    expect(page.locator("#questions-gaps label").first).to_contain_text("MOWERS? · 2×")
    page.locator("#log-out").click()
    expect(page.locator("input[type=password]")).to_be_visible()
    page.goto(f"{address}owner")
    expect(page.locator("input[type=password]")).to_be_visible()
    assert faults == []
    page.context.close()


def test_an_upload_is_answered_from_at_once_and_a_removed_one_is_not(
    browser: Browser, address: str
):
    visit = Visit(browser, address, viewport=DESKTOP)
    expect(answer_of(visit, "When is the workshop open?")).not_to_contain_text("Mondays")
    page, faults = opened(browser, address)
    log_in(page)
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("#index-table tbody tr")).to_have_count(5)
    page.set_input_files(
        "#index-files input[type=file]",
        [
            {
                "name": "workshop.md",
                "mimeType": "text/markdown",
                "buffer": b"# Workshop\n\nThe workshop is open on Mondays.\n",
            },
            {"name": "torn.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 torn"},
        ],
    )
    said = page.locator("#index-said")
    expect(said.locator(".good")).to_contain_text("workshop.md", timeout=60_000)
    expect(said.locator(".problems")).to_contain_text("torn.pdf")
    page.get_by_label("Search by name or title").fill("workshop")
    rows = page.locator("#index-table tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("added here")
    expect(answer_of(visit, "When is the workshop open?")).to_contain_text("Mondays")
    page.get_by_role("button", name="Remove workshop.md").click()
    expect(page.locator("#index-sure")).to_contain_text("workshop.md")
    page.locator("#index-no").click()
    expect(page.locator("#index-sure")).to_be_hidden()
    page.get_by_role("button", name="Remove workshop.md").click()
    page.locator("#index-yes").click()
    expect(said).to_contain_text("Removed: workshop.md")
    expect(page.locator("#index-table")).to_contain_text("No document has these words")
    expect(answer_of(visit, "When is the workshop open?")).not_to_contain_text("Mondays")
    assert faults == []
    for each in (page, visit.page):
        each.context.close()


def test_a_complaint_is_seen_and_an_answer_is_used(browser: Browser, address: str):
    visit = Visit(browser, address, viewport=DESKTOP)
    answer_of(visit, WARRANTY)
    visit.page.get_by_label("Feedback").or_(visit.page.get_by_label("Extra feedback")).first.click()
    visit.page.get_by_text(COMPLAINTS[0]).click()
    page, faults = opened(browser, address)
    log_in(page)
    gaps = page.locator("#questions-gaps label")
    gaps.filter(has_text=WARRANTY).click()
    about = page.locator("#questions-about")
    expect(about).to_contain_text(COMPLAINTS[0])
    expect(about.locator(".near")).to_contain_text("24 months")
    gaps.filter(has_text="onerror").click()
    expect(about.locator("h2")).to_have_text(HOSTILE)
    gaps.filter(has_text="bicycles").click()
    expect(page.get_by_label("Question", exact=True)).to_have_value(BICYCLES)
    page.get_by_label("Your answer").fill("Bicycles are repaired on Elm Street.")
    page.locator("#questions-save").click()
    expect(page.locator("#questions-said .good")).to_contain_text(BICYCLES, timeout=60_000)
    expect(gaps.filter(has_text="bicycles")).to_have_count(0)
    expect(page.get_by_label("Your answer")).to_have_value("")
    expect(answer_of(visit, BICYCLES)).to_contain_text("Elm Street")
    page.get_by_label("Answers that you have written").click()
    page.get_by_role("option", name=BICYCLES).click()
    expect(page.get_by_label("Your answer")).to_have_value("Bicycles are repaired on Elm Street.")
    assert faults == []
    for each in (page, visit.page):
        each.context.close()


@pytest.mark.parametrize(
    ("locale", "scheme", "width", "documents"),
    [("en-GB", "light", 1280, "Documents"), ("ko-KR", "dark", 375, "문서")],
)
def test_axe_finds_nothing_serious(
    browser: Browser, address: str, locale: str, scheme: Any, width: int, documents: str
):
    page, faults = opened(
        browser,
        address,
        viewport={"width": width, "height": 812},
        locale=locale,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    expect(page.locator("input[type=password]")).to_be_visible()
    assert serious_faults(page) == []
    log_in(page)
    page.locator("#questions-gaps label").first.click()
    expect(page.locator("#questions-about h2")).to_be_visible()
    assert serious_faults(page) == []
    page.get_by_role("tab", name=documents, exact=True).click()
    page.locator("#index-table button").first.click()
    expect(page.locator("#index-yes")).to_be_visible()
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    page.context.close()


def test_a_question_that_is_asked_again_is_open_again(
    browser: Browser, address: str, desk: mmchat.Desk
):
    page, _ = opened(browser, address, locale="ko-KR")
    log_in(page)
    gaps = page.locator("#questions-gaps label")
    gaps.filter(has_text="lawn").click()
    # The form is emptied for the question that was chosen; what is typed before would be lost.
    expect(page.locator("#questions-about h2")).to_be_visible()
    expect(page.locator("#questions-question textarea")).not_to_have_value("")
    page.locator("#questions-answer textarea").fill("We sell none.")
    page.locator("#questions-save").click()
    expect(page.locator("#questions-said .good")).to_contain_text("저장했습니다", timeout=60_000)
    expect(gaps.filter(has_text="lawn")).to_have_count(0)
    own = desk.store.of(mmchat.new_owner())
    turn = own.begin_turn(own.start(), MOWERS)
    own.end_turn(turn, Answer("…", Status.ABSTAINED, (), 0.1, asked=MOWERS))
    page.reload()
    expect(gaps.filter(has_text="lawn")).to_contain_text("1번")
    page.context.close()
