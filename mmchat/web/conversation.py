"""What one person asked and was told. Values only: each step of the page makes new ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import TypeAlias

from mmchat.types import Answer, Handoff, Hit, Source

Shown: TypeAlias = Hit | Source
"""Something with a picture that the page shows."""


class Stage(Enum):
    """How far an answer is."""

    WAITING = auto()
    """Asked, but other people's answers are being written."""
    SEARCHING = auto()
    """The index is being searched; nothing is read yet."""
    READING = auto()
    """The passages that were found are being read and weighed; nothing is written yet."""
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
    reading: int = 0
    """How many passages are read."""
    picture: str = ""
    """The id of the photo in the kept conversation, where it is not at hand as a file any more."""
    instead_of: int | None = None
    """The number of the kept turn that this one replaces once it begins."""
    like: Shown | None = None
    """Set where the turn asks for more like a picture that was shown."""
    in_line: int = 0
    """While it waits: which number it is in the line, from 1; 0 while nobody has counted."""

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self.stage in {Stage.WAITING, Stage.SEARCHING, Stage.READING, Stage.WRITING}

    @property
    def kept_number(self) -> int | None:
        """The number under which it is kept, or, until it begins, that of the turn in its place."""
        return self.instead_of if self.number is None else self.number


Conversation: TypeAlias = tuple[Turn, ...]


def follow(turns: Conversation, turn: Turn) -> Conversation:
    """Return a conversation with one more turn, which is kept where the others are."""
    last = turns[-1] if turns else turn
    return (*turns, replace(turn, owner=last.owner or turn.owner, kept_as=last.kept_as))


def turn_at(turns: Conversation, message: int) -> int | None:
    """Return the place of the turn whose question or answer is this message of the page, from 0."""
    at = -1
    for place, turn in enumerate(turns):
        at += 2 if _asks(turn) else 1
        if message == at or (message == at - 1 and _asks(turn)):
            return place
    return None


def answer_at(turns: Conversation, message: int) -> Turn | None:
    """Return the turn whose answer is this message of the page, counted from 0."""
    place = turn_at(turns, message)
    if place is None or message != sum(2 if _asks(turn) else 1 for turn in turns[: place + 1]) - 1:
        return None
    return turns[place]


def _asks(turn: Turn) -> bool:
    return bool(turn.question or turn.photo or turn.picture)


def pictures_beside(turn: Turn) -> list[Shown]:
    """Return what stands in the gallery beside an answer, each picture once."""
    found: dict[Path, Shown] = {}
    items: tuple[Shown, ...] = ()
    if turn.answer is not None:
        items = (*turn.answer.pictures, *turn.answer.sources)
    for item in items:
        path = file_of(item)
        if path is not None:
            found.setdefault(path, item)
    return list(found.values())


def pictures_of(turn: Turn) -> list[Shown]:
    """Return everything of an answer that shows a picture: beside it, and the products below it."""
    similar = turn.answer.similar if turn.answer else ()
    return [*pictures_beside(turn), *(each.hit for each in similar if file_of(each.hit))]


def file_of(shown: Shown) -> Path | None:
    """Return the file of a picture; None where the index was built anew meanwhile, without it."""
    path = shown.picture_path or shown.thumb_path
    return path if path is not None and path.is_file() else None


def earlier_questions(turns: Conversation) -> list[str]:
    """Return what was asked in words before the last turn, oldest first."""
    return [turn.question for turn in turns[:-1] if turn.question]
