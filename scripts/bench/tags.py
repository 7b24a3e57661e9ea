"""Check that the probability of a tag means what it says: figures, not tests.

    python scripts/bench/tags.py [--data ../shared/data] [--json]

A scale is fitted to half of the kinds of groceries and of clothes and checked on the other kinds, in English,
in Korean, and the other way round, for two ways to halve them. The scale in use (`mmchat.tags.tagger.LITE`)
is fitted to all of them and checked on the drawings of the sample shop. Vocabularies of 3 to 40 names are
drawn by chance; of the pictures three in ten show none of them. Prints for each set a reliability table
(what was said, what was so, with its 95 % interval) and the expected calibration error, with an interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from images import (
    CLOTHES,
    CLOTHES_KOREAN,
    GROCERIES_KOREAN,
    ROOT,
    encode,
    read_clothes,
    read_groceries,
)
from numpy.typing import NDArray

from mmchat.app.encoders import Encoders
from mmchat.config import Config
from mmchat.encoders.image import OpenClipEncoder
from mmchat.encoders.runtime import Vectors
from mmchat.models import ModelStore
from mmchat.stores.base import Scale
from mmchat.tags.others import OTHERS
from mmchat.tags.probability import Background, Known, fit, probabilities
from mmchat.tags.tagger import LITE

SHOP = (
    *("air fryer", "air purifier", "blender", "dehumidifier", "lamp", "blanket"),
    *("espresso machine", "coffee maker", "hair dryer", "mixer", "vacuum", "humidifier", "hob"),
    *("juicer", "kettle", "kettle", "scale", "microwave", "fridge", "radiator", "fan"),
    *("rice cooker", "vacuum", "slow cooker", "iron", "toaster", "toaster", "vacuum"),
    *("waffle maker", "washing machine"),
)
"""The kinds of the sample shop's pictures, by the names of their files."""
_SIZES = (3, 5, 10, 20, 40)
_VOCABULARIES = 40
_HALVINGS = 2
_LEFT_OUT = 0.3
_BINS = 5
_RESAMPLES = 400
_SEED = 7


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures with the names of what they show."""

    pictures: Vectors
    kinds: NDArray[np.int64]
    names: Vectors
    """Of all kinds, (kinds, dimension)."""

    def called(self, names: Vectors) -> Labelled:
        """Return the same with other names."""
        return Labelled(self.pictures, self.kinds, names)


@dataclass(frozen=True, slots=True)
class Said:
    """The best name of each picture in each vocabulary: what was said of it, and whether it is so."""

    pictures: NDArray[np.int64]
    shares: NDArray[np.float64]
    right: NDArray[np.bool_]


def vocabularies(
    data: Labelled, kinds: NDArray[np.int64], background: Background
) -> Iterator[tuple[NDArray[np.int64], Known]]:
    """Yield pictures (places) that are named from a vocabulary of some of `kinds`."""
    random = np.random.default_rng(_SEED)
    ours = np.flatnonzero(np.isin(data.kinds, kinds))
    for number in range(_VOCABULARIES):
        size = min(_SIZES[number % len(_SIZES)], len(kinds) - 1)
        chosen = random.permutation(kinds)[:size]
        inside = ours[np.isin(data.kinds[ours], chosen)]
        outside = ours[~np.isin(data.kinds[ours], chosen)]
        wanted = round(len(inside) * _LEFT_OUT / (1 - _LEFT_OUT))
        outside = random.permutation(outside)[:wanted]
        places = np.concatenate([inside, outside])
        place_of = {int(kind): place for place, kind in enumerate(chosen)}
        right = np.array([place_of.get(int(kind), -1) for kind in data.kinds[places]], np.int64)
        scores, others = background.scores(data.pictures[places], data.names[chosen])
        yield places, Known(scores, others[:, background.rivals_of(data.names[chosen])], right)


def said(data: Labelled, kinds: NDArray[np.int64], background: Background, scale: Scale) -> Said:
    """Name pictures from all vocabularies."""
    pictures, shares, right = [], [], []
    for places, known in vocabularies(data, kinds, background):
        named = probabilities(known.scores, known.rivals, scale)
        best = named.argmax(axis=1)
        pictures.append(places)
        shares.append(named[np.arange(len(best)), best])
        right.append(best == known.right)
    return Said(np.concatenate(pictures), np.concatenate(shares), np.concatenate(right))


def calibration_error(shares: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the mean distance of what was said from what was so, over bins (Naeini et al., 2015)."""
    bins = np.minimum((shares * _BINS).astype(int), _BINS - 1)
    return sum(
        float((bins == b).mean() * abs(shares[bins == b].mean() - right[bins == b].mean()))
        for b in np.unique(bins)
    )


def interval(told: Said, measure: str) -> tuple[float, float]:
    """Return the 95 % interval of the calibration error or of the precision, resampled by picture."""
    random = np.random.default_rng(_SEED)
    rows_of = [np.flatnonzero(told.pictures == picture) for picture in np.unique(told.pictures)]
    values = []
    for _ in range(_RESAMPLES):
        drawn = random.integers(0, len(rows_of), len(rows_of))
        rows = np.concatenate([rows_of[place] for place in drawn])
        shares, right = told.shares[rows], told.right[rows]
        if measure == "error":
            values.append(calibration_error(shares, right))
        elif len(right):
            values.append(float(right.mean()))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def table(told: Said) -> Iterator[dict[str, float]]:
    """Yield the rows of a reliability table."""
    bins = np.minimum((told.shares * _BINS).astype(int), _BINS - 1)
    for number in np.unique(bins):
        here = bins == number
        part = Said(told.pictures[here], told.shares[here], told.right[here])
        low, high = interval(part, "precision")
        yield {
            "from": number / _BINS,
            "names": int(here.sum()),
            "said": float(part.shares.mean()),
            "so": float(part.right.mean()),
            "so_low": low,
            "so_high": high,
        }


def groceries(encoder: OpenClipEncoder, folder: Path) -> Labelled:
    """Read the shelf photos with their 43 kinds."""
    _, rows, names = read_groceries(folder)
    return Labelled(
        encode(encoder, [folder / row["photo"] for row in rows]),
        np.array([int(row["coarse_class_id"]) for row in rows]),
        encoder.encode_texts(names),
    )


def clothes(encoder: OpenClipEncoder, folder: Path) -> Labelled:
    """Read the main pictures of the shop for clothes with their ten kinds."""
    files, kinds = read_clothes(folder)
    return Labelled(encode(encoder, files), np.array(kinds), encoder.encode_texts(CLOTHES))


def appliances(encoder: OpenClipEncoder) -> Labelled:
    """Read the drawings of the sample shop."""
    files = sorted((ROOT / "mmchat" / "sample_shop" / "pictures").glob("*.webp"))
    names = sorted(set(SHOP))
    kinds = np.array([names.index(kind) for kind in SHOP])
    return Labelled(encode(encoder, files), kinds, encoder.encode_texts(names))


def splits(kinds: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield kinds to fit to and kinds to check on: each half in both parts, for each way to halve them."""
    for seed in range(_HALVINGS):
        order = np.random.default_rng(_SEED + seed).permutation(kinds)
        one, other = order[: kinds // 2], order[kinds // 2 :]
        yield from ((one, other), (other, one))


def figures(encoder: OpenClipEncoder, data: Path) -> dict[str, object]:
    """Fit scales to a part of the kinds, check them on the others, and check the one in use on the shop."""
    background = Background(encoder.encode_texts(OTHERS))
    grocery, apparel = groceries(encoder, data / "grocery"), clothes(encoder, data / "apparel")
    sets = {
        "groceries": grocery,
        "groceries, Korean names": grocery.called(encoder.encode_texts(GROCERIES_KOREAN)),
        "clothes": apparel,
        "clothes, Korean names": apparel.called(encoder.encode_texts(CLOTHES_KOREAN)),
    }
    found: dict[str, list[Said]] = {name: [] for name in sets}
    halved = zip(splits(len(grocery.names)), splits(len(apparel.names)), strict=True)
    for (fit_grocery, check_grocery), (fit_apparel, check_apparel) in halved:
        scale = _fitted(background, (grocery, fit_grocery), (apparel, fit_apparel))
        for name, labelled in sets.items():
            kinds = check_grocery if name.startswith("groceries") else check_apparel
            found[name].append(said(labelled, kinds, background, scale))
    everything = [(each, np.arange(len(each.names))) for each in (grocery, apparel)]
    shop = appliances(encoder)
    found["sample shop"] = [said(shop, np.arange(len(shop.names)), background, LITE)]
    fitted = _fitted(background, *everything)
    return {
        "fitted": {"slope": fitted.slope, "others": fitted.others},
        "in use": {"slope": LITE.slope, "others": LITE.others},
        "sets": {name: _summary(_together(each)) for name, each in found.items()},
    }


def _fitted(background: Background, *parts: tuple[Labelled, NDArray[np.int64]]) -> Scale:
    """Fit a scale to some kinds of each set."""
    return fit([[known for _, known in vocabularies(*part, background)] for part in parts])


def _together(told: Sequence[Said]) -> Said:
    return Said(
        np.concatenate([each.pictures for each in told]),
        np.concatenate([each.shares for each in told]),
        np.concatenate([each.right for each in told]),
    )


def _summary(told: Said) -> dict[str, object]:
    low, high = interval(told, "error")
    tagged = told.shares >= Config().tags.least
    return {
        "error": calibration_error(told.shares, told.right),
        "error_low": low,
        "error_high": high,
        "tagged": float(tagged.mean()),
        "said_of_tagged": float(told.shares[tagged].mean()) if tagged.any() else 0.0,
        "so_of_tagged": float(told.right[tagged].mean()) if tagged.any() else 0.0,
        "table": list(table(told)),
    }


def show(found: dict[str, object]) -> None:
    """Print the figures for a person."""
    print("scale fitted", found["fitted"], "in use", found["in use"])
    sets = found["sets"]
    assert isinstance(sets, dict)
    for name, values in sets.items():
        low, high = values["error_low"], values["error_high"]
        print(f"\n{name}: error {values['error']:.3f} ({low:.3f} to {high:.3f})")
        print(f"tagged {values['tagged']:.0%}", end="; ")
        print(f"said {values['said_of_tagged']:.2f}, so {values['so_of_tagged']:.2f}")
        for row in values["table"]:
            print(
                f"  {row['from']:.1f}  {row['names']:6d} names  said {row['said']:.2f}"
                f"  so {row['so']:.2f} ({row['so_low']:.2f} to {row['so_high']:.2f})"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    found = figures(Encoders(Config().encoders, ModelStore()).image, parsed.data)
    if parsed.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
