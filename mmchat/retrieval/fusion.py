"""Fuse ranked lists into one.

Channels score in spaces of their own: a cosine of text vectors, BM25, a cosine of the image space. Only
their ranks are compared (reciprocal rank fusion: Cormack, Clarke & Büttcher, "Reciprocal rank fusion
outperforms Condorcet and individual rank learning methods", SIGIR 2009).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmchat.types import Channel


@dataclass(frozen=True, slots=True)
class RankedList:
    """What one channel found: item to rank. Items that stand equal share a rank."""

    channel: Channel
    ranks: Mapping[str, int]
    weight: float

    @classmethod
    def of(cls, channel: Channel, items: Sequence[str], weight: float) -> RankedList:
        """Rank items by their order, the first first."""
        return cls(channel, {item: rank for rank, item in enumerate(items, start=1)}, weight)


@dataclass(frozen=True, slots=True)
class Fused:
    """An item with its fused score, from 0 to 1, and its rank in each channel that found it."""

    item: str
    score: float
    ranks: Mapping[Channel, int]


def fuse(lists: Sequence[RankedList], rrf_k: float) -> list[Fused]:
    """Return the items of all lists, best first.

    score(item) = sum over channels of w · (k + 1) / (k + rank), divided by the sum of the weights w:
    an item that is first in every channel scores 1. The division makes lists of different kinds
    comparable: passages that three channels rank do not outweigh pictures that two can rank. A channel
    that found nothing at all (no word of a Korean question in English pages) has no say.
    """
    lists = [ranked for ranked in lists if ranked.ranks and ranked.weight > 0]
    total = sum(ranked.weight for ranked in lists)
    scores: dict[str, float] = {}
    ranks: dict[str, dict[Channel, int]] = {}
    for ranked in lists:
        for item, rank in ranked.ranks.items():
            share = ranked.weight * (rrf_k + 1) / (rrf_k + rank) / total
            scores[item] = scores.get(item, 0.0) + share
            ranks.setdefault(item, {})[ranked.channel] = rank
    # Equal scores are ordered by id, so that the same query always gives the same list.
    order = sorted(scores, key=lambda item: (-scores[item], item))
    return [Fused(item, scores[item], ranks[item]) for item in order]
