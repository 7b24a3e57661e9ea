"""What one person asked and was told. Values only: each step of the page makes new ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeAlias

from mmchat.types import Answer, Handoff


class Stage(Enum):
    """How far an answer is."""

    WAITING = auto()
    """Asked, but other people's answers are being written."""
    SEARCHING = auto()
    """The index is being searched and the evidence weighed; nothing is written yet."""
    WRITING = auto()
    DONE = auto()
    STOPPED = auto()
    """The reader pressed stop; what was written until then stays."""
    FAILED = auto()
    """`text` says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer, as far as there is one."""

    question: str
    photo: str | None
    """The uploaded file, on this machine."""
    korean: bool
    """Whether the page speaks Korean about this turn."""
    stage: Stage = Stage.WAITING
    text: str = ""
    """What was written so far, or why nothing could be."""
    answer: Answer | None = None
    owner: str = ""
    """The token of whose conversation it is kept as, where conversations are kept."""
    kept_as: str = ""
    """The id of that conversation."""
    number: int | None = None
    """The number of the turn in it, once it is kept."""
    handoff: Handoff | None = None
    """Set where a person took over in this turn."""
    dealt_with: bool = False
    """Whether the person who has the conversation says that it is done."""
    in_line: int = 0
    """While it waits: which number it is in the line, from 1; 0 while nobody has counted."""

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self.stage in {Stage.WAITING, Stage.SEARCHING, Stage.WRITING}


Conversation: TypeAlias = tuple[Turn, ...]


def follow(turns: Conversation, turn: Turn) -> Conversation:
    """Return a conversation with one more turn, which is kept where the others are."""
    last = turns[-1] if turns else turn
    return (*turns, replace(turn, owner=last.owner or turn.owner, kept_as=last.kept_as))


def answer_at(turns: Conversation, message: int) -> Turn | None:
    """Return the turn whose answer is this message of the page, counted from 0."""
    at = -1
    for turn in turns:
        at += 2 if turn.question or turn.photo else 1
        if at == message:
            return turn
    return None


def earlier_questions(turns: Conversation) -> list[str]:
    """Return what was asked in words before the last turn, oldest first."""
    return [turn.question for turn in turns[:-1] if turn.question]
