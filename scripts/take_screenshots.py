"""Take pictures of the chat and of the owner's pages over an index of the sample shop.

Called by scripts/screenshots:

python scripts/take_screenshots.py INDEX FOLDER
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import mmchat
from mmchat.app.keeping import open_store
from mmchat.config import WebConfig
from mmchat.web.owner import OWNER_PATH, Login
from mmchat.web.server import listen, server_for

MAX_BYTES = 300_000
ANSWER_MS = 120_000
SETTLE_MS = 2_500
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 812}
PHOTO = Path(mmchat.__file__).parent / "sample_shop" / "pictures" / "kettle-red-1-7l.webp"


@dataclass(frozen=True)
class Shot:
    """One picture: what is asked, on which screen."""

    name: str
    question: str = ""
    photo: Path | None = None
    viewport: tuple[tuple[str, int], ...] = tuple(DESKTOP.items())
    locale: str = "en-GB"
    scheme: str = "light"
    whole_page: bool = False
    panel: bool = False
    """Whether the panel with the conversations is opened."""


SHOTS = (
    Shot("chat-start"),
    Shot("chat-answer", "How do I descale the red kettle?"),
    Shot("chat-photo", photo=PHOTO),
    Shot("chat-conversations", "What does express delivery cost?", panel=True),
    Shot("chat-unknown", "Do you repair bicycles?", scheme="dark"),
    Shot(
        "chat-phone",
        "배송비는 얼마인가요?",
        viewport=tuple(PHONE.items()),
        locale="ko-KR",
        whole_page=True,
    ),
)


@dataclass(frozen=True)
class OwnerShot:
    """One picture of the owner's pages, taken after the chat was used: what is done in a panel."""

    name: str
    tab: str
    shown: str
    """What has to be there before the picture is taken."""
    click: str = ""
    typed: str = ""
    """What is searched for."""
    viewport: tuple[tuple[str, int], ...] = tuple(DESKTOP.items())
    scheme: str = "light"


OWNER_SHOTS = (
    OwnerShot("owner-questions", "Questions", "#questions-about", click="#questions-gaps label"),
    OwnerShot("owner-conversations", "Conversations", ".said.customer", click="#talks-list button"),
    OwnerShot("owner-figures", "Figures", "#figures-questions svg path"),
    OwnerShot("owner-documents", "Documents", "#index-table tr"),
    OwnerShot("owner-search", "Try a search", "#search-found .hit", typed="a quiet kettle"),
    OwnerShot("owner-map", "Map", "#map-drawn .query", scheme="dark"),
)


@contextlib.contextmanager
def serving(index: Path, login: Login) -> Iterator[str]:
    """Serve the chat over an index on a free port and give its address."""
    config = WebConfig(
        company="Lumbrook Home Appliances", port=0, quick_replies=("Where is my order?",)
    )
    opened = mmchat.open_index(index)
    with (
        tempfile.TemporaryDirectory() as kept,
        mmchat.Assistant(opened, config=replace(opened.config, web=config)) as assistant,
        mmchat.Desk(assistant, store=open_store(f"{kept}/conversations.sqlite")) as desk,
        listen(config) as listener,
    ):
        server = server_for(assistant, config, desk=desk, login=login)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def take(browser: Browser, address: str, shot: Shot, folder: Path) -> Path:
    """Ask what the shot asks and save what the page shows then."""
    settings: dict[str, Any] = {
        "viewport": dict(shot.viewport),
        "locale": shot.locale,
        "color_scheme": shot.scheme,
    }
    context = browser.new_context(**settings)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#box textarea:enabled")
    if shot.photo:
        page.set_input_files("#box input[type=file]", shot.photo)
        page.get_by_label("File thumbnail").wait_for()
    if shot.question:
        page.fill("#box textarea", shot.question)
    if shot.question or shot.photo:
        page.locator("#box .submit-button").click()
        page.wait_for_selector(".took", timeout=ANSWER_MS)
    if shot.panel:
        page.get_by_role("button", name="Toggle Sidebar").click()
    # Pictures, and the passages around the sentences that were used, follow the end of the answer.
    page.wait_for_timeout(SETTLE_MS)
    path = folder / f"{shot.name}.png"
    page.screenshot(path=path, full_page=shot.whole_page)
    context.close()
    return path


def take_of_owner(
    browser: Browser, address: str, login: Login, shot: OwnerShot, folder: Path
) -> Path:
    """Log in, do what the shot does in its panel, and save what the page shows then."""
    settings: dict[str, Any] = {
        "viewport": dict(shot.viewport),
        "locale": "en-GB",
        "color_scheme": shot.scheme,
    }
    context = browser.new_context(**settings)
    page = context.new_page()
    page.goto(f"{address.rstrip('/')}{OWNER_PATH}")
    page.locator("input").first.fill(login.name)
    page.locator("input[type=password]").fill(login.password)
    page.keyboard.press("Enter")
    page.get_by_role("tab", name=shot.tab, exact=True).click()
    if shot.typed:
        page.fill("#search-query textarea", shot.typed)
        page.keyboard.press("Enter")
    if shot.click:
        page.locator(shot.click).first.click()
    page.locator(shot.shown).first.wait_for(timeout=ANSWER_MS)
    page.wait_for_timeout(SETTLE_MS)
    path = folder / f"{shot.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


def shrink(path: Path) -> None:
    """Keep a picture small enough for a repository: a screen needs few colours."""
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes, expected {MAX_BYTES} at most.")


def main() -> None:
    """Take all pictures."""
    index, folder = Path(sys.argv[1]), Path(sys.argv[2])
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed.")
    folder.mkdir(parents=True, exist_ok=True)
    login = Login("owner", secrets.token_urlsafe())
    with serving(index, login) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        taken = [take(browser, address, shot, folder) for shot in SHOTS]
        taken += [take_of_owner(browser, address, login, shot, folder) for shot in OWNER_SHOTS]
        for path in taken:
            shrink(path)
            print(f"{path}: {path.stat().st_size} bytes", file=sys.stderr)
        browser.close()


if __name__ == "__main__":
    main()
