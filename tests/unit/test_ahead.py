from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from mmchat.ingest.ahead import ReadAhead


def test_order_is_kept_and_the_end_is_seen():
    assert list(ReadAhead(iter(range(100)), lambda _: 1, limit=5)) == list(range(100))


def test_it_never_runs_further_ahead_than_the_limit():
    made: list[int] = []

    def source() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    ahead = ReadAhead(source(), lambda _: 10, limit=40)
    for used in range(50):
        time.sleep(0.002)
        # Four wait, one is in the maker's hand, one is about to be taken.
        assert len(made) <= used + 6
        assert next(ahead) == used


def test_an_item_heavier_than_the_limit_passes_alone():
    assert list(ReadAhead(iter([1, 900, 2, 900]), lambda item: item, limit=10)) == [1, 900, 2, 900]


def test_an_error_comes_after_the_items_before_it():
    def source() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    ahead = ReadAhead(source(), lambda _: 1, limit=5)
    assert next(ahead) == 1
    with pytest.raises(ZeroDivisionError):
        next(ahead)


def test_closing_ends_the_work_in_its_own_thread():
    closed: list[str] = []
    waiting = threading.Event()

    def source() -> Iterator[int]:
        try:
            yield 0
            waiting.wait(30)
            yield 1
        finally:
            closed.append(threading.current_thread().name)

    ahead = ReadAhead(source(), lambda _: 1, limit=1)
    assert next(ahead) == 0
    ahead.close(interrupt=waiting.set)
    assert closed == ["mmchat-read-ahead"]
