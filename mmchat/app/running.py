"""The answers that are being written in this process, by conversation: deleting one ends its answer."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Running:
    """Knows which answers are being written. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: dict[str, set[threading.Event]] = defaultdict(set)

    @contextmanager
    def one(self, conversation: str, end: threading.Event) -> Iterator[None]:
        """Know of an answer in a conversation until the block ends; `end` is what ends it."""
        with self._lock:
            self._ends[conversation].add(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends[conversation].discard(end)
                if not self._ends[conversation]:
                    del self._ends[conversation]

    def end(self, conversation: str) -> None:
        """End all answers in a conversation."""
        with self._lock:
            for end in self._ends.get(conversation, ()):
                end.set()
