"""The write path: folder → load → chunk → encode → store.

Only what changed is read again: a file is known by the hash of its content. A file that cannot be read
is noted with its reason and never stops the others.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mmchat import pictures
from mmchat.config import IngestConfig
from mmchat.errors import FileRejected, InputError
from mmchat.ingest.base import LoadContext, LoadedPart, LoadedPicture
from mmchat.ingest.chunking import chunk_document
from mmchat.ingest.duplicates import find_duplicates, look_of
from mmchat.ingest.linking import link_pictures
from mmchat.ingest.loading import load_file
from mmchat.ingest.ocr import text_recogniser
from mmchat.ingest.scanning import FoundFile, scan
from mmchat.stores.base import SourcePart, Vectors, Writer
from mmchat.types import Chunk, FileProblem, IndexReport, Picture

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

# Items that are gathered before they are encoded: enough to sort by length, few enough for memory.
_CHUNKS_AT_ONCE = 256
_PICTURES_AT_ONCE = 32


class TextEncoder(Protocol):
    """What ingestion needs of a text encoder."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return the character spans of the tokens of `text`."""
        ...


class ImageEncoder(Protocol):
    """What ingestion needs of an image encoder."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Return unit vectors of shape (images, dimension)."""
        ...


class Progress(Protocol):
    """Told how far a build is."""

    def start(self, files: int) -> None:
        """Begin with so many files."""
        ...

    def advance(self, items: int, failed: bool) -> None:
        """One file is done; it gave so many items, or failed."""
        ...


class NoProgress:
    """Says nothing."""

    def start(self, files: int) -> None:
        """Ignore it."""

    def advance(self, items: int, failed: bool) -> None:
        """Ignore it."""


class _ReadFailed(Exception):
    """The disk did not give a file; what fails while the index is written is no fault of a file."""


@dataclass(slots=True)
class _Tally:
    embedded: int = 0
    skipped: int = 0
    changed: bool = False


@dataclass(slots=True)
class _Batch:
    """Parts of files that are read but not yet encoded."""

    parts: list[SourcePart] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    chunks: int = 0

    @property
    def is_full(self) -> bool:
        return self.chunks >= _CHUNKS_AT_ONCE or len(self.images) >= _PICTURES_AT_ONCE

    def put(self, part: SourcePart, images: Sequence[Image]) -> None:
        self.parts.append(part)
        self.images += images
        self.chunks += len(part.chunks)

    def drop(self, path: str) -> None:
        """Forget what was read of a file."""
        kept, images = [], iter(self.images)
        kept_images: list[Image] = []
        for part in self.parts:
            own = [next(images) for _ in part.pictures]
            if part.path != path:
                kept.append(part)
                kept_images += own
        self.parts, self.images = kept, kept_images
        self.chunks = sum(len(part.chunks) for part in kept)


class Pipeline:
    """Brings a store in step with a folder."""

    def __init__(
        self,
        text_encoder: TextEncoder,
        image_encoder: ImageEncoder,
        config: IngestConfig,
        progress: Progress | None = None,
    ) -> None:
        self._text_encoder = text_encoder
        self._image_encoder = image_encoder
        self._config = config
        self._context = LoadContext(config, text_recogniser(config))
        self._progress = progress or NoProgress()

    def run(self, folder: Path, writer: Writer, *, leave_out: Path | None = None) -> IndexReport:
        """Index the files of `folder` that are new or changed, and forget those that are gone.

        Args:
            folder: what is indexed, with all folders below it.
            writer: the store, open for writing. It is committed only where something changed.
            leave_out: a folder below `folder` that is not content (the index itself).

        Raises:
            InputError: the folder holds nothing that can be indexed; the store is left as it was.
        """
        started = time.perf_counter()
        found = list(scan(folder, leave_out))
        known = dict(writer.known)
        gone = known.keys() - {file.source.relative for file in found}
        # What lies in a folder that cannot be opened today is not gone.
        closed = tuple(f"{file.source.relative}/" for file in found if file.is_folder)
        gone = {path for path in gone if not path.startswith(closed)} if closed else gone
        self._progress.start(len(found))
        tally = _Tally(changed=bool(gone))
        batch = _Batch()
        for file in found:
            items, failed = self._take(file, known, writer, batch, tally)
            self._progress.advance(items, failed)
        self._flush(batch, writer, tally)
        for path in gone:
            writer.remove(path)
        self._finish(folder, writer, tally)
        counts = writer.counts()
        return IndexReport(
            **counts,
            embedded=tally.embedded,
            skipped=tally.skipped,
            removed=len(gone),
            seconds=round(time.perf_counter() - started, 3),
            problems=tuple(writer.problems()),
        )

    def _take(
        self,
        file: FoundFile,
        known: dict[str, str],
        writer: Writer,
        batch: _Batch,
        tally: _Tally,
    ) -> tuple[int, bool]:
        """Read one file into the batch; return how many items it gave and whether it failed."""
        relative, content_hash, items = file.source.relative, "", 0
        try:
            content_hash = self._hash(file)
            if known.get(relative) == content_hash:
                tally.skipped += 1
                return 0, False
            tally.changed = True
            for loaded in self._load(file):
                part = _source(relative, content_hash, loaded, self._chunk(loaded), writer)
                batch.put(part, [picture.image for picture in loaded.pictures])
                items += len(part.chunks) + len(part.pictures)
                if batch.is_full:
                    self._flush(batch, writer, tally)
        except (FileRejected, _ReadFailed) as error:
            tally.changed = True
            reason = str(error).replace(str(file.source.path), relative)
            # A disk that failed may read the same bytes tomorrow: only a rejected file waits for others.
            tried = content_hash if isinstance(error, FileRejected) else ""
            batch.drop(relative)
            writer.add_problem(FileProblem(relative, reason, tried))
            return 0, True
        return items, False

    def _hash(self, file: FoundFile) -> str:
        try:
            return _hash(file)
        except OSError as error:
            raise _ReadFailed(str(error)) from error

    def _load(self, file: FoundFile) -> Iterator[LoadedPart]:
        if file.problem:
            raise FileRejected(file.problem)
        try:
            yield from load_file(file.source, self._context)
        except FileRejected:
            raise
        except OSError as error:
            raise _ReadFailed(str(error)) from error
        except Exception as error:
            # Parsers fail on broken files in ways that nobody listed; the other files must not pay.
            _log.warning("Reading %s failed.", file.source.relative, exc_info=True)
            raise FileRejected(
                f"{file.source.relative} cannot be read ({type(error).__name__}: {error}). "
                "Open it in the program that it is from, and save it again."
            ) from error

    def _chunk(self, loaded: LoadedPart) -> list[Chunk]:
        return [
            chunk
            for document in loaded.documents
            for chunk in chunk_document(document, self._text_encoder.token_spans, self._config)
        ]

    def _flush(self, batch: _Batch, writer: Writer, tally: _Tally) -> None:
        if not batch.parts:
            return
        texts = [chunk.context_text for part in batch.parts for chunk in part.chunks]
        text = np.zeros((0, self._text_encoder.dimension), dtype=np.float32)
        images = np.zeros((0, self._image_encoder.dimension), dtype=np.float32)
        if texts:
            text = self._text_encoder.encode_passages(texts)
        if batch.images:
            images = self._image_encoder.encode_images(batch.images)
        writer.add(batch.parts, text, images)
        tally.embedded += len(texts) + len(batch.images)
        batch.parts, batch.images, batch.chunks = [], [], 0

    def _finish(self, folder: Path, writer: Writer, tally: _Tally) -> None:
        counts = writer.counts()
        if counts["chunks"] + counts["pictures"] == 0:
            raise InputError(_nothing(folder, writer.problems()))
        if tally.changed or writer.starts_empty:
            chunks, pictures, references = writer.places()
            duplicates = find_duplicates(pictures, references)
            links, captions = link_pictures(chunks, pictures, references, duplicates)
            writer.set_links(links, captions)
            writer.set_duplicates(duplicates)
            writer.commit()


def _hash(file: FoundFile) -> str:
    if file.problem:
        return hashlib.blake2b(file.problem.encode(), digest_size=16).hexdigest()
    with file.source.path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _source(
    relative: str,
    content_hash: str,
    loaded: LoadedPart,
    chunks: Sequence[Chunk],
    writer: Writer,
) -> SourcePart:
    return SourcePart(
        path=relative,
        content_hash=content_hash,
        documents=tuple(document.document for document in loaded.documents),
        chunks=tuple(chunks),
        pictures=tuple(_keep(picture, content_hash, writer) for picture in loaded.pictures),
        references=tuple(r for document in loaded.documents for r in document.references),
        dropped=loaded.dropped,
    )


def _keep(picture: LoadedPicture, content_hash: str, writer: Writer) -> Picture:
    """Store the copies of a picture that the index keeps."""
    identity = f"{picture.name}\0{content_hash}".encode()
    return Picture(
        id="p" + hashlib.blake2b(identity, digest_size=8).hexdigest(),
        document=picture.document,
        name=picture.name,
        media=writer.put_media(pictures.to_jpeg(picture.image), ".jpg"),
        thumb=writer.put_media(
            pictures.to_jpeg(picture.image, pictures.THUMB_PX), ".jpg", thumb=True
        ),
        width=picture.size[0],
        height=picture.size[1],
        caption=picture.caption,
        page=picture.page,
        box=picture.box,
        offset=picture.offset,
        look=look_of(picture.image),
    )


def _nothing(folder: Path, problems: Sequence[FileProblem]) -> str:
    if not problems:
        return f"{folder} holds no files. Put documents or pictures into it."
    first = problems[0].reason
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{folder} holds nothing that can be indexed. {first}{more}"
