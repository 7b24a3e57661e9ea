"""Write a local index: a new generation beside the one in use.

    indexes/shop/
        CURRENT            the name of the generation that readers use
        lock, writer.json  who writes at present
        media/ thumbs/     pictures, named by the hash of their bytes, shared by generations
        g000007/           manifest.json catalog.sqlite text.* image.* errors.jsonl

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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock

from mmchat.errors import IndexLocked, StoreError
from mmchat.stores import catalog
from mmchat.stores.base import ChunkPlace, PicturePlace, Reference, SourcePart, Vectors
from mmchat.stores.findable import FindableWriter
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
from mmchat.stores.local import LocalReader
from mmchat.stores.manifest import Manifest
from mmchat.stores.vectors_writing import IMAGE_POLICY, TEXT_POLICY, VectorPolicy
from mmchat.types import FileProblem, Link


class LocalWriter:
    """The next generation of an index, unseen by readers until `commit`. Use it in a `with`.

    Args:
        folder: of the index; made where it is not there.
        manifest: how the new content is built. Where the current generation was built otherwise
            (encoders, chunking) nothing of it is kept.
        rebuild: keep nothing of the current generation in any case.
        text_policy: how the vectors of passages are indexed.
        image_policy: how those of pictures are.

    Raises:
        IndexLocked: another process is writing it.
        StoreError: the folder holds something else.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        rebuild: bool = False,
        text_policy: VectorPolicy = TEXT_POLICY,
        image_policy: VectorPolicy = IMAGE_POLICY,
    ) -> None:
        self.folder = folder
        refuse_foreign_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(folder / "lock", blocking=False)
        self._manifest = manifest
        self._rebuild = rebuild
        self._text_policy = text_policy
        self._image_policy = image_policy

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
        self._findable = FindableWriter(
            self.generation,
            self._catalog,
            self._manifest,
            text_policy=self._text_policy,
            image_policy=self._image_policy,
        )
        self._known = catalog.known_files(self._catalog)
        self.starts_empty = previous is None
        self._begun: set[str] = set()
        self._committed = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._catalog.close()
        self._findable.close()
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

    def add(self, parts: Sequence[SourcePart], text: Vectors, images: Vectors) -> None:
        """Add parts of files, the first replacing the file; see `mmchat.stores.base.Writer`."""
        chunk_rows: list[int] = []
        picture_rows: list[int] = []
        for part in parts:
            if part.path not in self._begun:
                self.remove(part.path)
                self._begun.add(part.path)
            chunks, pictures = catalog.insert_part(self._catalog, part)
            self._findable.add_words(part, chunks)
            chunk_rows += chunks
            picture_rows += pictures
        self._findable.add_vectors(chunk_rows, text, picture_rows, images)

    def add_problem(self, problem: FileProblem) -> None:
        """Note that a file could not be read; what the store held of it is removed."""
        self.remove(problem.document)
        self._catalog.execute(
            "INSERT INTO problems (path, content_hash, reason) VALUES (?, ?, ?)",
            (problem.document, problem.content_hash, problem.reason),
        )

    def remove(self, path: str) -> None:
        """Remove a file and everything that was made of it."""
        if path not in self._known and path not in self._begun:
            return
        self._begun.discard(path)
        self._findable.remove(*catalog.delete_file(self._catalog, path))

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
        text_vectors, image_vectors = self._findable.finish()
        self._manifest = replace(
            self._manifest,
            text_vectors=text_vectors,
            image_vectors=image_vectors,
            documents=counts["documents"],
            chunks=counts["chunks"],
            pictures=counts["pictures"],
            errors=counts["errors"],
        )
        with (self.generation / "errors.jsonl").open("w", encoding="utf-8") as errors:
            for problem in self.problems():
                errors.write(json.dumps(asdict(problem), ensure_ascii=False) + "\n")
        self._catalog.commit()
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
            for path in (
                previous / CATALOG,
                *previous.glob(f"{TEXT}.*"),
                *previous.glob(f"{IMAGE}.*"),
            ):
                shutil.copyfile(path, generation / path.name)
        return generation

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
