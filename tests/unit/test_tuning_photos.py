"""Fitting a head to photos of products: what it does to vectors, what decides, and how it is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from PIL import Image
from support import SmallIndex

import mmchat
from mmchat.app import tune_photos
from mmchat.app.photos import PhotoGatherer
from mmchat.config import Config
from mmchat.encoders.image import OpenClipEncoder
from mmchat.encoders.lite import FEATURES, LiteModel
from mmchat.encoders.runtime import unit_rows
from mmchat.encoders.text import SentenceEncoder
from mmchat.encoders.tuned import HEAD, TunedModel
from mmchat.errors import IndexMismatch, InputError, ModelError
from mmchat.models import Silent
from mmchat.tuning.photos import Head, Photos, Spread, tune_head

WIDTH = 40


def made_up(*, light: float, products: int = 30, shots: int = 4, seed: int = 0) -> Photos:
    """Return photos that differ in `light` (8 directions) more than products differ in the others."""
    random = np.random.default_rng(seed)
    rows, names = [], []
    for product in range(products):
        centre = np.concatenate([np.zeros(8), random.normal(size=WIDTH - 8)])
        for _ in range(shots):
            change = np.concatenate([random.normal(size=8) * light, np.zeros(WIDTH - 8)])
            rows.append(centre + change + random.normal(size=WIDTH) * 0.3)
            names.append(f"product {product}")
    everywhere = np.ones(len(rows), bool)
    return Photos(unit_rows(np.array(rows)), names, everywhere, everywhere)


def fitted(photos: Photos, out: Path, *, keep: bool = False, seed: int = 0):
    return tune_head(photos, out, base="lite-1", name=HEAD, seed=seed, keep=keep)


def test_it_shrinks_what_photos_of_a_product_differ_in():
    photos = made_up(light=4.0)
    head = Spread.of(photos, np.arange(len(photos.products))).head(1.0)
    light, rest = np.eye(WIDTH)[0], np.eye(WIDTH)[20]
    kept = [1 - (head.directions.T @ axis) ** 2 @ (1 - head.kept) for axis in (light, rest)]
    assert kept[0] < 0.5 < kept[1]
    np.testing.assert_allclose(np.linalg.norm(head(photos.features), axis=1), 1, atol=1e-5)


def test_the_closed_form_is_that_of_the_covariance():
    photos = made_up(light=2.0, products=40)
    members = np.array(photos.products)
    around = np.concatenate(
        [
            photos.features[members == name] - photos.features[members == name].mean(axis=0)
            for name in sorted(set(photos.products))
        ]
    ).astype(np.float64)
    covariance = around.T @ around / (len(around) - 40)
    bound = float(np.trace(covariance)) / WIDTH
    values, axes = np.linalg.eigh(covariance / bound + np.eye(WIDTH))
    expected = photos.features @ (axes / np.sqrt(values)) @ axes.T
    head = Spread.of(photos, np.arange(len(members))).head(1.0)
    np.testing.assert_allclose(head(photos.features), unit_rows(expected), atol=1e-4)


def test_with_no_bound_nothing_changes():
    photos = made_up(light=4.0)
    head = Spread.of(photos, np.arange(len(photos.products))).head(1e9)
    np.testing.assert_allclose(head(photos.features), photos.features, atol=1e-4)


def test_a_head_that_helps_is_kept_and_told(tmp_path: Path):
    report = fitted(made_up(light=4.0), tmp_path / "head")
    assert report.is_better
    assert report.kept == tmp_path / "head"
    assert (report.trained, report.judged, report.among) == (120, 120, 30)
    assert report.changes[0].measure == "hit@1"
    record = json.loads((tmp_path / "head" / "tuning.json").read_text())
    assert record["measures"]["hit@1"] == report.changes[0].values()
    assert sorted(path.name for path in (tmp_path / "head").iterdir()) == [HEAD, "tuning.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


def test_where_there_is_nothing_to_gain_nothing_is_kept(tmp_path: Path):
    photos = made_up(light=0.0)
    assert fitted(photos, tmp_path / "head").kept is None
    assert not list(tmp_path.iterdir())
    assert fitted(photos, tmp_path / "head", keep=True).kept == tmp_path / "head"


def test_no_photo_is_judged_by_a_head_that_knows_its_product(tmp_path: Path):
    photos = made_up(light=4.0)
    # Random names: whoever had seen them could find them, and nobody else can.
    names = list(photos.products)
    np.random.default_rng(1).shuffle(names)
    report = fitted(Photos(photos.features, names, photos.asks, photos.shows), tmp_path / "head")
    assert not report.is_better


def test_the_seed_decides(tmp_path: Path):
    photos = made_up(light=4.0)
    files = []
    for name, seed in (("a", 0), ("b", 0)):
        fitted(photos, tmp_path / name, seed=seed, keep=True)
        files.append((tmp_path / name / HEAD).read_bytes())
    assert files[0] == files[1]


def test_photos_of_customers_find_the_pictures_of_the_catalogue(tmp_path: Path):
    photos = made_up(light=4.0)
    shows = np.arange(len(photos.products)) % 4 == 0
    report = fitted(Photos(photos.features, photos.products, ~shows, shows), tmp_path / "head")
    assert (report.judged, report.among) == (90, 30)
    assert report.is_better


def test_too_few_products_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"9 products have a photo .* 10 or more"):
        fitted(made_up(light=1.0, products=9), tmp_path / "head")
    with pytest.raises(InputError, match="0 products"):
        fitted(made_up(light=1.0, shots=1), tmp_path / "head")


# With mmchat-lite, whose image tower is random.


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> LiteModel:
    folder = tmp_path_factory.mktemp("lite")
    text = SentenceEncoder(tiny_models.sentence_folder(folder / "tiny"), device="cpu")
    weights = tiny_models.image_tower(folder / "tower.pth")
    return LiteModel(weights, text, heads=tiny_models.lite_heads(folder / "heads.safetensors"))


@pytest.fixture(scope="module")
def head(lite: LiteModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head of four directions for mmchat-lite."""
    folder = tmp_path_factory.mktemp("heads") / "mine"
    random = np.random.default_rng(0)
    photos = Photos(
        unit_rows(random.normal(size=(40, FEATURES))),
        [f"product {n // 2}" for n in range(40)],
        np.ones(40, bool),
        np.ones(40, bool),
    )
    tune_head(photos, folder, base=lite.fingerprint, name=HEAD, seed=0, keep=True)
    return folder


def opened(source: object) -> OpenClipEncoder:
    return OpenClipEncoder(source, device="cpu", dtype="float32")


def pictures(count: int = 3) -> list[Image.Image]:
    noise = np.random.default_rng(0)
    return [
        Image.fromarray(noise.integers(0, 256, (60, 50, 3), dtype=np.uint8)) for _ in range(count)
    ]


def test_pictures_are_changed_in_their_visual_part_alone(lite: LiteModel, head: Path):
    from safetensors.numpy import load_file

    before = opened(lite).encode_images(pictures())
    after = opened(TunedModel(lite, head)).encode_images(pictures())
    words = lite.dimension - FEATURES
    np.testing.assert_allclose(after[:, :words], before[:, :words], atol=1e-6)
    tensors = load_file(head / HEAD)
    expected = Head(tensors["directions"], tensors["kept"])(unit_rows(before[:, words:]))
    np.testing.assert_allclose(unit_rows(after[:, words:]), expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-6)
    assert np.abs(after - before).max() > 1e-4


def test_what_words_look_like_is_changed_as_pictures_are(lite: LiteModel, head: Path):
    from safetensors.numpy import load_file

    tuned, said = opened(TunedModel(lite, head)), ["a red kettle", "banana"]
    before, after = opened(lite).encode_texts(said), tuned.encode_texts(said)
    words = lite.dimension - FEATURES
    np.testing.assert_allclose(after[:, :words], before[:, :words], atol=1e-6)
    tensors = load_file(head / HEAD)
    expected = Head(tensors["directions"], tensors["kept"])(unit_rows(before[:, words:]))
    np.testing.assert_allclose(unit_rows(after[:, words:]), expected, atol=1e-5)
    vectors = lite.text.encode_queries(said)
    np.testing.assert_allclose(tuned.from_query_vectors(lite.text, vectors), after, atol=1e-6)
    assert tuned.from_query_vectors(object(), vectors) is None


def test_the_fingerprint_stands_for_the_head_and_its_base(
    lite: LiteModel, head: Path, tmp_path: Path
):
    tuned = TunedModel(lite, head)
    assert tuned.fingerprint.startswith("mmchat-lite@mine-")
    assert tuned.fingerprint != lite.fingerprint
    assert (tuned.dimension, tuned.middle) == (lite.dimension, lite.middle)
    other = tiny_models.image_tower(tmp_path / "other.pth", seed=1)
    with pytest.raises(ModelError, match=r"was made for mmchat-lite-.* Make it anew"):
        _ = TunedModel(LiteModel(other, lite.text, heads=lite.heads_file), head).fingerprint


def test_a_head_that_cannot_be_read_is_told(lite: LiteModel, tmp_path: Path):
    with pytest.raises(ModelError, match="mmchat tune photos"):
        _ = TunedModel(lite, tmp_path).fingerprint
    (tmp_path / HEAD).write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read"):
        opened(TunedModel(lite, tmp_path)).encode_images(pictures(1))


class Colours:
    """An encoder of two numbers for words and three for what is seen: the mean colour."""

    fingerprint = "colours-1"
    dimension = 5

    def encode_images(self, images: list[Image.Image]) -> np.ndarray:
        means = [np.asarray(image, np.float32).mean((0, 1)) + 1 for image in images]
        return unit_rows(np.column_stack([np.ones((len(means), 2)), np.stack(means)]))

    def encode_image_queries(self, images: list[Image.Image]) -> np.ndarray:
        return np.ones((len(images), self.dimension), np.float32)


def gather(source: Path | None, index: SmallIndex | None = None) -> Photos:
    gatherer = PhotoGatherer(Colours(), 2, Config(), Silent())
    return gatherer.gather(source, index.reader() if index else None)


def test_photos_are_labelled_by_their_folders(draw: Callable[..., Path], tmp_path: Path):
    for name, colour in (("kettle/1.png", "red"), ("kettle/2.png", "blue"), ("big/mug/1.jpg", 1)):
        draw(name, colour if isinstance(colour, str) else "green")
    draw("alone.png", "white")
    draw("kettle/again.png", "red")
    photos = gather(tmp_path / "folder")
    assert photos.products == ["big/mug", "kettle", "kettle"]
    assert photos.features.shape == (3, 3)
    assert photos.left_out == {"that were there already": 1}


def test_photos_are_labelled_by_a_table(draw: Callable[..., Path], tmp_path: Path):
    draw("a.png", "red")
    (tmp_path / "folder" / "photos.csv").write_text(
        "사진,상품\na.png,주전자\ngone.png,주전자\n,주전자\na.png,\n", encoding="cp949"
    )
    photos = gather(tmp_path / "folder" / "photos.csv")
    assert photos.products == ["주전자"]
    assert photos.left_out == {"that are not there": 1, "without a picture or a product": 2}


def test_a_folder_without_photos_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="has no photo of a product"):
        gather(tmp_path)
    with pytest.raises(InputError, match="is not there"):
        gather(tmp_path / "gone.csv")


def test_photos_find_the_pictures_of_an_index_by_any_name_of_their_product(
    shop: SmallIndex, draw: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Colours, "fingerprint", shop.images.fingerprint)
    monkeypatch.setattr(Colours, "dimension", shop.images.dimension)
    draw("../mine/1.png", "red", (70, 50))
    draw("../mine/2.png", "green", (70, 50))
    (tmp_path / "mine" / "photos.jsonl").write_text(
        '{"picture": "1.png", "product": "The kettle"}\n'
        '{"picture": "2.png", "product": "TOASTER"}\n'
        '{"picture": "2.png", "product": "unknown"}\n'
    )
    with pytest.raises(IndexMismatch):
        PhotoGatherer(OtherColours(), 1, Config(), Silent()).gather(None, shop.reader())
    photos = PhotoGatherer(Colours(), 1, Config(), Silent()).gather(
        tmp_path / "mine" / "photos.jsonl", shop.reader()
    )
    assert sorted(photos.products[:3]) == ["blender.md", "kettle.md", "toaster.md"]
    assert list(photos.products[3:]) == ["kettle.md", "toaster.md"]
    assert photos.asks.tolist() == [False] * 3 + [True] * 2
    assert photos.shows.tolist() == [True] * 3 + [False] * 2
    assert photos.left_out == {"of products that the index has no picture of": 1}


class OtherColours(Colours):
    fingerprint = "another"


def test_the_pictures_of_an_index_find_each_other(shop: SmallIndex, monkeypatch):
    monkeypatch.setattr(Colours, "fingerprint", shop.images.fingerprint)
    monkeypatch.setattr(Colours, "dimension", shop.images.dimension)
    photos = PhotoGatherer(Colours(), 1, Config(), Silent()).gather(None, shop.reader())
    assert len(photos.products) == 3
    assert photos.asks.all() and photos.shows.all()


def test_only_mmchat_lite_is_tuned(tmp_path: Path):
    name = tiny_models.open_clip_checkpoint(tmp_path / "clip")
    config = mmchat.load_config(None, {"encoders.image": name})
    with pytest.raises(ModelError, match="expected mmchat-lite"):
        tune_photos(tmp_path, out=tmp_path / "out", config=config)
    with pytest.raises(InputError, match="There are no photos"):
        tune_photos(config=config)
