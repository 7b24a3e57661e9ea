"""A photo without words: what it shows, and what a customer wants to know of that first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from mmchat.answering.evidence import Evidence
from mmchat.answering.finding import called
from mmchat.answering.phrases import Phrases
from mmchat.answering.turn import Turn
from mmchat.types import Hit, Similar

_LABEL = re.compile(r"^(?P<name>\w+(?: \w+){0,2}): +")
"""What a line of a table row begins with: `Sku: `, `Delivery days: `."""
_TELLING_LABELS = frozenset(
    "description,product description,details,about,summary,features,"
    "설명,상품 설명,제품 설명,상세 설명,소개,특징".split(",")
)
_MIN_WORDS = 3
"""Words of a sentence, at least: a row has codes, prices and numbers before it has sentences."""


class Products(Protocol):
    """Knows of the products behind the pictures that a search found."""

    def named(self, hits: Sequence[Hit]) -> tuple[Similar, ...]:
        """Return the product that a photo resembles most, and those that look like it, best first."""
        ...


def name_photo(turn: Turn, picture: Hit, phrases: Phrases) -> Iterator[str]:
    """Say what a photo most resembles, and the first sentence that the documents have on that."""
    yield turn.draft.add_picture(phrases.resemblance.format(title=called(picture)), picture)
    beside = [
        each
        for each in turn.found.evidence
        if turn.found.candidates[each.passage].hit.picture == picture.picture
    ]
    for each in sorted(beside, key=lambda each: each.span):
        if told := _told(each):
            yield turn.draft.add(told.text, [told])
            return


def _told(evidence: Evidence) -> Evidence | None:
    """Return what a customer wants to read: a sentence, not the code or the stock of a row."""
    text = evidence.text.strip()
    label = _LABEL.match(text)
    said = text[label.end() :] if label else text
    if not said.endswith((".", "!", "?", "。", "…")) or len(said.split()) < _MIN_WORDS:
        return None
    if label and label["name"].casefold() in _TELLING_LABELS:
        return replace(evidence, text=said)
    return evidence
