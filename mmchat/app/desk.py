"""The service desk: an assistant whose conversations are kept, and passed to a person when they should be."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from mmchat.answering.followups import LOOKED_BACK
from mmchat.answering.followups.mentions import product_of
from mmchat.answering.handoff import HandoffRules
from mmchat.answering.memory import summarise
from mmchat.answering.turn import NOTHING_ASKED
from mmchat.app.keeping import open_store
from mmchat.app.running import Running
from mmchat.errors import QueryError, UnknownConversation
from mmchat.types import (
    Answer,
    AnswerPiece,
    AnswerStream,
    Exchange,
    Handoff,
    HandoffReason,
    Hit,
    ImageInput,
    Source,
    Status,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmchat.answering.phrases import Phrases
    from mmchat.app.assistant import Assistant
    from mmchat.sessions import Courier, OwnConversations, SessionStore, TurnRecord

_SUMMARY_TOKENS = 400
"""Tokens of the summary that a person reads first."""
_TAKEN_AWAY = (
    "Conversation {} was deleted, or its last turn taken back, while the answer was being written. "
    "Ask again, in another conversation if this one is gone."
)
_SEARCHED = frozenset({Status.ANSWERED, Status.PARTIAL, Status.ABSTAINED})


@dataclass(frozen=True, slots=True)
class _Visit:
    """A customer with a question, in one of their conversations."""

    own: OwnConversations
    conversation: str
    text: str
    image: Image | None
    history: Sequence[Exchange]
    passed: bool
    """Whether a person has the conversation already."""
    instead_of: int | None
    """The number of the turn that is taken back, with those after it, once this one begins."""
    ended: threading.Event
    """Set where the conversation is deleted while the answer is written."""


class Desk:
    """Answers within conversations that are kept. Safe to use from several threads.

    Each customer is known by a token (`mmchat.new_owner`), and reaches their own conversations alone.
    """

    def __init__(self, assistant: Assistant, *, store: SessionStore | None = None) -> None:
        """Take an assistant, and open the conversations that its settings name.

        Args:
            assistant: answers; its settings are the desk's.
            store: the conversations, where they are open already. They are closed with the desk.

        Raises:
            SessionError: the conversations cannot be opened.
        """
        settings = assistant.config
        self.assistant = assistant
        self.store = store or open_store(assistant.config.sessions.database)
        self._rules = HandoffRules(settings.handoff)
        self._looked_back = max(LOOKED_BACK, settings.handoff.after_abstentions)
        self._running = Running()
        self._courier: Courier | None = None
        if settings.handoff.webhook:
            from mmchat.sessions import Courier

            self._courier = Courier(
                self.store.queue,
                settings.handoff.webhook,
                secret=settings.handoff.secret,
                time_limit=settings.handoff.time_limit,
            ).start()

    def start(self, owner: str) -> str:
        """Begin a conversation of the customer with this token; return its id."""
        return self.store.of(owner).start()

    def ask(
        self, owner: str | None, conversation: str, text: str = "", image: ImageInput | None = None
    ) -> Answer:
        """Return the whole answer; see `stream`."""
        *_, last = self.stream(owner, conversation, text, image)
        assert last.answer is not None
        return last.answer

    def stream(
        self,
        owner: str | None,
        conversation: str,
        text: str = "",
        image: ImageInput | None = None,
        *,
        instead_of: int | None = None,
    ) -> AnswerStream:
        """Answer within a conversation, piece by piece; close the iterator to stop.

        Question and answer are kept with the evidence, a stopped answer as far as it came. Where a
        person takes over, a piece has `handoff`; the last one has the whole answer and the turn's number.

        Args:
            owner: the customer's token; None for whoever runs the shop, who reaches all conversations.
            conversation: the id of one of the customer's conversations.
            text: the question; may be empty where there is a picture.
            image: a picture that it is about.
            instead_of: a turn that is taken back with those after it (see `take_back`): the question is
                asked again, or changed.

        Raises:
            UnknownConversation: there is none of that id, or it is somebody else's.
            QueryError: there is neither a question nor a picture, or it cannot be read.
        """
        own = self._own(owner)
        opened = None if image is None else self.assistant.index.open_image(image)
        if not text.strip() and opened is None:
            raise QueryError(NOTHING_ASKED)
        kept = own.get(conversation, last=self._looked_back)
        said = [turn for turn in kept.turns if instead_of is None or turn.id < instead_of]
        history = self._history(own, conversation, said)
        passed = kept.handoff is not None
        ended = threading.Event()
        visit = _Visit(own, conversation, text, opened, history, passed, instead_of, ended)
        return self._run(visit, self._pieces(visit))

    def more_like(
        self,
        owner: str | None,
        conversation: str,
        text: str,
        shown: Hit | Source,
        *,
        instead_of: int | None = None,
    ) -> AnswerStream:
        """Show, within a conversation, the products that look like a picture; it is kept as a turn.

        Args:
            owner: as for `stream`.
            conversation: likewise.
            text: what the customer is taken to say by that.
            shown: a picture that an answer of the conversation showed.
            instead_of: as for `stream`.

        Raises:
            UnknownConversation: there is none of that id, or it is somebody else's.
            QueryError: the picture cannot be read any more.
        """
        own = self._own(owner)
        own.get(conversation, last=1)
        visit = _Visit(own, conversation, text, None, (), True, instead_of, threading.Event())
        return self._run(visit, self.assistant.more_like(text, shown))

    def take_back(self, owner: str | None, conversation: str, turn: int) -> bool:
        """Delete a turn and those after it for good; False where a person has them: then they stay.

        What is being written in the conversation just then is ended and not kept.

        Raises:
            UnknownConversation: there is none of that id, or it is somebody else's.
        """
        return self._taken_back(self._own(owner), conversation, turn)

    def is_with_person(self, owner: str | None, conversation: str, turn: int) -> bool:
        """Tell whether a person took over in a turn or after it, so that it cannot be taken back.

        Raises:
            UnknownConversation: there is none of that id, or it is somebody else's.
        """
        passed = self._own(owner).get(conversation, last=1).handoff
        return passed is not None and passed.turn is not None and passed.turn >= turn

    def delete(self, owner: str | None, conversation: str) -> None:
        """Delete a conversation for good, and end the answer that is being written in it.

        Raises:
            UnknownConversation: there is none of that id, or it is somebody else's.
        """
        self._own(owner).delete(conversation)
        self._running.end(conversation)

    def close(self) -> None:
        """Let go of the conversations; a handoff that is under way is finished first."""
        if self._courier is not None:
            self._courier.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _own(self, owner: str | None) -> OwnConversations:
        return self.store.everything() if owner is None else self.store.of(owner)

    def _taken_back(self, own: OwnConversations, conversation: str, turn: int) -> bool:
        own.get(conversation, last=1)
        self._running.end(conversation)
        return own.take_back(conversation, turn)

    def _run(self, visit: _Visit, pieces: Iterator[AnswerPiece]) -> Iterator[AnswerPiece]:
        """Keep what is said. What a person takes over is kept before the customer is told so."""
        said, ended = "", False
        if visit.instead_of is not None:
            self._taken_back(visit.own, visit.conversation, visit.instead_of)
        with self._running.one(visit.conversation, visit.ended), closing(pieces):  # type: ignore[type-var]
            turn = visit.own.begin_turn(visit.conversation, visit.text, visit.image)
            try:
                yield AnswerPiece(turn=turn)
                for piece in pieces:
                    if piece.answer is None:
                        said += piece.text
                        yield piece
                        continue
                    if visit.ended.is_set():
                        raise UnknownConversation(_TAKEN_AWAY.format(visit.conversation))
                    visit.own.end_turn(turn, piece.answer, written_by=self._writer())
                    ended = True
                    if piece.text:
                        passed = piece.handoff and self._hand_over(visit, turn, piece.handoff)
                        yield AnswerPiece(piece.text, handoff=piece.handoff if passed else None)
                    yield AnswerPiece(answer=piece.answer, turn=turn)
            finally:
                # Of what was deleted meanwhile nothing is kept, here or in another process.
                if not ended and not visit.ended.is_set():
                    with suppress(UnknownConversation):
                        visit.own.stop_turn(turn, said)

    def _pieces(self, visit: _Visit) -> Iterator[AnswerPiece]:
        """Yield the answer; the last piece may have text and a handoff besides."""
        handoff = self._rules.before(visit.text, visit.history)
        phrases = self.assistant.phrases(visit.text)
        if handoff is not None and not visit.passed:
            yield _spoken(phrases.handed_over[handoff.reason], handoff)
        elif handoff is not None and handoff.reason != HandoffReason.ANGER:
            yield _spoken(phrases.is_handed_over)
        else:
            yield from self._answer(visit, phrases)

    def _answer(self, visit: _Visit, phrases: Phrases) -> Iterator[AnswerPiece]:
        searched = [each for each in visit.history if each.status in _SEARCHED]
        last_straw = not visit.passed and self._rules.is_last_straw(visit.history)
        stream = self.assistant.stream(
            visit.text, visit.image, history=searched, cancel=visit.ended
        )
        with closing(stream) as pieces:  # type: ignore[type-var]
            for piece in pieces:
                answer = piece.answer
                if answer is None and last_straw:
                    # Nobody is offered what happens in the next sentence.
                    yield replace(piece, text=piece.text.removesuffix(phrases.offer).rstrip(" "))
                elif answer is None or not last_straw:
                    yield piece
                elif handoff := self._rules.after(answer.status, visit.history):
                    told = phrases.handed_over[handoff.reason]
                    text = f"{answer.answer.removesuffix(phrases.offer).rstrip()} {told}"
                    yield AnswerPiece(f" {told}", replace(answer, answer=text), handoff)
                else:
                    yield piece

    def _hand_over(self, visit: _Visit, turn: int, handoff: Handoff) -> bool:
        """Keep a handoff and let the webhook be told; False where somebody else was first."""
        whole = visit.own.get(visit.conversation).turns
        kept = visit.own.hand_over(
            visit.conversation,
            handoff,
            turn=turn,
            summary=summarise([_exchange(each) for each in whole], _SUMMARY_TOKENS),
            webhook=self._courier is not None,
        )
        if kept is not None and self._courier is not None:
            self._courier.notify()
        return kept is not None

    def _history(
        self, own: OwnConversations, conversation: str, turns: Sequence[TurnRecord]
    ) -> list[Exchange]:
        """Return what was said before; of pictures only the last, which is the one that is meant."""
        ended = [turn for turn in turns if turn.status is not None]
        history = [_exchange(turn) for turn in ended]
        for at in reversed(range(len(ended))):
            picture = ended[at].picture
            if picture is not None:
                jpeg = own.picture(conversation, picture)
                history[at] = replace(history[at], image=self.assistant.index.open_image(jpeg))
                break
        return history

    def _writer(self) -> str:
        index = self.assistant.index
        return f"{self.assistant.config.answers.generator}, index {index.path.name}"


def _exchange(turn: TurnRecord) -> Exchange:
    return Exchange(
        turn.asked or turn.question, turn.answer, product_of(turn.sources), None, turn.status
    )


def _spoken(text: str, handoff: Handoff | None = None) -> AnswerPiece:
    """Return the whole answer where the assistant says something itself."""
    return AnswerPiece(text, Answer(text, Status.HANDED_OVER, (), 0.0), handoff)
