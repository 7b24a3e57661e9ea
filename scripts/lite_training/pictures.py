"""The picture half of the heads: what is shared by photos of one thing, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmchat.encoders.runtime import Vectors, unit_rows

DIRECTIONS = 64
"""Directions that are shrunk. 128 find no more, and the file would be larger."""
FLOOR = 1 / 300
"""What is added to the variance of each direction before it is divided by, as a share of all variance
within things. A third and three times as much find 1 point more and fewer."""
_STEPS = 300


@dataclass(frozen=True)
class Pictures:
    """Unit features of the pictures that are learnt from."""

    scenes: Vectors
    """(n, features): photos of things where they stand."""
    things: NDArray[np.int64]
    """(n,): which thing each of `scenes` shows."""
    cut_outs: Sequence[Vectors]
    """Pictures on a plain ground, one array for each shop, so that each shop counts alike."""


@dataclass(frozen=True)
class PictureHead:
    """The arrays of `mmchat.encoders.heads.Heads` that are fitted to pictures."""

    gate: Vectors
    means: Vectors
    basis: Vectors
    gains: Vectors

    def visual(self, features: Vectors) -> Vectors:
        """Return the visual part of unit features (n, features), as the image head computes it."""
        return self.shrink(self.centre(features))

    def centre(self, features: Vectors) -> Vectors:
        """Take away the mean of scenes or of cut-outs, whichever a picture is."""
        cut_out = _sigmoid(features @ self.gate[:-1] + self.gate[-1])[:, None]
        mean: Vectors = self.means[0] + cut_out * (self.means[1] - self.means[0])
        return features - mean

    def shrink(self, centred: Vectors) -> Vectors:
        """Shrink the directions in which photos of one thing differ; returns unit vectors."""
        return unit_rows(centred + ((centred @ self.basis.T) * self.gains) @ self.basis)


def fit_pictures(pictures: Pictures) -> PictureHead:
    """Fit the gate, the means and the directions."""
    cut_outs = np.concatenate(pictures.cut_outs)
    means = np.stack(
        [pictures.scenes.mean(axis=0), np.mean([p.mean(axis=0) for p in pictures.cut_outs], axis=0)]
    )
    basis, gains = _directions(pictures.scenes, pictures.things)
    return PictureHead(_gate(pictures.scenes, cut_outs), means, basis, gains)


def _directions(features: Vectors, things: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
    """Return the directions of most variance within things, and what is added of each (-1 to 0).

    Dividing by the square root of the variance, and of `FLOOR` of all of it, makes what differs
    between photos of one thing count as little as what hardly differs (Hatch et al., 2006).
    """
    centred = [
        features[things == thing] - features[things == thing].mean(axis=0)
        for thing in np.unique(things)
    ]
    spread = np.concatenate(centred).astype(np.float64)
    _, lengths, directions = np.linalg.svd(spread, full_matrices=False)
    variances = lengths**2 / len(spread)
    floor = variances.sum() * FLOOR
    gains = np.sqrt(floor / (floor + variances[:DIRECTIONS])) - 1
    return directions[:DIRECTIONS].astype(np.float32), gains.astype(np.float32)


def _gate(scenes: Vectors, cut_outs: Vectors) -> Vectors:
    """Fit a logistic regression, both kinds of picture counting alike; returns weights and bias."""
    inputs = np.concatenate([scenes, cut_outs]).astype(np.float64)
    centre = inputs.mean(axis=0)
    wanted = np.repeat([0.0, 1.0], [len(scenes), len(cut_outs)])
    share = np.repeat([0.5 / len(scenes), 0.5 / len(cut_outs)], [len(scenes), len(cut_outs)])
    weights, bias = np.zeros(inputs.shape[1]), 0.0
    for _ in range(_STEPS):
        error = (_sigmoid((inputs - centre) @ weights + bias) - wanted) * share
        weights -= 50.0 * (error @ (inputs - centre) + 1e-5 * weights)
        bias -= 5.0 * error.sum()
    return np.append(weights, bias - centre @ weights).astype(np.float32)


def _sigmoid(values: Vectors) -> Vectors:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -40, 40))))
