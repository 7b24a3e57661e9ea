"""Build the index of a corpus: rows of text that have ids of their own, as datasets have them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mmchat.app.encoders import Encoders, as_built
from mmchat.config import Config
from mmchat.errors import InputError
from mmchat.ingest.base import LoadedDocument, Section
from mmchat.ingest.chunking import chunk_document
from mmchat.models import ModelStore
from mmchat.stores.base import SourcePart
from mmchat.stores.manifest import Manifest
from mmchat.stores.writing import LocalWriter
from mmchat.types import Chunk, Document

if TYPE_CHECKING:
    from mmchat.models import Progress as DownloadProgress

_ROWS_AT_ONCE = 512


class CorpusRow(Protocol):
    """A document of a corpus."""

    @property
    def id(self) -> str:
        """What the document is called; it becomes its path."""
        ...

    @property
    def title(self) -> str:
        """What stands above its text; may be empty."""
        ...

    @property
    def text(self) -> str:
        """Its text."""
        ...


def build_corpus(
    rows: Iterable[CorpusRow],
    out: Path,
    *,
    config: Config,
    download_progress: DownloadProgress | None = None,
) -> int:
    """Index rows, each a document whose path is its id, and return how many there are.

    They are cut into chunks and encoded as the documents of a folder are.

    Raises:
        InputError: there is no row with text, or two have the same id.
        ModelError: an encoder cannot be had.
    """
    encoders = Encoders(as_built(config.encoders, out), ModelStore(progress=download_progress))
    text, image = encoders.records()
    manifest = Manifest(text, image, asdict(config.ingest), source=out.name)
    seen: set[str] = set()
    with LocalWriter(out, manifest, rebuild=True) as writer:
        waiting = iter(rows)
        while batch := list(islice(waiting, _ROWS_AT_ONCE)):
            parts = []
            for row in batch:
                if row.id in seen:
                    raise InputError(f"The corpus has two rows of the id '{row.id}'. Expected one.")
                seen.add(row.id)
                parts.append(_part(row, encoders, config))
            chunks = [chunk.context_text for part in parts for chunk in part.chunks]
            vectors = encoders.text.encode_passages(chunks)
            writer.add(parts, vectors, np.zeros((0, image.dimension), np.float32))
        if not writer.counts()["chunks"]:
            raise InputError("The corpus has no row with text.")
        writer.set_links([], {})
        writer.commit()
    return len(seen)


def chunks_of_row(row: CorpusRow, encoders: Encoders, config: Config) -> list[Chunk]:
    """Return the chunks of a row, as its index would have them."""
    return _loaded(row, encoders, config)[1]


def _part(row: CorpusRow, encoders: Encoders, config: Config) -> SourcePart:
    document, chunks = _loaded(row, encoders, config)
    content = f"{row.title}\0{row.text}".encode()
    return SourcePart(
        path=row.id,
        content_hash=hashlib.blake2b(content, digest_size=16).hexdigest(),
        documents=(document,),
        chunks=tuple(chunks),
    )


def _loaded(row: CorpusRow, encoders: Encoders, config: Config) -> tuple[Document, list[Chunk]]:
    document = Document(path=row.id, title=row.title or row.id, text=row.text)
    section = Section(0, len(row.text), (row.title,) if row.title else ())
    loaded = LoadedDocument(document, (section,))
    return document, chunk_document(loaded, encoders.text.token_spans, config.ingest)
