"""Trying a search: what each channel thinks of the hits, and what other settings would change.

Both lists come from `Index.search`, which everybody's searches go through.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mmchat.config import RetrievalConfig, with_changes
from mmchat.filters import parse_conditions
from mmchat.types import Hit, ImageInput

if TYPE_CHECKING:
    from mmchat.app.index import Index

_KEPT = 4
"""Settings whose backgrounds are remembered: measuring them takes as long as a hundred searches."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is searched for."""

    text: str = ""
    image: ImageInput | None = None
    conditions: tuple[str, ...] = ()
    """As on the command line: `price<50`, `colour=red,blue`."""
    k: int | None = None
    """How many hits; `retrieval.k` of the settings where it is not given."""


class Move(StrEnum):
    """What other settings do to a hit."""

    STAYS = "stays"
    UP = "up"
    DOWN = "down"
    NEW = "new"
    """It is in the second list alone."""
    GONE = "gone"
    """It is in the first list alone."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A hit of a list, and where it stands in the other."""

    hit: Hit
    move: Move
    other_rank: int | None
    """Its rank in the other list; None where it is not there."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A search by the settings as they are, and by others."""

    first: tuple[Placed, ...]
    second: tuple[Placed, ...]
    settings: RetrievalConfig
    """Those of the second list."""


class Bench:
    """Searches an index by its own settings and by others. Safe to use from several threads."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._others: OrderedDict[RetrievalConfig, Index] = OrderedDict()

    def search(self, trial: Trial) -> list[Hit]:
        """Search by the settings as they are, and tell which words matched.

        Raises:
            QueryError: as `Index.search`, or a condition cannot be read.
        """
        return _searched(self._index, trial, trial.k)

    def compare(self, trial: Trial, changes: Mapping[str, object]) -> Comparison:
        """Search by the settings as they are and by changed ones.

        Args:
            trial: what is searched for. Its `k` holds for both, unless it is among the changes.
            changes: name of a setting of `[retrieval]` to its value.

        Raises:
            QueryError: as `Index.search`, or a condition cannot be read.
            ConfigError: there is no such setting, or the value is not usable.
        """
        keys = {f"retrieval.{name}": value for name, value in changes.items()}
        settings = with_changes(self._index.config, keys).retrieval
        first = self.search(trial)
        k = settings.k if "k" in changes else trial.k
        second = _searched(self._by(settings), trial, k)
        return Comparison(
            first=tuple(_placed(first, second, Move.GONE)),
            second=tuple(_placed(second, first, Move.NEW)),
            settings=settings,
        )

    def _by(self, settings: RetrievalConfig) -> Index:
        with self._lock:
            other = self._others.pop(settings, None) or self._index.with_retrieval(settings)
            self._others[settings] = other
            if len(self._others) > _KEPT:
                self._others.popitem(last=False)
            return other


def _searched(index: Index, trial: Trial, k: int | None) -> list[Hit]:
    where = parse_conditions(trial.conditions)
    return index.search(trial.text, trial.image, k, where=where, explain=True)


def _placed(hits: Sequence[Hit], others: Sequence[Hit], alone: Move) -> list[Placed]:
    """Return hits with how they moved from the first list to the second.

    Args:
        hits: of one list.
        others: of the other.
        alone: what it means to be in `hits` only.
    """
    ranks = {hit.item: hit.rank for hit in others}
    placed = []
    for hit in hits:
        other = ranks.get(hit.item)
        if other is None:
            placed.append(Placed(hit, alone, None))
            continue
        gained = other - hit.rank if alone is Move.NEW else hit.rank - other
        move = Move.STAYS if not gained else Move.UP if gained > 0 else Move.DOWN
        placed.append(Placed(hit, move, other))
    return placed
