"""How an index was built, kept beside what was built, and checked when it is opened."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmchat.errors import IndexMismatch
from mmchat.stores.words import PAIRS, WordSplitter

FORMAT_VERSION = 3


def now() -> str:
    """Return the time as a manifest holds it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class EncoderRecord:
    """Which encoder made the vectors of an index."""

    name: str
    """As the user named it in the settings."""
    fingerprint: str
    dimension: int


@dataclass(frozen=True, slots=True)
class VectorRecord:
    """Which kind of index the vectors of a space have."""

    kind: str = ""
    reason: str = ""
    """Why that kind was chosen."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What there is to know of a generation of an index without opening its files."""

    text_encoder: EncoderRecord
    image_encoder: EncoderRecord
    ingest: dict[str, Any]
    """The settings that shaped its chunks and pictures."""
    source: str = ""
    """The name of the folder that was indexed, without the path to it."""
    source_path: str = ""
    """Where that folder lies, seen from the index, so that both can move together; on another drive of
    Windows the whole path."""
    documents: int = 0
    chunks: int = 0
    pictures: int = 0
    errors: int = 0
    created: str = field(default_factory=now)
    text_vectors: VectorRecord = VectorRecord()
    image_vectors: VectorRecord = VectorRecord()
    format: int = FORMAT_VERSION

    def splitter(self) -> WordSplitter:
        """Return what makes words of its passages and of queries."""
        return WordSplitter(str(self.ingest.get("korean_words", PAIRS)))

    def write(self, path: Path) -> None:
        """Write the manifest as JSON that a person can read."""
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises:
            IndexMismatch: it is of another format version, or not a manifest at all.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            version = data.get("format")
        except (OSError, ValueError, AttributeError) as error:
            raise IndexMismatch(
                f"{path} cannot be read ({error}). The index is damaged: build it again with "
                "'mmchat index FOLDER --out INDEX --rebuild'."
            ) from error
        if version != FORMAT_VERSION:
            raise IndexMismatch(
                f"The index has format {version!r}; this version of mmchat reads format "
                f"{FORMAT_VERSION}. Build it again with "
                "'mmchat index FOLDER --out INDEX --rebuild'."
            )
        try:
            data["text_encoder"] = EncoderRecord(**data["text_encoder"])
            data["image_encoder"] = EncoderRecord(**data["image_encoder"])
            data["text_vectors"] = VectorRecord(**data["text_vectors"])
            data["image_vectors"] = VectorRecord(**data["image_vectors"])
            return cls(**data)
        except (TypeError, KeyError) as error:
            raise IndexMismatch(
                f"{path} lacks a field or has one too many ({error}). Build the index again with "
                "'mmchat index FOLDER --out INDEX --rebuild'."
            ) from error


def check_encoder(kind: str, recorded: EncoderRecord, got: EncoderRecord, folder: str) -> None:
    """Refuse to search vectors of one encoder with queries of another.

    Raises:
        IndexMismatch: fingerprint or dimension differ. The message names both encoders and the ways out.
    """
    if (recorded.fingerprint, recorded.dimension) == (got.fingerprint, got.dimension):
        return
    raise IndexMismatch(
        f"The index was built with the {kind} encoder '{recorded.name}' "
        f"({recorded.fingerprint}, {recorded.dimension} dimensions), but '{got.name}' "
        f"({got.fingerprint}, {got.dimension} dimensions) is set. Set encoders.{kind} to "
        f"'{recorded.name}', or build the index again with "
        f"'mmchat index {folder or 'FOLDER'} --out INDEX --rebuild'."
    )
