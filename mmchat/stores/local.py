"""An index in a folder: vectors in FAISS, everything else in SQLite.

    indexes/shop/
        CURRENT            the name of the generation that readers use
        lock, writer.json  who writes at present
        media/ thumbs/     pictures, named by the hash of their bytes, shared by generations
        g000007/           manifest.json catalog.sqlite text.faiss image.faiss errors.jsonl

A writer copies the current generation, changes the copy, flushes it to disk and then replaces
CURRENT, which is one atomic rename. Killed at any moment it leaves the old generation or the new one,
and a half-made folder that the next writer removes. The generation before the current one is kept, so
that a reader who opened it can go on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import faiss
import filelock
import numpy as np

from mmchat.errors import IndexLocked, IndexMismatch, StoreError
from mmchat.stores import catalog
from mmchat.stores.base import ChunkPlace, PicturePlace, Reference, Scored, SourceFile, Vectors
from mmchat.stores.layout import (
    CATALOG,
    GENERATION,
    IMAGE,
    MANIFEST,
    MEDIA,
    POINTER,
    TEXT,
    current_generation,
    flush,
    note_writer,
    refuse_foreign_folder,
    who_writes,
)
from mmchat.stores.manifest import Manifest
from mmchat.types import Chunk, Document, FileProblem, Link, Picture


def read_manifest(folder: Path) -> Manifest:
    """Return how the index in `folder` was built."""
    return Manifest.read(current_generation(folder) / MANIFEST)


class LocalReader:
    """A finished generation, open for searching. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generation = current_generation(folder)
        self.manifest = Manifest.read(self.generation / MANIFEST)
        self._text = _read_vectors(self.generation / TEXT)
        self._images = _read_vectors(self.generation / IMAGE)
        self._local = threading.local()
        try:
            catalog.check(self._connection)
        except sqlite3.DatabaseError as error:
            raise IndexMismatch(_damaged(self.generation / CATALOG)) from error

    @property
    def is_current(self) -> bool:
        """Whether no newer generation has been swapped in since this one was opened."""
        return current_generation(self.folder) == self.generation

    def search_text(self, vector: Vectors, k: int) -> list[Scored]:
        """Return the `k` chunks nearest to a text vector of shape (dimension,), best first."""
        return self._nearest(self._text, "chunks", vector, k)

    def search_images(self, vector: Vectors, k: int) -> list[Scored]:
        """Return the `k` pictures nearest to a vector of the image space, best first."""
        return self._nearest(self._images, "pictures", vector, k)

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

    def _nearest(self, index: Any, table: str, vector: Vectors, k: int) -> list[Scored]:
        if index.ntotal == 0:
            return []
        scores, rows = index.search(vector[None, :], min(k, index.ntotal))
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


class LocalWriter:
    """The next generation of an index, unseen by readers until `commit`. Use it in a `with`.

    Args:
        folder: of the index; made where it is not there.
        manifest: how the new content is built. Where the current generation was built otherwise
            (encoders, chunking) nothing of it is kept.
        rebuild: keep nothing of the current generation in any case.

    Raises:
        IndexLocked: another process is writing it.
        StoreError: the folder holds something else.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, rebuild: bool = False) -> None:
        self.folder = folder
        refuse_foreign_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(folder / "lock", blocking=False)
        self._manifest = manifest
        self._rebuild = rebuild

    def __enter__(self) -> Self:
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise IndexLocked(who_writes(self.folder)) from None
        try:
            self._begin()
        except BaseException:
            self._lock.release()
            raise
        return self

    def _begin(self) -> None:
        note_writer(self.folder)
        previous = self._previous()
        self.generation = self._make_generation(previous)
        self._catalog = catalog.connect_writable(self.generation / CATALOG)
        self._text = self._open_vectors(TEXT, self._manifest.text_encoder.dimension)
        self._images = self._open_vectors(IMAGE, self._manifest.image_encoder.dimension)
        self._known = catalog.known_files(self._catalog)
        self.starts_empty = previous is None
        self._committed = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._catalog.close()
        if not self._committed:
            shutil.rmtree(self.generation, ignore_errors=True)
            # A first build that failed leaves nothing behind, not even an empty folder of an index.
            if not (self.folder / POINTER).exists():
                self._sweep_pictures(needed=set())
        (self.folder / "writer.json").unlink(missing_ok=True)
        self._lock.release()
        if not (self.folder / POINTER).exists():
            (self.folder / "lock").unlink(missing_ok=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()

    @property
    def known(self) -> Mapping[str, str]:
        """Path to content hash of each file that the store holds, or holds a problem of."""
        return self._known

    def put_media(self, content: bytes, suffix: str, *, thumb: bool = False) -> str:
        """Keep the bytes of a picture; return their name relative to the index.

        The name is the hash of the bytes: the same picture is kept once, nothing that a reader uses is
        ever overwritten, and no file name from outside reaches the disk.
        """
        name = hashlib.blake2b(content, digest_size=12).hexdigest() + suffix
        relative = Path("thumbs" if thumb else "media") / name
        target = self.folder / relative
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            partial = target.with_name(f"{name}.partial")
            partial.write_bytes(content)
            flush(partial)
            partial.replace(target)
        return relative.as_posix()

    def add(self, files: Sequence[SourceFile], text: Vectors, images: Vectors) -> None:
        """Add files, replacing those of the same path; see `mmchat.stores.base.Writer`."""
        chunk_rows: list[int] = []
        picture_rows: list[int] = []
        for file in files:
            self.remove(file.path)
            chunks, pictures = catalog.insert_file(self._catalog, file)
            chunk_rows += chunks
            picture_rows += pictures
        if chunk_rows:
            self._text.add_with_ids(text, np.array(chunk_rows, dtype=np.int64))
        if picture_rows:
            self._images.add_with_ids(images, np.array(picture_rows, dtype=np.int64))

    def add_problem(self, problem: FileProblem) -> None:
        """Note that a file could not be read; what the store held of it is removed."""
        self.remove(problem.document)
        self._catalog.execute(
            "INSERT INTO problems (path, content_hash, reason) VALUES (?, ?, ?)",
            (problem.document, problem.content_hash, problem.reason),
        )

    def remove(self, path: str) -> None:
        """Remove a file and everything that was made of it."""
        if path not in self._known:
            return
        chunks, pictures = catalog.delete_file(self._catalog, path)
        for index, rows in ((self._text, chunks), (self._images, pictures)):
            if rows:
                index.remove_ids(np.array(rows, dtype=np.int64))

    def places(self) -> tuple[list[ChunkPlace], list[PicturePlace], list[Reference]]:
        """Return what linking needs to know of everything in the store."""
        return catalog.places(self._catalog)

    def set_links(self, links: Iterable[Link], captions: Mapping[str, str]) -> None:
        """Replace all links, and give the named pictures captions."""
        catalog.replace_links(self._catalog, links, captions)

    def problems(self) -> list[FileProblem]:
        """Return the files that could not be indexed, in this run and in those before it."""
        return catalog.problems(self._catalog)

    def counts(self) -> dict[str, int]:
        """Return how many documents, chunks, pictures and errors the new generation has."""
        return catalog.counts(self._catalog)

    def commit(self) -> None:
        """Make this generation the one that readers see."""
        counts = self.counts()
        self._manifest = replace(
            self._manifest,
            documents=counts["documents"],
            chunks=counts["chunks"],
            pictures=counts["pictures"],
            errors=counts["errors"],
        )
        with (self.generation / "errors.jsonl").open("w", encoding="utf-8") as errors:
            for problem in self.problems():
                errors.write(json.dumps(asdict(problem), ensure_ascii=False) + "\n")
        self._catalog.commit()
        faiss.write_index(self._text, str(self.generation / TEXT))
        faiss.write_index(self._images, str(self.generation / IMAGE))
        self._manifest.write(self.generation / MANIFEST)
        for path in (*self.generation.iterdir(), self.generation):
            flush(path)
        replaced = self._in_use()
        pointer = self.folder / f"{POINTER}.partial"
        pointer.write_text(self.generation.name + "\n", encoding="utf-8")
        flush(pointer)
        pointer.replace(self.folder / POINTER)
        flush(self.folder)
        self._committed = True
        self._sweep(kept={self.generation, replaced})

    def _in_use(self) -> Path | None:
        try:
            return current_generation(self.folder)
        except StoreError:
            return None

    def _previous(self) -> Path | None:
        """Return the current generation where its content can be kept."""
        if self._rebuild:
            return None
        try:
            reader = LocalReader(self.folder)
        except StoreError:
            return None  # damaged, or of another version: it is built anew
        same = all(
            getattr(reader.manifest, name) == getattr(self._manifest, name)
            for name in ("text_encoder", "image_encoder", "ingest")
        )
        return reader.generation if same else None

    def _make_generation(self, previous: Path | None) -> Path:
        numbers = [int(m[1]) for p in self.folder.iterdir() if (m := GENERATION.fullmatch(p.name))]
        generation = self.folder / f"g{max(numbers, default=0) + 1:06d}"
        generation.mkdir()
        if previous is not None:
            for name in (CATALOG, TEXT, IMAGE):
                shutil.copyfile(previous / name, generation / name)
        return generation

    def _open_vectors(self, name: str, dimension: int) -> Any:
        path = self.generation / name
        if path.exists():
            return _read_vectors(path)
        return faiss.IndexIDMap2(
            faiss.IndexScalarQuantizer(
                dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )
        )

    def _sweep(self, kept: set[Path | None]) -> None:
        """Remove generations but the new one and the one that it replaced, and unneeded pictures."""
        needed: set[str] = set()
        for generation in [p for p in self.folder.iterdir() if GENERATION.fullmatch(p.name)]:
            if generation not in kept:
                shutil.rmtree(generation, ignore_errors=True)
                continue
            connection = catalog.connect_readonly(generation / CATALOG)
            needed |= catalog.media_names(connection)
            connection.close()
        self._sweep_pictures(needed)

    def _sweep_pictures(self, needed: set[str]) -> None:
        for name in ("media", "thumbs"):
            for path in (self.folder / name).glob("*"):
                if MEDIA.fullmatch(path.name) and f"{name}/{path.name}" not in needed:
                    path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (self.folder / name).rmdir()  # only where it is empty


def _read_vectors(path: Path) -> Any:
    try:
        return faiss.read_index(str(path))
    except RuntimeError as error:
        raise IndexMismatch(_damaged(path)) from error


def _damaged(path: Path) -> str:
    return (
        f"{path} is missing or damaged. Copy the whole index again, or build it with "
        "'mmchat index FOLDER --out INDEX --rebuild'."
    )
