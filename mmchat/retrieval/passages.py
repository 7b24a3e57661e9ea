"""Passages by what they say: both text channels, blended into one ranking."""

from __future__ import annotations

from collections.abc import Sequence

from mmchat.conditions import Filter
from mmchat.config import RetrievalConfig
from mmchat.retrieval.base import Reranker
from mmchat.retrieval.calibration import Calibration
from mmchat.retrieval.fusion import Fused, TextFindings, blend
from mmchat.retrieval.languages import language_of
from mmchat.retrieval.queries import MAX_K, Words
from mmchat.stores.base import Reader, Scored, Vectors

_STEP = 1e-3
_NEAREST = 10


class PassageSearch:
    """Ranks the passages of a store by words and by their vector."""

    def __init__(
        self,
        reader: Reader,
        config: RetrievalConfig,
        calibration: Calibration,
        reranker: Reranker | None = None,
    ) -> None:
        self._reader = reader
        self._config = config
        self._calibration = calibration
        self._reranker = reranker

    def ranked(
        self, words: Words, vector: Vectors, depth: int, where: Filter | None
    ) -> list[Fused]:
        """Return the passages that a query finds, best first, with the scores of `blend`."""
        found = self.blended(words.wanted, vector, depth, where)
        if words.minus:
            unwanted = self._reader.search_words(" ".join(words.minus), MAX_K, where)
            against = {s.item: s.score for s in unwanted}
            weight = self._config.weight_bm25
            found = [f.scored(f.score - weight * against.get(f.item, 0)) for f in found]
            found.sort(key=lambda f: (-f.score, f.item))
        return self._reranked(words.wanted, found)

    def blended(self, text: str, vector: Vectors, depth: int, where: Filter | None) -> list[Fused]:
        """Return the passages that match words and their vector, with the scores of `blend`."""
        return blend(
            self.findings(text, vector, depth, where),
            self._config.weight_dense,
            self._config.weight_bm25,
        )

    def findings(
        self, text: str, vector: Vectors, depth: int, where: Filter | None = None
    ) -> TextFindings:
        """Return what both text channels find, before they are blended."""
        vector = self._calibration.subject(self._reader, text, vector)
        dense = self._reader.search_text(vector, depth, where)
        words = self._reader.search_words(text, depth, where) if text else []
        return TextFindings(
            dense=dense,
            words=words,
            assumed_words=self._assumed(text, dense, words),
            depth=depth,
            background=self._calibration.background(vector),
            spread=self._calibration.spread,
            words_per_chunk=self._reader.words_per_chunk,
        )

    def _assumed(
        self, text: str, dense: Sequence[Scored], words: Sequence[Scored]
    ) -> dict[str, float]:
        """Return the share of words that passages in another language than the question are taken to have.

        They cannot have its words, and have what the nearest passages of its own language have on average.
        """
        if not words or not self._calibration.has_several_languages(self._reader):
            return {}
        own = language_of(text)
        chunks = self._reader.chunks([s.item for s in dense])
        foreign = {item for item, chunk in chunks.items() if language_of(chunk.text) != own}
        shares = {s.item: s.score for s in words}
        near = [shares.get(s.item, 0.0) for s in dense if s.item not in foreign][:_NEAREST]
        return dict.fromkeys(foreign, sum(near) / len(near)) if near else {}

    def surprising(self, found: Sequence[Fused]) -> list[Fused]:
        """Return passages with how far their scores are above those of everyday sentences."""
        chance = self._calibration.of_passages(self._reader, self.best)
        return [f.scored(chance.surprise(f.score)) for f in found]

    def best(self, text: str, vector: Vectors) -> float | None:
        """Return the best score of a passage: what everyday sentences measure chance by."""
        found = self.blended(text, vector, self._config.depth, None)
        return found[0].score if found else None

    def _reranked(self, text: str, found: list[Fused]) -> list[Fused]:
        """Return the best passages in the order of the reranker; scores stay with the places."""
        best = found[: self._config.rerank_depth]
        if self._reranker is None or not text or not best:
            return found
        chunks = self._reader.chunks([f.item for f in best])
        scores = self._reranker.scores(text, [chunks[f.item].context_text for f in best])
        order = sorted(range(len(best)), key=lambda i: (-scores[i], i))
        moved: list[Fused] = []
        for place, i in enumerate(order):
            # Places that stood equal must not any more, or their ids would order them.
            below = moved[-1].score - _STEP if moved else best[0].score
            moved.append(best[i].scored(min(best[place].score, below)))
        return [*moved, *found[len(best) :]]
