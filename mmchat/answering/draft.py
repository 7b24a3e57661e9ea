"""The answer as it grows: released sentences, each with the mark of the source that it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mmchat.answering.evidence import Evidence
from mmchat.answering.hostile import disarmed
from mmchat.answering.sentences import with_marks
from mmchat.types import Chunk, Hit, Source

_MARKS = re.compile(r"\s*[\[(]\d{1,2}[\])](?=\s*(?:[.!?,;]|$))")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that an answer may rest on: what retrieval said of it, and where it stands."""

    hit: Hit
    chunk: Chunk


class Draft:
    """Collects what is shown to the reader, and numbers the sources in the order of their use."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self._texts: list[str] = []
        self._sources: dict[str, Source] = {}
        self._said: set[str] = set()
        self._rested_on: set[Evidence] = set()
        self._opening: tuple[str, Hit] | None = None

    def __contains__(self, sentence: str) -> bool:
        return sentence in self._said

    def __bool__(self) -> bool:
        return bool(self._texts)

    @property
    def text(self) -> str:
        """Everything that was released."""
        return "".join(self._texts)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources that the marks in `text` point at, by number."""
        return tuple(self._sources.values())

    def add(self, sentence: str, support: Sequence[Evidence]) -> str:
        """Release a sentence; return the text to append to what the reader has.

        Args:
            sentence: without marks; it gets one for each source.
            support: what it rests on, one or more.
        """
        opening = self._open()
        self._rested_on.update(support)
        return opening + self._append(sentence, dict.fromkeys(self._cite(each) for each in support))

    def open_with(self, sentence: str, picture: Hit) -> None:
        """Put a sentence that rests on a picture before the first one, once there is one."""
        self._opening = sentence, picture

    def rests_on(self, evidence: Evidence) -> bool:
        """Tell whether a sentence that was released rests on this."""
        return evidence in self._rested_on

    def add_picture(self, sentence: str, hit: Hit, *, seen: bool = False) -> str:
        """Release a sentence that rests on a picture; return the text to append.

        `seen` tells that the picture itself was looked at, not its caption or the passage beside it.
        """
        return self._open() + self._add_picture(sentence, hit, seen=seen)

    def _open(self) -> str:
        if self._opening is None:
            return ""
        (sentence, picture), self._opening = self._opening, None
        return self._add_picture(sentence, picture)

    def _add_picture(self, sentence: str, hit: Hit, *, seen: bool = False) -> str:
        text = hit.text if hit.kind == "picture" or not seen else ""
        source = _source(hit, n=len(self._sources) + 1, span=None, text=text, passage=hit.text)
        self._sources[hit.item] = replace(source, basis="pixels") if seen else source
        return self._append(sentence, [source.n])

    def _append(self, sentence: str, numbers: Iterable[int]) -> str:
        sentence = disarmed(without_marks(sentence))  # a mark in it would point nowhere
        text = with_marks(sentence, "".join(f"[{number}]" for number in numbers))
        piece = f" {text}" if self._texts else text
        self._texts.append(piece)
        self._said.add(sentence)
        return piece

    def _cite(self, evidence: Evidence) -> int:
        """Return the number of the evidence's passage; its span grows to hold the evidence."""
        hit, chunk = (
            self._candidates[evidence.passage].hit,
            self._candidates[evidence.passage].chunk,
        )
        start, end = evidence.span
        known = self._sources.get(chunk.id)
        if known is not None and known.span is not None:
            start, end = min(start, known.span[0]), max(end, known.span[1])
        number = known.n if known else len(self._sources) + 1
        text = chunk.text[start - chunk.start : end - chunk.start]
        self._sources[chunk.id] = _source(
            hit, n=number, span=(start, end), text=text, passage=chunk.text
        )
        return number


def _source(hit: Hit, *, n: int, span: tuple[int, int] | None, text: str, passage: str) -> Source:
    """Return the source that stands for a hit: what was used of it, and where retrieval found it."""
    return Source(
        n=n,
        document=hit.document,
        page=hit.page,
        span=span,
        text=text,
        picture=hit.picture,
        passage=passage,
        title=hit.title,
        score=hit.score,
        picture_path=hit.picture_path,
        thumb_path=hit.thumb_path,
    )


def resting_on_picture(sentence: str, shown: Hit | Source) -> tuple[str, Source]:
    """Return a sentence with the mark of the only picture that it rests on, and that picture as a source."""
    source = (
        _source(shown, n=1, span=None, text=shown.text, passage=shown.text)
        if isinstance(shown, Hit)
        else replace(shown, n=1, span=None, text="", passage="")
    )
    return with_marks(disarmed(without_marks(sentence)), "[1]"), source


def without_marks(sentence: str) -> str:
    """Return a sentence without the marks that a model may have written itself: they are guesses."""
    return _MARKS.sub("", sentence).strip()
