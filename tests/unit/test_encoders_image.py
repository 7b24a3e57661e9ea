"""The OpenCLIP encoder: names, kinds of pictures, and that it computes what open_clip computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_models
from PIL import Image

from mmchat.encoders.image import NamedModel, OpenClipEncoder
from mmchat.encoders.pixels import shrink, to_rgb
from mmchat.errors import ModelError

CPU = {"device": "cpu", "dtype": "float32"}


@pytest.fixture(scope="module")
def name(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_models.open_clip_checkpoint(tmp_path_factory.mktemp("models") / "clip")


def test_it_computes_what_open_clip_computes(name: str):
    import open_clip
    import torch

    architecture, checkpoint = name.split("@")
    model, _, preprocess = open_clip.create_model_and_transforms(architecture, checkpoint)
    model.eval()
    picture = Image.effect_noise((50, 40), 80).convert("RGB")
    with torch.inference_mode():
        seen = model.encode_image(preprocess(picture)[None], normalize=True).numpy()
        tokens = open_clip.get_tokenizer(architecture)(["a red kettle"])
        said = model.encode_text(tokens, normalize=True).numpy()
    encoder = OpenClipEncoder(name, **CPU)
    np.testing.assert_allclose(encoder.encode_images([picture]), seen, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(["a red kettle"]), said, atol=1e-5)
    assert encoder.from_query_vectors(encoder, said) is None


def test_the_fingerprint_does_not_know_the_folder(name: str, tmp_path: Path):
    architecture, checkpoint = name.split("@")
    moved = tmp_path / "tiny.safetensors"
    moved.write_bytes(Path(checkpoint).read_bytes())
    assert NamedModel(f"{architecture}@{moved}").fingerprint == NamedModel(name).fingerprint


def test_a_folder_of_open_clip_is_read(name: str, tmp_path: Path):
    import json

    folder = tmp_path / "mine"
    folder.mkdir()
    _, checkpoint = name.split("@")
    (folder / "open_clip_model.safetensors").write_bytes(Path(checkpoint).read_bytes())
    settings = json.loads(
        Path(checkpoint).with_name(f"{tiny_models.ARCHITECTURE}.json").read_text()
    )
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": settings}))
    vectors = OpenClipEncoder(f"local-dir:{folder}", **CPU).encode_texts(["banana"])
    np.testing.assert_allclose(vectors, OpenClipEncoder(name, **CPU).encode_texts(["banana"]))


@pytest.mark.parametrize("bad", ["ViT-B-32", "", "@weights.pt", "ViT-B-32/"])
def test_a_name_of_no_form_is_refused(bad: str):
    with pytest.raises(ModelError, match="names no OpenCLIP model"):
        NamedModel(bad)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(ModelError, match="did you mean 'ViT-B-32'"):
        _ = NamedModel("ViT-B32/openai").dimension
    with pytest.raises(ModelError, match="did you mean 'laion2b_s34b_b79k'"):
        _ = NamedModel("ViT-B-32/laion2b_s34b_b79").fingerprint


def test_checkpoints_that_cannot_be_read_are_told(name: str, tmp_path: Path):
    architecture, _ = name.split("@")
    with pytest.raises(ModelError, match="no checkpoint file"):
        _ = NamedModel(f"{architecture}@{tmp_path / 'none.pt'}").fingerprint
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"import os")
    with pytest.raises(ModelError, match="cannot load"):
        OpenClipEncoder(f"{architecture}@{broken}", **CPU).encode_texts(["banana"])


def test_a_known_name_needs_nothing_loaded():
    assert NamedModel("ViT-B-32/laion2b_s34b_b79k").dimension == 512


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "YCbCr", "HSV", "LAB"])
def test_other_modes_become_rgb(mode: str):
    red = Image.new("RGB", (8, 8), (200, 30, 30))
    image = red.convert("L").convert("LAB") if mode == "LAB" else red.convert(mode)
    converted = to_rgb(image)
    assert (converted.mode, converted.size) == ("RGB", (8, 8))
    if mode in {"P", "CMYK", "YCbCr", "HSV"}:
        np.testing.assert_allclose(np.asarray(converted)[0, 0], [200, 30, 30], atol=30)


def test_what_is_transparent_becomes_white():
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    grey = Image.new("LA", (4, 4), (0, 0))
    palette = Image.new("P", (4, 4), 0)
    palette.info["transparency"] = 0
    for image in (clear, grey, palette):
        assert to_rgb(image).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(("top", "expected"), [(65535, 255), (32768, 127)])
def test_16_bits_are_scaled_not_cut(top: int, expected: int):
    image = Image.fromarray(np.full((4, 4), top, np.uint16))
    assert abs(to_rgb(image).getpixel((0, 0))[0] - expected) <= 1


def test_fractions_are_scaled():
    image = Image.fromarray(np.full((4, 4), 0.5, np.float32))
    assert to_rgb(image).getpixel((0, 0)) == (127, 127, 127)


def test_a_picture_is_turned_upright():
    image = Image.new("RGB", (4, 2))
    image.getexif()[0x0112] = 6  # turned by a quarter
    assert to_rgb(image).size == (2, 4)


@pytest.mark.parametrize(("size", "expected"), [((100, 80), (100, 80)), ((1200, 600), (240, 120))])
def test_only_what_is_far_too_large_is_shrunk(size: tuple[int, int], expected: tuple[int, int]):
    assert shrink(Image.new("RGB", size), 60).size == expected
