"""Reads the stream of a chat completion: server-sent events, each a line `data: {…}`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from mmchat.answering.generators.refusals import shorten
from mmchat.errors import GenerationError

if TYPE_CHECKING:
    import httpx

_MAX_BYTES = 1 << 20
"""Of one line of a stream, or of the text of an error."""
_CHARACTERS_IN_A_TOKEN = 8
"""No text has more on average."""


async def receive(response: httpx.Response, max_tokens: int, emit: Callable[[str], None]) -> None:
    """Hand over the pieces of a stream of server-sent events.

    The server keeps `max_tokens`. Where it does not, more characters than so many tokens have are the end.
    """
    kind = response.headers.get("content-type", "")
    if "text/event-stream" not in kind:
        raise GenerationError(
            f"{response.url} answered with {shorten(kind or 'no content type')}, expected "
            "text/event-stream. Check that the address is that of an OpenAI-compatible server."
        )
    finished, characters = False, 0
    async for line in _lines(response):
        if not line.startswith(b"data:"):
            continue
        data = line.removeprefix(b"data:").strip()
        if data == b"[DONE]":
            return
        text, ends = _piece(data)
        finished |= ends
        if text:
            emit(text)
            characters += len(text)
            if characters >= _CHARACTERS_IN_A_TOKEN * max_tokens:
                return
    if not finished:
        raise GenerationError(
            f"{response.url} ended in the middle of its answer, after {characters} characters. "
            "Expected the rest. Look into the server's log."
        )


def _piece(data: bytes) -> tuple[str, bool]:
    """Return the text of an event, and whether the model has finished with it."""
    try:
        event = json.loads(data)
        if "error" in event:
            said = event["error"]
            said = said.get("message", said) if isinstance(said, dict) else said
            raise GenerationError(f"The server failed while it wrote: {shorten(str(said))}.")
        choices = event["choices"]
        if not choices:
            return "", False
        text = choices[0].get("delta", {}).get("content") or ""
        if not isinstance(text, str):
            raise TypeError(text)
        return text, choices[0].get("finish_reason") is not None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise GenerationError(
            f"The server sent '{shorten(data.decode(errors='replace'))}', expected a chunk of a "
            "chat completion. Check that the address is that of an OpenAI-compatible server."
        ) from error


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield lines. Those of httpx end at U+2028 too, which JSON may hold, and may be of any length."""
    rest = b""
    async for block in response.aiter_bytes():
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > _MAX_BYTES:
            raise GenerationError(
                f"{response.url} sent a line of more than {_MAX_BYTES:,} bytes, expected events of a "
                "chat completion. Check that the address is that of an OpenAI-compatible server."
            )
    yield rest


async def read(response: httpx.Response) -> bytes:
    """Return the start of a body."""
    body = b""
    async for block in response.aiter_bytes():
        body += block
        if len(body) > _MAX_BYTES:
            break
    return body[:_MAX_BYTES]
