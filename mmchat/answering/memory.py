"""A long conversation in a few lines, so that it fits into a context window or a person's first glance.

Extractive: the newest exchanges stand as they are; of the older ones those stay which share most words with
the whole conversation (centrality, as LexRank has it, by words: Erkan and Radev, JAIR 2004).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mmchat.answering.phrases import plain
from mmchat.answering.prompt import estimate_tokens
from mmchat.answering.words import content_words
from mmchat.sentences import sentence_spans
from mmchat.types import Exchange

_WHOLE = 2
"""Exchanges, the newest, that are kept whole where there is room."""
_WINDOW = 200
"""Exchanges that are weighed; older ones are left out, so that time and memory stay bounded."""


def summarise(history: Sequence[Exchange], max_tokens: int) -> str:
    """Return a conversation in at most `max_tokens` tokens, oldest first.

    Args:
        history: what was said.
        max_tokens: tokens of the summary, as `estimate_tokens` counts them.
    """
    recent = list(history)[-_WINDOW:]
    lines = [_line(each, whole=len(recent) - at <= _WHOLE) for at, each in enumerate(recent)]
    words = [content_words(f"{each.question} {each.product}") for each in recent]
    shared = Counter(word for found in words for word in found)
    central = [
        sum(shared[word] - 1 for word in found) / (len(found) or 1) for found in words
    ]  # a word that occurs once connects nothing
    newest = range(len(recent) - 1, max(len(recent) - 1 - _WHOLE, -1), -1)
    older = sorted(range(len(recent) - _WHOLE), key=lambda at: (-central[at], -at))
    kept: set[int] = set()
    room = max_tokens
    for at in (*newest, *older):
        needed = estimate_tokens(lines[at])
        if needed <= room:
            kept.add(at)
            room -= needed
    return "\n".join(lines[at] for at in sorted(kept))


def _line(exchange: Exchange, *, whole: bool) -> str:
    question = " ".join(exchange.question.split()) if whole else plain(exchange.question)
    answer = " ".join(exchange.answer.split())
    if not whole and (spans := sentence_spans(answer)):
        answer = plain(answer[slice(*spans[0])])
    asked = question or "(a picture)"
    return f"- {asked} → {answer}" if answer else f"- {asked}"
