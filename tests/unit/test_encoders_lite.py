"""mmchat-lite: that it is an OpenCLIP model, what its vectors hold, and what it keeps on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image
from safetensors.numpy import save_file

from mmchat.encoders.heads import (
    ALIGNED_SHARE,
    SHARPNESS,
    SHIPPED,
    read_heads,
    write_heads,
)
from mmchat.encoders.image import OpenClipEncoder
from mmchat.encoders.lite import FEATURES, IMAGE_TOWER, LiteModel, fold_batch_norms
from mmchat.encoders.text import SentenceEncoder
from mmchat.errors import ModelError

CPU = {"device": "cpu", "dtype": "float32"}
PINNED = "244717982ad73a4f2edfd68ddf1b7259ba5f49d9aec3803d6ffa3e66a13f0280"
SQUARE = Image.new("RGB", (64, 64), "red")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lite")


@pytest.fixture(scope="module")
def text(folder: Path) -> SentenceEncoder:
    return SentenceEncoder(tiny_models.sentence_folder(folder / "tiny"), **CPU)


@pytest.fixture(scope="module")
def heads(folder: Path) -> Path:
    return tiny_models.lite_heads(folder / "heads.safetensors")


@pytest.fixture(scope="module")
def source(folder: Path, text: SentenceEncoder, heads: Path) -> LiteModel:
    return LiteModel(tiny_models.image_tower(folder / "tower.pth"), text, heads=heads)


@pytest.fixture(scope="module")
def encoder(source: LiteModel) -> OpenClipEncoder:
    return OpenClipEncoder(source, **CPU)


def test_it_is_an_open_clip_model_and_shares_the_text_tower(encoder, text):
    import open_clip
    from open_clip.hf_model import HFTextEncoder
    from open_clip.timm_model import TimmModel

    model = encoder.parts.model
    assert isinstance(model, open_clip.CustomTextCLIP)
    assert isinstance(model.visual, TimmModel)
    assert isinstance(model.text, HFTextEncoder)
    assert model.text.transformer.shared is text.model.transformers_model
    assert not any(parameter.is_meta for parameter in model.parameters())


def test_open_clip_computes_the_same_of_words(encoder, text):
    words = ["a red kettle", "", "milk " * 200]
    parts = encoder.parts
    with torch.inference_mode():
        expected = parts.model.encode_text(parts.tokenizer(words)).numpy()
    np.testing.assert_allclose(encoder.encode_texts(words), expected, atol=1e-5)
    encoded = text.encode_queries(words)
    np.testing.assert_allclose(encoder.from_query_vectors(text, encoded), expected, atol=1e-5)
    assert encoder.from_query_vectors(object(), encoded) is None


def test_pictures_and_words_need_no_text_tower(source: LiteModel, folder: Path):
    text = SentenceEncoder(folder / "tiny", **CPU)
    encoder = OpenClipEncoder(LiteModel(source.image_weights, text, heads=source.heads_file), **CPU)
    encoder.encode_texts(["a red kettle"])
    encoder.encode_images([SQUARE])
    assert text._model is None


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_words_hold_their_meaning_and_the_look_of_the_labels_that_are_near(encoder, source, text):
    words = ["a red kettle", "banana"]
    heads = source.heads
    centred = unit(text.encode_queries(words).astype(np.float64) - heads.words_centre)
    waves = np.cos(centred @ heads.frequencies.T + heads.phases)
    inputs = np.concatenate([centred, waves * np.sqrt(2 / len(heads.phases))], axis=1)
    meaning = unit(inputs @ heads.words_map)
    weights = np.exp(meaning @ heads.labels.T / SHARPNESS)
    look = unit(weights @ heads.looks)
    share = heads.look_share[0]
    expected = np.concatenate([np.sqrt(1 - share) * meaning, np.sqrt(share) * look], axis=1)
    np.testing.assert_allclose(encoder.encode_texts(words), expected, atol=1e-4)


def test_words_that_the_text_tower_has_encoded_are_not_encoded_again(encoder, text, folder):
    words = ["a red kettle", "banana"]
    vectors = encoder.from_query_vectors(text, text.encode_queries(words))
    np.testing.assert_allclose(vectors, encoder.encode_texts(words), atol=1e-5)
    other = SentenceEncoder(text.folder, **CPU)
    assert encoder.from_query_vectors(other, other.encode_queries(words)) is None


def test_pictures_are_mixtures_of_labels_beside_their_shrunk_features(encoder, source):
    picture = Image.effect_noise((300, 280), 80).convert("RGB")
    got = encoder.encode_images([picture])[0]
    heads = source.heads
    features = unit(tower_features(encoder, picture))
    cut_out = 1 / (1 + np.exp(-(features @ heads.gate[:-1] + heads.gate[-1])))
    centred = features - (1 - cut_out) * heads.means[0] - cut_out * heads.means[1]
    visual = centred + (heads.basis @ centred * heads.gains) @ heads.basis
    state = list(torch.load(source.image_weights, weights_only=True).values())
    inputs = (centred + heads.common) * heads.scale[0]
    logits = inputs @ state[-2].double().numpy().T + state[-1].double().numpy()
    shares = np.exp(logits - logits.max())
    expected = np.concatenate(
        [
            np.sqrt(ALIGNED_SHARE) * unit(shares @ heads.labels),
            np.sqrt(1 - ALIGNED_SHARE) * unit(visual),
        ]
    )
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_a_photo_that_is_searched_with_is_looked_at_twice(encoder):
    photo = Image.effect_noise((300, 200), 80).convert("RGB")
    middle = photo.crop((45, 30, 255, 170))
    whole, closer = encoder.encode_images([photo, middle])
    got = encoder.encode_image_queries([photo])[0]
    np.testing.assert_allclose(got, unit(whole + closer), atol=1e-5)


def tower_features(encoder: OpenClipEncoder, picture: Image.Image) -> np.ndarray:
    """Return the features (1280,) of a timm model that was loaded without open_clip."""
    import timm

    source = encoder.source
    assert isinstance(source, LiteModel)
    tower = timm.create_model(IMAGE_TOWER)
    tower.load_state_dict(torch.load(source.image_weights, weights_only=True))
    tower.reset_classifier(0)
    tower.eval()
    with torch.inference_mode():
        return tower(encoder.parts.preprocess(picture)[None])[0].double().numpy()


def test_folding_changes_nothing_but_the_number_of_layers():
    import timm

    tower = timm.create_model("tf_efficientnet_lite0", num_classes=0)
    for module in tower.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, std=0.1)
    tower.eval()
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = tower(pixels)
    fold_batch_norms(tower)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in tower.modules())
    with torch.inference_mode():
        torch.testing.assert_close(tower(pixels), before, atol=1e-4, rtol=1e-3)


def test_the_shipped_heads_are_small_and_pinned():
    assert SHIPPED.stat().st_size < 10_000_000
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() == PINNED


def test_heads_come_back_as_they_were_written(heads: Path, tmp_path: Path):
    read = read_heads(heads)
    write_heads(read, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == heads.read_bytes()


def test_other_heads_give_another_fingerprint(source: LiteModel, text, tmp_path: Path):
    other = tiny_models.lite_heads(tmp_path / "other.safetensors", seed=1)
    assert LiteModel(source.image_weights, text, heads=other).fingerprint != source.fingerprint


def test_heads_that_do_not_fit_are_told(source: LiteModel, text: SentenceEncoder, tmp_path: Path):
    with pytest.raises(ModelError, match="384 numbers, but tiny gives 16"):
        _ = LiteModel(source.image_weights, text).dimension
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing at all")
    with pytest.raises(ModelError, match="holds no heads"):
        _ = LiteModel(source.image_weights, text, heads=broken).dimension
    save_file({"gate": np.zeros(3, np.float32)}, tmp_path / "few.safetensors")
    with pytest.raises(ModelError, match="holds gate; expected basis"):
        _ = LiteModel(source.image_weights, text, heads=tmp_path / "few.safetensors").dimension


def test_the_dimension_and_fingerprint_need_no_model(source: LiteModel, folder: Path):
    fresh = LiteModel(
        source.image_weights, SentenceEncoder(folder / "tiny"), heads=source.heads_file
    )
    assert fresh.dimension == 8 + FEATURES
    assert fresh.fingerprint == source.fingerprint
    assert fresh.text._model is None


@pytest.mark.parametrize("content", [b"nothing", b""])
def test_a_file_that_is_no_image_tower_is_told(
    content: bytes, text: SentenceEncoder, heads: Path, tmp_path: Path
):
    path = tmp_path / "tower.pth"
    with pytest.raises(ModelError, match="There is no file"):
        _ = LiteModel(path, text, heads=heads).fingerprint
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a state dict"):
        OpenClipEncoder(LiteModel(path, text, heads=heads), **CPU).encode_images([SQUARE])


def test_other_weights_are_told(text: SentenceEncoder, heads: Path, tmp_path: Path):
    path = tmp_path / "tower.pth"
    torch.save({"weight": torch.zeros(3, 3), "bias": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match=f"do not fit {IMAGE_TOWER}"):
        OpenClipEncoder(LiteModel(path, text, heads=heads), **CPU).encode_images([SQUARE])
