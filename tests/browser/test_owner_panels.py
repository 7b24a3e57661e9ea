"""What an owner does with conversations, figures, searches and the map, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from small_shop import small_shop
from visits import CHROMIUM, serious_faults, serving

import mmchat
from mmchat.types import Answer, Status
from mmchat.web.owner import Login

PASSWORD = "correct horse battery"
WARRANTY = "How long does the warranty of a kettle last?"
HOSTILE = "Is <img src=x onerror=alert(1)> {{7*7}} ${7*7} yours?"
PERSON = "Let me talk to a person, please"
PANELS = {
    "talks": ("Conversations", "대화", "#talks-list button"),
    "figures": ("Figures", "통계", "#figures-questions svg"),
    "search": ("Try a search", "검색 시험", "#search-run"),
    "map": ("Map", "지도", "#map-drawn svg"),
}
"""Name to its title in English and Korean, and what is there once it is loaded."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mmchat.Desk]:
    """A desk with three conversations: a good one, one that was not answered, and one passed on."""
    with small_shop(tmp_path_factory.mktemp("shop")) as opened:
        first, second, third = (mmchat.new_owner() for _ in range(3))
        opened.ask(first, opened.start(first), WARRANTY)
        own = opened.store.of(second)
        turn = own.begin_turn(own.start(), HOSTILE)
        own.end_turn(turn, Answer("I don't know.", Status.ABSTAINED, (), 0.4, asked=HOSTILE))
        own.rate(turn, useful=False, reason="<b>wrong</b>")
        talk, own = opened.start(third), opened.store.of(third)
        turn = own.begin_turn(talk, WARRANTY, Image.new("RGB", (64, 48), "red"))
        own.end_turn(turn, opened.assistant.ask(WARRANTY))
        opened.ask(third, talk, PERSON)
        yield opened


@pytest.fixture(scope="module")
def address(desk: mmchat.Desk) -> Iterator[str]:
    config = desk.assistant.config.web
    with serving(desk.assistant, config, desk, Login("owner", PASSWORD)) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = logged_in(browser, address, viewport={"width": 1280, "height": 860})
    yield page
    page.context.close()


def logged_in(browser: Browser, address: str, **context: Any) -> Page:
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{address}owner")
    word = page.locator("input[type=password]")
    expect(word).to_be_visible()
    expect(page.locator("#panels")).to_have_count(0)
    page.locator("input").nth(0).fill("owner")
    word.fill(PASSWORD)
    word.press("Enter")
    expect(page.locator("#panels")).to_be_visible()
    return page


def open_panel(page: Page, name: str, *, korean: bool = False) -> None:
    title, loaded = PANELS[name][korean], PANELS[name][2]
    tab = page.get_by_role("tab", name=title, exact=True)
    menu = page.locator("#panels .overflow-menu > button")
    if not tab.first.is_visible() and menu.is_visible():
        menu.click()
        page.locator("#panels .overflow-dropdown button", has_text=title).click()
    else:
        tab.first.click()
    expect(page.locator(loaded).first).to_be_visible()


def test_a_handoff_is_read_and_marked_as_done(page: Page, desk: mmchat.Desk):
    (waiting,) = desk.store.queue.all()
    open_panel(page, "talks")
    rows = page.locator("#talks-list button")
    expect(rows).to_have_count(3)
    page.get_by_text("Waiting for a person (1)").click()
    expect(rows).to_have_count(1)
    rows.first.click()
    expect(page.locator(".handoff .state")).to_contain_text("Waits for a person since")
    expect(page.locator(".handoff")).to_contain_text("The customer asked for one")
    expect(page.locator(".said.customer")).to_have_count(2)
    expect(page.locator(".said.customer").first).to_contain_text(WARRANTY)
    expect(page.locator(".said.customer img")).to_have_js_property("naturalWidth", 64)
    expect(page.locator(".said.customer").last).to_contain_text(PERSON)
    page.get_by_text("Sources (1)").click()
    expect(page.locator(".said.assistant mark").first).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Markdown").click()
    assert PERSON in Path(saved.value.path()).read_text(encoding="utf-8")
    page.get_by_role("button", name="Draft a reply").click()
    expect(page.get_by_label("Draft of a reply")).to_have_value(re.compile("24 months"))
    page.get_by_role("button", name="Mark as done").click()
    expect(page.locator(".handoff .state")).to_contain_text("Done on")
    expect(page.locator("#talks-which")).to_contain_text("Waiting for a person (0)")
    kept = desk.store.everything().get(waiting.conversation).handoff
    assert kept is not None and kept.done is not None
    page.get_by_role("button", name="Open again").click()
    expect(page.locator(".handoff .state")).to_contain_text("Waits for a person")


def test_conversations_are_found_and_what_was_said_is_only_text(page: Page):
    open_panel(page, "talks")
    page.get_by_text("All", exact=True).click()
    page.get_by_label("Search what was said").fill("ONERROR")
    rows = page.locator("#talks-list button")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("not answered: 1")
    rows.first.click()
    expect(page.locator(".said.customer").first).to_contain_text(HOSTILE)
    expect(page.locator(".thumb-said")).to_contain_text("<b>wrong</b>")
    assert page.locator("#talks-read img").count() == 0
    page.get_by_label("Search what was said").fill("")
    expect(rows).to_have_count(3)


def test_figures_are_what_was_asked(page: Page, desk: mmchat.Desk):
    open_panel(page, "figures")
    numbers = page.locator("#figures-numbers")

    def figure(name: str) -> Any:
        return numbers.locator("dl > div", has=page.get_by_text(name, exact=True)).locator("dd")

    expect(figure("Questions")).to_contain_text("4")
    statuses = [
        each.status
        for each in desk.store.overview.asked(desk.store.queue.all()[0].created.replace(year=2000))
    ]
    expect(figure("Answered")).to_contain_text(str(statuses.count(Status.ANSWERED)))
    expect(figure("Not known")).to_contain_text("1 25%")
    expect(figure("Left to a person")).to_contain_text("1 25%")
    expect(figure("Thumb down")).to_contain_text("1")
    expect(figure("Conversations passed on")).to_contain_text("1")
    page.get_by_role("button", name="All figures, day by day").click()
    days = page.locator("#figures-table tbody tr")
    expect(days).to_have_count(7)
    expect(days.first.locator("td").first).to_have_text("4")
    expect(days.last.locator("td").first).to_have_text("0")
    page.get_by_text("Last 30 days").click()
    expect(days).to_have_count(30)
    expect(page.locator("#figures-questions svg path").first).to_be_attached()


def test_other_settings_mark_what_moved(page: Page, desk: mmchat.Desk):
    open_panel(page, "search")
    page.locator("#search-query textarea").fill(WARRANTY)
    page.locator("#search-query textarea").press("Enter")
    first = page.locator("#search-found section").first.locator(".hit")
    items = [hit.item for hit in desk.assistant.index.search(WARRANTY)]
    expect(first).to_have_count(len(items))
    assert [each.get_attribute("data-item") for each in first.all()] == items
    expect(first.locator(".channels").first).to_contain_text("rank 1")
    page.get_by_role("button", name="Compare with other settings").click()
    page.get_by_label("weight_linked").fill("0")
    page.get_by_label("weight_image").fill("0")
    page.locator("#search-run").click()
    expect(page.locator("#search-found section")).to_have_count(2)
    expect(page.locator("#search-found .changes")).to_contain_text("weight_linked = 0 (now 0.8)")
    second = page.locator("#search-found section").last.locator(".hit")
    after = [each.get_attribute("data-item") for each in second.all()]
    gone = page.locator("#search-found section").first.locator(".hit.gone")
    expect(gone).to_have_count(len(set(items) - set(after)))
    assert set(items) - set(after), "the picture, which no words found"
    page.get_by_label("weight_linked").fill("-1")
    page.locator("#search-run").click()
    expect(page.locator("#search-found .bad")).to_have_text(
        "retrieval.weight_linked = -1.0: expected 0 or more."
    )
    page.get_by_role("button", name="Back to the settings as they are").click()
    expect(page.locator("#search-found section")).to_have_count(1)
    page.get_by_label("Filter").fill("prise<50")
    page.locator("#search-run").click()
    expect(page.locator("#search-found .bad")).to_contain_text("price")


def test_the_map_has_every_item_and_the_query(page: Page, desk: mmchat.Desk):
    manifest = desk.assistant.index.manifest
    open_panel(page, "map")
    dots, star = page.locator("#map-drawn circle[data-item]"), page.locator("#map-drawn .query")
    expect(dots).to_have_count(manifest.chunks)
    # The last question that was searched is there by itself.
    expect(page.locator("#map-query textarea")).to_have_value(WARRANTY)
    expect(star).to_have_count(1)
    near = page.locator(".nearest button").first
    expect(near).to_contain_text("Warranty")
    near.click()
    expect(page.locator(".map-title")).to_have_text("Warranty")
    expect(page.locator(".map-text")).to_contain_text("24 months")
    page.get_by_text("Pictures, by what they show").click()
    expect(dots).to_have_count(manifest.pictures)
    expect(star).to_have_count(1)
    dots.first.click(force=True)
    expect(page.locator(".map-told img")).to_have_js_property("complete", True)
    assert page.locator(".map-told img").evaluate("each => each.naturalWidth") > 0


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-GB", "light", 1280), ("ko-KR", "dark", 375)]
)
def test_panels_are_for_everybody(
    browser: Browser, address: str, locale: str, scheme: str, width: int
):
    page = logged_in(
        browser,
        address,
        viewport={"width": width, "height": 812},
        locale=locale,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    own, asked = (address, "data:", "blob:"), []
    page.on("request", lambda sent: asked.append(sent.url))
    korean = locale == "ko-KR"
    for name in PANELS:
        open_panel(page, name, korean=korean)
        if name == "talks":
            page.locator("#talks-list button").first.click()
            expect(page.locator(".said.customer").first).to_be_visible()
        if name == "search":
            page.locator("#search-query textarea").fill(WARRANTY)
            page.locator("#search-run").click()
            expect(page.locator(".hit").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert serious_faults(page) == [], name
    assert [url for url in asked if not url.startswith(own)] == []
    page.context.close()
