"""What belongs to a hit: the pictures of passages, and the passages of pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from mmchat.conditions import Filter
from mmchat.retrieval.calibration import confidence
from mmchat.retrieval.fusion import Fused, RankedList
from mmchat.stores.base import Reader
from mmchat.types import Channel

# Passages of one picture that a photo brings up by itself: its description, not its whole manual.
_CHUNKS_OF_A_PICTURE = 2
# Passages whose pictures, and pictures whose passages, are brought up by words.
_LINKED_FROM = 20
# What belongs to one hit is a little less surely meant than the hit itself, in standard deviations.
_LINK_COSTS = 0.5
# Between the passages of one picture, their own likeness decides.
_TIE_BREAK = 0.01


class Belonging:
    """Follows the links of a store both ways.

    Args:
        reader: the store.
        where: what a filter leaves; None for everything.
    """

    def __init__(self, reader: Reader, where: Filter | None) -> None:
        self._reader = reader
        self._where = where

    def with_pictures_of(
        self, chunks: Sequence[Fused], pictures: Mapping[str, Fused]
    ) -> dict[str, Fused]:
        """Return pictures with those that belong to the best passages.

        It stands a little behind the best of its passages, which may hold an answer: less so where more of
        the best passages belong to it, and where it looks as the words say. Where its look alone says more,
        that counts.

        Args:
            chunks: best first.
            pictures: what was found by its look, by id.
        """
        best = chunks[:_LINKED_FROM]
        links = self._reader.pictures_of([f.item for f in best])
        lenders: dict[str, list[float]] = defaultdict(list)
        for chunk in best:
            for picture in links.get(chunk.item, ()):
                lenders[picture].append(chunk.score)
        joined = dict(pictures)
        for rank, item in enumerate(self.passing(lenders), start=1):
            own = joined.get(item)
            doubt = 1.0 - confidence(own.score) if own else 1.0
            lent = max(lenders[item]) - _LINK_COSTS * doubt / len(lenders[item])
            joined[item] = _linked(item, max(own.score, lent) if own else lent, own, rank)
        return joined

    def with_chunks_of(
        self, pictures: Sequence[Fused], chunks: Mapping[str, Fused]
    ) -> dict[str, Fused]:
        """Return passages with those that belong to pictures which look as the words say.

        Unlike above, nothing is added: a look tells which product is meant, not which of its passages.

        Args:
            pictures: best first.
            chunks: what was found by what it says, by id.
        """
        best = [f for f in pictures[:_LINKED_FROM] if f.score > _LINK_COSTS]
        links = self._reader.chunks_of([f.item for f in best])
        lenders: dict[str, float] = {}
        for picture in best:
            for chunk in links.get(picture.item, ())[:_CHUNKS_OF_A_PICTURE]:
                lenders.setdefault(chunk, picture.score)
        joined = dict(chunks)
        for rank, item in enumerate(self.passing(lenders), start=1):
            lent = lenders[item] - _LINK_COSTS
            own = joined.get(item)
            near = _TIE_BREAK * min(own.score, 10.0) if own else 0.0
            score = max(own.score, lent + near) if own else lent
            joined[item] = _linked(item, score, own, rank)
        return joined

    def chunks_by_rank(self, pictures: RankedList, weight: float, *, alone: bool) -> RankedList:
        """Rank the chunks of pictures as their pictures rank; all chunks of one picture stand equal.

        With words beside the photo every passage of the product may hold the answer, and the words
        choose among them; a photo alone asks what the thing is, which its first passages say.
        """
        order = sorted(pictures.ranks, key=pictures.ranks.__getitem__)
        links = self._reader.chunks_of(order)
        ranks: dict[str, int] = {}
        for picture in order:
            chunks = links.get(picture, ())
            for position, chunk in enumerate(chunks[:_CHUNKS_OF_A_PICTURE] if alone else chunks):
                rank = pictures.ranks[picture] + (position if alone else 0)
                ranks[chunk] = min(rank, ranks.get(chunk, rank))
        return RankedList(Channel.LINKED, {c: ranks[c] for c in self.passing(ranks)}, weight)

    def pictures_by_rank(self, chunks: Sequence[Fused], weight: float) -> RankedList:
        """Rank the pictures of chunks as the chunks stand."""
        links = self._reader.pictures_of([f.item for f in chunks])
        order = dict.fromkeys(p for f in chunks for p in links.get(f.item, ()))
        return RankedList.of(Channel.LINKED, self.passing(order), weight)

    def passing(self, items: Collection[str]) -> list[str]:
        """Return those of these items that the filter lets through, in their order."""
        if self._where is None:
            return list(items)
        passed = self._reader.passing(list(items), self._where)
        return [item for item in items if item in passed]


def _linked(item: str, score: float, own: Fused | None, rank: int) -> Fused:
    ranks = {} if own is None else own.ranks
    return Fused(item, score, {**ranks, Channel.LINKED: rank})
