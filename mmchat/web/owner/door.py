"""The door of the owner's pages. Gradio's login asks for the password; this keeps shut what it leaves open.

Without a login Gradio serves its own scripts and styles, which hold nothing of anybody's, but also takes
orders: to cancel a step, to go on with one, to start the clock of a session. Here everything is shut that
is not named below.
"""

from __future__ import annotations

from asyncio import sleep
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from mmchat.web.owner.login import Guesses

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN = frozenset(
    {"", "/", "/login", "/login/", "/logout", "/theme.css", "/gradio_api/theme.css"}
    | {"/favicon.ico", "/manifest.json", "/robots.txt"}
)
"""What somebody needs who logs in. The page itself shows the form, and no more, until then."""
_OPEN_FOLDERS = ("/assets/", "/static/", "/svelte/")
"""Gradio's own scripts, styles and pictures."""
_HEADERS = [
    # Beside the policy of all pages: this one is part of no other page.
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]


class Door:
    """Middleware of the owner's Gradio app, whose logins it knows."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        static = path.startswith(_OPEN_FOLDERS) and ".." not in path
        if scope["type"] == "http" and path.rstrip("/") == "/login":
            await self._guess(scope, receive, send)
        elif static:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and (path in _OPEN or _is_known(scope)):
            await self._app(scope, receive, _kept_private(scope, send))
        else:
            await _refuse(401, "Log in first.")(scope, receive, send)

    async def _guess(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        seconds = self._guesses.wait(address)
        if seconds is None:
            refusal = _refuse(429, "One guess at a time.")
            await refusal(scope, receive, send)
            return
        right = False

        async def watched(message: Message) -> None:
            nonlocal right
            if message["type"] == "http.response.start":
                right = message["status"] == 200
            await send(message)

        try:
            await sleep(seconds)
            await self._app(scope, receive, _kept_private(scope, watched))
        finally:
            self._guesses.end(address, right=right)


def _is_known(scope: Scope) -> bool:
    """Tell whether a request comes with a login that Gradio has given out."""
    app: Any = scope["app"]
    cookies = HTTPConnection(scope).cookies
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return any(cookies.get(name) in app.tokens for name in names)


def _kept_private(scope: Scope, send: Send) -> Send:
    """Return what sends an answer that no cache keeps, no frame shows and no other site can order."""
    secure = b"; Secure" if scope.get("scheme") == "https" else b""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, _own_site(value, secure) if name == b"set-cookie" else value)
                for name, value in message["headers"]
                if name != b"cache-control"
            ]
            message = {**message, "headers": [*headers, *_HEADERS]}
        await send(message)

    return sent


def _own_site(cookie: bytes, secure: bytes) -> bytes:
    """Return a cookie that the browser sends from our own pages alone. Gradio's is for frames, too."""
    kept = [
        part
        for part in cookie.split(b"; ")
        if not part.lower().startswith(b"samesite=") and (part != b"Secure" or not secure)
    ]
    return b"; ".join([*kept, b"SameSite=Lax"]) + secure


def _refuse(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"detail": {"error": reason}}, status_code=status)
