"""The tables that conversations are kept in. What belongs to a conversation goes with it."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

ID_LENGTH = 32
"""Characters of an id: 16 random bytes in hexadecimal, which a shell takes for no option."""


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """A moment in UTC. SQLite keeps no time zone, so what comes back is given one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the moment in UTC."""
        return None if value is None else value.astimezone(datetime.UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the moment with its time zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=datetime.UTC)


class AnyText(TypeDecorator[str]):
    """A text of any length. What a database cannot hold (NUL, halves of characters) is left out."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the text as it can be kept."""
        if value is None:
            return None
        return value.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


class Base(DeclarativeBase):
    """What the tables have in common: constraints with names that migrations can refer to."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime.datetime: UtcDateTime()}  # noqa: RUF012 - SQLAlchemy reads it


class ConversationRow(Base):
    """A conversation of one customer."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    """SHA-256 of the customer's token: who reads the database cannot pass for a customer."""
    title: Mapped[str] = mapped_column(AnyText)
    created: Mapped[datetime.datetime]
    updated: Mapped[datetime.datetime] = mapped_column(index=True)
    handoff: Mapped[HandoffRow | None] = relationship(passive_deletes=True)


class PictureRow(Base):
    """A picture that a customer sent, as a JPEG without its metadata."""

    __tablename__ = "pictures"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    jpeg: Mapped[bytes] = mapped_column(LargeBinary)


class TurnRow(Base):
    """A question with its answer. They follow each other by their ids."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    created: Mapped[datetime.datetime]
    question: Mapped[str] = mapped_column(AnyText)
    """As it was typed."""
    asked: Mapped[str] = mapped_column(AnyText, default="")
    """As it was searched."""
    picture_id: Mapped[str | None] = mapped_column(
        ForeignKey("pictures.id", ondelete="SET NULL"), index=True
    )
    answer: Mapped[str] = mapped_column(AnyText, default="")
    status: Mapped[str | None] = mapped_column(String(16))
    """None where the answer did not come to its end."""
    seconds: Mapped[float | None]
    written_by: Mapped[str] = mapped_column(AnyText, default="")
    """The generator, and the generation of the index that it was shown."""
    nearest: Mapped[list[str]] = mapped_column(JSON, default=list)
    shown: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """The pictures beside the answer, and the products below it, as `reading.shown_values` writes them."""
    sources: Mapped[list[SourceRow]] = relationship(order_by="SourceRow.n", passive_deletes=True)
    feedback: Mapped[FeedbackRow | None] = relationship(passive_deletes=True)


class SourceRow(Base):
    """What a mark `[n]` of an answer rests on, with the words as they were then."""

    __tablename__ = "sources"

    turn_id: Mapped[int] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True
    )
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[str] = mapped_column(AnyText)
    title: Mapped[str] = mapped_column(AnyText)
    page: Mapped[int | None]
    start: Mapped[int | None]
    stop: Mapped[int | None]
    text: Mapped[str] = mapped_column(AnyText)
    passage: Mapped[str] = mapped_column(AnyText)
    picture: Mapped[str | None] = mapped_column(AnyText)
    picture_path: Mapped[str | None] = mapped_column(AnyText)
    thumb_path: Mapped[str | None] = mapped_column(AnyText)
    score: Mapped[float]
    basis: Mapped[str] = mapped_column(String(8), default="text")


class FeedbackRow(Base):
    """What the customer thought of an answer."""

    __tablename__ = "feedback"

    turn_id: Mapped[int] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True
    )
    useful: Mapped[bool]
    reason: Mapped[str] = mapped_column(AnyText)
    created: Mapped[datetime.datetime]


class HandoffRow(Base):
    """A conversation that a person takes over, and how far its webhook is."""

    __tablename__ = "handoffs"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    """Its key: a conversation is passed on once, however many processes try."""
    turn_id: Mapped[int | None] = mapped_column(
        ForeignKey("turns.id", ondelete="SET NULL"), index=True
    )
    reason: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(AnyText)
    created: Mapped[datetime.datetime]
    summary: Mapped[str] = mapped_column(AnyText)
    transcript: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """The turns as they stood then."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(AnyText, default="")
    claimed_until: Mapped[datetime.datetime | None]
    delivered: Mapped[datetime.datetime | None]
