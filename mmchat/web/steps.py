"""The steps of a conversation: what the person did goes in, what the page shows comes out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from mmchat.app import new_owner
from mmchat.errors import InputError, UnknownConversation
from mmchat.sentences import is_korean
from mmchat.types import AnswerPiece, AnswerStream
from mmchat.web.conversation import (
    Conversation,
    Shown,
    Stage,
    Turn,
    answer_at,
    earlier_questions,
    follow,
)
from mmchat.web.guard import OWNER_COOKIE
from mmchat.web.pictures import chosen as picture_chosen
from mmchat.web.showing import ShownWithBox, shown_busy, shown_ready, shown_running
from mmchat.web.wording import COMPLAINTS, wording

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk
    from mmchat.web.examples import Example

_log = logging.getLogger(__name__)


class Steps:
    """What happens on the page's events. Holds nothing of any conversation: these live in its state."""

    def __init__(
        self,
        assistant: Assistant,
        offered: Sequence[Example] = (),
        desk: Desk | None = None,
        *,
        quick: Sequence[str] = (),
    ) -> None:
        """Take what answers, what keeps conversations, and the examples and quick replies of the page."""
        self._assistant = assistant
        self._offered = offered
        self._desk = desk
        self._quick = quick

    def rate(self, turns: Conversation, given: gr.LikeData) -> None:
        """Keep what the visitor thinks of an answer: a thumb, or a complaint in words."""
        turn = answer_at(turns, int(given.index)) if isinstance(given.index, int) else None
        if self._desk is None or turn is None or turn.number is None:
            return
        useful = given.liked is True or given.liked == "Like"
        said = given.liked if isinstance(given.liked, str) else ""
        reason = said if said in COMPLAINTS else ""
        self._desk.store.of(turn.owner).rate(turn.number, useful=useful, reason=reason)

    def ask(
        self, message: dict[str, Any], turns: Conversation, request: gr.Request
    ) -> ShownWithBox:
        """Take what was typed and uploaded."""
        return _asked(turns, message["text"], message["files"], request)

    def ask_example(
        self, turns: Conversation, chosen: gr.SelectData, request: gr.Request
    ) -> ShownWithBox:
        """Take an example that was clicked."""
        # By number: the browser sends the example's file, too, but may send any path for it.
        example = self._offered[int(chosen.index)]
        files = [str(example.photo)] if example.photo else []
        return _asked(turns, example.text, files, request)

    def quick_step(self, number: int) -> Callable[[Conversation, gr.Request], ShownWithBox]:
        """Return the step that takes the quick reply of this number."""
        question = self._quick[number]

        # Gradio reads the annotations of a step, which those of `functools.partial` do not have.
        def ask_quick(turns: Conversation, request: gr.Request) -> ShownWithBox:
            return _asked(turns, question, [], request)

        return ask_quick

    def ask_for_person(self, turns: Conversation, request: gr.Request) -> ShownWithBox:
        """Take the wish for a person, in the language of the conversation."""
        korean = turns[-1].korean if turns else _prefers_korean(request)
        return _asked(turns, wording(korean).ask_person, [], request)

    def more_like(
        self, turns: Conversation, chosen: gr.SelectData, request: gr.Request
    ) -> ShownWithBox:
        """Take the wish for more like a picture of an answer, by the value of its button."""
        return _more_like(turns, picture_chosen(turns, str(chosen.index)), request)

    def more_like_picked(
        self, turns: Conversation, picked: int, request: gr.Request
    ) -> ShownWithBox:
        """Take the wish for more like the picture that is open in the gallery, by its place there."""
        return _more_like(turns, picture_chosen(turns, f"{len(turns) - 1}.{picked}"), request)

    def answer(self, turns: Conversation) -> Generator[ShownWithBox, None, None]:
        """Answer the last question, step by step; the last step takes questions again.

        Gradio closes this generator when the reader stops or leaves, and that closes the stream of
        the assistant: nobody pays for words that nobody reads.
        """
        if not turns or not turns[-1].running:  # what was to change stays as it is
            return
        with closing(self._progress(turns)) as progress:
            for now in progress:
                yield shown_running(now) if now[-1].running else shown_ready(now)

    def _progress(self, turns: Conversation) -> Generator[Conversation, None, None]:
        *before, turn = turns
        try:
            with closing(self._answer(turn, earlier_questions(turns))) as progress:
                for turn in progress:
                    yield (*before, turn)
        except UnknownConversation:
            gone = wording(turn.korean).deleted
            yield (*before, replace(turn, stage=Stage.FAILED, text=gone, kept_as="", number=None))
        except InputError as error:
            words = wording(turn.korean)
            _log.info("A question was not answered: %s", error)
            told = words.unreadable if turn.photo else words.failed if turn.like else str(error)
            yield (*before, replace(turn, stage=Stage.FAILED, text=told))
        except Exception:
            # Whatever it was, the reader gets a sentence and the log the rest.
            _log.exception("An answer failed.")
            failed = wording(turn.korean).failed
            yield (*before, replace(turn, stage=Stage.FAILED, text=failed))

    def settle(self, turns: Conversation) -> ShownWithBox:
        """Say that an unfinished answer was stopped, and take questions again."""
        if turns and turns[-1].running:
            turns = (*turns[:-1], replace(turns[-1], stage=Stage.STOPPED))
        return shown_ready(turns)

    def clear(self) -> ShownWithBox:
        """Begin a new conversation."""
        return shown_ready(())

    def _answer(self, turn: Turn, history: list[str]) -> Generator[Turn, None, None]:
        yield (turn := replace(turn, stage=Stage.SEARCHING))
        image = Path(turn.photo).read_bytes() if turn.photo else None
        if image is not None:
            self._assistant.index.open_image(image)  # before anything is kept: it may be no picture
        if self._desk is not None and not turn.kept_as:
            yield (turn := replace(turn, kept_as=self._desk.start(turn.owner)))
        with closing(self._stream(turn, image, history)) as pieces:  # type: ignore[type-var]
            for piece in pieces:
                yield (turn := _grown(turn, piece))

    def _stream(self, turn: Turn, image: bytes | None, history: list[str]) -> AnswerStream:
        if self._desk is None and turn.like is not None:
            return self._assistant.more_like(turn.question, turn.like)
        if self._desk is None:
            return self._assistant.stream(turn.question, image, history=history)
        where = turn.owner, turn.kept_as, turn.question
        if turn.like is not None:
            return self._desk.more_like(*where, turn.like, instead_of=turn.instead_of)
        return self._desk.stream(*where, image, instead_of=turn.instead_of)


def _grown(turn: Turn, piece: AnswerPiece) -> Turn:
    """Return a turn with the next piece of its answer."""
    number = turn.number if piece.turn is None else piece.turn
    if piece.answer is not None:
        text = piece.answer.answer
        return replace(turn, stage=Stage.DONE, text=text, answer=piece.answer, number=number)
    if piece.reading is not None:
        return replace(turn, stage=Stage.READING, reading=piece.reading)
    if not piece.text:
        return replace(turn, number=number, handoff=piece.handoff or turn.handoff)
    handoff = piece.handoff or turn.handoff
    text = turn.text + piece.text
    return replace(turn, stage=Stage.WRITING, text=text, number=number, handoff=handoff)


def _more_like(turns: Conversation, shown: Shown | None, request: gr.Request) -> ShownWithBox:
    if not turns or shown is None:  # the index was built anew meanwhile
        return shown_ready(turns)
    if turns[-1].running:
        raise gr.Error("An answer is being written.", visible=False)
    korean = turns[-1].korean
    title = shown.title or shown.picture or ""
    question = wording(korean).more_asked.format(title=title)
    owner = turns[-1].owner or request.cookies.get(OWNER_COOKIE) or new_owner()
    return shown_busy(follow(turns, Turn(question, None, korean, owner=owner, like=shown)))


def _asked(turns: Conversation, text: str, files: list[str], request: gr.Request) -> ShownWithBox:
    # Without words, the browser says which language its reader has.
    korean = is_korean(text) if text.strip() else _prefers_korean(request)
    # Who takes no cookies is known while the page is open.
    owner = request.cookies.get(OWNER_COOKIE) or new_owner()
    return shown_busy(
        follow(turns, Turn(text.strip(), files[0] if files else None, korean, owner=owner))
    )


def _prefers_korean(request: gr.Request) -> bool:
    return str(request.headers.get("accept-language", "")).lower().startswith("ko")
