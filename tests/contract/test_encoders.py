"""What every encoder must do, whichever library is behind it. The models are small and random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import tiny_models
from numpy.typing import NDArray
from PIL import Image

from mmchat.encoders.image import OpenClipEncoder
from mmchat.encoders.lite import LiteModel
from mmchat.encoders.text import SentenceEncoder

Encode: TypeAlias = Callable[[list], NDArray]
TEXTS = [
    "a red kettle",
    "banana",
    "how do I return it? " * 4,
    "a photo of the blue mug",
    "milk",
    "",
]
# Float32, so that what is compared is the encoder and not the rounding of the machine.
EXACT = {"device": "cpu", "dtype": "float32"}


def sentence(folder: Path, seed: int) -> SentenceEncoder:
    return SentenceEncoder(tiny_models.sentence_folder(folder / "tiny", seed=seed), **EXACT)


def open_clip(folder: Path, seed: int) -> OpenClipEncoder:
    return OpenClipEncoder(tiny_models.open_clip_checkpoint(folder / "clip", seed=seed), **EXACT)


def lite(folder: Path, seed: int) -> OpenClipEncoder:
    weights = tiny_models.image_tower(folder / "tower.pth", seed=seed)
    text = sentence(folder, seed=0)
    heads = tiny_models.lite_heads(folder / "heads.safetensors")
    return OpenClipEncoder(LiteModel(weights, text, heads=heads), **EXACT)


MAKERS = {"sentence-transformers": sentence, "open_clip": open_clip, "mmchat-lite": lite}


@pytest.fixture(scope="module", params=MAKERS)
def maker(
    request: pytest.FixtureRequest,
) -> Callable[[Path, int], SentenceEncoder | OpenClipEncoder]:
    return MAKERS[request.param]


@pytest.fixture(scope="module")
def encoder(maker, tmp_path_factory: pytest.TempPathFactory) -> SentenceEncoder | OpenClipEncoder:
    return maker(tmp_path_factory.mktemp("models"), 0)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    noise = np.random.default_rng(0)
    sizes = [(40, 40), (90, 30), (30, 90), (300, 200), (2000, 900), (64, 64)]
    return [
        Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in sizes
    ]


def ways(encoder: SentenceEncoder | OpenClipEncoder, pictures: list) -> list[tuple[Encode, list]]:
    """Return each method that encodes, with what it may be given."""
    if isinstance(encoder, SentenceEncoder):
        return [(encoder.encode_queries, TEXTS), (encoder.encode_passages, TEXTS)]
    looks = [(encoder.encode_images, pictures), (encoder.encode_image_queries, pictures)]
    return [(encoder.encode_texts, TEXTS), *looks]


def test_rows_are_float32_of_length_one(encoder, pictures):
    for encode, items in ways(encoder, pictures):
        vectors = encode(items)
        assert vectors.shape == (len(items), encoder.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_nothing_gives_no_rows(encoder, pictures):
    for encode, _ in ways(encoder, pictures):
        vectors = encode([])
        assert vectors.shape == (0, encoder.dimension)
        assert vectors.dtype == np.float32


def test_the_same_items_give_the_same_vectors(encoder, pictures):
    for encode, items in ways(encoder, pictures):
        np.testing.assert_array_equal(encode(items), encode(items))


def test_an_item_does_not_depend_on_its_neighbours(encoder, pictures):
    for encode, items in ways(encoder, pictures):
        alone = np.concatenate([encode([item]) for item in items])
        np.testing.assert_allclose(encode(items), alone, atol=1e-4)
        backwards = encode(items[::-1])[::-1]
        np.testing.assert_allclose(encode(items), backwards, atol=1e-4)


def test_batches_do_not_show(encoder, pictures):
    whole = [encode(items) for encode, items in ways(encoder, pictures)]
    size, encoder.batch_size = encoder.batch_size, 2
    try:
        for before, (encode, items) in zip(whole, ways(encoder, pictures), strict=True):
            np.testing.assert_allclose(encode(items), before, atol=1e-4)
    finally:
        encoder.batch_size = size


def test_different_items_get_different_vectors(encoder, pictures):
    for encode, items in ways(encoder, pictures):
        vectors = encode(items)
        assert np.abs(vectors[0] - vectors[1:]).max(axis=1).min() > 1e-3


def test_the_fingerprint_stands_for_the_weights(encoder, maker, tmp_path: Path):
    same, other = maker(tmp_path / "same", 0), maker(tmp_path / "other", 1)
    assert same.fingerprint == encoder.fingerprint
    assert other.fingerprint != encoder.fingerprint


def test_the_dimension_is_known_before_the_model_is_loaded(encoder, maker, tmp_path: Path):
    assert maker(tmp_path, 0).dimension == encoder.dimension
