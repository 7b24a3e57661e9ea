"""mmchat-lite with its real weights on real pictures. What it reached when it was built stands beside."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mmchat.encoders.image import OpenClipEncoder
from mmchat.encoders.lite import LiteModel
from mmchat.encoders.text import SentenceEncoder
from mmchat.models import ModelStore

pytestmark = pytest.mark.slow


class Photos(NamedTuple):
    """Photos of a shop's shelves, and the catalogue picture of each product."""

    photos: NDArray[np.float32]
    """As they are indexed; `asked` as they are searched with."""
    products: NDArray[np.int64]
    kinds: NDArray[np.int64]
    asked: NDArray[np.float32]
    catalogue: NDArray[np.float32]
    kind_of_product: NDArray[np.int64]
    names: list[str]


@pytest.fixture(scope="module")
def encoder(models: ModelStore) -> OpenClipEncoder:
    text = SentenceEncoder(models.pull("multilingual-e5-small"))
    return OpenClipEncoder(LiteModel(models.pull("efficientnet-lite2"), text))


@pytest.fixture(scope="module")
def shelf(encoder: OpenClipEncoder, grocery: Path) -> Photos:
    classes = list(csv.reader((grocery / "classes.csv").read_text().splitlines()))[1:]
    rows = list(csv.DictReader((grocery / "photos.csv").read_text().splitlines()))
    pictures = {path.name: path for path in grocery.glob("catalog/**/*_Iconic.jpg")}
    catalogue = [pictures[Path(row[4]).name] for row in classes]
    coarse = {int(row[3]): row[2].replace("-", " ").lower() for row in classes}
    photos = [grocery / row["photo"] for row in rows]
    return Photos(
        photos=encode(encoder.encode_images, photos),
        asked=encode(encoder.encode_image_queries, photos),
        products=np.array([int(row["class_id"]) for row in rows]),
        kinds=np.array([int(row["coarse_class_id"]) for row in rows]),
        catalogue=encode(encoder.encode_images, catalogue),
        kind_of_product=np.array([int(row[3]) for row in classes]),
        names=[coarse[index] for index in sorted(coarse)],
    )


def encode(how: Callable[[list[Image.Image]], NDArray], paths: list[Path]) -> NDArray[np.float32]:
    """Encode picture files a few at a time, so that not all are in memory."""
    parts = []
    for start in range(0, len(paths), 32):
        images = []
        for path in paths[start : start + 32]:
            with Image.open(path) as image:
                images.append(image.convert("RGB"))
        parts.append(how(images))
    return np.concatenate(parts)


def test_a_photo_finds_its_product(shelf: Photos):
    order = np.argsort(-(shelf.asked @ shelf.catalogue.T), axis=1)
    first = (shelf.kind_of_product[order[:, 0]] == shelf.kinds).mean()
    among_five = (order[:, :5] == shelf.products[:, None]).any(axis=1).mean()
    assert first > 0.60  # 0.65
    assert among_five > 0.80  # 0.86


def test_a_photo_finds_other_photos_of_its_kind(shelf: Photos):
    similar = shelf.asked @ shelf.photos.T
    np.fill_diagonal(similar, -1)
    nearest = similar.argmax(axis=1)
    assert (shelf.kinds[nearest] == shelf.kinds).mean() > 0.92  # 0.96


def test_the_kind_of_a_photo_is_told_by_words(encoder: OpenClipEncoder, shelf: Photos):
    scores = shelf.photos @ encoder.encode_texts(shelf.names).T
    assert (scores.argmax(axis=1) == shelf.kinds).mean() > 0.22  # 0.24 of 43 kinds


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("banana", "banana"),
        ("바나나", "banana"),
        ("pineapple", "pineapple"),
        ("파인애플", "pineapple"),
    ],
)
def test_words_find_photos_of_what_imagenet_has_a_label_for(
    encoder: OpenClipEncoder, shelf: Photos, word: str, kind: str
):
    scores = shelf.photos @ encoder.encode_texts([word])[0]
    best = np.argsort(-scores)[:5]
    assert [shelf.names[shelf.kinds[photo]] for photo in best].count(kind) >= 4  # 4 and 5
