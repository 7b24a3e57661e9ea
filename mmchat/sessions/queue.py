"""Handoffs that wait, for their webhook and for a person: each is delivered by one process at a time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, update

from mmchat.errors import UnknownConversation
from mmchat.sessions import reading
from mmchat.sessions.database import Database
from mmchat.sessions.records import Delivery, HandoffRecord
from mmchat.sessions.tables import HandoffRow, PictureRow


@dataclass(frozen=True, slots=True)
class Parcel:
    """A handoff with everything that the webhook is sent."""

    record: HandoffRecord
    transcript: list[dict[str, Any]]
    pictures: dict[str, bytes]
    """Id to the bytes of a JPEG file."""


class HandoffQueue:
    """What is still to be delivered. A handoff that nobody delivers is whose turn comes first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[HandoffRecord]:
        """Return every handoff, the newest first."""
        with self._database.session() as session:
            rows = session.scalars(select(HandoffRow).order_by(HandoffRow.created.desc()))
            return [reading.handoff(row) for row in rows]

    def claim(self, seconds: float) -> Parcel | None:
        """Return the oldest handoff that nobody works on, and keep others from it for `seconds`."""
        now = datetime.datetime.now(datetime.UTC)
        free = or_(HandoffRow.claimed_until.is_(None), HandoffRow.claimed_until < now)
        query = (
            select(HandoffRow)
            .where(HandoffRow.state == Delivery.PENDING.value, free)
            .order_by(HandoffRow.created)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.session(write=True) as session:
            row = session.scalar(query)
            if row is None:
                return None
            row.claimed_until = now + datetime.timedelta(seconds=seconds)
            pictures = session.execute(
                select(PictureRow.id, PictureRow.jpeg).where(
                    PictureRow.conversation_id == row.conversation_id
                )
            )
            return Parcel(
                reading.handoff(row),
                list(row.transcript),
                {key: jpeg for key, jpeg in pictures},  # noqa: C416 - rows are no pairs to mypy
            )

    def failed(self, conversation: str, error: str, *, refused: bool = False) -> None:
        """Keep why an attempt failed, and whether it was the last: the receiver takes it never."""
        values: dict[str, Any] = {"attempts": HandoffRow.attempts + 1, "error": error}
        if refused:
            values["state"] = Delivery.REFUSED.value
        self._set(conversation, values)

    def delivered(self, conversation: str) -> None:
        """Keep that a handoff has arrived."""
        now = datetime.datetime.now(datetime.UTC)
        self._set(
            conversation,
            {
                "attempts": HandoffRow.attempts + 1,
                "error": "",
                "state": Delivery.DELIVERED.value,
                "delivered": now,
                "claimed_until": None,
            },
        )

    def rest(self, conversation: str, seconds: float) -> None:
        """Let nobody work on a handoff for a while, and then anybody; 0 is at once."""
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
        self._set(conversation, {"claimed_until": until if seconds else None})

    def finish(self, conversation: str) -> None:
        """Keep that somebody has dealt with a handoff; who asks for a person again opens it again.

        Raises:
            UnknownConversation: no such conversation was passed on.
        """
        self._require(conversation)
        self._set(conversation, {"done": datetime.datetime.now(datetime.UTC)})

    def reopen(self, conversation: str) -> None:
        """Keep that a handoff waits for a person again.

        Raises:
            UnknownConversation: no such conversation was passed on.
        """
        self._require(conversation)
        self._set(conversation, {"done": None})

    def _require(self, conversation: str) -> None:
        with self._database.session() as session:
            if session.get(HandoffRow, conversation) is None:
                raise UnknownConversation(
                    f"No conversation {conversation} waits for a person: it was not passed on, or it "
                    "was deleted. 'mmchat conversations handoffs' shows those that were."
                )

    def _set(self, conversation: str, values: dict[str, Any]) -> None:
        with self._database.session(write=True) as session:
            session.execute(
                update(HandoffRow).where(HandoffRow.conversation_id == conversation).values(values)
            )
