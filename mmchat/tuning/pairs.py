"""Questions and the passages that answer them: what a text encoder learns from, and is judged by.

Passages belong to units, which are what a question is answered by: a document, or one passage of it where
questions name single ones. A document is found when one of its passages is.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mmchat.errors import InputError

LEAST_PAIRS = 32
"""With fewer there is nothing to learn from, and less to judge by."""
_LEAST_HELD_OUT = 8
_SHARE_HELD_OUT = 0.25
_MOST_HELD_OUT = 500
# Passages that are searched for a held-out question: enough to get lost among, and minutes to encode.
_POOL = 2000


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as the encoder reads it, with its headings."""

    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the units that answer it, and how well (a grade above 0)."""

    text: str
    relevant: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pairs:
    """All that is known before anything is trained."""

    questions: tuple[Asked, ...]
    passages: tuple[Passage, ...]
    left_out: Mapping[str, int]
    """Reason to how many pairs were not used."""

    @property
    def count(self) -> int:
        """Pairs of a question and a unit that answers it."""
        return sum(len(asked.relevant) for asked in self.questions)


@dataclass(frozen=True, slots=True)
class Split:
    """Pairs to train on, and questions to judge by, that share no unit."""

    train: tuple[Asked, ...]
    held_out: tuple[Asked, ...]
    pool: tuple[Passage, ...]
    """The passages in which the held-out questions search."""


def gather(asked: Iterable[Asked], passages: Iterable[Passage]) -> Pairs:
    """Put questions and passages together, each once, and count what is of no use.

    The same passage under two names is one unit, so that none is both trained on and held out. A question
    that is asked twice is answered by whatever answers either.
    """
    left_out: Counter[str] = Counter()
    units, kept = _merged(passages)
    merged: dict[str, Asked] = {}
    for one in asked:
        words = " ".join(one.text.split())
        relevant: dict[str, int] = {}
        for name, grade in one.relevant.items():
            if not words:
                left_out["without a question"] += 1
            elif name not in units:
                left_out["without a passage"] += 1
            elif units[name] in merged.get(_key(words), _NOTHING).relevant or (
                units[name] in relevant
            ):
                left_out["that were there already"] += 1
            else:
                relevant[units[name]] = grade
        if relevant:
            before = merged.get(_key(words), Asked(words, {}))
            merged[_key(words)] = replace(before, relevant={**before.relevant, **relevant})
    return Pairs(tuple(merged.values()), kept, dict(left_out))


def split(pairs: Pairs, *, seed: int) -> Split:
    """Hold out a quarter of the questions, 500 at most, with everything that answers them.

    Questions that share a unit stay together, so that nothing that is searched for was trained on.

    Raises:
        InputError: there are too few pairs, or all lead to the same few passages.
    """
    if pairs.count < LEAST_PAIRS:
        raise InputError(
            f"There are {pairs.count} usable pairs of a question and a passage, expected "
            f"{LEAST_PAIRS} or more{_reasons(pairs.left_out)}. Collect more questions that your customers "
            "asked, with the passage that answers each; some hundred are a good start."
        )
    wanted = min(round(len(pairs.questions) * _SHARE_HELD_OUT), _MOST_HELD_OUT)
    groups = sorted(_groups(pairs.questions), key=lambda group: _mark(group[0].text, seed))
    held_out: list[Asked] = []
    train: list[Asked] = []
    for group in groups:
        fits = len(held_out) + len(group) <= wanted + wanted // 4
        (held_out if fits and len(held_out) < wanted else train).extend(group)
    if len(held_out) < _LEAST_HELD_OUT or len(train) < _LEAST_HELD_OUT:
        raise InputError(
            f"The {pairs.count} pairs lead to {len(groups)} groups of passages that share no question: too "
            "few to train on some and judge by others. Give pairs that lead to more different passages, "
            "or name single passages (the ids that `mmchat search --json` gives) in place of documents."
        )
    return Split(tuple(train), tuple(held_out), _pool(pairs.passages, held_out, seed))


def passages_of(passages: Iterable[Passage]) -> dict[str, list[str]]:
    """Return unit to the texts of its passages, in order."""
    found: dict[str, list[str]] = {}
    for passage in passages:
        found.setdefault(passage.unit, []).append(passage.text)
    return found


_NOTHING = Asked("", {})


def _merged(passages: Iterable[Passage]) -> tuple[dict[str, str], tuple[Passage, ...]]:
    """Return the name that stands for each unit, and the passages of those."""
    by_unit = passages_of(passage for passage in passages if passage.text.strip())
    first: dict[str, str] = {}
    names = {
        unit: first.setdefault(_key("\n".join(texts)), unit) for unit, texts in by_unit.items()
    }
    kept = (
        Passage(unit, text)
        for unit, texts in by_unit.items()
        if names[unit] == unit
        for text in texts
    )
    return names, tuple(kept)


def _groups(questions: Sequence[Asked]) -> list[list[Asked]]:
    """Return the questions in groups that share no unit (connected components)."""
    leader: dict[str, str] = {}

    def find(unit: str) -> str:
        while leader.setdefault(unit, unit) != unit:
            leader[unit] = leader[leader[unit]]
            unit = leader[unit]
        return unit

    for asked in questions:
        first, *others = asked.relevant
        for other in others:
            leader[find(other)] = find(first)
    groups: dict[str, list[Asked]] = {}
    for asked in questions:
        groups.setdefault(find(next(iter(asked.relevant))), []).append(asked)
    return list(groups.values())


def _pool(passages: Sequence[Passage], held_out: Sequence[Asked], seed: int) -> tuple[Passage, ...]:
    wanted = {unit for asked in held_out for unit in asked.relevant}
    others = sorted({passage.unit for passage in passages} - wanted)
    random.Random(seed).shuffle(others)  # noqa: S311 - a sample, not a secret
    sizes = Counter(passage.unit for passage in passages)
    total = sum(sizes[unit] for unit in wanted)
    for unit in others:
        if total + sizes[unit] > _POOL:
            break
        wanted.add(unit)
        total += sizes[unit]
    return tuple(passage for passage in passages if passage.unit in wanted)


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()


def _mark(text: str, seed: int) -> str:
    """Return what orders questions at random, whatever is added to them later."""
    return hashlib.sha256(f"{seed}\0{_key(text)}".encode()).hexdigest()


def _reasons(left_out: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    return f" (left out: {told})" if told else ""
