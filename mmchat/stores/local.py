"""A local index, open for searching: FAISS for vectors, SQLite for the rest."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmchat.conditions import Filter
from mmchat.errors import IndexMismatch
from mmchat.stores import catalog, listing, tagging
from mmchat.stores.base import Naming, Scored, Vectors
from mmchat.stores.facts import ItemTable, Rows, matching_rows
from mmchat.stores.layout import CATALOG, IMAGE, MANIFEST, TEXT, current_generation
from mmchat.stores.manifest import Manifest
from mmchat.stores.postings import WordsReader
from mmchat.stores.vectors import FEW, VectorFiles, VectorReader, damaged
from mmchat.types import Chunk, Document, FileProblem, Picture

_FILTERS_KEPT = 16
"""Filters whose rows are remembered: who pages through results asks with the same one again."""


def read_manifest(folder: Path) -> Manifest:
    """Return how the index in `folder` was built."""
    return Manifest.read(current_generation(folder) / MANIFEST)


class LocalReader:
    """A finished generation, open for searching. Safe to use from several threads."""

    def __init__(self, folder: Path, *, few: int = FEW) -> None:
        """Open the current generation.

        Args:
            folder: of the index.
            few: vectors that are fetched one by one where a filter leaves no more.

        Raises:
            IndexNotFound: there is no index in `folder`.
            IndexMismatch: it is damaged, or of another version of mmchat.
            MissingExtra: its words need a package that is not installed.
        """
        self.folder = folder
        self.generation = current_generation(folder)
        self.manifest = Manifest.read(self.generation / MANIFEST)
        self._text, self._images = (
            VectorReader(VectorFiles.of(self.generation, name), encoder.dimension, few=few)
            for name, encoder in (
                (TEXT, self.manifest.text_encoder),
                (IMAGE, self.manifest.image_encoder),
            )
        )
        self._splitter = self.manifest.splitter()
        self._local = threading.local()
        self._filters: OrderedDict[tuple[ItemTable, str], Rows] = OrderedDict()
        self._filters_lock = threading.Lock()
        try:
            catalog.check(self._connection)
            self._words = WordsReader(self._connection)
            shown = catalog.shown_pictures(self._connection)
        except sqlite3.DatabaseError as error:
            raise IndexMismatch(damaged(self.generation / CATALOG)) from error
        self._shown: Rows | None = None if shown is None else np.array(shown, dtype=np.int64)

    @property
    def is_current(self) -> bool:
        """Whether no newer generation has been swapped in since this one was opened."""
        return current_generation(self.folder) == self.generation

    @property
    def has_pictures(self) -> bool:
        """Whether there is any picture to find."""
        return self._images.count > 0

    def search_text(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        """Return the `k` chunks nearest to a text vector of shape (dimension,), best first."""
        found = self._text.search(vector, k, self._open_to("chunks", where))
        return self._scored("chunks", found)

    def search_images(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        """Return the `k` pictures nearest to a vector of the image space, without duplicates."""
        found = self._images.search(vector, k, self._open_to("pictures", where))
        return self._scored("pictures", found)

    def search_words(self, text: str, k: int, where: Filter | None = None) -> list[Scored]:
        """Return the `k` chunks that match the words of `text` best (BM25), best first."""
        rows = self._open_to("chunks", where)
        found = self._words.search(self._connection, self._splitter.query(text), k, rows)
        return self._scored("chunks", found)

    def matched_words(self, text: str, chunk_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return chunk id to the words of `text` that the chunk has, as they are written in `text`."""
        chunks = self.chunks(chunk_ids)
        return {i: self._splitter.matched(text, c.context_text) for i, c in chunks.items()}

    @property
    def words_per_chunk(self) -> float:
        """Words in a chunk, on average, as BM25 counts them."""
        return self._words.mean_words

    def sample(self, most: int) -> Sequence[str]:
        """Return the texts of up to `most` chunks, spread over all."""
        return catalog.sample_chunks(self._connection, most)

    def text_vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, Vectors]:
        """Return chunk id to its vector, as far as they are there."""
        return self._vectors("chunks", self._text, chunk_ids)

    def image_vectors(self, picture_ids: Sequence[str]) -> Mapping[str, Vectors]:
        """Return picture id to its vector, as far as they are there."""
        return self._vectors("pictures", self._images, picture_ids)

    def passing(self, items: Sequence[str], where: Filter) -> set[str]:
        """Return those of these chunks and pictures that a filter lets through."""
        tables: tuple[ItemTable, ...] = ("chunks", "pictures")
        passed: set[str] = set()
        for table in tables:
            rows = catalog.rows_of_items(self._connection, table, items)
            if rows:
                allowed = np.isin(list(rows.values()), self._rows_of(table, where))
                passed.update(item for item, lets in zip(rows, allowed, strict=True) if lets)
        return passed

    def item_ids(self, table: ItemTable) -> list[str]:
        """Return the ids of all `chunks` or `pictures`, in the order in which they came."""
        return catalog.item_ids(self._connection, table)

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

    def documents(
        self, words: str = "", *, limit: int, offset: int = 0
    ) -> tuple[list[listing.ListedDocument], int]:
        """Return documents with all these words in path or title, by path, and how many there are in all."""
        return listing.list_documents(self._connection, words, limit=limit, offset=offset)

    def knows(self, path: str) -> bool:
        """Tell whether a file of that path is indexed, or has a problem."""
        return listing.knows(self._connection, path)

    def documents_in(self, folder: str) -> list[Document]:
        """Return the documents below a folder, by path."""
        return listing.documents_in(self._connection, folder)

    def naming(self) -> Naming | None:
        """Return what the pictures were named by; None where there were no names."""
        return tagging.read_naming(self._connection)

    def problems(self) -> list[FileProblem]:
        """Return the files that could not be indexed."""
        return catalog.problems(self._connection)

    def file(self, relative: str) -> Path:
        """Return the full path of a picture that the index keeps."""
        return self.folder / relative

    def _open_to(self, table: ItemTable, where: Filter | None) -> Rows | None:
        """Return the rows that may be found, ascending; None where all may."""
        rows = None if where is None else self._rows_of(table, where)
        if table == "chunks" or self._shown is None:
            return rows
        return self._shown if rows is None else np.intersect1d(rows, self._shown)

    def _rows_of(self, table: ItemTable, where: Filter) -> Rows:
        # Its text tells 1 from True, which are equal as values.
        key = (table, repr(where))
        with self._filters_lock:
            if key in self._filters:
                self._filters.move_to_end(key)
                return self._filters[key]
        rows = matching_rows(self._connection, table, where)
        with self._filters_lock:
            self._filters[key] = rows
            if len(self._filters) > _FILTERS_KEPT:
                self._filters.popitem(last=False)
        return rows

    def _vectors(
        self, table: ItemTable, vectors: VectorReader, ids: Sequence[str]
    ) -> dict[str, Vectors]:
        rows = catalog.rows_of_items(self._connection, table, ids)
        ordered = sorted(rows, key=rows.__getitem__)
        found = vectors.vectors(np.array([rows[item] for item in ordered], dtype=np.int64))
        return dict(zip(ordered, found, strict=True))

    def _scored(self, table: ItemTable, found: Sequence[tuple[int, float]]) -> list[Scored]:
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
