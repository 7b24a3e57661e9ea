"""Keeps the page to its own host: the browser by a policy, the server by refusing to fetch.

A visitor is known again by a cookie that no script can read: whose conversations are theirs.

Gradio fetches foreign addresses for whoever asks, by `/file=http://…` or by naming one as an uploaded
file. Nothing here needs it, and an assistant inside of a company must not fetch for a visitor.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from mmchat.app import new_owner

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    # Gradio compiles its templates in the browser and writes styles into the page, hence the unsafe-*.
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_FETCHING_PATHS = ("/gradio_api/file=http", "/gradio_api/file/http", "/gradio_api/proxy=")
OWNER_COOKIE = "mmchat_owner"
_COOKIE_SECONDS = 365 * 24 * 3600
_MAX_JSON = 1_000_000
"""Bytes of a step's input. Photos are uploaded apart from it, and a question is short."""


class Guard:
    """Wraps the page's ASGI app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].lower().removeprefix("/owner")
        refused = path.startswith(_FETCHING_PATHS)
        if not refused and _is_json(scope):
            body = await _read(receive)
            refused = body is None or names_foreign_file(body)
            receive = _replay(body or b"", receive)
        if refused:
            await PlainTextResponse("Not served here.", status_code=403)(scope, receive, send)
            return

        headers = [*_HEADERS, *_new_owner(scope)]

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self._app(scope, receive, send_with_policy)


def _new_owner(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the header that makes whoever opens the page known, where they are not yet."""
    sent = dict(scope["headers"]).get(b"cookie", b"")
    if scope["path"] != "/" or f"{OWNER_COOKIE}=".encode() in sent:
        return []
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    cookie = (
        f"{OWNER_COOKIE}={new_owner()}; Path=/; Max-Age={_COOKIE_SECONDS}; HttpOnly; "
        f"SameSite=Lax{secure}"
    )
    return [(b"set-cookie", cookie.encode())]


def names_foreign_file(body: bytes) -> bool:
    """True where JSON names, at any depth, a file whose path is a web address."""
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):
        return False  # not for us to judge: no file can be named by what is not JSON
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(("http:", "https:")):
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False


def _is_json(scope: Scope) -> bool:
    # By what it is not: a missing or a wrong type must not be a way around.
    kind = dict(scope["headers"]).get(b"content-type", b"")
    return scope["method"] == "POST" and not kind.startswith(b"multipart/form-data")


async def _read(receive: Receive) -> bytes | None:
    """Return the body of a request, or None where it is too long."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_JSON:
            return None
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then whatever follows it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return first.pop() if first else await receive()

    return replayed
