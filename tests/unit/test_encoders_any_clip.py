"""Any OpenCLIP model through one code path: from the hub, by published weights, from a file or folder.

The architectures are open_clip's own, small and random; the network is the only thing that is replaced.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from numpy.typing import NDArray
from PIL import Image

from mmchat.encoders.image import NamedModel, OpenClipEncoder
from mmchat.encoders.runtime import ensure_torchvision
from mmchat.errors import ModelError

CPU = {"device": "cpu", "dtype": "float32"}
HUB_ID = "somebody/tiny"
# CLIP as OpenAI made it, and a model in the manner of SigLIP: an image tower of timm, a text tower of its own
# that sees a whole text, and pictures that are squashed to -1 … 1.
PLAIN = {"embed_dim": 24, **tiny_models.SIZES}
SIGLIP = {
    "embed_dim": 24,
    "custom_text": True,
    "init_logit_bias": -10,
    "vision_cfg": {
        "image_size": 160,
        "timm_model_name": "test_vit",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
    },
    "text_cfg": {**tiny_models.SIZES["text_cfg"], "no_causal_mask": True, "pool_type": "last"},
}
SQUASHED = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "squash",
}
FAMILIES = {"clip": (PLAIN, {}), "siglip": (SIGLIP, SQUASHED)}


def write_model(folder: Path, family: str, *, seed: int = 0) -> Path:
    """Write a model as a repository of the hub holds it, with random weights."""
    ensure_torchvision()
    import open_clip
    from safetensors.torch import save_file

    settings, preprocessing = FAMILIES[family]
    folder.mkdir(parents=True)
    content = {"model_cfg": settings, "preprocess_cfg": preprocessing}
    (folder / "open_clip_config.json").write_text(json.dumps(content), encoding="utf-8")
    torch.manual_seed(seed)
    kind = open_clip.CustomTextCLIP if settings.get("custom_text") else open_clip.CLIP
    made = {name: value for name, value in settings.items() if name != "custom_text"}
    weights = {k: v.clone() for k, v in kind(**made).state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("hub") / "tiny", request.param)


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Stand in for the hub: it gives the files of `folder`, and notes what it was asked for."""
    ensure_torchvision()
    import open_clip.pretrained

    asked: list[tuple[str, str]] = []

    def download(repo_id: str, filename: str, **_: object) -> str:
        asked.append((repo_id, filename))
        if repo_id != HUB_ID or not (folder / filename).is_file():
            raise FileNotFoundError(filename)
        return str(folder / filename)

    monkeypatch.setattr(open_clip.pretrained, "hf_hub_download", download)
    return asked


def pictures() -> list[Image.Image]:
    noise = np.random.default_rng(0)
    # None is so large that mmchat would first average it down, which open_clip does not.
    sizes = [(60, 50), (200, 40), (30, 63)]
    return [
        Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in sizes
    ]


def as_open_clip_does(folder: Path) -> tuple[NDArray, NDArray]:
    """Return the vectors of the pictures and of some words by open_clip's own three lines."""
    import open_clip

    name = f"local-dir:{folder}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    with torch.inference_mode():
        pixels = torch.stack([preprocess(picture) for picture in pictures()])
        seen = model.encode_image(pixels, normalize=True)
        said = model.encode_text(open_clip.get_tokenizer(name)(["a red mug"]), normalize=True)
    return seen.numpy(), said.numpy()


def test_a_model_of_the_hub(folder: Path, hub: list[tuple[str, str]]):
    encoder = OpenClipEncoder(f"hf-hub:{HUB_ID}", **CPU)
    assert encoder.dimension == 24
    seen, said = as_open_clip_does(folder)
    np.testing.assert_allclose(encoder.encode_images(pictures()), seen, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(["a red mug"]), said, atol=1e-5)
    assert encoder.fingerprint.startswith(f"hf-hub:{HUB_ID}-")
    assert {repo for repo, _ in hub} == {HUB_ID}


def test_a_model_that_the_hub_does_not_have_is_told(hub: list[tuple[str, str]]):
    with pytest.raises(ModelError, match="cannot load hf-hub:nobody/nothing"):
        _ = OpenClipEncoder("hf-hub:nobody/nothing", **CPU).fingerprint
    assert ("nobody/nothing", "open_clip_config.json") in hub


def test_the_same_from_the_hub_and_from_a_folder(folder: Path, hub: list[tuple[str, str]]):
    local = OpenClipEncoder(f"local-dir:{folder}", **CPU)
    distant = OpenClipEncoder(f"hf-hub:{HUB_ID}", **CPU)
    np.testing.assert_array_equal(
        local.encode_images(pictures()), distant.encode_images(pictures())
    )


def test_rows_have_length_one_and_do_not_depend_on_the_batch(folder: Path):
    encoder = OpenClipEncoder(f"local-dir:{folder}", batch_size=2, **CPU)
    together = encoder.encode_images(pictures())
    assert together.shape == (3, encoder.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(encoder.encode_images(pictures()), together)
    alone = np.concatenate([encoder.encode_images([picture]) for picture in pictures()])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    words = ["a red mug", "", "banana " * 50]
    one_by_one = np.concatenate([encoder.encode_texts([word]) for word in words])
    np.testing.assert_allclose(encoder.encode_texts(words), one_by_one, atol=1e-5)


def test_the_fingerprint_knows_weights_and_preprocessing(tmp_path: Path):
    first = write_model(tmp_path / "a", "clip")
    marks = {NamedModel(f"local-dir:{first}").fingerprint.rpartition("-")[2]}
    for name, seed, preprocessing in (("b", 1, {}), ("c", 0, SQUASHED)):
        folder = write_model(tmp_path / name, "clip", seed=seed)
        content = {"model_cfg": PLAIN, "preprocess_cfg": preprocessing}
        (folder / "open_clip_config.json").write_text(json.dumps(content))
        marks.add(NamedModel(f"local-dir:{folder}").fingerprint.rpartition("-")[2])
    assert len(marks) == 3


def test_published_weights_bring_their_preprocessing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name = tiny_models.open_clip_checkpoint(tmp_path / "clip")
    import open_clip.pretrained

    architecture, checkpoint = name.split("@")
    tag = {"file": checkpoint, "mean": (0.1, 0.2, 0.3), "std": (0.9, 0.8, 0.7)}
    published = open_clip.pretrained._PRETRAINED
    monkeypatch.setitem(published, architecture, {"small": {**tag, "interpolation": "bilinear"}})
    encoder = OpenClipEncoder(f"{architecture}/small", **CPU)
    settings = encoder.parts.model.visual.preprocess_cfg
    assert (settings["mean"], settings["std"]) == (tag["mean"], tag["std"])
    with torch.inference_mode():
        pixels = torch.stack([encoder.parts.preprocess(picture) for picture in pictures()])
        expected = encoder.parts.model.encode_image(pixels, normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode_images(pictures()), expected, atol=1e-5)
    plain = OpenClipEncoder(name, **CPU)
    assert np.abs(plain.encode_images(pictures()) - expected).max() > 1e-3
    words = ["a red mug"]
    np.testing.assert_allclose(encoder.encode_texts(words), plain.encode_texts(words), atol=1e-6)
