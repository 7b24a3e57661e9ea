"""Conversations in a database: each customer's own, and all of them for whoever runs the shop."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from mmchat.errors import InputError, UnknownConversation
from mmchat.pictures import to_jpeg
from mmchat.sessions import reading
from mmchat.sessions.database import Database
from mmchat.sessions.exporting import turn_values
from mmchat.sessions.queue import HandoffQueue
from mmchat.sessions.records import (
    Conversation,
    ConversationHead,
    Delivery,
    HandoffRecord,
    Unanswered,
)
from mmchat.sessions.tables import (
    ConversationRow,
    FeedbackRow,
    HandoffRow,
    PictureRow,
    TurnRow,
)
from mmchat.sessions.taking_back import take_back
from mmchat.types import Answer, Handoff, Status

if TYPE_CHECKING:
    from PIL.Image import Image

_MIN_TOKEN = 16
"""Characters of an owner's token, at least: a short one could be guessed."""
_PICTURE_PX = 1600
"""The longer side of a kept picture, in pixels."""
_TITLE = 80
"""Characters of a title that is taken from the first question."""


def new_owner() -> str:
    """Return a token for a customer: who has it reads that customer's conversations, nobody else does."""
    return secrets.token_urlsafe(32)


class SessionStore:
    """Every conversation. Safe to use from several threads, and several processes on one database."""

    def __init__(self, database: Database) -> None:
        """Take an open database; see `open`."""
        self._database = database
        self.queue = HandoffQueue(database)

    @classmethod
    def open(cls, database: str) -> SessionStore:
        """Open a database, and bring its tables to this version.

        Args:
            database: the path of a SQLite file, which is made where it is missing; or a URL of SQLAlchemy.

        Raises:
            ConfigError, MissingExtra, SessionError: it cannot be opened; the message says why.
        """
        return cls(Database.open(database))

    def of(self, owner: str) -> OwnConversations:
        """Return what one customer may see and do.

        Args:
            owner: the customer's token, from `new_owner`.

        Raises:
            InputError: the token is so short that it could be guessed.
        """
        if len(owner) < _MIN_TOKEN:
            raise InputError(
                f"Got an owner's token of {len(owner)} characters, expected {_MIN_TOKEN} or more. "
                "Take one from mmchat.sessions.new_owner()."
            )
        return OwnConversations(self._database, hashlib.sha256(owner.encode()).hexdigest())

    def everything(self) -> OwnConversations:
        """Return what whoever runs the shop may see and do: the conversations of all customers."""
        return OwnConversations(self._database, None)

    def unanswered(self, since: datetime.datetime | None = None) -> list[Unanswered]:
        """Return the questions that got no answer or a thumbs-down, the newest first."""
        wanted = or_(TurnRow.status == Status.ABSTAINED.value, FeedbackRow.useful.is_(False))
        query = select(TurnRow).outerjoin(TurnRow.feedback).where(wanted, TurnRow.question != "")
        if since is not None:
            query = query.where(TurnRow.created >= since)
        with self._database.session() as session:
            rows = session.scalars(
                query.options(selectinload(TurnRow.feedback)).order_by(TurnRow.id.desc())
            )
            return [reading.unanswered(row) for row in rows]

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


class OwnConversations:
    """The conversations of one customer, or, without one, of all of them.

    Somebody else's conversation is as unknown as one that never was.
    """

    def __init__(self, database: Database, owner: str | None) -> None:
        self._database = database
        self._owner = owner

    def start(self) -> str:
        """Begin a conversation; return its id, which cannot be guessed."""
        if self._owner is None:
            raise InputError("A conversation needs an owner. Use SessionStore.of(token).start().")
        now, key = _now(), secrets.token_hex(16)
        with self._database.session(write=True) as session:
            session.add(
                ConversationRow(id=key, owner=self._owner, title="", created=now, updated=now)
            )
        return key

    def list(self, search: str = "", *, limit: int = 50, offset: int = 0) -> list[ConversationHead]:
        """Return conversations, the one that was last spoken in first.

        Args:
            search: words that all have to occur in one turn or in the title, without regard to case.
            limit: conversations at most.
            offset: conversations that are passed over.
        """
        turns = (
            select(func.count())
            .where(TurnRow.conversation_id == ConversationRow.id)
            .scalar_subquery()
        )
        passed_on = exists().where(HandoffRow.conversation_id == ConversationRow.id)
        query = select(ConversationRow, turns, passed_on).where(self._mine())
        words = search.split()
        if words:
            said = exists().where(
                TurnRow.conversation_id == ConversationRow.id,
                *(
                    or_(_contains(TurnRow.question, word), _contains(TurnRow.answer, word))
                    for word in words
                ),
            )
            named = [_contains(ConversationRow.title, word) for word in words]
            query = query.where(or_(said, and_(*named)))
        newest = query.order_by(ConversationRow.updated.desc(), ConversationRow.id)
        with self._database.session() as session:
            found = session.execute(newest.limit(limit).offset(offset))
            return [
                ConversationHead(row.id, row.title, row.created, row.updated, count, bool(over))
                for row, count, over in found
            ]

    def get(self, conversation: str, *, last: int | None = None) -> Conversation:
        """Return a conversation with everything that was said, or with its last turns.

        Args:
            conversation: its id.
            last: turns at most; all of them where it is not given.

        Raises:
            UnknownConversation: there is none of that id here.
        """
        with self._database.session() as session:
            row = session.scalar(
                select(ConversationRow)
                .where(ConversationRow.id == conversation, self._mine())
                .options(selectinload(ConversationRow.handoff))
            )
            if row is None:
                _unknown(conversation)
            return reading.conversation(row, _turns(session, conversation, last))

    def picture(self, conversation: str, picture: str) -> bytes:
        """Return a picture that a customer sent, as the bytes of a JPEG file.

        Raises:
            UnknownConversation: there is no such conversation here, or no such picture in it.
        """
        with self._database.session() as session:
            self._require(session, conversation)
            jpeg = session.scalar(
                select(PictureRow.jpeg).where(
                    PictureRow.id == picture, PictureRow.conversation_id == conversation
                )
            )
        if jpeg is None:
            _unknown(f"{conversation}, picture {picture}")
        return jpeg

    def rename(self, conversation: str, title: str) -> None:
        """Give a conversation another title."""
        with self._database.session(write=True) as session:
            self._require(session, conversation)
            session.execute(
                update(ConversationRow)
                .where(ConversationRow.id == conversation)
                .values(title=" ".join(title.split()))
            )

    def delete(self, conversation: str) -> None:
        """Delete a conversation for good, with its pictures, feedback and handoff."""
        with self._database.session(write=True) as session:
            self._require(session, conversation)
            session.execute(delete(ConversationRow).where(ConversationRow.id == conversation))
        self._database.forget_deleted()

    def begin_turn(self, conversation: str, question: str, image: Image | None = None) -> int:
        """Keep a question, before it is answered; return the number of its turn.

        Raises:
            UnknownConversation: there is none of that id here.
        """
        now = _now()
        jpeg = to_jpeg(image, _PICTURE_PX) if image is not None else None
        with self._database.session(write=True) as session:
            self._require(session, conversation)
            picture = None
            if jpeg is not None:
                picture = secrets.token_hex(16)
                session.add(PictureRow(id=picture, conversation_id=conversation, jpeg=jpeg))
                session.flush()
            turn = TurnRow(
                conversation_id=conversation, created=now, question=question, picture_id=picture
            )
            session.add(turn)
            row = session.get_one(ConversationRow, conversation)
            row.updated = now
            row.title = row.title or _title(question)
            session.flush()
            return turn.id

    def end_turn(self, turn: int, answer: Answer, *, written_by: str = "") -> None:
        """Keep an answer with everything that it rests on."""
        with self._database.session(write=True) as session:
            row = self._turn(session, turn)
            row.answer, row.status = answer.answer, answer.status.value
            row.asked, row.seconds, row.written_by = answer.asked, answer.seconds, written_by
            row.nearest = list(answer.nearest)
            row.shown = reading.shown_values(answer.pictures, answer.similar)
            session.add_all(reading.source_rows(turn, answer.sources))

    def stop_turn(self, turn: int, text: str) -> None:
        """Keep as much of an answer as its reader saw before it was stopped or failed."""
        with self._database.session(write=True) as session:
            self._turn(session, turn).answer = text

    def take_back(self, conversation: str, turn: int) -> bool:
        """Delete a turn and those after it for good, with their pictures.

        Returns:
            False where a person took over in one of them: what that person was given stays.

        Raises:
            UnknownConversation: there is none of that id here.
        """
        with self._database.session(write=True) as session:
            self._require(session, conversation)
            gone = take_back(session, conversation, turn, _title)
        self._database.forget_deleted()
        return gone

    def rate(self, turn: int, useful: bool, reason: str = "") -> None:
        """Keep what the customer thought of an answer; the last word counts."""
        with self._database.session(write=True) as session:
            self._turn(session, turn)
            session.merge(
                FeedbackRow(turn_id=turn, useful=useful, reason=reason.strip(), created=_now())
            )

    def hand_over(
        self, conversation: str, handoff: Handoff, *, turn: int, summary: str = "", webhook: bool
    ) -> HandoffRecord | None:
        """Pass a conversation to a person: its turns as they stand now, and why.

        Args:
            conversation: its id.
            handoff: the reason.
            turn: the turn in which it happened.
            summary: the conversation in a few lines.
            webhook: whether somebody is to be told.

        Returns:
            What was kept, or None where the conversation was passed on before.
        """
        with self._database.session(write=True) as session:
            self._require(session, conversation)
            if session.get(HandoffRow, conversation) is not None:
                return None
            turns = [reading.turn(each) for each in _turns(session, conversation, None)]
            row = HandoffRow(
                conversation_id=conversation,
                turn_id=turn,
                reason=handoff.reason.value,
                detail=handoff.detail,
                created=_now(),
                summary=summary,
                transcript=[turn_values(each) for each in turns],
                state=(Delivery.PENDING if webhook else Delivery.NONE).value,
                attempts=0,
                error="",
            )
            session.add(row)
            session.flush()
            return reading.handoff(row)

    def _mine(self) -> ColumnElement[bool]:
        return (
            ConversationRow.id.is_not(None)
            if self._owner is None
            else ConversationRow.owner == self._owner
        )

    def _require(self, session: Session, conversation: str) -> None:
        # Who writes keeps others from writing to the same conversation meanwhile (PostgreSQL).
        known = select(ConversationRow.id).where(ConversationRow.id == conversation, self._mine())
        if session.scalar(known.with_for_update()) is None:
            _unknown(conversation)

    def _turn(self, session: Session, turn: int) -> TurnRow:
        query = select(TurnRow).join(ConversationRow).where(TurnRow.id == turn, self._mine())
        row = session.scalar(query.with_for_update())
        if row is None:
            _unknown(f"with turn {turn}")
        return row


def _turns(session: Session, conversation: str, last: int | None) -> list[TurnRow]:
    """Return the last turns of a conversation, oldest first, with what belongs to them."""
    newest = (
        select(TurnRow)
        .where(TurnRow.conversation_id == conversation)
        .options(selectinload(TurnRow.sources), selectinload(TurnRow.feedback))
        .order_by(TurnRow.id.desc())
        .limit(last)
    )
    return list(session.scalars(newest))[::-1]


def _unknown(conversation: str) -> NoReturn:
    raise UnknownConversation(
        f"No conversation {conversation} here: it was deleted, or it is somebody else's. "
        "'mmchat conversations list' shows those that there are."
    )


def _contains(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)


def _title(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
