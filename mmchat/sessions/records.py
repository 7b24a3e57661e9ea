"""What comes out of the database of conversations: values that nothing changes behind."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

from mmchat.types import Handoff, Hit, Similar, Source, Status


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the customer thought of an answer."""

    useful: bool
    reason: str
    created: datetime.datetime


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A question with its answer and what that rests on."""

    id: int
    created: datetime.datetime
    question: str
    asked: str
    """The question as it was searched: it stands alone."""
    picture: str | None
    """The id of the picture that came with the question."""
    answer: str
    """As far as it came."""
    status: Status | None
    """None where the answer did not come to its end: stopped, failed, or still being written."""
    sources: tuple[Source, ...]
    shown: tuple[Hit, ...]
    """Pictures beside the answer."""
    similar: tuple[Similar, ...]
    """Products that were shown below it."""
    nearest: tuple[str, ...]
    seconds: float | None
    written_by: str
    feedback: Feedback | None


class Delivery(StrEnum):
    """How far a handoff is on its way to the webhook."""

    NONE = "none"
    """There is no webhook: whoever runs the shop looks here."""
    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver said that it never takes this one."""


@dataclass(frozen=True, slots=True)
class HandoffRecord:
    """A conversation that a person takes over."""

    conversation: str
    turn: int | None
    handoff: Handoff
    created: datetime.datetime
    summary: str
    delivery: Delivery
    attempts: int
    error: str
    """Why the last attempt failed."""


@dataclass(frozen=True, slots=True)
class ConversationHead:
    """A conversation as a list shows it."""

    id: str
    title: str
    created: datetime.datetime
    updated: datetime.datetime
    turns: int
    handed_over: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with everything that was said."""

    id: str
    title: str
    created: datetime.datetime
    updated: datetime.datetime
    turns: tuple[TurnRecord, ...]
    handoff: HandoffRecord | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that got no answer, or one that the customer found useless."""

    conversation: str
    turn: int
    question: str
    """As it was searched."""
    created: datetime.datetime
    abstained: bool
    """Whether the documents did not hold the answer; else the customer's thumb went down."""
    reason: str
    """What the customer said of it."""
