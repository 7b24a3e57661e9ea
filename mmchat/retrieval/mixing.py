"""One page of hits out of a ranking: no document fills it, and nothing is said twice."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmchat.retrieval.fusion import Fused
from mmchat.types import Chunk, Picture

_WORD = re.compile(r"\w+")
# Two passages that share this much of their words differ by a number or a typing error.
_SAME = 0.9
# Above this many, only passages that are the same to the letter are collapsed: comparing all with all
# would take longer than the search.
_COMPARED = 50


@dataclass(slots=True)
class Chosen:
    """An item of the page, with the passages that say the same."""

    fused: Fused
    duplicates: list[str] = field(default_factory=list)
    """Their ids, best first."""


def choose(
    ranking: Sequence[Fused],
    chunks: Mapping[str, Chunk],
    pictures: Mapping[str, Picture],
    k: int,
    *,
    share: float,
    enough: float,
) -> list[Chosen]:
    """Return the `k` items of a page, best first.

    Args:
        ranking: all that was found, best first.
        chunks: the chunks among them; what is in neither mapping is left out.
        pictures: likewise.
        k: how many, at most.
        share: of the page that one document may take. More of it stands back, behind everything that
            scores `enough`, and is there again where that does not fill the page.
        enough: the score from which an item of another document is worth a place.
    """
    most = max(1, math.ceil(share * k))
    of_document: Counter[str] = Counter()
    chosen: list[Chosen] = []
    waiting: list[Chosen] = []
    twins = _Twins()
    for fused in ranking:
        item = chunks.get(fused.item) or pictures.get(fused.item)
        if item is None:
            continue
        entry = Chosen(fused)
        if isinstance(item, Chunk) and (first := twins.first(item, entry)) is not entry:
            first.duplicates.append(item.id)
            continue
        of_document[item.document] += 1
        (chosen if of_document[item.document] <= most else waiting).append(entry)
        if len(chosen) == k:
            break
    weak = next((i for i, c in enumerate(chosen) if c.fused.score < enough), len(chosen))
    page = [*chosen[:weak], *sorted([*waiting, *chosen[weak:]], key=_best_first)][:k]
    return sorted(page, key=_best_first)


def _best_first(entry: Chosen) -> tuple[float, str]:
    return -entry.fused.score, entry.fused.item


class _Twins:
    """Finds the passage that was seen before and says the same under the same headings."""

    def __init__(self) -> None:
        self._by_text: dict[str, Chosen] = {}
        self._by_words: list[tuple[frozenset[str], Chosen]] = []

    def first(self, chunk: Chunk, entry: Chosen) -> Chosen:
        """Return the entry of the first chunk that says what this one does: mostly its own."""
        words = _WORD.findall(chunk.context_text.lower())
        text, distinct = " ".join(words), frozenset(words)
        twin = self._by_text.get(text) or self._alike(distinct)
        if twin is not None:
            return twin
        self._by_text[text] = entry
        if len(self._by_words) < _COMPARED:
            self._by_words.append((distinct, entry))
        return entry

    def _alike(self, words: frozenset[str]) -> Chosen | None:
        for other, entry in self._by_words:
            # The sizes alone tell of most that they cannot be.
            shorter, longer = sorted((len(words), len(other)))
            if shorter >= _SAME * longer > 0 and len(words & other) >= _SAME * len(words | other):
                return entry
        return None
