"""A real index, assistant and desk over a few small documents, with small encoders and no generator."""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from support import ColoursEncoder, WordsEncoder

import mmchat
from mmchat.app import building
from mmchat.app import index as opening
from mmchat.config import AnswerConfig, Config, SessionsConfig, TagsConfig, WebConfig
from mmchat.ingest.reading import DirectReading
from mmchat.stores.manifest import EncoderRecord
from mmchat.tags.tagger import Tagger

DOCUMENTS = {
    "returns.md": "# Returns\n\nYou may return things within thirty days.\n",
    "warranty.md": "# Warranty\n\nThe warranty of a kettle lasts 24 months.\n",
    "prices.csv": "sku,name,price\nA1,Kettle,30\nB2,Toaster,40\n",
}


class SmallEncoders:
    """Stands for `mmchat.app.encoders.Encoders`."""

    def __init__(self, *_: object) -> None:
        self.text, self.image = WordsEncoder(), ColoursEncoder()

    def tagger(self, config: TagsConfig) -> Tagger:
        return Tagger(self.image, config)

    def records(self) -> tuple[EncoderRecord, EncoderRecord]:
        return (
            EncoderRecord("words", self.text.fingerprint, self.text.dimension),
            EncoderRecord("colours", self.image.fingerprint, self.image.dimension),
        )


@contextlib.contextmanager
def small_shop(folder: Path) -> Iterator[mmchat.Desk]:
    """Give a desk whose index is `folder/index`, built from `folder/documents`."""
    built = Path(_built().name)
    for name in ("documents", "index"):
        shutil.copytree(built / name, folder / name)
    config = _config(folder)
    with _small():
        index = mmchat.open_index(folder / "index", config=config)
        with mmchat.Assistant(index) as assistant, mmchat.Desk(assistant) as desk:
            yield desk


@functools.cache
def _built() -> tempfile.TemporaryDirectory[str]:
    """Build the index once; every shop is a copy of it."""
    kept = tempfile.TemporaryDirectory()
    documents = Path(kept.name) / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text, encoding="utf-8")
    Image.new("RGB", (200, 120), "firebrick").save(documents / "kettle.png")
    with _small():
        mmchat.build_index(documents, Path(kept.name) / "index", config=Config())
    return kept


@contextlib.contextmanager
def _small() -> Iterator[None]:
    """Put the small encoders in place of the models, and read files in this process."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (building, opening):
            patched.setattr(module, "Encoders", SmallEncoders)
        patched.setattr(building, "ProcessReading", DirectReading)
        yield


def _config(folder: Path) -> Config:
    return Config(
        answers=AnswerConfig(generator="none"),
        sessions=SessionsConfig(database=str(folder / "conversations.sqlite")),
        web=WebConfig(company="Hearth & Home", port=0),
    )
