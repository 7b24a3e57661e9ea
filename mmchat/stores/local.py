"""A local index, open for searching: FAISS for vectors, SQLite (FTS5 for the words) for the rest."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from mmchat.errors import IndexMismatch
from mmchat.stores import catalog
from mmchat.stores.base import Scored, Vectors
from mmchat.stores.layout import CATALOG, IMAGE, MANIFEST, TEXT, current_generation
from mmchat.stores.manifest import Manifest
from mmchat.stores.vectors import damaged, read_vectors, search_vectors
from mmchat.types import Chunk, Document, FileProblem, Picture


def read_manifest(folder: Path) -> Manifest:
    """Return how the index in `folder` was built."""
    return Manifest.read(current_generation(folder) / MANIFEST)


class LocalReader:
    """A finished generation, open for searching. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generation = current_generation(folder)
        self.manifest = Manifest.read(self.generation / MANIFEST)
        self._text = read_vectors(self.generation / TEXT)
        self._images = read_vectors(self.generation / IMAGE)
        self._local = threading.local()
        try:
            catalog.check(self._connection)
            self._hidden = catalog.hidden_pictures(self._connection)
        except sqlite3.DatabaseError as error:
            raise IndexMismatch(damaged(self.generation / CATALOG)) from error

    @property
    def is_current(self) -> bool:
        """Whether no newer generation has been swapped in since this one was opened."""
        return current_generation(self.folder) == self.generation

    def search_text(self, vector: Vectors, k: int) -> list[Scored]:
        """Return the `k` chunks nearest to a text vector of shape (dimension,), best first."""
        return self._nearest(self._text, "chunks", vector, k)

    def search_images(self, vector: Vectors, k: int) -> list[Scored]:
        """Return the `k` pictures nearest to a vector of the image space, without duplicates."""
        return self._nearest(self._images, "pictures", vector, k, self._hidden)

    def search_words(self, text: str, k: int) -> list[Scored]:
        """Return the `k` chunks that match the words of `text` best (BM25), best first."""
        return catalog.search_words(self._connection, text, k)

    def chunks(self, ids: Sequence[str]) -> Mapping[str, Chunk]:
        """Return the chunks of these ids."""
        return catalog.select_chunks(self._connection, ids)

    def pictures(self, ids: Sequence[str]) -> Mapping[str, Picture]:
        """Return the pictures of these ids."""
        return catalog.select_pictures(self._connection, ids)

    def pictures_of(self, chunk_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return chunk id to the ids of its pictures, the nearest first."""
        return catalog.linked(self._connection, "picture", "chunk", chunk_ids)

    def chunks_of(self, picture_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return picture id to the ids of its chunks, the nearest first."""
        return catalog.linked(self._connection, "chunk", "picture", picture_ids)

    def titles(self, paths: Sequence[str]) -> Mapping[str, str]:
        """Return path to title of these documents."""
        return catalog.select_titles(self._connection, paths)

    def document(self, path: str) -> Document | None:
        """Return the document of that path, or None."""
        return catalog.select_document(self._connection, path)

    def problems(self) -> list[FileProblem]:
        """Return the files that could not be indexed."""
        return catalog.problems(self._connection)

    def file(self, relative: str) -> Path:
        """Return the full path of a picture that the index keeps."""
        return self.folder / relative

    def _nearest(
        self, index: Any, table: str, vector: Vectors, k: int, hidden: Set[int] = frozenset()
    ) -> list[Scored]:
        if index.ntotal == 0:
            return []
        scores, rows = search_vectors(index, vector, min(k, index.ntotal), hidden)
        found = [
            (int(row), float(s)) for row, s in zip(rows[0], scores[0], strict=True) if row >= 0
        ]
        items = catalog.items_of_rows(self._connection, table, [row for row, _ in found])
        return [Scored(items[row], score) for row, score in found if row in items]

    @property
    def _connection(self) -> sqlite3.Connection:
        # SQLite serialises the calls on one connection: a connection for each thread does not wait.
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = catalog.connect_readonly(self.generation / CATALOG)
            self._local.connection = connection
        return connection
