"""Tuning the real models, and what an index makes of the result. What was gained is in docs/figures.md."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import SAMPLE_SHOP

import mmchat
from mmchat.app import Training
from mmchat.encoders.text import SentenceEncoder
from mmchat.errors import IndexMismatch
from mmchat.models import ModelStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    """Return questions about the sample shop that only its headings tell apart, with the passages below."""
    found = []
    for page in sorted((SAMPLE_SHOP / "products").glob("*.md")):
        sections = re.findall(r"^## (.+)\n\n(.+)", page.read_text(), re.M)
        found += [(f"{page.stem} {head}", text) for head, text in sections if "|" not in text]
    return found[:48]


@pytest.fixture(scope="module")
def tuned(
    models: ModelStore, pairs: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    table = folder / "pairs.tsv"
    table.write_text(
        "\n".join(["question\tpassage", *("\t".join(pair) for pair in pairs)]), encoding="utf-8"
    )
    report = mmchat.tune_text(
        table, out=folder / "model", config=mmchat.Config(), training=Training(epochs=2), keep=True
    )
    assert report.kept == folder / "model"
    assert report.trained + report.judged == len(pairs)
    return folder / "model"


def found_first(encoder: SentenceEncoder, pairs: list[tuple[str, str]]) -> float:
    questions = encoder.encode_queries([question for question, _ in pairs])
    passages = encoder.encode_passages([passage for _, passage in pairs])
    return float(((questions @ passages.T).argmax(axis=1) == np.arange(len(pairs))).mean())


def test_it_learns_what_it_is_taught(models: ModelStore, tuned: Path, pairs: list[tuple[str, str]]):
    base = SentenceEncoder(models.pull("multilingual-e5-small"))
    model = SentenceEncoder(tuned)
    assert found_first(model, pairs) > found_first(base, pairs)
    assert tuple(model.prompts) == ("query: ", "passage: ")
    assert (model.dimension, model._onnx is not None) == (384, True)


def test_an_index_is_built_with_it_and_pins_it(tuned: Path, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kettle.md").write_text("# Kettle\n\nDescale it with citric acid.\n")
    config = mmchat.load_config(None, {"encoders.text": str(tuned)})
    mmchat.build_index(tmp_path / "folder", tmp_path / "index", config=config)
    index = mmchat.open_index(tmp_path / "index", config=mmchat.Config())
    assert index.manifest.text_encoder.fingerprint == SentenceEncoder(tuned).fingerprint
    assert index.search("물때를 어떻게 없애나요?")[0].document == "kettle.md"
    other = mmchat.load_config(None, {"encoders.text": "multilingual-e5-small"})
    with pytest.raises(IndexMismatch, match="text encoder"):
        mmchat.open_index(tmp_path / "index", config=other)


def test_a_head_for_photos_is_used_by_an_index(models: ModelStore, tmp_path: Path):
    photos = tmp_path / "photos"
    for picture in sorted((SAMPLE_SHOP / "pictures").glob("*.webp"))[:12]:
        (photos / picture.stem).mkdir(parents=True)
        with Image.open(picture) as image:
            for number in range(3):
                turned = image.convert("RGB").rotate(number * 8, fillcolor="white")
                turned.save(photos / picture.stem / f"{number}.jpg")
    report = mmchat.tune_photos(photos, out=tmp_path / "head", config=mmchat.Config(), keep=True)
    assert (report.trained, report.judged, report.among) == (36, 36, 12)
    config = mmchat.load_config(None, {"encoders.image": f"mmchat-lite@{tmp_path / 'head'}"})
    mmchat.build_index(photos, tmp_path / "index", config=config)
    index = mmchat.open_index(tmp_path / "index", config=mmchat.Config())
    assert index.manifest.image_encoder.fingerprint.startswith("mmchat-lite@head-")
    asked = next(photos.glob("blender/1.jpg"))
    hits = index.search(image=asked, where={"kind": "picture"})
    assert hits[0].document == f"{asked.parent.name}/1.jpg"
    assert {hit.document.split("/")[0] for hit in hits[:3]} == {asked.parent.name}
