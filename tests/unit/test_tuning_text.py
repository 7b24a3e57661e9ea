"""Tuning a text encoder: what is kept, going on after an interruption, and the same from the same seed.

The models are tiny and random; whether tuning helps a real one, docs/figures.md tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_models
from support import WordsEncoder

import mmchat
from mmchat.app import Training, tune_text
from mmchat.encoders.text import SentenceEncoder
from mmchat.errors import InputError, MissingExtra, ModelError
from mmchat.tuning.pairs import Asked, Pairs, Passage, gather
from mmchat.tuning.text import Models, judge, tune_pairs
from mmchat.tuning.training import Base, TrainingPair, train

PROMPTS = ("query: ", "passage: ")
QUICK = Training(epochs=2, batch_size=8, learning_rate=1e-3)
PAIRS = [TrainingPair(f"what of {n}?", f"{n} is the answer to {n}") for n in range(40)]


class Steps:
    """Notes how far training is, and may end it as a person would."""

    def __init__(self, stop_after: int = 10_000) -> None:
        self.stop_after = stop_after
        self.started: list[tuple[str, int]] = []
        self.done = 0

    def start(self, description: str, total: int, /) -> None:
        self.started.append((description, total))
        self.done = 0

    def advance(self, count: int, /) -> None:
        self.done += count
        if self.started[-1][0] == "Training" and self.done >= self.stop_after:
            raise KeyboardInterrupt

    def finish(self) -> None:
        pass


class Blind(WordsEncoder):
    """An encoder for which all texts are alike, but for their length."""

    prompts = PROMPTS
    fingerprint = "blind-1"

    def _vector(self, text: str) -> np.ndarray:
        vector = np.zeros(self.dimension, np.float32)
        vector[len(text) % self.dimension] = 1
        return vector


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.sentence_folder(tmp_path_factory.mktemp("tuning") / "tiny", layers=2)


@pytest.fixture(scope="module")
def base(folder: Path) -> Base:
    def load():
        return SentenceEncoder(folder, device="cpu", dtype="float32").model

    return Base(load, "tiny-1", PROMPTS)


def trained(base: Base, place: Path, training: Training = QUICK, pairs=PAIRS) -> Path:
    out = place / "model"
    train(base, pairs, out, work=place / "work", training=training, progress=Steps())
    return out


@pytest.fixture(scope="module")
def tuned(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(base, tmp_path_factory.mktemp("tuned"))


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def test_the_result_is_a_folder_of_sentence_transformers_with_its_prompts(tuned: Path):
    encoder = SentenceEncoder(tuned, device="cpu")
    assert tuple(encoder.prompts) == PROMPTS
    assert encoder.pooling == "mean"
    assert encoder._onnx is not None, "ONNX Runtime computes it, as it does the base model"
    texts = ["what of 3?", "3 is the answer to 3"]
    got = encoder.encode_queries(texts)
    expected = encoder.model.encode(texts, prompt=PROMPTS[0], normalize_embeddings=True)
    np.testing.assert_allclose(got, expected, atol=1e-2)


def test_the_table_of_tokens_and_the_lower_layers_stay(folder: Path, tuned: Path):
    before, after = weights(folder), weights(tuned)
    changed = {
        name
        for name, weight in after.items()
        if not np.allclose(weight, before[name].astype(np.float16))
    }
    assert changed
    assert all(name.startswith("encoder.layer.1.") for name in changed)
    assert set(after) == set(before), "no weights that the base model has not"


def test_the_same_seed_gives_the_same_model(base: Base, tuned: Path, tmp_path: Path):
    again = trained(base, tmp_path)
    assert SentenceEncoder(again).fingerprint == SentenceEncoder(tuned).fingerprint
    other = trained(base, tmp_path / "other", Training(2, 1, 1e-3, 8))
    assert SentenceEncoder(other).fingerprint != SentenceEncoder(tuned).fingerprint


def test_interrupted_it_goes_on_and_ends_as_if_nothing_had_been(
    base: Base, tuned: Path, tmp_path: Path
):
    out, work = tmp_path / "model", tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        train(base, PAIRS, out, work=work, training=QUICK, progress=Steps(stop_after=7))
    assert not out.exists()
    # As a kill in the middle of writing leaves it.
    (work / "checkpoint-99").mkdir()
    steps = Steps()
    train(base, PAIRS, out, work=work, training=QUICK, progress=steps)
    assert steps.done == 10, "the bar begins where training does"
    assert SentenceEncoder(out).fingerprint == SentenceEncoder(tuned).fingerprint


def test_checkpoints_of_another_training_are_not_gone_on_with(
    base: Base, tuned: Path, tmp_path: Path
):
    with pytest.raises(KeyboardInterrupt):
        train(
            base,
            PAIRS[:30],
            tmp_path / "model",
            work=tmp_path / "work",
            training=QUICK,
            progress=Steps(stop_after=5),
        )
    assert SentenceEncoder(trained(base, tmp_path)).fingerprint == (
        SentenceEncoder(tuned).fingerprint
    )


def test_a_model_of_another_kind_is_told(tmp_path: Path):
    import torch

    def load():
        return SimpleNamespace(transformers_model=torch.nn.Linear(2, 2))

    with pytest.raises(ModelError, match="is a Linear; expected a kin of BERT"):
        trained(Base(load, "linear", PROMPTS), tmp_path)


def test_missing_libraries_are_told_before_anything_else(monkeypatch: pytest.MonkeyPatch, tmp_path):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="pip install accelerate datasets"):
        tune_pairs(many(), models(Blind()), tmp_path / "out", **HOW)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"epochs": 0}, "epochs = 0"), ({"share": 2.0}, "share"), ({"batch_size": -1}, "batch_size")],
)
def test_settings_that_cannot_be_are_refused(wrong: dict, said: str):
    with pytest.raises(InputError, match=said):
        Training(**wrong)


HOW = {"training": Training(epochs=1, batch_size=8), "keep": False, "progress": Steps()}


def many() -> Pairs:
    asked = [Asked(f"Where is thing{n} kept?", {f"p{n}": 1}) for n in range(40)]
    return gather(asked, [Passage(f"p{n}", f"thing{n} is in room {n * 7}") for n in range(40)])


def models(becomes: WordsEncoder, base: Base | None = None) -> Models:
    return Models(Blind(), base.load if base else lambda: None, lambda folder: becomes)


def test_what_became_better_is_kept(base: Base, tmp_path: Path):
    report = tune_pairs(many(), models(WordsEncoder(), base), tmp_path / "out", **HOW)
    assert report.is_better
    assert report.kept == tmp_path / "out"
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing else is left behind"
    assert (report.trained, report.judged, report.among) == (30, 10, 40)
    record = json.loads((tmp_path / "out" / "tuning.json").read_text())
    assert record["measures"]["ndcg@10"]["tuned"] == 1.0
    assert record["base"] == "blind-1"
    assert SentenceEncoder(tmp_path / "out").dimension == 16


def test_what_did_not_become_better_is_not_kept_unless_asked(base: Base, tmp_path: Path):
    report = tune_pairs(many(), models(Blind(), base), tmp_path / "out", **HOW)
    assert not report.is_better
    assert report.kept is None
    assert not list(tmp_path.iterdir())
    assert report.values()["kept"] is None
    report = tune_pairs(many(), models(Blind(), base), tmp_path / "out", **{**HOW, "keep": True})
    assert (report.kept, report.is_better) == (tmp_path / "out", False)


class Reading(Blind):
    """Finds a document by the one of its passages that has the words of the question."""

    def _vector(self, text: str) -> np.ndarray:
        return WordsEncoder._vector(self, " ".join(re.findall(r"[a-z]+\d+", text)))


def test_a_document_is_as_near_as_the_nearest_of_its_passages():
    from mmchat.tuning.pairs import split

    asked = [Asked(f"thing{n}?", {f"d{n}": 1}) for n in range(40)]
    passages = [Passage(f"d{n}", text) for n in range(40) for text in ("other0", f"thing{n}")]
    parts = split(gather(asked, passages), seed=0)
    values = judge(Reading(), parts, Steps())
    assert values["hit@1"].tolist() == [1.0] * len(parts.held_out)
    assert values["ndcg@10"].shape == (len(parts.held_out),)


def test_of_several_passages_the_nearest_is_trained_on(base: Base, tmp_path: Path):
    seen: list[str] = []

    asked = [Asked(f"thing{n}?", {f"d{n}": 1}) for n in range(40)]
    passages = [
        Passage(f"d{n}", text) for n in range(40) for text in ("an aside", f"thing{n} is here")
    ]

    def load():
        model = base.load()
        original = model.preprocess

        def noting(texts: Sequence[str], **how: object) -> object:
            seen.extend(texts)
            return original(texts, **how)

        model.preprocess = noting
        return model

    tune_pairs(
        gather(asked, passages),
        Models(Reading(), load, lambda folder: Reading()),
        tmp_path / "out",
        **HOW,
    )
    assert any("is here" in text for text in seen)
    assert not any("aside" in text for text in seen)


def test_from_a_file_to_a_model_that_an_index_takes(folder: Path, tmp_path: Path):
    rows = ["question,answer", *(f"where is mug {n}?,mug {n} is in room {n}" for n in range(40))]
    (tmp_path / "pairs.csv").write_text("\n".join(rows), encoding="utf-8")
    config = mmchat.load_config(None, {"encoders.text": str(folder), "encoders.device": "cpu"})
    out = tmp_path / "models" / "mine"
    report = tune_text(tmp_path / "pairs.csv", out=out, config=config, training=QUICK, keep=True)
    assert report.kept == out
    assert report.base == SentenceEncoder(folder).fingerprint
    assert SentenceEncoder(out).encode_queries(["mug 3"]).shape == (1, 16)
    with pytest.raises(InputError, match="is there already"):
        tune_text(tmp_path / "pairs.csv", out=out, config=config)


def test_an_unknown_base_model_is_told(tmp_path: Path):
    (tmp_path / "pairs.csv").write_text("question,answer\nwhy?,because\n")
    config = mmchat.load_config(None, {"encoders.text": str(tmp_path / "gone")})
    with pytest.raises(ModelError, match="There is no folder"):
        tune_text(tmp_path / "pairs.csv", out=tmp_path / "out", config=config)
