"""Figures over time: days without questions, midnight, percentiles, and what adds up."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mmchat.app import Tally, figures
from mmchat.sessions import AskedRecord
from mmchat.types import Status

TODAY = datetime.date(2026, 3, 10)
SEOUL = datetime.timezone(datetime.timedelta(hours=9))


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def store(asked: list[AskedRecord], passed_on: list[datetime.datetime] | None = None) -> Any:
    """What figures read of a store: everything since a moment."""

    def since(moment: datetime.datetime) -> Iterator[AskedRecord]:
        return (each for each in asked if each.created >= moment)

    overview = SimpleNamespace(
        asked=since, passed_on=lambda moment: [m for m in passed_on or [] if m >= moment]
    )
    return SimpleNamespace(overview=overview)


def one(
    moment: str, status: Status | None, seconds: float | None = 1.0, useful: bool | None = None
) -> AskedRecord:
    return AskedRecord(at(moment), status, seconds, useful)


def test_every_outcome_is_counted_once():
    asked = [
        one("2026-03-10T10:00", Status.ANSWERED, useful=True),
        one("2026-03-10T10:01", Status.PARTIAL, useful=False),
        one("2026-03-10T10:02", Status.ABSTAINED),
        one("2026-03-10T10:03", Status.REFUSED),
        one("2026-03-10T10:04", Status.HANDED_OVER),
        one("2026-03-10T10:05", None, None),
    ]
    found = figures(store(asked, [at("2026-03-10T10:04")]), 7, today=TODAY, zone=datetime.UTC)
    total = found.total
    assert total == Tally(6, 1, 1, 1, 1, 1, 1, 1, 1, 1.0, 1.0)
    outcomes = (total.answered, total.partial, total.abstained, total.refused)
    assert total.questions == sum(outcomes) + total.left_to_person + total.unfinished


def test_days_without_questions_are_there():
    asked = [one("2026-03-04T00:00", Status.ANSWERED), one("2026-03-10T23:59", Status.ANSWERED)]
    found = figures(store(asked), 7, today=TODAY, zone=datetime.UTC)
    assert [day.date.day for day in found.days] == [4, 5, 6, 7, 8, 9, 10]
    assert [day.tally.questions for day in found.days] == [1, 0, 0, 0, 0, 0, 1]
    assert found.days[1].tally == Tally()


def test_the_days_before_are_apart():
    asked = [
        one("2026-02-24T12:00", Status.ANSWERED),  # eight days too early
        one("2026-02-25T12:00", Status.ANSWERED),
        one("2026-03-03T12:00", Status.ABSTAINED),
        one("2026-03-04T12:00", Status.ANSWERED),
        one("2026-03-11T12:00", Status.ANSWERED),  # not yet
    ]
    found = figures(store(asked), 7, today=TODAY, zone=datetime.UTC)
    assert (found.before.questions, found.before.abstained) == (2, 1)
    assert (found.total.questions, found.total.abstained) == (1, 0)


def test_a_day_begins_at_midnight_of_its_own_zone():
    asked = [one("2026-03-09T14:59", Status.ANSWERED), one("2026-03-09T15:00", Status.ANSWERED)]
    found = figures(store(asked), 2, today=TODAY, zone=SEOUL)
    assert [day.tally.questions for day in found.days] == [1, 1]


@pytest.mark.parametrize(
    ("seconds", "median", "slow"),
    [([], None, None), ([3.0], 3.0, 3.0), ([4.0, 1.0], 1.0, 4.0), (range(1, 101), 50, 95)],
)
def test_percentiles(seconds: list[float], median: float | None, slow: float | None):
    asked = [one("2026-03-10T10:00", Status.ANSWERED, each) for each in seconds]
    # What the assistant says by itself takes no time, and a stopped answer has none.
    asked += [one("2026-03-10T11:00", Status.HANDED_OVER, 0.0), one("2026-03-10T11:00", None, None)]
    total = figures(store(asked), 7, today=TODAY, zone=datetime.UTC).total
    assert (total.median_seconds, total.slow_seconds) == (median, slow)


def test_today_is_todays_date():
    found = figures(store([]), 30)
    assert (len(found.days), found.days[-1].date) == (30, datetime.datetime.now().date())
