"""Text by ONNX Runtime: that it computes what sentence-transformers computes, and what it leaves to it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from safetensors.torch import load_file, save_file

import mmchat
import mmchat.errors
from mmchat.encoders import onnx_text, runtime
from mmchat.encoders.bert_graph import BertGraph, Unsupported
from mmchat.encoders.tensors import map_tensors
from mmchat.encoders.text import SentenceEncoder

CPU = {"device": "cpu", "dtype": "float32"}
TEXTS = [
    "a red kettle",
    "",
    "  How do I\nreturn it? ",
    "milk " * 200,
    "환불은 어떻게 하나요? naïve 🙂",
    *(f"banana {number} " * (number % 9) for number in range(70)),
]


def reference(folder: Path, texts: list[str]) -> np.ndarray:
    """Return what sentence-transformers computes."""
    runtime.ensure_torchvision()
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    return model.encode(texts, normalize_embeddings=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.sentence_folder(tmp_path_factory.mktemp("models") / "tiny", layers=3)


@pytest.mark.parametrize("family", ["Bert", "Roberta", "XLMRoberta", "Camembert"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_it_computes_what_sentence_transformers_computes(family: str, pooling: str, tmp_path: Path):
    folder = tiny_models.sentence_folder(
        tmp_path / "tiny", family=family, layers=2, pooling=pooling
    )
    encoder = SentenceEncoder(folder, **CPU)
    vectors = encoder.encode_passages(TEXTS)
    assert encoder._model is None, "sentence-transformers should not have been asked"
    np.testing.assert_allclose(vectors, reference(folder, TEXTS), atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_of_any_width_are_read(folder: Path, dtype: torch.dtype, tmp_path: Path):
    copy = copied(folder, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    save_file({k: v.to(dtype) for k, v in weights.items()}, copy / "model.safetensors")
    vectors = SentenceEncoder(copy, **CPU).encode_queries(TEXTS)
    np.testing.assert_allclose(vectors, reference(copy, TEXTS), atol=1e-5)


def test_weights_under_a_prefix_are_found(folder: Path, tmp_path: Path):
    copy = copied(folder, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    save_file({f"bert.{k}": v for k, v in weights.items()}, copy / "model.safetensors")
    before = SentenceEncoder(folder, **CPU).encode_queries(TEXTS)
    np.testing.assert_array_equal(SentenceEncoder(copy, **CPU).encode_queries(TEXTS), before)


def test_several_threads_get_what_one_gets(folder: Path):
    encoder = SentenceEncoder(folder, **CPU)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(encoder.encode_queries, [TEXTS[i : i + 9] for i in range(64)]))
    for place, vectors in enumerate(together):
        alone = encoder.encode_queries(TEXTS[place : place + 9])
        np.testing.assert_allclose(vectors, alone, atol=1e-5)


@pytest.mark.parametrize("cores", [1, 3, 64])
def test_vectors_do_not_depend_on_the_cores(
    cores: int, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    before = SentenceEncoder(folder, **CPU).encode_queries(TEXTS)
    monkeypatch.setattr(onnx_text, "_cores", lambda: cores)
    vectors = SentenceEncoder(folder, **CPU).encode_queries(TEXTS)
    np.testing.assert_allclose(vectors, before, atol=1e-5)


def test_batches_hold_every_text_once_and_stay_small():
    lengths = np.random.default_rng(0).integers(2, 513, 500).tolist()
    batches = list(onnx_text._batches(lengths, 32, workers=2))
    assert sorted(place for batch in batches for place in batch) == list(range(500))
    for batch in batches:
        padded = len(batch) * max(lengths[place] for place in batch)
        assert len(batch) == 1 or padded <= 512
        assert len(batch) <= 32


def copied(folder: Path, to: Path, **settings: object) -> Path:
    """Copy a model with other values in its config.json."""
    import shutil

    shutil.copytree(folder, to)
    config = json.loads((to / "config.json").read_text()) | settings
    (to / "config.json").write_text(json.dumps(config))
    return to


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"model_type": "mpnet"}, "model_type is 'mpnet'"),
        ({"position_embedding_type": "relative_key"}, "not absolute"),
        ({"is_decoder": True}, "is a decoder"),
        ({"embedding_size": 8}, "not as wide"),
        ({"num_hidden_layers": 4}, "no weight encoder.layer.3"),
    ],
)
def test_other_models_are_refused_with_a_reason(
    settings: dict[str, object], reason: str, folder: Path
):
    config = json.loads((folder / "config.json").read_text()) | settings
    with pytest.raises(Unsupported, match=reason):
        BertGraph(config, map_tensors(folder / "model.safetensors"))


def test_what_it_cannot_compute_is_left_to_sentence_transformers(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    relu = copied(folder, tmp_path / "relu", hidden_act="relu")
    maximum = tiny_models.sentence_folder(tmp_path / "max", pooling="max")
    with caplog.at_level(logging.INFO, "mmchat"):
        for other, reason in ((relu, "hidden_act is 'relu'"), (maximum, "by max")):
            vectors = SentenceEncoder(other, **CPU).encode_queries(TEXTS[:6])
            np.testing.assert_allclose(vectors, reference(other, TEXTS[:6]), atol=1e-5)
            assert reason in caplog.text


def test_bfloat16_is_left_to_sentence_transformers_and_agrees(folder: Path):
    encoder = SentenceEncoder(folder, device="cpu", dtype="bfloat16")
    vectors = encoder.encode_queries(TEXTS[:6])
    assert encoder._onnx is None
    exact = SentenceEncoder(folder, **CPU).encode_queries(TEXTS[:6])
    np.testing.assert_allclose(vectors, exact, atol=0.05)


@pytest.mark.parametrize("kept", [0, 4, 300, -64])
def test_a_damaged_file_of_weights_is_no_model(kept: int, folder: Path, tmp_path: Path):
    copy = copied(folder, tmp_path / "copy")
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    assert SentenceEncoder(copy, **CPU)._onnx is None
    with pytest.raises(mmchat.errors.ModelError, match="cannot load"):
        SentenceEncoder(copy, **CPU).encode_queries(["banana"])


def test_mapped_arrays_are_those_of_the_file(tmp_path: Path):
    arrays = {
        "half": torch.randn(3, 5).half(),
        "brain": torch.randn(4).bfloat16(),
        "full": torch.randn(2, 2, 2),
        "ids": torch.arange(3),
    }
    save_file(arrays, tmp_path / "arrays.safetensors")
    mapped = map_tensors(tmp_path / "arrays.safetensors")
    assert set(mapped) == {"half", "brain", "full"}
    for name, array in mapped.items():
        np.testing.assert_array_equal(array.astype(np.float32), arrays[name].float().numpy())


def test_a_question_needs_no_torch(folder: Path):
    code = (
        "import sys; from mmchat.encoders.text import SentenceEncoder;"
        f"SentenceEncoder({str(folder)!r}, device='cpu').encode_queries(['banana']);"
        "print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(mmchat.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize(
    ("torch_version", "device_there", "expected"),
    [("2.13.0+cpu", True, True), ("2.13.0", False, True), ("2.13.0+cu130", True, None)],
)
def test_torch_is_asked_for_a_gpu_only_where_one_may_be(
    torch_version: str, device_there: bool, expected: bool | None, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    monkeypatch.setattr(runtime, "version", lambda _: torch_version)
    monkeypatch.setattr(Path, "exists", lambda _: device_there)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(
        runtime, "pick_device", lambda wanted: asked.append(wanted) or torch.device("cuda")
    )
    assert runtime.runs_on_cpu("auto") is bool(expected)
    assert asked == ([] if expected else ["auto"])
    assert runtime.runs_on_cpu("cpu")
