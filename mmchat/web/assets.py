"""The files that the page is made of: compressed once, kept in memory, and kept by the browser.

Gradio's page loads some eighty files. Gradio compresses each anew for each visitor, and lets the browser ask
about each at every visit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.gzip import GZipMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ASSETS = ("/assets/", "/owner/assets/")
# Their names have a hash of what is in them, so that another version has another name.
_FOR_GOOD = (b"cache-control", b"public, max-age=31536000, immutable")
_PARTIAL = {b"range", b"if-none-match", b"if-modified-since"}
_MOST_BYTES = 64_000_000
"""What is kept at most; all of Gradio's files are a third of that, before they are compressed."""


class Assets:
    """Wraps the page's ASGI app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # With the first page comes what the browser needs to begin; nothing in it is secret.
        self._page = GZipMiddleware(app, minimum_size=1000, compresslevel=6)
        self._kept: dict[tuple[str, bool], list[Message]] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/":
            await self._page(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "GET" and _is_whole_asset(scope):
            await self._asset(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _asset(self, scope: Scope, receive: Receive, send: Send) -> None:
        packed = b"br" in dict(scope["headers"]).get(b"accept-encoding", b"")
        key = scope["path"], packed
        if key not in self._kept:
            messages = await self._answered(scope, receive, packed=packed)
            size = sum(len(message.get("body", b"")) for message in messages)
            if messages[0]["status"] != 200 or self._bytes + size > _MOST_BYTES:
                for message in messages:
                    await send(message)
                return
            head = {**messages[0], "headers": [*_uncached(messages[0]["headers"]), _FOR_GOOD]}
            self._kept[key] = [head, *messages[1:]]
            self._bytes += size
        for message in self._kept[key]:
            await send(message)

    async def _answered(self, scope: Scope, receive: Receive, *, packed: bool) -> list[Message]:
        """Return what the app sends, for whoever takes the same encoding."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        others = [each for each in scope["headers"] if each[0] != b"accept-encoding"]
        takes = (b"accept-encoding", b"br" if packed else b"identity")
        await self._app({**scope, "headers": [*others, takes]}, receive, keep)
        return messages


def _is_whole_asset(scope: Scope) -> bool:
    """Whether a file is wanted as a whole, and not only if it has changed."""
    asked = {name for name, _ in scope["headers"]}
    return scope["path"].startswith(_ASSETS) and not asked & _PARTIAL


def _uncached(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [each for each in headers if each[0].lower() != b"cache-control"]
