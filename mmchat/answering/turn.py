"""One question on its way to an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mmchat.answering.draft import Candidate, Draft
from mmchat.answering.evidence import Evidence
from mmchat.types import Chunk, Hit, Similar, Status

if TYPE_CHECKING:
    from PIL.Image import Image

NOTHING_ASKED = (
    "Got an empty question and no picture, expected words, a picture, or both. "
    "Ask about something that the documents may tell."
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one reading of a question."""

    text: str = ""
    """The reading."""
    hits: Sequence[Hit] = ()
    candidates: Sequence[Candidate] = ()
    evidence: Sequence[Evidence] = ()
    focus: Hit | None = None
    """The picture whose product a photo was taken for, where the question is about that product."""

    @property
    def chunks(self) -> list[Chunk]:
        """The passages of the candidates."""
        return [each.chunk for each in self.candidates]


@dataclass(slots=True)
class Turn:
    """A question, and what came of it so far."""

    question: str
    """As it was asked: its language is answered in."""
    readings: Sequence[str]
    """What it may mean by itself, the likeliest first."""
    image: Image | None
    started: float
    cancel: threading.Event
    orders: str = ""
    """What the customer told the assistant to do, now and before: it is not done."""
    found: Found = field(default_factory=Found)
    """What is answered from."""
    draft: Draft = field(default_factory=lambda: Draft(()))
    status: Status = Status.ANSWERED
    first_token: float | None = None
    own_words: str = ""
    """What the assistant says itself, where nothing of the documents is said."""
    nearest: tuple[str, ...] = ()
    similar: tuple[Similar, ...] = ()
    """Products that look like the thing in a photo that came without words."""
    failed: bool = False
    """Whether the generator gave nothing, rather than nothing that holds."""

    def seconds_left(self, time_limit: float) -> float:
        """Return how much is left of a limit, from 0, in seconds."""
        return max(time_limit - (time.perf_counter() - self.started), 0.0)

    def is_over(self, time_limit: float) -> bool:
        """Tell whether it was cancelled, or nothing is left of a limit."""
        return self.cancel.is_set() or self.seconds_left(time_limit) == 0.0
