"""What is asked, as text and as vectors."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmchat.errors import QueryError
from mmchat.stores.base import Vectors
from mmchat.types import Query

MAX_K = 1000
MAX_QUERY_CHARACTERS = 10_000
_LONGEST_STEP = 10.0
_FEWEST_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a query, cleaned."""

    text: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """Everything that is looked for: what BM25 reads."""
        return " ".join(part for part in (self.text, *self.plus) if part)


def checked(query: Query) -> Words:
    """Return the words of a query, cleaned.

    Raises:
        QueryError: `k` is out of range, or there is nothing to search by.
    """
    if query.k < 1:
        raise QueryError(f"k = {query.k}: expected a number from 1 to {MAX_K}.")
    if query.k > MAX_K:
        raise QueryError(f"k = {query.k}: expected at most {MAX_K}. Ask for fewer hits.")
    words = Words(
        _clean(query.text),
        tuple(filter(None, map(_clean, query.plus))),
        tuple(filter(None, map(_clean, query.minus))),
    )
    if not words.wanted and query.image is None and not query.like:
        only = " What is not wanted (minus) needs something that is." if words.minus else ""
        raise QueryError(f"The query is empty. Give words, a photo, or both.{only}")
    return words


def _clean(text: str) -> str:
    # Control characters mean nothing to an encoder; a question pasted from a terminal has them.
    text = unicodedata.normalize("NFC", text[:MAX_QUERY_CHARACTERS])
    return "".join(c if c.isprintable() else " " for c in text).strip()


def shifted(
    start: Vectors, plus: Vectors, minus: Vectors, *, centre: Vectors, neighbours: Vectors
) -> Vectors:
    """Return a vector moved towards some and away from others: "like this, but blue, not leather".

    king - man + woman (Mikolov, Yih & Zweig, "Linguistic regularities in continuous space word
    representations", NAACL 2013), with two cares. What all texts share is taken out of a step first, for
    some encoders it is most of a vector. And a step is as long as makes the items around the start differ
    as much by it as they do by the start: between a picture and words, cosines are many times smaller than
    between two pictures, and a step of length one would change nothing.

    Args:
        start: (dimension,).
        plus: (steps, dimension), unit vectors.
        minus: likewise.
        centre: (dimension,), the mean of texts that have nothing to do with each other.
        neighbours: (items, dimension), the items that are nearest to `start`.

    Returns:
        a unit vector of shape (dimension,).
    """
    moved = start
    for sign, steps in ((1.0, plus), (-1.0, minus)):
        for step in steps:
            direction = _unit(step - centre)
            moved = moved + np.float32(sign * _length(start, direction, neighbours)) * direction
    return _unit(moved)


def _length(start: Vectors, direction: Vectors, neighbours: Vectors) -> float:
    if len(neighbours) < _FEWEST_NEIGHBOURS:
        return 1.0
    by_start, by_step = float((neighbours @ start).std()), float((neighbours @ direction).std())
    return min(by_start / max(by_step, 1e-6), _LONGEST_STEP)


def _unit(vector: Vectors) -> Vectors:
    unit: Vectors = vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))
    return unit


def stack(vectors: Sequence[Vectors], dimension: int) -> Vectors:
    """Return vectors as rows, of shape (vectors, dimension), also where there are none."""
    return np.stack(vectors) if vectors else np.zeros((0, dimension), np.float32)
