"""Fuse what the channels found into one list.

Two ways, for two kinds of lists:

- `blend` adds scores: those of meaning and of words for passages, each brought to a scale of its own that
  does not depend on the encoder. How far the words are trusted depends on the question by itself: their
  score is the share of its words that a passage has, which is small for all where few of them are known.
- `fuse` compares ranks only (reciprocal rank fusion: Cormack, Clarke & Büttcher, "Reciprocal rank fusion
  outperforms Condorcet and individual rank learning methods", SIGIR 2009): what a photo found, and what
  belongs to it, has no scale to speak of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mmchat.stores.base import Scored
from mmchat.types import Channel

# Words say more, against one vector, of a long passage than of a short one: a vector is the mean of
# everything that a passage says. Fitted by scripts/bench/train_fusion.py; see docs/quality.md.
WORDS_EXPONENT = 0.75
_USUAL_WORDS = 80.0


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
    """An item with its fused score and its rank in each channel that found it."""

    item: str
    score: float
    ranks: Mapping[Channel, int]
    scores: Mapping[Channel, float] = field(default_factory=dict)
    """Its own score in these channels, where they have one. They compare within their channel only."""

    def scored(self, score: float) -> Fused:
        """Return the same with another score."""
        return replace(self, score=score)

    def measured(self, channel: Channel, scores: Mapping[str, float]) -> Fused:
        """Return the same with its own score in a channel, where that is known."""
        if self.item not in scores:
            return self
        return replace(self, scores={**self.scores, channel: scores[self.item]})


@dataclass(frozen=True, slots=True)
class TextFindings:
    """What a question found among passages, and the scales of it."""

    dense: Sequence[Scored]
    """By cosine, best first."""
    words: Sequence[Scored]
    """By the share of the question's words, best first."""
    depth: int
    """How many each channel was asked for: a list that is this long was cut off."""
    background: float
    """The mean cosine of the question with everyday sentences."""
    spread: float
    """The standard deviation of the cosines of everyday sentences with each other."""
    words_per_chunk: float
    assumed_words: Mapping[str, float] = field(default_factory=dict)
    """The share of words that passages are taken to have which cannot have them: those in another language
    than the question."""


def blend(
    found: TextFindings,
    weight_dense: float,
    weight_words: float,
    exponent: float = WORDS_EXPONENT,
) -> list[Fused]:
    """Return the passages of both channels, best first.

    score = weight_dense · (cosine - background) / spread
          + weight_words · (words per passage / 80) ^ exponent · share of the question's words

    A passage that one channel did not find scores there what the last of that channel's list does, if the
    list was cut off: at most that, and mostly not much less. So nothing has to be looked up.
    """
    dense = {s.item: s.score for s in found.dense} if weight_dense else {}
    words = {s.item: s.score for s in found.words} if weight_words else {}
    least_dense = found.dense[-1].score if found.dense else found.background
    least_words = found.words[-1].score if len(found.words) >= found.depth else 0.0
    per_share = weight_words * (found.words_per_chunk / _USUAL_WORDS) ** exponent
    scores: dict[str, float] = {}
    ranks: dict[str, dict[Channel, int]] = {}
    measured: dict[str, dict[Channel, float]] = {}
    for channel, own in ((Channel.DENSE, dense), (Channel.BM25, words)):
        for rank, (item, score) in enumerate(own.items(), start=1):
            ranks.setdefault(item, {})[channel] = rank
            measured.setdefault(item, {})[channel] = score
    for item in ranks:
        above = (dense.get(item, least_dense) - found.background) / found.spread
        share = words.get(item, found.assumed_words.get(item, least_words))
        scores[item] = weight_dense * above + per_share * share
    # Equal scores are ordered by id, so that the same query always gives the same list.
    order = sorted(scores, key=lambda item: (-scores[item], item))
    return [Fused(item, scores[item], ranks[item], measured[item]) for item in order]


def fuse(lists: Sequence[RankedList], rrf_k: float) -> list[Fused]:
    """Return the items of all lists, best first.

    score(item) = sum over channels of w · (k + 1) / (k + rank), divided by the sum of the weights w:
    an item that is first in every channel scores 1. The division makes lists of different kinds
    comparable: passages that three channels rank do not outweigh pictures that two can rank. A channel
    that found nothing at all has no say.
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
    order = sorted(scores, key=lambda item: (-scores[item], item))
    return [Fused(item, scores[item], ranks[item]) for item in order]
