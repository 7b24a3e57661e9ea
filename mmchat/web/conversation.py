"""What one person asked and was told. Values only: each step of the page makes new ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from mmchat.types import Answer


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

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self.stage in {Stage.WAITING, Stage.SEARCHING, Stage.WRITING}


Conversation: TypeAlias = tuple[Turn, ...]


def earlier_questions(turns: Conversation) -> list[str]:
    """Return what was asked in words before the last turn, oldest first."""
    return [turn.question for turn in turns[:-1] if turn.question]
