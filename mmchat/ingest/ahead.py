"""Do the next steps of a long work already while the earlier ones are used."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Runs an iterator in a thread of its own, up to a limit ahead of who uses it.

    Args:
        source: what is run; it is closed in its thread when the work is ended early.
        weigh: what an item counts towards the limit.
        limit: the sum of weights that may wait. A single item may be heavier: it then waits alone.
    """

    def __init__(self, source: Iterator[T], weigh: Callable[[T], int], limit: int) -> None:
        self._source = source
        self._weigh = weigh
        self._limit = limit
        self._waiting: deque[T] = deque()
        self._weight = 0
        self._over = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True, name="mmchat-read-ahead")
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over)
            if not self._waiting:
                if self._error is not None:
                    raise self._error
                raise StopIteration
            item = self._waiting.popleft()
            self._weight -= self._weigh(item)
            self._changed.notify_all()
            return item

    def close(self, interrupt: Callable[[], None]) -> None:
        """End the work and wait until it has ended; what waits is forgotten.

        Args:
            interrupt: makes a step fail that is under way.
        """
        with self._changed:
            self._over = True
            self._waiting.clear()
            self._changed.notify_all()
        interrupt()
        self._thread.join()

    def _run(self) -> None:
        try:
            for item in self._source:
                if not self._put(item, self._weigh(item)):
                    return
        except BaseException as error:
            self._error = error  # raised where the items are used
        finally:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _put(self, item: T, weight: int) -> bool:
        """Wait for room and add an item; return whether anybody still wants it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or not self._waiting or self._weight + weight <= self._limit
            )
            if self._over:
                return False
            self._waiting.append(item)
            self._weight += weight
            self._changed.notify_all()
            return True
