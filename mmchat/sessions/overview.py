"""What whoever runs the shop looks through: conversations by what went wrong in them, and what was asked."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, exists, func, select

from mmchat.sessions.database import Database
from mmchat.sessions.records import AskedRecord, Concern, OverviewLine
from mmchat.sessions.searching import has_words
from mmchat.sessions.tables import ConversationRow, FeedbackRow, HandoffRow, TurnRow
from mmchat.types import HandoffReason, Status

_AT_ONCE = 1000
"""Rows that are fetched at once, where there may be very many."""


class Overview:
    """Reads across the conversations of all customers. It changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def conversations(
        self, search: str = "", concern: Concern | None = None, *, limit: int = 50, offset: int = 0
    ) -> list[OverviewLine]:
        """Return conversations, the one that was last spoken in first.

        Args:
            search: words that all have to occur in one turn or in the title, without regard to case.
            concern: only those in which this happened.
            limit: conversations at most.
            offset: conversations that are passed over.
        """
        query = select(
            ConversationRow,
            _turns_that(TurnRow.conversation_id == ConversationRow.id),
            _turns_that(_UNANSWERED),
            _turns_that(_DISLIKED),
            HandoffRow.reason,
            HandoffRow.done,
        ).outerjoin(HandoffRow, HandoffRow.conversation_id == ConversationRow.id)
        conditions = [has_words(search), None if concern is None else _CONCERNS[concern]]
        for condition in conditions:
            if condition is not None:
                query = query.where(condition)
        newest = query.order_by(ConversationRow.updated.desc(), ConversationRow.id)
        with self._database.session() as session:
            found = session.execute(newest.limit(limit).offset(offset))
            return [
                OverviewLine(
                    id=row.id,
                    title=row.title,
                    created=row.created,
                    updated=row.updated,
                    turns=turns,
                    unanswered=unanswered,
                    disliked=disliked,
                    passed_on=HandoffReason(reason) if reason else None,
                    done=done,
                )
                for row, turns, unanswered, disliked, reason, done in found
            ]

    def count(self, concern: Concern) -> int:
        """Return in how many conversations this happened."""
        query = (
            select(func.count())
            .select_from(ConversationRow)
            .outerjoin(HandoffRow, HandoffRow.conversation_id == ConversationRow.id)
            .where(_CONCERNS[concern])
        )
        with self._database.session() as session:
            return session.scalar(query) or 0

    def asked(self, since: datetime.datetime) -> Iterator[AskedRecord]:
        """Yield how each question since then ended, the oldest first."""
        query = (
            select(TurnRow.created, TurnRow.status, TurnRow.seconds, FeedbackRow.useful)
            .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
            .where(TurnRow.created >= since)
            .order_by(TurnRow.created, TurnRow.id)
            .execution_options(yield_per=_AT_ONCE)
        )
        with self._database.session() as session:
            for created, status, seconds, useful in session.execute(query):
                yield AskedRecord(created, Status(status) if status else None, seconds, useful)

    def passed_on(self, since: datetime.datetime) -> list[datetime.datetime]:
        """Return when conversations were passed to a person since then, the oldest first."""
        query = select(HandoffRow.created).where(HandoffRow.created >= since)
        with self._database.session() as session:
            return list(session.scalars(query.order_by(HandoffRow.created)))

    def last_question(self) -> str:
        """Return the last question in words that was searched, as it was; empty where there is none."""
        query = (
            select(TurnRow.question, TurnRow.asked)
            .where(TurnRow.question != "", TurnRow.status.in_(_SEARCHED))
            .order_by(TurnRow.id.desc())
            .limit(1)
        )
        with self._database.session() as session:
            found = session.execute(query).first()
        return (found.asked or found.question) if found else ""


def _turns_that(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Return how many turns of a conversation hold to a condition."""
    return (
        select(func.count(TurnRow.id))
        .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
        .where(TurnRow.conversation_id == ConversationRow.id, condition)
        .correlate(ConversationRow)
        .scalar_subquery()
    )


_SEARCHED = [Status.ANSWERED.value, Status.PARTIAL.value, Status.ABSTAINED.value]
_UNANSWERED: ColumnElement[bool] = TurnRow.status == Status.ABSTAINED.value
_DISLIKED: ColumnElement[bool] = FeedbackRow.useful.is_(False)
_CONCERNS: dict[Concern, ColumnElement[bool]] = {
    "waiting": and_(HandoffRow.conversation_id.is_not(None), HandoffRow.done.is_(None)),
    "passed on": HandoffRow.conversation_id.is_not(None),
    "unanswered": exists().where(TurnRow.conversation_id == ConversationRow.id, _UNANSWERED),
    "disliked": exists().where(
        TurnRow.conversation_id == ConversationRow.id, FeedbackRow.turn_id == TurnRow.id, _DISLIKED
    ),
}
