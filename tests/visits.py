"""The page on a port, and people who visit it in Chromium."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from mmchat.web.server import listen, server_for

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


@contextlib.contextmanager
def serving(assistant: Any, config: Any, desk: Any = None, login: Any = None) -> Iterator[str]:
    """Serve the page until the block ends; give its address."""
    with listen(config) as listener:
        server = server_for(assistant, config, desk=desk, login=login)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="chat"
        )
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


class Visit:
    """One person's visit of the page, and everything that the page asked for on the way."""

    def __init__(self, browser: Browser, address: str, **context: Any) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = browser.new_context(**context).new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._note)
        self.page.goto(address)
        self.page.wait_for_selector("#box textarea")

    def ask(self, question: str) -> None:
        box = self.page.locator("#box textarea")
        expect(box).to_be_enabled()
        box.fill(question)
        box.press("Enter")

    def attach(self, name: str, content: bytes) -> None:
        self.page.set_input_files(
            "#box input[type=file]", {"name": name, "mimeType": "image/png", "buffer": content}
        )

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)


def serious_faults(page: Page) -> list[tuple[str, str]]:
    """Return what axe finds on a page that keeps people out: the rule and the places."""
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], str(each["nodes"]))
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
