"""How probable it is that a picture shows a thing, from the cosines of its vector with names.

A cosine alone says little: encoders differ, pictures differ, and of a thousand names one is always a little
like anything. So cosines are measured, for each picture, in standard deviations above its mean cosine with
everyday things, and these compete with the names: a picture that is no more like a kettle than like a dog
or a map shows none of the names. With n names of scores z and the everyday things' scores y,

    p(i) = exp(a z_i) / (sum_j exp(a z_j) + exp(b) sum_o exp(a y_o)).

More names leave less for each, as they should. The two numbers a and b are fitted by likelihood to pictures
whose things are known, a part of them with the right name left out, so that "none of these" is learnt too
(temperature scaling, Guo et al., ICML 2017, with a class for what is unknown).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmchat.stores.base import Scale, Vectors

_SAME = 4.0
"""An everyday thing that is so many standard deviations nearer to a name than everyday things are to each
other is the same thing, and no rival."""
_SMALLEST = 1e-9
_FINEST = 1e-3


@dataclass(frozen=True, slots=True)
class Known:
    """Pictures whose things are known, named from one vocabulary: what a scale is fitted to."""

    scores: Vectors
    """(pictures, names): standard deviations above the mean of everyday things."""
    rivals: Vectors
    """(pictures, everyday things): likewise."""
    right: NDArray[np.int64]
    """(pictures,): the place of the right name; -1 where it is not among the names."""

    def without_right(self) -> Known:
        """Return the same pictures with the right name of each left out; of all it must be there."""
        kept = np.arange(self.scores.shape[1]) != self.right[:, None]
        scores = self.scores[kept].reshape(len(kept), -1)
        return Known(scores, self.rivals, np.full(len(kept), -1))


class Background:
    """Everyday things, seen by one image encoder."""

    def __init__(self, vectors: Vectors) -> None:
        """Take the vectors of everyday things, (things, dimension)."""
        self._vectors = vectors
        between = (vectors @ vectors.T)[~np.eye(len(vectors), dtype=bool)]
        self._centre, self._spread = float(between.mean()), max(float(between.std()), _SMALLEST)

    def rivals_of(self, names: Vectors) -> NDArray[np.bool_]:
        """Tell which everyday things, (things,), are none of the names (names, dimension)."""
        nearness = (names @ self._vectors.T - self._centre) / self._spread
        different: NDArray[np.bool_] = nearness.max(axis=0) <= _SAME
        return different

    def scores(self, pictures: Vectors, names: Vectors) -> tuple[Vectors, Vectors]:
        """Return the scores of names (pictures, names) and of everyday things (pictures, things)."""
        others = pictures @ self._vectors.T
        mean = others.mean(axis=1, keepdims=True)
        spread = np.maximum(others.std(axis=1, keepdims=True), _SMALLEST)
        return (pictures @ names.T - mean) / spread, (others - mean) / spread

    def probabilities(self, pictures: Vectors, names: Vectors, scale: Scale) -> Vectors:
        """Return how probable it is that each picture shows each name, (pictures, names).

        A row adds up to less than 1: the rest is for none of them.
        """
        scores, others = self.scores(pictures, names)
        return probabilities(scores, others[:, self.rivals_of(names)], scale)


def probabilities(scores: Vectors, rivals: Vectors, scale: Scale) -> Vectors:
    """Return the formula above for scores (pictures, names) and rivals (pictures, things)."""
    named = scale.slope * scores
    none = scale.slope * rivals + scale.others
    together = np.concatenate([named, none], axis=1)
    top = together.max(axis=1, keepdims=True)
    shares: Vectors = np.exp(named - top) / np.exp(together - top).sum(axis=1, keepdims=True)
    return shares


def fit(groups: Sequence[Sequence[Known]]) -> Scale:
    """Fit a scale by maximum likelihood; each group counts alike, however many pictures are in it.

    Step by step along each axis: two numbers need no gradient.
    """
    at, step = np.array([0.3, -2.0]), np.array([0.2, 1.0])
    best = _loss(groups, at)
    while step.max() > _FINEST:
        moved = False
        for change in (*np.diag(step), *np.diag(-step)):
            tried = at + change
            loss = _loss(groups, tried) if tried[0] > 0 else np.inf
            if loss < best:
                at, best, moved = tried, loss, True
        if not moved:
            step /= 2
    return Scale(round(float(at[0]), 3), round(float(at[1]), 3))


def _loss(groups: Sequence[Sequence[Known]], at: NDArray[np.float64]) -> float:
    scale = Scale(float(at[0]), float(at[1]))
    surprises = [[_surprise(known, scale) for known in group] for group in groups]
    return sum(float(np.concatenate(each).mean()) for each in surprises)


def _surprise(known: Known, scale: Scale) -> NDArray[np.float64]:
    """Return the negative logarithm of the probability of what was right, (pictures,)."""
    shares = probabilities(known.scores, known.rivals, scale).astype(np.float64)
    none = np.maximum(1 - shares.sum(axis=1), 0)
    named = shares[np.arange(len(shares)), known.right]
    surprise: NDArray[np.float64] = -np.log(
        np.maximum(np.where(known.right < 0, none, named), _SMALLEST)
    )
    return surprise
