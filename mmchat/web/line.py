"""The line before the answers: some are written at once, and who waits is told how many come before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import TypeAlias, TypeVar

import anyio.to_thread

from mmchat.web.conversation import Conversation
from mmchat.web.showing import ShownWithBox, shown_waiting

_SHOWN_SECONDS = 1.0
"""How often somebody who waits is told a new number, at most. A whole line that moves with every short
answer would keep the server busy with telling."""
_TOLD_AGAIN = 5
"""The same number is told again after so many of these."""

_T = TypeVar("_T")
Answering: TypeAlias = Callable[[Conversation], Generator[ShownWithBox, None, None]]


class Ticket:
    """Somebody's place in a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.turn = asyncio.Event()
        """Set when it is this one's turn."""

    @property
    def number(self) -> int:
        """The number in the line, from 1; 0 when it is this one's turn."""
        return self._line.number(self)

    async def moved(self, told: int) -> None:
        """Return when it is this one's turn, or the number is no longer the one that was told.

        After some seconds it returns anyway: who waits is told again, and who left is found out by that.
        """
        for _ in range(_TOLD_AGAIN):
            if self.number != told:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self.turn.wait(), _SHOWN_SECONDS)


class Line:
    """Serves some at once and the others in the order in which they came. For one event loop."""

    def __init__(self, places: int) -> None:
        """Take how many are served at once."""
        self._places = places
        self._here: list[Ticket] = []
        """The first of them are being served."""

    def number(self, ticket: Ticket) -> int:
        """Return the number of somebody in the line, from 1; 0 for who is being served."""
        return max(0, self._here.index(ticket) + 1 - self._places)

    @contextmanager
    def ticket(self) -> Iterator[Ticket]:
        """Stand in the line, and leave it with the block, served or not."""
        ticket = Ticket(self)
        self._here.append(ticket)
        self._call()
        try:
            yield ticket
        finally:
            self._here.remove(ticket)
            self._call()

    def _call(self) -> None:
        for ticket in self._here[: self._places]:
            ticket.turn.set()


def in_turn(
    answer: Answering, line: Line
) -> Callable[[Conversation], AsyncGenerator[ShownWithBox, None]]:
    """Return a step that waits until it is its turn, showing the number, and then answers.

    Gradio's own queue tells nobody but its progress bar, and in English; so that it lets everybody in, and
    the line is here. Who left is found out when their number is to be shown again.

    Args:
        answer: the step that answers; what it yields is passed on. It runs in threads.
        line: who else is served.
    """

    async def answer_in_turn(turns: Conversation) -> AsyncGenerator[ShownWithBox, None]:
        with line.ticket() as ticket:
            while number := ticket.number:
                yield shown_waiting(turns, number)
                await ticket.moved(number)
            async with aclosing(_in_threads(answer(turns))) as steps:
                async for step in steps:
                    yield step

    return answer_in_turn


async def _in_threads(steps: Generator[_T, None, None]) -> AsyncGenerator[_T, None]:
    """Yield what a generator yields, each step in a thread, and close it in the end whatever happens."""
    step: asyncio.Future[_T | None] | None = None
    try:
        while True:
            step = asyncio.ensure_future(anyio.to_thread.run_sync(next, steps, None))
            # The thread of a step that is cancelled goes on, and nothing can be closed under it.
            value = await asyncio.shield(step)
            if value is None:
                return
            yield value
    finally:
        if step is not None:
            await asyncio.wait([step])
        await anyio.to_thread.run_sync(steps.close)
