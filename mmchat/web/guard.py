"""Keeps the page to its own host: the browser by a policy, the server by refusing to fetch.

A visitor is known again by a cookie that no script can read: whose conversations are theirs. What changes
something is taken from our own pages alone, so that no other page can act for a visitor.

Gradio fetches foreign addresses for whoever asks, by `/file=http://…` or by naming one as an uploaded
file. Nothing here needs it, and an assistant inside of a company must not fetch for a visitor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with it, browsers hide also from ourselves where a form came from.
    (b"referrer-policy", b"same-origin"),
]
_ELSEWHERE = (
    "Not from here: this address takes requests from its own pages only. If this is the chat's own page, let "
    "the proxy in front of it pass on the Host that the browser asked for."
)
_READING = ("GET", "HEAD")
_FETCHING_PATHS = ("/gradio_api/file=http", "/gradio_api/file/http", "/gradio_api/proxy=")
OWNER_COOKIE = "mmchat_owner"
_COOKIE_SECONDS = 365 * 24 * 3600
_MAX_JSON = 1_000_000
"""Bytes of a step's input. Photos are uploaded apart from it, and a question is short."""


class Guard:
    """Wraps the page's ASGI app."""

    def __init__(self, app: ASGIApp, embed_origins: Sequence[str] = ()) -> None:
        """Take the app, and the origins whose pages may show the chat in a frame."""
        self._app = app
        self._embedded = " ".join([_POLICY, *embed_origins]).encode()
        self._embeds = bool(embed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not from_own_page(scope["method"], dict(scope["headers"])):
            await PlainTextResponse(_ELSEWHERE, status_code=403)(scope, receive, send)
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

        headers = [*_HEADERS, self._policy(scope), *self._new_owner(scope)]

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Gradio lets every origin read its answers; none but our own needs to.
                kept = [each for each in message["headers"] if not _is_cors(each[0])]
                message = {**message, "headers": [*kept, *headers]}
            await send(message)

        await self._app(scope, receive, send_with_policy)

    def _policy(self, scope: Scope) -> tuple[bytes, bytes]:
        """Return the content policy. The chat is what others may frame, and no page beside it."""
        policy = self._embedded if scope["path"] == "/" else _POLICY.encode()
        return b"content-security-policy", policy

    def _new_owner(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the header that makes whoever opens the page known, where they are not yet."""
        sent = dict(scope["headers"])
        if scope["path"] != "/" or f"{OWNER_COOKIE}=".encode() in sent.get(b"cookie", b""):
            return []
        secure = scope.get("scheme") == "https"
        kind = "SameSite=Lax; Secure" if secure else "SameSite=Lax"
        if secure and self._embeds and _is_foreign_frame(sent):
            # Sent in the frames of that site alone: each site that shows the chat has its own visitors.
            kind = "SameSite=None; Secure; Partitioned"
        cookie = (
            f"{OWNER_COOKIE}={new_owner()}; Path=/; Max-Age={_COOKIE_SECONDS}; HttpOnly; {kind}"
        )
        return [(b"set-cookie", cookie.encode())]


def from_own_page(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request only reads, or comes from a page of this host, or from no page at all.

    Args:
        method: of HTTP.
        headers: of the request, their names in small letters.
    """
    if method in _READING:
        return True
    # Browsers say it themselves over HTTPS, however a proxy rewrites the host.
    said = headers.get(b"sec-fetch-site")
    if said is not None:
        return said in {b"same-origin", b"none"}
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == headers.get(b"host")


def _is_foreign_frame(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page is loaded into a frame of another site, where a cookie of `Lax` is not taken."""
    return (
        headers.get(b"sec-fetch-dest") == b"iframe"
        and headers.get(b"sec-fetch-site") == b"cross-site"
    )


def _is_cors(header: bytes) -> bool:
    return header.lower().startswith(b"access-control-")


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
