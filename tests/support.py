"""Small honest stand-ins for the encoders, and where real data is."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from mmchat.config import ColumnsConfig, Config, IngestConfig, RetrievalConfig
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath
from mmchat.ingest.loading import load_file
from mmchat.ingest.pipeline import Pipeline
from mmchat.retrieval.retriever import Retriever
from mmchat.stores.base import Vectors
from mmchat.stores.local import LocalReader
from mmchat.stores.manifest import EncoderRecord, Manifest
from mmchat.stores.writing import LocalWriter
from mmchat.types import IndexReport

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
SAMPLE_SHOP = ROOT / "mmchat" / "sample_shop"


def whole(
    source: SourcePath, config: IngestConfig, columns: ColumnsConfig | None = None
) -> LoadedPart:
    """Read a file to its end, and put its parts together."""
    parts = list(load_file(source, LoadContext(config, columns=columns or ColumnsConfig())))
    return LoadedPart(
        tuple(document for part in parts for document in part.documents),
        tuple(picture for part in parts for picture in part.pictures),
        tuple(note for part in parts for note in part.notes),
    )


def sections(loaded: LoadedPart) -> dict[str, str]:
    """Return the last name of each breadcrumb to the text below it."""
    found: dict[str, str] = {}
    for document in loaded.documents:
        for section in document.sections:
            text = document.document.text[section.start : section.end].strip()
            key = section.breadcrumb[-1]
            found[key] = f"{found[key]}\n{text}" if key in found else text
    return found


def drawing(colour: str, size: tuple[int, int] = (200, 120)) -> io.BytesIO:
    """Return the file of a picture that is of one colour all over, but not blank."""
    buffer = io.BytesIO()
    image = Image.new("RGB", size, colour)
    image.paste("black", (size[0] // 8, size[1] // 8, size[0] // 3, size[1] // 3))
    image.save(buffer, "PNG")
    buffer.seek(0)
    return buffer


class WordsEncoder:
    """A text encoder that does the same thing, smaller: a hashed bag of words, of length one."""

    fingerprint = "words-1"
    dimension = 256
    max_tokens = 512

    def __init__(self) -> None:
        self.encoded: list[str] = []
        """Every passage that was encoded, in order."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return self.encode_queries(texts)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]

    def letters_per_token(self, text: str) -> float:
        return sum(c.isalpha() for c in text) / max(1, len(self.token_spans(text)))

    def _vector(self, text: str) -> Vectors:
        vector = np.full(self.dimension, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
            vector[int.from_bytes(digest, "big") % self.dimension] += 1
        return vector / np.linalg.norm(vector)


class ColoursEncoder:
    """An image encoder that knows colours: pictures by their mean colour, words by colour names."""

    fingerprint = "colours-1"
    dimension = 4
    unrelated = -1.0
    names: ClassVar = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "white": (1, 1, 1)}

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        if not images:
            return np.zeros((0, self.dimension), np.float32)
        means = [
            np.asarray(image.convert("RGB"), np.float32).mean((0, 1)) / 255 for image in images
        ]
        return self._unit(means)

    def encode_image_queries(self, images: Sequence[Image.Image]) -> Vectors:
        return self.encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._unit([self._colour(text) for text in texts])

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> None:
        return None

    def _colour(self, text: str) -> np.ndarray:
        named = [
            self.names[word] for word in re.findall(r"\w+", text.lower()) if word in self.names
        ]
        return np.mean(named, axis=0) if named else np.zeros(3)

    def _unit(self, colours: Sequence[np.ndarray]) -> Vectors:
        rows = np.column_stack([np.stack(colours), np.full(len(colours), 1e-2)]).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class ThingsEncoder(ColoursEncoder):
    """An image encoder that knows what has a colour: a red picture is nearest to the word kettle."""

    fingerprint = "things-1"
    dimension = 64
    things: ClassVar = {"red": "kettle", "green": "toaster", "blue": "냉장고"}

    def __init__(self) -> None:
        self.asked: list[str] = []
        """Every text that was encoded, in order."""

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        colours = super().encode_images(images)[:, :3]
        names = [self.things[("red", "green", "blue")[int(row.argmax())]] for row in colours]
        sure = [float(row.max()) > 0.8 for row in colours]
        shown = [self._hashed(n if s else "grey") for n, s in zip(names, sure, strict=True)]
        return np.stack(shown) if shown else np.zeros((0, self.dimension), np.float32)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.stack([self._hashed(text) for text in texts])

    def _hashed(self, text: str) -> Vectors:
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
        vector = np.random.default_rng(seed).normal(size=self.dimension).astype(np.float32)
        return vector / np.linalg.norm(vector)


class SmallIndex:
    """Builds and searches an index with the small encoders."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = WordsEncoder()
        self.images = ColoursEncoder()
        self.ingest = IngestConfig()

    def manifest(self) -> Manifest:
        return Manifest(
            EncoderRecord("words", self.text.fingerprint, self.text.dimension),
            EncoderRecord("colours", self.images.fingerprint, self.images.dimension),
            asdict(self.ingest),
        )

    def writer(self, *, rebuild: bool = False) -> LocalWriter:
        return LocalWriter(self.path, self.manifest(), rebuild=rebuild)

    def build(self, folder: Path, *, rebuild: bool = False) -> IndexReport:
        with self.writer(rebuild=rebuild) as writer:
            pipeline = Pipeline(self.text, self.images, self.ingest)
            return pipeline.run(folder, writer, leave_out=self.path)

    def reader(self) -> LocalReader:
        return LocalReader(self.path)

    def retriever(self, config: RetrievalConfig | None = None) -> Retriever:
        return Retriever(self.reader(), self.text, self.images, config or Config().retrieval)
