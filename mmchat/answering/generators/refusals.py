"""What it means when a model server does not answer: each failure of HTTP as a sentence for the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmchat.errors import GenerationError

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take, in seconds."""

    connect: float = 5.0
    """Until the connection stands."""
    silence: float = 30.0
    """In which it sends nothing."""
    pause: float = 0.5
    """Before the second attempt; each further one waits twice as long."""
    longest_pause: float = 10.0
    """A server that asks for a longer one is not waited for."""


class TryAgain(GenerationError):
    """It failed before the first piece, and may not fail again."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        """Take the message, and the seconds to wait; None where the server did not say."""
        super().__init__(message, pause)
        self.pause = pause

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


def translated(
    error: httpx.HTTPError | httpx.StreamError,
    name: str,
    patience: Patience,
    *,
    began: bool,
) -> GenerationError:
    """Return what a failure of the connection means.

    Args:
        error: what httpx raised.
        name: what the generator is called.
        patience: the limits that it was given.
        began: whether the answer had begun; what was written then is not asked for again.
    """
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return TryAgain(
            f"{name} did not accept a connection within {patience.connect:g} s. Expected a server there. "
            "Check that it runs, and the address in answers.generator."
        )
    if isinstance(error, httpx.ConnectError):
        return TryAgain(
            f"{name} cannot be reached: {error}. Expected a server there. "
            "Start it, or correct the address in answers.generator."
        )
    if isinstance(error, httpx.TimeoutException):
        # Asking once more would be one more prompt for a server that is too slow already.
        return GenerationError(
            f"{name} sent nothing for {patience.silence:g} s. Expected the next word. "
            "Look whether it is overloaded, or name a smaller model."
        )
    text = (
        f"{name} broke off{' in the middle of its answer' if began else ''}: "
        f"{type(error).__name__}: {error}. Expected the rest. Look into the server's log."
    )
    if isinstance(error, httpx.TransportError) and not began:
        # A connection that was kept may have been closed by the server in the meantime.
        return TryAgain(text)
    return GenerationError(text)


def refusal(
    response: httpx.Response, body: bytes, name: str, patience: Patience
) -> GenerationError:
    """Return what a status other than 200 means.

    Args:
        response: its status and headers are read.
        body: what it said.
        name: what the generator is called.
        patience: how long a pause is waited for.
    """
    status = response.status_code
    said = f"{name} answered with the status {status}: {_message(body)}."
    if status in {401, 403}:
        return GenerationError(f"{said} Expected a key that it takes. Set MMCHAT_API_KEY.")
    if status == 429 or status >= 500:
        pause = _seconds(response.headers.get("retry-after"))
        text = f"{said} Expected an answer. It is overloaded, or its log says what is wrong."
        if pause is not None and pause > patience.longest_pause:
            return GenerationError(f"{text} It asks to be left alone for {pause:g} s.")
        return TryAgain(text, pause)
    if status in {404, 405} or 300 <= status < 400:
        return GenerationError(
            f"{said} Expected a server of chat completions. "
            "Check the address in answers.generator, which for most ends in /v1, and answers.model."
        )
    return GenerationError(
        f"{said} Expected it to take the question. Where it says that this is too long, lower "
        "answers.context_tokens to what the server holds, answers.passages or answers.max_tokens."
    )


def _message(body: bytes) -> str:
    """Return the words of an error: OpenAI's form, FastAPI's, or the text as it is."""
    text = body.decode(errors="replace")
    try:
        said = json.loads(text)
    except ValueError:
        return shorten(text) or "no words"
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail") if key in said), None)
    return shorten(str(said or text))


def _seconds(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None where it is missing, or a date."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None


def shorten(text: str, length: int = 200) -> str:
    """Return the start of what a server said, on one line that a log can hold."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 4 * length])
    plain = " ".join(plain.split()).rstrip(".")
    return plain if len(plain) <= length else f"{plain[:length]}…"
