"""That the device and the number type of the settings reach what computes. No GPU is needed: where one would
be used, torch is told that there is one, and what would run on it is watched instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

from mmchat.app.encoders import Encoders
from mmchat.config import EncoderConfig
from mmchat.encoders import runtime
from mmchat.encoders.image import OpenClipEncoder, OpenClipParts
from mmchat.encoders.runtime import ensure_torchvision
from mmchat.encoders.text import SentenceEncoder
from mmchat.errors import ConfigError
from mmchat.models import ModelStore

CUDA, CPU, META = (torch.device(name) for name in ("cuda", "cpu", "meta"))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make torch say that it sees two GPUs, which compute in bfloat16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(runtime, "_may_have_gpu", lambda: True)


class Source:
    """A model that notes where it was loaded, and computes on the processor whatever it was told."""

    fingerprint, dimension, middle, unrelated = "noting-1", 3, None, -1.0

    def __init__(self) -> None:
        self.loaded: list[tuple[torch.device, torch.dtype]] = []
        self.seen: list[torch.dtype] = []

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        ensure_torchvision()
        from torchvision.transforms import Compose, Normalize, Resize, ToTensor

        self.loaded.append((device, dtype))
        cfg = {"mean": (0, 0, 0), "std": (1, 1, 1), "size": 8}
        steps = [Resize((8, 8)), ToTensor(), Normalize(cfg["mean"], cfg["std"])]
        return OpenClipParts(Model(self, cfg), Compose(steps), Moving, dtype)

    def encode_texts(self, texts: object) -> None:
        return None


class Moving(list):
    """Tokens that note where they are moved."""

    places: list[torch.device] = []  # noqa: RUF012 - the test empties it

    def to(self, device: torch.device) -> Moving:
        self.places.append(device)
        return self


class Model:
    def __init__(self, source: Source, cfg: dict[str, Any]) -> None:
        self.source = source
        self.visual = type("Visual", (), {"preprocess_cfg": cfg})

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        self.source.seen.append(pixels.dtype)
        return pixels.float().mean(dim=(2, 3)) + 1

    def encode_text(self, tokens: list[str]) -> torch.Tensor:
        return torch.ones(len(tokens), 3)


@pytest.mark.parametrize(
    ("device", "dtype", "expected"),
    [
        ("auto", "auto", (CUDA, torch.bfloat16)),
        ("auto", "float32", (CUDA, torch.float32)),
        ("cuda:1", "auto", (torch.device("cuda:1"), torch.bfloat16)),
        ("cpu", "bfloat16", (CPU, torch.bfloat16)),
        ("cpu", "float32", (CPU, torch.float32)),
    ],
)
def test_a_picture_model_is_loaded_where_the_settings_say(
    gpu: None, device: str, dtype: str, expected: tuple[torch.device, torch.dtype]
):
    source = Source()
    _ = OpenClipEncoder(source, device=device, dtype=dtype).parts
    assert source.loaded == [expected]


def test_pictures_and_tokens_go_where_the_model_is(monkeypatch: pytest.MonkeyPatch):
    moved: list[tuple[object, ...]] = []
    original = torch.Tensor.to

    def noting(self: torch.Tensor, *where: object, **how: object) -> torch.Tensor:
        moved.append(where)
        return original(self, *where, **how)

    monkeypatch.setattr(torch.Tensor, "to", noting)
    monkeypatch.setattr(Moving, "places", [])
    source = Source()
    encoder = OpenClipEncoder(source, device="cpu", dtype="bfloat16")
    vectors = encoder.encode_images([Image.new("RGB", (20, 20), "red")])
    assert (CPU, torch.bfloat16) in moved
    assert source.seen == [torch.bfloat16]
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    encoder.encode_texts(["a mug"])
    assert Moving.places == [CPU]


def test_open_clip_is_told_device_and_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    name = tiny_models.open_clip_checkpoint(tmp_path / "clip")
    import open_clip

    told: list[dict[str, Any]] = []
    original = open_clip.create_model_and_transforms

    def noting(*names: object, **how: Any) -> object:
        told.append(how)
        return original(*names, **{**how, "device": "cpu"})

    monkeypatch.setattr(open_clip, "create_model_and_transforms", noting)
    source = OpenClipEncoder(name).source
    source.load(CUDA, torch.bfloat16)
    assert source.load(CUDA, torch.float32).dtype == torch.float32
    assert [(how["device"], how["precision"]) for how in told] == [(CUDA, "bf16"), (CUDA, "fp32")]


@pytest.mark.parametrize(
    ("device", "dtype", "expected"),
    [
        ("auto", "auto", ("cuda", torch.bfloat16)),
        ("cuda:1", "float32", ("cuda:1", torch.float32)),
        ("cpu", "bfloat16", ("cpu", torch.bfloat16)),
    ],
)
def test_sentence_transformers_is_told_device_and_type(
    gpu: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    dtype: str,
    expected: tuple[str, torch.dtype],
):
    folder = tiny_models.sentence_folder(tmp_path / "tiny")
    ensure_torchvision()
    import sentence_transformers

    told: list[tuple[str, torch.dtype]] = []

    class Noting:
        def __init__(self, folder: str, *, device: str, model_kwargs: dict, **_: object) -> None:
            told.append((device, model_kwargs["dtype"]))

        def encode(self, texts: list[str], **_: object) -> torch.Tensor:
            return torch.ones(len(texts), 16, dtype=told[0][1])

    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", Noting)
    vectors = SentenceEncoder(folder, device=device, dtype=dtype).encode_queries(["a mug"])
    assert told == [expected], "ONNX Runtime is for float32 on a processor"
    assert vectors.dtype == np.float32


def test_on_a_processor_without_a_gpu_onnx_runtime_computes(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(runtime, "_may_have_gpu", lambda: False)
    encoder = SentenceEncoder(tiny_models.sentence_folder(tmp_path / "tiny"))
    encoder.encode_queries(["a mug"])
    assert encoder._model is None


def test_apples_gpu_is_taken_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert runtime.pick_device("auto") == torch.device("mps")
    assert runtime.pick_dtype("auto", torch.device("mps")) == torch.float32


def test_both_encoders_get_the_settings(tmp_path: Path):
    name = tiny_models.open_clip_checkpoint(tmp_path / "clip")
    folder = tiny_models.sentence_folder(tmp_path / "tiny")
    settings = EncoderConfig(str(folder), name, device="cpu", dtype="bfloat16", batch_size=3)
    encoders = Encoders(settings, ModelStore())
    for encoder in (encoders.text, encoders.image):
        placed = (encoder._device, encoder._dtype, encoder.batch_size)
        assert placed == ("cpu", "bfloat16", 3)
    assert encoders.image.parts.dtype == torch.bfloat16
    assert encoders.text.model.dtype == torch.bfloat16


def test_the_towers_of_mmchat_lite_are_not_parted(gpu: None, tmp_path: Path):
    from mmchat.encoders.lite import LiteModel

    text = SentenceEncoder(tiny_models.sentence_folder(tmp_path / "tiny"), device="cpu")
    heads = tiny_models.lite_heads(tmp_path / "heads.safetensors")
    lite = LiteModel(tiny_models.image_tower(tmp_path / "tower.pth"), text, heads=heads)
    with pytest.raises(ConfigError, match="Give both encoders the same device"):
        OpenClipEncoder(lite, device="cuda").encode_images([Image.new("RGB", (9, 9))])
