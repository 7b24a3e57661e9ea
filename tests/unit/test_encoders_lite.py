"""mmchat-lite: that it is an OpenCLIP model, what its vectors hold, and what it keeps on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

from mmchat.encoders.heads import ALIGNED_SHARE
from mmchat.encoders.image import OpenClipEncoder
from mmchat.encoders.labels import label_texts, label_vectors
from mmchat.encoders.lite import FEATURES, IMAGE_TOWER, LiteModel, fold_batch_norms
from mmchat.encoders.text import SentenceEncoder
from mmchat.errors import ModelError

CPU = {"device": "cpu", "dtype": "float32"}
SQUARE = Image.new("RGB", (64, 64), "red")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lite")


@pytest.fixture(scope="module")
def text(folder: Path) -> SentenceEncoder:
    return SentenceEncoder(tiny_models.sentence_folder(folder / "tiny"), **CPU)


@pytest.fixture(scope="module")
def source(folder: Path, text: SentenceEncoder) -> LiteModel:
    return LiteModel(tiny_models.image_tower(folder / "tower.pth"), text, cache=folder / "labels")


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
    encoder = OpenClipEncoder(LiteModel(source.image_weights, text, cache=source.cache), **CPU)
    encoder.encode_texts(["a red kettle"])
    encoder.encode_images([SQUARE])
    assert text._model is None


def test_words_have_no_visual_part_and_are_the_centred_text_vectors(encoder, source, text):
    words = ["a red kettle", "banana"]
    vectors = encoder.encode_texts(words)
    width = text.dimension
    assert not vectors[:, width:].any()
    centre = label_vectors(text, source.cache).mean(axis=0)
    expected = text.encode_queries(words) - centre
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors[:, :width], expected, atol=1e-5)


def test_words_that_the_text_tower_has_encoded_are_not_encoded_again(encoder, text, folder):
    words = ["a red kettle", "banana"]
    vectors = encoder.from_query_vectors(text, text.encode_queries(words))
    np.testing.assert_allclose(vectors, encoder.encode_texts(words), atol=1e-5)
    other = SentenceEncoder(text.folder, **CPU)
    assert encoder.from_query_vectors(other, other.encode_queries(words)) is None


def test_pictures_are_mixtures_of_labels_beside_their_features(encoder, source, text):
    picture = Image.effect_noise((300, 280), 80).convert("RGB")
    got = encoder.encode_images([picture])[0]
    features = tower_features(encoder, picture)
    state = list(torch.load(source.image_weights, weights_only=True).values())
    logits = features @ state[-2].double().numpy().T + state[-1].double().numpy()
    shares = np.exp(logits - logits.max())
    labels = label_vectors(text, source.cache).astype(np.float64)
    labels -= labels.mean(axis=0)
    labels /= np.linalg.norm(labels, axis=1, keepdims=True)
    aligned = shares / shares.sum() @ labels
    expected = np.concatenate(
        [
            np.sqrt(ALIGNED_SHARE) * aligned / np.linalg.norm(aligned),
            np.sqrt(1 - ALIGNED_SHARE) * features / np.linalg.norm(features),
        ]
    )
    np.testing.assert_allclose(got, expected, atol=1e-4)


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


def test_label_vectors_are_kept(text: SentenceEncoder, tmp_path: Path):
    first = label_vectors(text, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert text.fingerprint in kept.name

    class Unwilling:
        fingerprint, dimension = text.fingerprint, text.dimension

        def encode_queries(self, texts):
            raise AssertionError("the kept file should have been read")

    np.testing.assert_array_equal(label_vectors(Unwilling(), tmp_path), first)
    assert first.shape == (1000, text.dimension)


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_damaged_label_vectors_are_made_anew(
    damage: bytes | None, text: SentenceEncoder, tmp_path: Path
):
    first = label_vectors(text, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:500] if damage is None else damage)
    np.testing.assert_array_equal(label_vectors(text, tmp_path), first)
    np.testing.assert_array_equal(np.load(kept), first)


def test_labels_come_with_their_definitions():
    names, described = label_texts()
    assert len(names) == len(described) == 1000
    index = names.index("Granny Smith apple")
    assert described[index].startswith("Granny Smith apple: ")
    assert "green" in described[index]


def test_the_dimension_and_fingerprint_need_no_model(source: LiteModel, folder: Path):
    fresh = LiteModel(source.image_weights, SentenceEncoder(folder / "tiny"), cache=folder)
    assert fresh.dimension == 16 + FEATURES
    assert fresh.fingerprint == source.fingerprint
    assert fresh.text._model is None


@pytest.mark.parametrize("content", [b"nothing", b""])
def test_a_file_that_is_no_image_tower_is_told(
    content: bytes, text: SentenceEncoder, tmp_path: Path
):
    path = tmp_path / "tower.pth"
    with pytest.raises(ModelError, match="There is no file"):
        _ = LiteModel(path, text, cache=tmp_path).fingerprint
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a state dict"):
        OpenClipEncoder(LiteModel(path, text, cache=tmp_path), **CPU).encode_images([SQUARE])


def test_other_weights_are_told(text: SentenceEncoder, tmp_path: Path):
    path = tmp_path / "tower.pth"
    torch.save({"weight": torch.zeros(3, 3), "bias": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match=f"do not fit {IMAGE_TOWER}"):
        OpenClipEncoder(LiteModel(path, text, cache=tmp_path), **CPU).encode_images([SQUARE])
