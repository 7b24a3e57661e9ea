"""Questions to begin with, taken from the index itself, so that they fit whatever was indexed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.sentences import is_korean
from mmchat.web.wording import ENGLISH, KOREAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mmchat.app import Index
    from mmchat.types import Hit

_PROBES = ("How much does it cost? How long do I have? Can I?", "얼마인가요? 언제 받을 수 있나요?")
"""Searches that meet what an owner wrote for customers, whatever the trade, in both languages."""
_DEPTH = 40
"""Items that each probe looks at."""
_QUESTIONS = 3
_MAX_LENGTH = 70
"""Characters of a question that still fits a button."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question that is asked with one click: words, or a photo alone."""

    text: str = ""
    photo: Path | None = None

    @property
    def label(self) -> str:
        """What its button says."""
        return self.text or f"{ENGLISH.photo_question} · {KOREAN.photo_question}"


def examples(index: Index) -> list[Example]:
    """Return a few questions that the documents ask in their headings, and a photo.

    What a heading asks the text below it answers, so that none of them disappoints. Documents without
    such headings give none: an invented example may well be one that cannot be answered.
    """
    if not index.manifest.chunks + index.manifest.pictures:
        return []
    hits = [hit for probe in _PROBES for hit in index.search(probe, k=_DEPTH)]
    questions = list(dict.fromkeys(_questions(index, hits)))
    english = [question for question in questions if not is_korean(question)]
    korean = [question for question in questions if is_korean(question)]
    # One in Korean where there is any, the rest in English: the page greets in both.
    chosen = [*english[: _QUESTIONS - bool(korean)], *korean[: 1 if english else _QUESTIONS]]
    return [*(Example(question) for question in chosen), *_photo(hits)]


def _questions(index: Index, hits: Iterable[Hit]) -> Iterator[str]:
    retriever = index.retriever()
    for hit in hits:
        chunk = retriever.chunk(hit.item) if hit.kind == "chunk" else None
        heading = chunk.breadcrumb[-1] if chunk and chunk.breadcrumb else ""
        if heading.endswith("?") and len(heading) <= _MAX_LENGTH:
            yield heading


def _photo(hits: Iterable[Hit]) -> list[Example]:
    """Return a picture of the index to ask about, if the probes met any."""
    paths = (hit.thumb_path or hit.picture_path for hit in hits)
    return [Example(photo=path) for path in paths if path is not None and path.is_file()][:1]
