"""Fit a head to photos of products, in closed form, and judge it by products that it has not seen.

Photos of one product differ by light, background and angle, and products differ by what matters. The head
shrinks the directions of the first kind: with S the covariance of photos around the mean of their product,
it multiplies by (S / l + 1) ^ -1/2. That is linear discriminant analysis as a change of metric (within-class
covariance normalisation; Hatch, Kajarekar & Stolcke, ICSLP 2006), regularised towards leaving everything as
it is, which it does for l without bound. Directions in which photos of a product do not differ stay.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmchat.errors import InputError
from mmchat.measures import Values, graded
from mmchat.tuning.base import RECORD, TuningReport, compare

LEAST_PRODUCTS = 10
"""Products with two photos or more; of fewer nothing can be held out."""
_FOLDS = 5
_MOST_DIRECTIONS = 256
# l as a multiple of the mean variance of the known directions. The last is next to doing nothing.
_STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
_MEASURES = ("hit@1", "recall@5", "mrr@10")
_CHOSEN_BY = "mrr@10"
_FOUND = 10

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos of products, and what each is to find."""

    features: Matrix
    """(photos, width), of length one: the visual part of their vectors."""
    products: Sequence[str]
    """Of each photo, what it shows."""
    asks: NDArray[np.bool_]
    """(photos,), whether a photo is one that customers send."""
    shows: NDArray[np.bool_]
    """(photos,), whether it is among those that are searched. A photo never finds itself."""
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """A change of metric."""

    directions: Matrix
    """(width, r), orthonormal."""
    kept: Matrix
    """(r,), the share of each direction that is left, above 0 and up to 1."""

    def __call__(self, features: Matrix) -> Matrix:
        """Change features (n, width), and scale them to length one again."""
        changed = features - ((features @ self.directions) * (1 - self.kept)) @ self.directions.T
        return np.asarray(changed / np.linalg.norm(changed, axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class Spread:
    """How photos differ from others of their product."""

    directions: Matrix
    variances: Matrix
    """(r,), of each direction."""

    @classmethod
    def of(cls, photos: Photos, places: Places) -> Spread:
        """Measure the photos at some places."""
        members: dict[str, list[int]] = {}
        for place in places:
            members.setdefault(photos.products[place], []).append(int(place))
        several = [group for group in members.values() if len(group) > 1]
        around = np.concatenate(
            [photos.features[group] - photos.features[group].mean(axis=0) for group in several]
        )
        freedom = len(around) - len(several)
        _, lengths, axes = np.linalg.svd(around, full_matrices=False)
        known = min(freedom, _MOST_DIRECTIONS)
        variances = np.asarray(lengths[:known] ** 2 / freedom, np.float32)
        return cls(np.ascontiguousarray(axes[:known].T), variances)

    def head(self, strength: float) -> Head:
        """Return the head for l = `strength` times the mean variance."""
        bound = strength * float(self.variances.mean())
        kept = np.asarray(np.sqrt(bound / (bound + self.variances)), np.float32)
        return Head(self.directions, kept)


def tune_head(
    photos: Photos, out: Path, *, base: str, name: str, seed: int, keep: bool
) -> TuningReport:
    """Fit a head to all photos, and keep it in `out` where heads like it find more than the base.

    Each photo is judged by a head that was fitted without its product, in five folds, and whose strength
    was chosen without it as well.

    Args:
        photos: with their products.
        out: the folder that is written, whole or not at all.
        base: the base model's fingerprint.
        name: the file of the head.
        seed: what the folds are drawn by.
        keep: keep it even where it is not better.

    Raises:
        InputError: there are too few products with several photos.
    """
    asking = _asking(photos)
    everywhere = np.arange(len(photos.products))
    before = _found(photos, photos.features, asking)
    after = {measure: np.zeros(len(asking)) for measure in _MEASURES}
    order = {int(place): number for number, place in enumerate(asking)}
    for inside, outside in _folds(photos, everywhere, seed):
        head = Spread.of(photos, inside).head(_strength(photos, inside, seed))
        asked = np.intersect1d(asking, outside)
        values = _found(photos, head(photos.features), asked)
        for measure in _MEASURES:
            after[measure][[order[int(place)] for place in asked]] = values[measure]
    changes = compare({m: before[m] for m in _MEASURES}, after)
    kept = changes[0].is_gain or keep
    if kept:
        strength = _strength(photos, everywhere, seed)
        record = {
            "kind": "photos",
            "base": base,
            "photos": len(photos.products),
            "products": len(set(photos.products)),
            "strength": strength,
            "seed": seed,
            "measures": {change.measure: change.values() for change in changes},
        }
        _write(Spread.of(photos, everywhere).head(strength), out, name, base, record)
    return TuningReport(
        kind="photos",
        base=base,
        kept=out if kept else None,
        trained=len(photos.products),
        judged=len(asking),
        among=len({p for p, shown in zip(photos.products, photos.shows, strict=True) if shown}),
        changes=changes,
        left_out=photos.left_out,
    )


def _asking(photos: Photos) -> Places:
    """Return the places of the photos that ask, and have something to find."""
    shown = Counter(
        p for p, is_shown in zip(photos.products, photos.shows, strict=True) if is_shown
    )
    asking = [
        place
        for place, product in enumerate(photos.products)
        if photos.asks[place] and shown[product] > photos.shows[place]
    ]
    products = {photos.products[place] for place in asking}
    if len(products) < LEAST_PRODUCTS:
        raise InputError(
            f"{len(products)} products have a photo that asks and another picture to be found, expected "
            f"{LEAST_PRODUCTS} or more. Give two photos or more of each product, or name the index that "
            "has the pictures of these products with --index."
        )
    return np.array(asking, np.int64)


def _folds(photos: Photos, places: Places, seed: int) -> Iterator[tuple[Places, Places]]:
    """Yield places inside and outside of each fold; those of a product stay together."""
    products = sorted({photos.products[place] for place in places})
    np.random.default_rng(seed).shuffle(products)
    fold = {product: number % _FOLDS for number, product in enumerate(products)}
    folds = np.array([fold[photos.products[place]] for place in places])
    for number in range(_FOLDS):
        yield places[folds != number], places[folds == number]


def _strength(photos: Photos, places: Places, seed: int) -> float:
    """Choose how strong the head is, by products among those at `places` that it was not fitted to."""
    totals = dict.fromkeys(_STRENGTHS, 0.0)
    asking = _asking(photos)
    for inside, outside in _folds(photos, places, seed + 1):
        spread = Spread.of(photos, inside)
        asked = np.intersect1d(asking, outside)
        for strength in _STRENGTHS:
            values = _found(photos, spread.head(strength)(photos.features), asked)
            totals[strength] += float(values[_CHOSEN_BY].sum())
    # Of equals the one that changes least.
    return max(reversed(_STRENGTHS), key=totals.__getitem__)


def _found(photos: Photos, features: Matrix, asking: Places) -> Mapping[str, Values]:
    """Return how well the photos at `asking` find their product, by measure.

    A product is as near to a photo as the nearest of its pictures.
    """
    shown = np.flatnonzero(photos.shows)
    scores = features[asking] @ features[shown].T
    scores[asking[:, None] == shown[None, :]] = -np.inf
    products = [photos.products[int(place)] for place in shown]
    found = []
    for row in scores:
        best: dict[str, None] = {}
        for place in np.argsort(-row, kind="stable"):
            if len(best) == _FOUND or row[place] == -np.inf:
                break
            best.setdefault(products[place])
        found.append(list(best))
    return graded([{photos.products[place]: 1} for place in asking], found)


def _write(head: Head, out: Path, name: str, base: str, record: Mapping[str, object]) -> None:
    """Write the folder whole or not at all."""
    from safetensors.numpy import save_file

    made = out.with_name(f"{out.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    tensors = {"directions": head.directions, "kept": head.kept}
    save_file(tensors, made / name, metadata={"base": base})
    (made / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    made.replace(out)
