"""What each of several amounts in a sentence is told of.

"24 months for most products, 36 for the juicer, 60 for the washing machine" has three amounts, and an answer
that gives one of them of the wrong thing has nothing in it that the sentence has not.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmchat.answering.numbers import Amount, placed
from mmchat.answering.words import content_words, telling_words


def told_of_another(sentence: str, claim: Amount, evidence: str) -> str:
    """Return the word of a sentence by which its amount belongs to something else; empty where none does.

    Args:
        sentence: has the amount.
        claim: the amount.
        evidence: a sentence that has it, too.
    """
    told = [
        (amount, words)
        for amount, words in owned(evidence)
        if amount.unit == claim.unit or None in {amount.unit, claim.unit}
    ]
    own = [words for amount, words in told if amount.agrees(claim)]
    others = [words for amount, words in told if not amount.agrees(claim)]
    if not own or not others:
        return ""
    ours, theirs = frozenset().union(*own), frozenset().union(*others)
    said = telling_words(sentence)
    return "" if said & (ours - theirs) else min(said & (theirs - ours), default="")


def owned(text: str) -> Sequence[tuple[Amount, frozenset[str]]]:
    """Return the amounts of a sentence, each with the content words of what it is told of.

    Those are the words after it where the sentence begins with an amount, and those before it where it ends
    with one. Of other sentences it is not known, and nothing is returned.
    """
    found = list(placed(text))
    if not found:
        return []
    starts, ends = [start for start, _, _ in found], [end for _, end, _ in found]
    if not content_words(text[: starts[0]]):
        parts = [text[end:start] for end, start in zip(ends, [*starts[1:], len(text)], strict=True)]
        parts = _shared(parts[::-1])[::-1]
    elif not content_words(text[ends[-1] :]):
        parts = _shared([text[end:start] for end, start in zip([0, *ends], starts, strict=False)])
    else:
        return []
    return [
        (amount, content_words(part)) for (_, _, amount), part in zip(found, parts, strict=True)
    ]


def _shared(parts: Sequence[str]) -> list[str]:
    """Let a part without words of its own have those of the one before: "from 9 to 17"."""
    shared: list[str] = []
    for part in parts:
        shared.append(part if content_words(part) or not shared else shared[-1])
    return shared
