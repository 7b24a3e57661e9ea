"""Write a local index: a new generation beside the one in use.

    indexes/shop/
        CURRENT            the name of the generation that readers use
        lock, writer.json  who writes at present
        media/ thumbs/     pictures, named by the hash of their bytes, shared by generations
        originals/         files that were added by hand, likewise
        g000007/           manifest.json catalog.sqlite text.faiss image.faiss errors.jsonl amendments.json

The first change copies the current generation; the writer changes the copy, flushes it to disk and then
replaces CURRENT, which is one atomic rename. Killed at any moment it leaves the old generation or the
new one, and a half-made folder that the next writer removes. The generation before the current one is
kept, so that a reader who opened it can go on. Where nothing changes, nothing is copied.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import filelock

from mmchat.config import IngestConfig
from mmchat.errors import IndexLocked, StoreError
from mmchat.stores import catalog, removal, tagging
from mmchat.stores.amending import (
    keep_original,
    read_amendments,
    sweep_originals,
    write_amendments,
)
from mmchat.stores.base import Amendments, SourcePart, Vectors
from mmchat.stores.findable import FindableWriter
from mmchat.stores.layout import (
    CATALOG,
    IMAGE,
    MANIFEST,
    MEDIA,
    POINTER,
    TEXT,
    current_generation,
    flush,
    generations,
    keep_file,
    note_writer,
    refuse_foreign_folder,
    who_writes,
)
from mmchat.stores.local import LocalReader
from mmchat.stores.manifest import Manifest
from mmchat.stores.places import Places, places
from mmchat.stores.vectors_writing import IMAGE_POLICY, TEXT_POLICY, VectorPolicy
from mmchat.types import FileProblem, Link


class LocalWriter:
    """The next generation of an index, unseen by readers until `commit`. Use it in a `with`.

    Args:
        folder: of the index; made where it is not there.
        manifest: how the new content is built. Where the current generation was built otherwise
            (encoders, chunking) nothing of it is kept but what was added and deleted by hand.
        rebuild: keep nothing else of the current generation in any case.
        text_policy: how the vectors of passages are indexed.
        image_policy: how those of pictures are.

    Raises:
        IndexLocked: another process is writing it.
        StoreError: the folder holds something else, or the disk is full.
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
        self._policies = text_policy, image_policy
        self._generation: Path | None = None
        self._findable: FindableWriter | None = None
        self._begun: set[str] = set()

    def __enter__(self) -> Self:
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise IndexLocked(who_writes(self.folder)) from None
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._catalog.close()
        if self._findable is not None:
            self._findable.close()
        self._close()
        if isinstance(error, sqlite3.Error):
            raise StoreError(
                f"The index {self.folder} cannot be written ({error}). Its old content is as it was. "
                "Check the disk's space and run the command again."
            ) from error

    def _open(self) -> None:
        note_writer(self.folder)
        self._in_use = self._current()
        self._amendments = read_amendments(self._in_use) if self._in_use else Amendments()
        self._sweep_unfinished()
        built = self._built_alike()
        self._kept = self._in_use if built else None
        self.starts_empty = built is None
        self._known: dict[str, str] = {}
        if built is None or self._kept is None:
            self._begin()
            return
        self._catalog = catalog.connect_readonly(self._kept / CATALOG)
        self._known = catalog.known_files(self._catalog)
        if built.ingest != self._manifest.ingest:
            # Another limit: what was refused may be taken now.
            self._known |= {problem.document: "" for problem in self.problems()}
        if built.source_path != self._manifest.source_path:
            self._begin()

    def _begin(self) -> FindableWriter:
        """Make the new generation: before the first change, and not where none comes."""
        if self._findable is not None:
            return self._findable
        number = max(generations(self.folder), default=0) + 1
        self._generation = self.folder / f"g{number:06d}"
        self._generation.mkdir()
        if self._kept is not None:
            self._catalog.close()
            for name in (CATALOG, f"{TEXT}.*", f"{IMAGE}.*"):
                for path in self._kept.glob(name):
                    shutil.copyfile(path, self._generation / path.name)
        self._catalog = catalog.connect_writable(self._generation / CATALOG)
        text_policy, image_policy = self._policies
        self._findable = FindableWriter(
            self._generation,
            self._catalog,
            self._manifest,
            text_policy=text_policy,
            image_policy=image_policy,
        )
        return self._findable

    def _close(self) -> None:
        if self._generation is not None and self._current() != self._generation:
            shutil.rmtree(self._generation, ignore_errors=True)
            # A first build that failed leaves nothing behind, not even an empty folder of an index.
            if not (self.folder / POINTER).exists():
                self._sweep_pictures(needed=set())
                sweep_originals(self.folder, [])
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

    @property
    def amendments(self) -> Amendments:
        """What was added and deleted by hand."""
        return self._amendments

    def amend(self, amendments: Amendments) -> None:
        """Replace what was added and deleted by hand."""
        self._begin()
        self._amendments = amendments

    def put_original(self, path: Path) -> str:
        """Keep a copy of a file from elsewhere; return its name relative to the index."""
        self._begin()
        return keep_original(self.folder, path)

    def file(self, relative: str) -> Path:
        """Return the full path of a file that the index keeps."""
        return self.folder / relative

    def put_media(self, content: bytes, suffix: str, *, thumb: bool = False) -> str:
        """Keep the bytes of a picture; return their name relative to the index.

        The name is the hash of the bytes: the same picture is kept once, nothing that a reader uses is
        ever overwritten, and no file name from outside reaches the disk.
        """
        self._begin()
        name = hashlib.blake2b(content, digest_size=12).hexdigest() + suffix
        relative = Path("thumbs" if thumb else "media") / name
        keep_file(self.folder / relative, content)
        return relative.as_posix()

    def add(self, parts: Sequence[SourcePart], text: Vectors, images: Vectors) -> None:
        """Add parts of files, the first replacing the file; see `mmchat.stores.base.Writer`."""
        findable = self._begin()
        chunk_rows: list[int] = []
        picture_rows: list[int] = []
        for part in parts:
            if part.path not in self._begun:
                self.remove(part.path)
                self._begun.add(part.path)
            chunks, pictures = catalog.insert_part(self._catalog, part)
            findable.add_words(part, chunks)
            chunk_rows += chunks
            picture_rows += pictures
        findable.add_vectors(chunk_rows, text, picture_rows, images)

    def add_problem(self, problem: FileProblem, *, keep: bool = False) -> None:
        """Note that a file could not be read; see `mmchat.stores.base.Writer`."""
        self._begin()
        if not keep or problem.document in self._begun:
            self.remove(problem.document)
        self._catalog.execute(
            "INSERT OR REPLACE INTO problems (path, content_hash, reason) VALUES (?, ?, ?)",
            (problem.document, problem.content_hash, problem.reason),
        )

    def remove(self, path: str) -> None:
        """Remove a file and everything that was made of it."""
        if path not in self._known and path not in self._begun:
            return
        findable = self._begin()
        self._begun.discard(path)
        self._known.pop(path, None)
        findable.remove(*removal.delete_file(self._catalog, path))

    def documents_of(self, path: str) -> list[str]:
        """Return the paths of the documents that were made of a file."""
        return removal.documents_of(self._catalog, path)

    def remove_document(self, path: str) -> None:
        """Remove a document, which may be one of many of its file."""
        findable = self._begin()
        findable.remove(*removal.delete_document(self._catalog, path))

    def places(self, most: int) -> Places:
        """Return what linking needs to know of everything in the store."""
        return places(self._catalog, most)

    def set_links(self, links: Iterable[Link], captions: Mapping[str, str]) -> None:
        """Replace all links, and give the named pictures captions."""
        self._begin()
        catalog.replace_links(self._catalog, links, captions)

    @property
    def tag_mark(self) -> str:
        """How the tags that are held were made; empty where they are out of date."""
        return tagging.read_mark(self._catalog)

    def tag_store(self) -> tagging.LocalTags:
        """Return what keeps the tags of pictures."""
        findable = self._begin()
        return tagging.LocalTags(self._catalog, findable.images)

    def set_duplicates(self, duplicates: Mapping[str, str]) -> None:
        """Replace what is known of duplicates."""
        self._begin()
        catalog.replace_duplicates(self._catalog, duplicates)

    def problems(self) -> list[FileProblem]:
        """Return the files that could not be indexed, in this run and in those before it."""
        return catalog.problems(self._catalog)

    def counts(self) -> dict[str, int]:
        """Return how many items the new generation has, see `mmchat.stores.base.Writer`."""
        return catalog.counts(self._catalog)

    def commit(self) -> None:
        """Make the new generation the one that readers see, where anything was changed."""
        if self._generation is None or self._findable is None:
            return
        self._write_files(self._generation, self._findable)
        for path in (*self._generation.iterdir(), self._generation):
            flush(path)
        pointer = self.folder / f"{POINTER}.partial"
        pointer.write_text(self._generation.name + "\n", encoding="utf-8")
        flush(pointer)
        pointer.replace(self.folder / POINTER)
        flush(self.folder)
        self._sweep(kept={self._generation, self._in_use})

    def _write_files(self, generation: Path, findable: FindableWriter) -> None:
        counts = self.counts()
        with _full_disk(generation):
            text_vectors, image_vectors = findable.finish()
        manifest = replace(
            self._manifest,
            text_vectors=text_vectors,
            image_vectors=image_vectors,
            documents=counts["documents"],
            chunks=counts["chunks"],
            pictures=counts["pictures"],
            errors=counts["errors"],
        )
        with (generation / "errors.jsonl").open("w", encoding="utf-8") as errors:
            for problem in self.problems():
                errors.write(json.dumps(asdict(problem), ensure_ascii=False) + "\n")
        self._catalog.commit()
        write_amendments(generation, self._amendments)
        manifest.write(generation / MANIFEST)

    def _current(self) -> Path | None:
        try:
            return current_generation(self.folder)
        except StoreError:
            return None

    def _built_alike(self) -> Manifest | None:
        """Return how the current generation was built, where its content can be kept."""
        if self._rebuild:
            return None
        try:
            old = LocalReader(self.folder).manifest
        except StoreError:
            return None  # damaged, or of another version: it is built anew
        new = self._manifest
        same = (
            old.text_encoder == new.text_encoder
            and old.image_encoder == new.image_encoder
            and _shape(old) == _shape(new)
        )
        return old if same else None

    def _sweep_unfinished(self) -> None:
        """Remove what a writer left that was killed: generations that never came into use."""
        found = generations(self.folder)
        newest = next((n for n, path in found.items() if path == self._in_use), None)
        for number, path in found.items():
            if newest is not None and number > newest:
                shutil.rmtree(path, ignore_errors=True)

    def _sweep(self, kept: set[Path | None]) -> None:
        """Remove generations but the new one and the one that it replaced, and files nobody needs."""
        needed: set[str] = set()
        remaining = []
        for generation in generations(self.folder).values():
            if generation not in kept:
                shutil.rmtree(generation, ignore_errors=True)
                continue
            remaining.append(generation)
            connection = catalog.connect_readonly(generation / CATALOG)
            needed |= catalog.media_names(connection)
            connection.close()
        self._sweep_pictures(needed)
        sweep_originals(self.folder, remaining)

    def _sweep_pictures(self, needed: set[str]) -> None:
        for name in ("media", "thumbs"):
            for path in (self.folder / name).glob("*"):
                if MEDIA.fullmatch(path.name) and f"{name}/{path.name}" not in needed:
                    path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (self.folder / name).rmdir()  # only where it is empty


def _shape(manifest: Manifest) -> dict[str, Any]:
    return {k: v for k, v in manifest.ingest.items() if k not in IngestConfig.LIMITS}


@contextlib.contextmanager
def _full_disk(generation: Path) -> Iterator[None]:
    """Translate what FAISS says when a file cannot be written."""
    try:
        yield
    except RuntimeError as error:
        raise StoreError(
            f"The vectors cannot be written to {generation.parent} ({error}). Its old content is as it "
            "was. Check the disk's space and run the command again."
        ) from error
