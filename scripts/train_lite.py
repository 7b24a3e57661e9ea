"""Train the heads of mmchat-lite: `mmchat/encoders/lite.safetensors`.

    python scripts/train_lite.py --wordnet /usr/share/wordnet [--data ../shared/data] [--check]

It takes minutes on 2 cores and makes the same file from the same inputs. docs/model-card.md tells what is
learnt from. WordNet is Debian's package wordnet-base (`apt-get install wordnet-base`); Korean names come from
the Python package emoji (`pip install emoji`). With --check nothing is written: the picture half is fitted
six times, each time without the photos of a sixth of the kinds, and measured on those.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from lite_training.pictures import PictureHead, Pictures, fit_pictures
from lite_training.tower import Tower
from lite_training.words import fit_words, vocabulary

from mmchat.app.encoders import DEFAULT_TEXT
from mmchat.encoders.heads import (
    ALIGNED_SHARE,
    SHIPPED,
    Heads,
    expected_look,
    write_heads,
)
from mmchat.encoders.lite import LiteModel
from mmchat.encoders.runtime import Vectors, unit_rows
from mmchat.encoders.text import SentenceEncoder
from mmchat.models import ModelStore

ROOT = Path(__file__).parents[1]
FOLDS = 6


class Grocery:
    """GroceryStoreDataset: photos of shelves, and a catalogue picture of each product."""

    def __init__(self, data: Path) -> None:
        folder = data / "grocery"
        classes = list(csv.reader((folder / "classes.csv").read_text("utf-8").splitlines()))[1:]
        rows = list(csv.DictReader((folder / "photos.csv").read_text("utf-8").splitlines()))
        pictures = {path.name: path for path in folder.glob("catalog/**/*_Iconic.jpg")}
        self.photos = [folder / row["photo"] for row in rows]
        self.products = np.array([int(row["class_id"]) for row in rows])
        self.kinds = np.array([int(row["coarse_class_id"]) for row in rows])
        self.catalogue = [pictures[Path(row[4]).name] for row in classes]
        self.kind_of_product = np.array([int(row[3]) for row in classes])


def clothes(data: Path) -> list[Path]:
    """Return the pictures of a shop for clothes, most of them cut out on white."""
    styles = (data / "apparel" / "styles.jsonl").read_text("utf-8").splitlines()
    return [data / "apparel" / image["file"] for s in styles for image in json.loads(s)["images"]]


def look_share(
    head: PictureHead, pictures: Pictures, meanings: Vectors, heads: Heads, tower: Tower
) -> float:
    """Return the share at which both parts of words spread the scores of pictures alike."""
    unit = np.concatenate([pictures.scenes, *pictures.cut_outs])
    logits = _logits(head, unit, heads.common, float(heads.scale[0]), tower)
    aligned = unit_rows(_softmax(logits) @ heads.labels) @ meanings.T * np.sqrt(ALIGNED_SHARE)
    looks = expected_look(meanings, heads.labels, heads.looks)
    visual = head.visual(unit) @ looks.T * np.sqrt(1 - ALIGNED_SHARE)
    ratio = float(aligned.std() / visual.std())
    return ratio**2 / (1 + ratio**2)


def _logits(
    head: PictureHead, unit: Vectors, common: Vectors, scale: float, tower: Tower
) -> Vectors:
    inputs: Vectors = (head.centre(unit) + common) * np.float32(scale)
    return inputs @ tower.weight.T + tower.bias


def _softmax(logits: Vectors) -> Vectors:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def check(grocery: Grocery, cut_outs: Sequence[Vectors], photos: Vectors, closer: Vectors) -> None:
    """Print how well photos find products of kinds that the head was not fitted to."""
    catalogue = cut_outs[0]
    query = unit_rows(photos + closer)
    kinds = np.random.default_rng(0).permutation(np.unique(grocery.kinds))
    right = {
        "product, first": 0,
        "product, first 5": 0,
        "kind, first": 0,
        "photo to photo, kind": 0,
    }
    for fold in range(FOLDS):
        out = np.isin(grocery.kinds, kinds[fold::FOLDS])
        left = ~np.isin(grocery.kind_of_product, kinds[fold::FOLDS])
        head = fit_pictures(
            Pictures(photos[~out], grocery.products[~out], [catalogue[left], *cut_outs[1:]])
        )
        asked = unit_rows(head.visual(query[out]))
        products, own = grocery.products[out], grocery.kinds[out]
        order = np.argsort(-(asked @ head.visual(catalogue).T), axis=1)
        scores = asked @ head.visual(photos).T
        scores[np.arange(len(asked)), np.flatnonzero(out)] = -1
        right["product, first"] += int((order[:, 0] == products).sum())
        right["product, first 5"] += int((order[:, :5] == products[:, None]).any(axis=1).sum())
        right["kind, first"] += int((grocery.kind_of_product[order[:, 0]] == own).sum())
        right["photo to photo, kind"] += int((grocery.kinds[scores.argmax(axis=1)] == own).sum())
    for name, count in right.items():
        print(f"{name:24}{count / len(photos):8.1%}")


def train(arguments: argparse.Namespace) -> None:
    """Fit both halves and write them."""
    models = ModelStore()
    cache = arguments.cache or models.home / "train-lite"
    cache.mkdir(parents=True, exist_ok=True)
    tower = Tower(models.pull("efficientnet-lite2"))
    grocery = Grocery(arguments.data)
    outfitter = sorted((arguments.data / "outfitter" / "images").iterdir())
    seen = tower.features(grocery.photos, cache / "photos.npy")
    photos = unit_rows(seen)
    sets = {
        "catalogue": grocery.catalogue,
        "apparel": clothes(arguments.data),
        "outfitter": outfitter,
    }
    cut_outs = [
        unit_rows(tower.features(files, cache / f"{name}.npy")) for name, files in sets.items()
    ]
    if arguments.check:
        kept = cache / f"photos-{LiteModel.middle}.npy"
        closer = unit_rows(tower.features(grocery.photos, kept, middle=LiteModel.middle))
        check(grocery, cut_outs, photos, closer)
        return
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    pictures = Pictures(photos, grocery.products, cut_outs)
    head = fit_pictures(pictures)
    words = vocabulary(arguments.wordnet, IMAGENET_CLASSNAMES, arguments.seed)
    text = SentenceEncoder(models.pull(DEFAULT_TEXT))
    word_head, meanings = fit_words(words, IMAGENET_CLASSNAMES, text.encode_queries, arguments.seed)
    unit = unit_rows(tower.weight)
    heads = Heads(
        gate=head.gate,
        means=head.means,
        common=head.means.mean(axis=0),
        scale=np.array([np.linalg.norm(seen, axis=1).mean()], np.float32),
        basis=head.basis,
        gains=head.gains,
        labels=word_head.labels,
        looks=head.shrink(unit - unit.mean(axis=0)),
        words_centre=word_head.words_centre,
        frequencies=word_head.frequencies,
        phases=word_head.phases,
        words_map=word_head.words_map,
        look_share=np.zeros(1, np.float32),
    )
    heads.look_share[0] = look_share(head, pictures, meanings[::10], heads, tower)
    write_heads(heads, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size:,} bytes; words {len(words.english):,}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--cache", type=Path, help="keeps the features of the pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
