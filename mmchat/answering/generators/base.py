"""The contract of a generator, and what its local implementations share.

A local model computes in calls that block, and pushes pieces of text at a callback. A reader wants
to pull them, to stop when the page is closed, and not to wait for ever. `relay` turns the one into
the other.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Generator as ClosableIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from mmchat.errors import GenerationError

if TYPE_CHECKING:
    from PIL.Image import Image

Role: TypeAlias = Literal["system", "user", "assistant"]

TextStream: TypeAlias = ClosableIterator[str, None, None]
"""Pieces of text, in order. Closing it ends what writes them."""

_POLL_SECONDS = 0.05
"""How often a waiting reader looks at the clock and at its cancel flag."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation that a model is shown."""

    role: Role
    content: str
    pictures: tuple[Image, ...] = ()
    """What is shown beside the words, RGB, to a model that sees; any other leaves them out."""


class Generator(Protocol):
    """Writes the next turn of a conversation. Calls from several threads are safe."""

    name: str
    """What the model is called in logs and on the status page."""
    context_tokens: int
    """Tokens of prompt and answer together that the model can hold."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        time_limit: float | None = None,
        cancel: threading.Event | None = None,
    ) -> TextStream:
        """Yield the pieces of the next assistant turn as they are written.

        The iterator ends by itself after `max_tokens`, before the first of the `stop` strings,
        `time_limit` seconds after it was asked for, or soon after `cancel` is set; what came until
        then stands. Closing the iterator stops the model too.

        Raises:
            GenerationError: the model failed; pieces that came before it stand.
        """
        ...

    def close(self) -> None:
        """End what is running and free the memory. A closed generator raises GenerationError."""
        ...


Emit: TypeAlias = Callable[[str], bool]
"""Hands over a piece of text; returns True when the model should stop."""


class Turnstile:
    """Lets one call at a time reach a model, and none once it is closed.

    One model computes one answer fastest: two at once share its cores and drive each other's prompt
    out of the cache. A call that is cancelled while it waits never costs the model anything.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.closed = threading.Event()

    def enter(self, expired: Callable[[], bool]) -> bool:
        """Wait for the turn; False when `expired()` came first."""
        while not expired():
            refuse_closed(self.closed)
            if self._lock.acquire(timeout=_POLL_SECONDS):
                return True
        return False

    def leave(self) -> None:
        """Let the next one in."""
        self._lock.release()

    def close(self) -> None:
        """Turn everyone away, and return when the call that was inside has left."""
        self.closed.set()
        with self._lock:
            pass


def refuse_closed(closed: threading.Event) -> None:
    """Raise a GenerationError where a generator was closed."""
    if closed.is_set():
        raise GenerationError(
            "Got a question for a generator that was closed, expected an open one. Make a new one."
        )


def expiry(time_limit: float | None, cancel: threading.Event | None) -> Callable[[], bool]:
    """Return what tells whether the reader has waited for `time_limit` seconds or has cancelled."""
    ends_at = None if time_limit is None else time.monotonic() + time_limit

    def expired() -> bool:
        return (cancel is not None and cancel.is_set()) or (
            ends_at is not None and time.monotonic() >= ends_at
        )

    return expired


@dataclass(slots=True)
class End:
    """The last thing that is put into the queue of an answer's pieces."""

    error: BaseException | None = None


Pieces: TypeAlias = "queue.SimpleQueue[str | End]"


def relay(
    turnstile: Turnstile,
    run: Callable[[Emit], None],
    *,
    stop: Sequence[str] = (),
    time_limit: float | None = None,
    cancel: threading.Event | None = None,
) -> TextStream:
    """Run a blocking, pushing model in a thread of its own and yield what it pushes.

    Args:
        turnstile: held from before `run` starts until it has returned, which can be later than the
            end of this iterator: a model notices that it should stop at its next token.
        run: computes the answer and calls its argument with each piece of text.
        stop: the text ends before the first of these.
        time_limit: seconds from now; None does not limit.
        cancel: ends the text soon after it is set.

    Raises:
        GenerationError: `run` raised; anything but a GenerationError is wrapped into one.
    """
    expired = expiry(time_limit, cancel)
    abandoned = threading.Event()

    def over() -> bool:
        return abandoned.is_set() or expired() or turnstile.closed.is_set()

    pieces: Pieces = queue.SimpleQueue()

    def emit(text: str) -> bool:
        pieces.put(text)
        return over()

    def work() -> None:
        try:
            run(emit)
            pieces.put(End())
        except Exception as error:
            pieces.put(End(error))
        finally:
            turnstile.leave()

    if not turnstile.enter(expired):
        return
    threading.Thread(target=work, name="mmchat-generator", daemon=True).start()
    try:
        yield from cut_at(drain(pieces, over), stop)
    finally:
        abandoned.set()


def drain(pieces: Pieces, over: Callable[[], bool]) -> Iterator[str]:
    """Yield the pieces that a model puts into a queue until their `End`, or until `over()`.

    Raises:
        GenerationError: the end is an error; anything but a GenerationError is wrapped into one.
    """
    while not over():
        try:
            piece = pieces.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        if isinstance(piece, str):
            yield piece
        elif piece.error is None:
            return
        elif isinstance(piece.error, GenerationError):
            raise piece.error
        else:
            raise GenerationError(
                f"The generator stopped with {type(piece.error).__name__}: {piece.error}. Expected "
                "an answer. Ask again; if it stays, choose another answers.generator, or `none`."
            ) from piece.error


def cut_at(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """Yield `pieces` up to the first of the `stop` strings, even one that is split over pieces."""
    held = ""
    for piece in pieces:
        held += piece
        found = [at for mark in stop if (at := held.find(mark)) >= 0]
        if found:
            if text := held[: min(found)]:
                yield text
            return
        keep = max((_overlap(held, mark) for mark in stop), default=0)
        if text := held[: len(held) - keep]:
            yield text
        held = held[len(held) - keep :]
    if held:
        yield held


def _overlap(text: str, mark: str) -> int:
    """Length of the longest end of `text` that `mark` could begin with."""
    for size in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:size]):
            return size
    return 0
