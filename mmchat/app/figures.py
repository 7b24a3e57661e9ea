"""How the service does over time: what was asked each day, how it ended, and how long it took."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mmchat.types import Status

if TYPE_CHECKING:
    from mmchat.sessions import AskedRecord, SessionStore

_SLOW = 0.95
_TIMED = frozenset({Status.ANSWERED, Status.PARTIAL, Status.ABSTAINED})
"""Answers that were searched for. What the assistant says by itself takes no time and would flatter."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was asked in some time, and how it ended. The outcomes add up to the questions."""

    questions: int = 0
    answered: int = 0
    partial: int = 0
    abstained: int = 0
    refused: int = 0
    left_to_person: int = 0
    """Questions that a person is to answer: nothing was searched."""
    unfinished: int = 0
    """Stopped by their reader, failed, or still being written."""
    disliked: int = 0
    """Answers with a thumb down, whatever their outcome."""
    passed_on: int = 0
    """Conversations that were passed to a person."""
    median_seconds: float | None = None
    """Of answers that were searched for; None where there are none."""
    slow_seconds: float | None = None
    """The 95th percentile: 95 of 100 of these answers did not take longer."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar."""

    date: datetime.date
    tally: Tally


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some days, of all of them together, and of as many days before."""

    days: tuple[Day, ...]
    """Every day, the oldest first, also those on which nothing was asked."""
    total: Tally
    before: Tally


@dataclass(slots=True)
class _Counting:
    asked: list[AskedRecord] = field(default_factory=list)
    passed_on: int = 0

    def tally(self) -> Tally:
        ended = Counter(each.status for each in self.asked)
        seconds = sorted(
            each.seconds
            for each in self.asked
            if each.status in _TIMED and each.seconds is not None
        )
        return Tally(
            questions=len(self.asked),
            answered=ended[Status.ANSWERED],
            partial=ended[Status.PARTIAL],
            abstained=ended[Status.ABSTAINED],
            refused=ended[Status.REFUSED],
            left_to_person=ended[Status.HANDED_OVER],
            unfinished=ended[None],
            disliked=sum(each.useful is False for each in self.asked),
            passed_on=self.passed_on,
            median_seconds=_percentile(seconds, 0.5),
            slow_seconds=_percentile(seconds, _SLOW),
        )


def figures(
    store: SessionStore,
    days: int,
    *,
    today: datetime.date | None = None,
    zone: datetime.tzinfo | None = None,
) -> Figures:
    """Return the figures of the last days, today among them.

    Args:
        store: the conversations.
        days: how many, 1 or more.
        today: the last day; the one that it is where it is not given.
        zone: where a day begins at midnight; this machine's own time where it is not given.
    """
    last = today or datetime.datetime.now(zone).date()
    dates = [last - datetime.timedelta(days=back) for back in reversed(range(2 * days))]
    began = datetime.datetime.combine(dates[0], datetime.time(), zone).astimezone(datetime.UTC)
    counted = {date: _Counting() for date in dates}
    for each in store.overview.asked(began):
        if (date := each.created.astimezone(zone).date()) in counted:
            counted[date].asked.append(each)
    for moment in store.overview.passed_on(began):
        if (date := moment.astimezone(zone).date()) in counted:
            counted[date].passed_on += 1
    return Figures(
        days=tuple(Day(date, counted[date].tally()) for date in dates[days:]),
        total=_together(counted[date] for date in dates[days:]),
        before=_together(counted[date] for date in dates[:days]),
    )


def _together(parts: Iterable[_Counting]) -> Tally:
    whole = _Counting()
    for part in parts:
        whole.asked += part.asked
        whole.passed_on += part.passed_on
    return whole.tally()


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that this share of them does not exceed (nearest rank)."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
