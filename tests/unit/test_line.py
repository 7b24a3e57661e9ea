"""The line before the answers: who is served, what is told to whom waits, and that nobody blocks a place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

from mmchat.web import line as lines
from mmchat.web.conversation import Conversation, Turn
from mmchat.web.line import Line, in_turn
from mmchat.web.render import answer_html
from mmchat.web.showing import ShownWithBox

WAITS = (Turn("?", None, False),)


class Answers:
    """Answers of two steps, which are held between them until the test lets them go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.running = 0
        self.most = 0
        self.closed = 0

    def answer(self, turns: Conversation) -> Generator[ShownWithBox, None, None]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            yield turns, "first", None, None, None
            self.go.wait(timeout=20)
            yield turns, "last", None, None, None
        finally:
            self.running -= 1
            self.closed += 1


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 60))

    run.__name__ = test.__name__
    return run


@pytest.fixture(autouse=True)
def _told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_SHOWN_SECONDS", 0.01)
    monkeypatch.setattr(lines, "_TOLD_AGAIN", 10_000)


def said(shown: ShownWithBox) -> str:
    """Return the text of a step, or of the last bubble."""
    return shown[1] if isinstance(shown[1], str) else shown[1][-1]["content"][0]


def numbers(steps: list[str]) -> list[int]:
    return [int(step.split("number ")[1].split()[0]) for step in steps if "number" in step]


@in_a_loop
async def test_all_are_served_in_order_a_few_at_once() -> None:
    answers, ended, told = Answers(), [], {}
    answer = in_turn(answers.answer, Line(2))

    async def customer(name: int) -> None:
        told[name] = [said(step) async for step in answer(WAITS)]
        ended.append(name)

    customers = [asyncio.create_task(customer(name)) for name in range(6)]
    await asyncio.sleep(0.1)
    answers.go.set()
    await asyncio.gather(*customers)
    assert (answers.most, answers.closed, sorted(ended)) == (2, 6, list(range(6)))
    assert [numbers(told[name])[:1] for name in range(6)] == [[], [], [1], [2], [3], [4]]
    assert all(numbers(steps) == sorted(numbers(steps), reverse=True) for steps in told.values())
    assert all(steps[-2:] == ["first", "last"] for steps in told.values())


@in_a_loop
async def test_the_number_falls_while_somebody_waits() -> None:
    answers = Answers()
    answer = in_turn(answers.answer, Line(1))
    served, second, third = answer(WAITS), answer(WAITS), answer(WAITS)
    assert said(await anext(served)) == "first"
    assert numbers([said(await anext(second)), said(await anext(third))]) == [1, 2]
    moving = asyncio.create_task(anext(third))
    await second.aclose()  # who waits leaves
    assert numbers([said(await moving)]) == [1]
    moving = asyncio.create_task(anext(third))
    await served.aclose()  # who is served leaves
    assert said(await moving) == "first"
    await third.aclose()
    assert (answers.running, answers.closed) == (0, 2), "who only waited asked nothing of anybody"


def test_who_waits_long_is_told_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines, "_TOLD_AGAIN", 2)

    @in_a_loop
    async def test() -> None:
        answers = Answers()
        answer = in_turn(answers.answer, Line(1))
        served, waiting = answer(WAITS), answer(WAITS)
        await anext(served)
        assert [numbers([said(await anext(waiting))]) for _ in range(3)] == [[1], [1], [1]]
        await waiting.aclose()
        await served.aclose()

    test()


@in_a_loop
async def test_a_step_that_is_cancelled_is_closed_and_frees_its_place() -> None:
    answers = Answers()
    answer = in_turn(answers.answer, Line(1))
    served, waiting = answer(WAITS), answer(WAITS)
    await anext(served)
    assert numbers([said(await anext(waiting))]) == [1]
    cut = asyncio.ensure_future(anext(served))  # in its thread, at the gate
    await asyncio.sleep(0.05)
    cut.cancel()
    turn = asyncio.ensure_future(anext(waiting))
    await asyncio.sleep(0.05)
    assert not turn.done(), "its thread is still at work"
    answers.go.set()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert answers.closed == 1
    assert said(await turn) == "first"
    await waiting.aclose()


@in_a_loop
async def test_an_answer_that_fails_frees_its_place() -> None:
    def fail(turns: Conversation) -> Generator[ShownWithBox, None, None]:
        yield turns, "first", None, None, None
        raise RuntimeError("broken")

    line = Line(1)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            async for _ in in_turn(fail, line)(WAITS):
                pass


def test_who_waits_is_told_in_both_languages():
    assert "You are number 3 in the queue" in answer_html(Turn("?", None, False, in_line=3))
    assert "대기 순서 3번째" in answer_html(Turn("?", None, True, in_line=3))
    assert "Waiting for a free place" in answer_html(Turn("?", None, False))
