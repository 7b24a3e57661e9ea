"""The chat in a shop's own page, which stands on another port: another origin for the browser."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from shelf_assistant import shelf_desk
from visits import CHROMIUM, serious_faults, serving

from mmchat.config import WebConfig

KEEP = "How long does asparagus keep in the refrigerator?"
WEEK = "Asparagus keeps for about one week in the refrigerator."

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


class Shop:
    """A site with one page. Its policy takes scripts and frames of the chat alone, and no style at all."""

    def __init__(self) -> None:
        self.chat = ""
        shop = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                policy = f"default-src 'none'; script-src {shop.chat}; frame-src {shop.chat}"
                self.send_header("content-security-policy", policy)
                self.end_headers()
                self.wfile.write(shop.page(self.path).encode())

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, path: str) -> str:
        language = "ko" if path == "/ko" else "en"
        script = f'<script src="{self.chat}embed.js" async></script>'
        frame = f'<iframe src="{self.chat}"></iframe>'
        return (
            f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Shop</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<main><h1>Shop</h1>{frame if path == '/framed' else script}</main></html>"
        )


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.server.shutdown()
    shop.server.server_close()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Shop]:
    """The shop, which the chat allows under two names: by the second, cookies are another site's."""
    folder = tmp_path_factory.mktemp("embedded")
    assistant = ScriptedAssistant(ScriptedIndex(folder / "index"))
    origins = (f"http://127.0.0.1:{shop.port}", f"http://localhost:{shop.port}")
    config = WebConfig(company="Hearth & Home", port=0, embed_origins=origins)
    with (
        shelf_desk(folder, *[WEEK] * 20) as desk,
        serving(assistant, config, desk) as shop.chat,
    ):
        yield shop


@contextlib.contextmanager
def visiting(
    browser: Browser, shop: Shop, path: str = "/", host: str = "127.0.0.1", **context: Any
) -> Iterator[tuple[Page, list[str]]]:
    """Give the shop's page, and the errors in its console."""
    opened = browser.new_context(**context)
    page, complaints = opened.new_page(), []
    page.set_default_timeout(15_000)
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto(f"http://{host}:{shop.port}{path}")
    yield page, complaints
    opened.close()


def asked(page: Page, question: str) -> FrameLocator:
    chat = page.frame_locator("iframe")
    box = chat.locator("#box textarea")
    expect(box).to_be_enabled()
    box.fill(question)
    box.press("Enter")
    expect(chat.locator(".took").last).to_be_visible()
    return chat


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_customer_asks_in_the_shops_page(browser: Browser, embedded: Shop, host: str):
    with visiting(browser, embedded, host=host) as (page, complaints):
        assert page.locator("iframe").count() == 0, "nothing is loaded before it is wanted"
        page.get_by_role("button", name="Open the chat").click()
        chat = asked(page, KEEP)
        expect(chat.locator(".answer")).to_contain_text("about one week")
        expect(chat.locator(".source mark")).to_be_visible()
        chat = asked(page, "Can shoes be returned?")
        expect(chat.locator(".took")).to_have_count(2)
        assert complaints == []


def test_the_keyboard_opens_asks_and_closes(browser: Browser, embedded: Shop):
    with visiting(browser, embedded, viewport={"width": 1280, "height": 800}) as (page, _):
        toggle = page.get_by_role("button", name="Open the chat")
        toggle.focus()
        toggle.press("Enter")
        chat = page.frame_locator("iframe")
        expect(chat.locator("#box textarea")).to_be_focused()
        expect(page.get_by_role("dialog", name="Chat")).to_be_visible()
        page.keyboard.type("Can shoes be returned?")
        page.keyboard.press("Enter")
        expect(chat.locator(".took")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(toggle).to_be_focused()
        toggle.press("Enter")
        expect(chat.locator(".took")).to_be_visible()
        page.get_by_role("button", name="Close the chat").click()
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_phone_shows_it_over_everything_in_the_pages_language(browser: Browser, embedded: Shop):
    phone = {"viewport": {"width": 375, "height": 812}, "color_scheme": "dark", "locale": "ko-KR"}
    with visiting(browser, embedded, "/ko", **phone) as (page, complaints):
        page.get_by_role("button", name="채팅 상담 열기").click()
        panel = page.get_by_role("dialog", name="채팅 상담")
        assert panel.bounding_box() == {"x": 0, "y": 0, "width": 375, "height": 812}
        expect(page.frame_locator("iframe").locator("body.dark")).to_be_visible()
        assert serious_faults(page) == []
        panel.get_by_role("button", name="채팅 상담 닫기").click()
        expect(panel).to_be_hidden()
        assert complaints == []


def test_a_site_that_is_not_allowed_is_told_so_and_shows_nothing(
    browser: Browser, shop: Shop, tmp_path: Path
):
    assistant = ScriptedAssistant(ScriptedIndex(tmp_path / "index"))
    before, origins = shop.chat, (f"http://localhost:{shop.port}",)
    with serving(assistant, WebConfig(port=0, embed_origins=origins)) as shop.chat:
        with visiting(browser, shop) as (page, complaints):
            page.wait_for_timeout(0)
            expect(page.get_by_role("button")).to_have_count(0)
            said = f"http://127.0.0.1:{shop.port} may not show the chat of {shop.chat.rstrip('/')}"
            assert any(said in each for each in complaints)
        with visiting(browser, shop, "/framed") as (page, complaints):
            assert any("frame-ancestors" in each for each in complaints)
            expect(page.frame_locator("iframe").locator("#box")).to_have_count(0)
        with visiting(browser, shop, "/framed", host="localhost") as (page, _):
            expect(page.frame_locator("iframe").locator("#box")).to_be_visible()
    shop.chat = before
