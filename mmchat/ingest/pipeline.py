"""The write path: folder → load → chunk → encode → store.

Only what changed is read again: a file is known by the hash of its content. A file that cannot be read
is noted with its reason and never stops the others. The next files are read and cut into chunks while
the earlier ones are encoded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected, InputError
from mmchat.ingest.ahead import ReadAhead
from mmchat.ingest.base import LoadedPart, SourcePath
from mmchat.ingest.chunking import chunk_document
from mmchat.ingest.duplicates import find_duplicates
from mmchat.ingest.language import ScriptCheck
from mmchat.ingest.linking import MAX_LINKS, link_pictures
from mmchat.ingest.planning import FileToRead, Plan, make_plan
from mmchat.ingest.reading import DirectReading, FileUnreadable, Reading, ReadPart, ReadSettings
from mmchat.ingest.scanning import FoundFile, names_of, scan
from mmchat.ingest.sources import PreparedPart, still_deleted, without_deleted
from mmchat.ingest.tagging import Tagger, tag_pictures
from mmchat.stores.base import Vectors, Writer
from mmchat.types import Chunk, FileProblem, IndexReport

if TYPE_CHECKING:
    from PIL.Image import Image

# Items that are gathered before they are encoded: enough to sort by length, few enough for memory.
_CHUNKS_AT_ONCE = 256
_PICTURES_AT_ONCE = 32
_BYTES_AT_ONCE = 96_000_000
# What may be read ahead of the encoders.
_BYTES_AHEAD = 64_000_000


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

    def letters_per_token(self, text: str) -> float:
        """Return how many letters of `text` a token stands for on average; an unknown one for none."""
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
        """Begin with so many files that have to be read."""
        ...

    def embedded(self, items: int) -> None:
        """So many more chunks and pictures are encoded."""
        ...

    def advance(self, failed: bool) -> None:
        """One file is read, or failed."""
        ...


class NoProgress:
    """Says nothing."""

    def start(self, files: int) -> None:
        """Ignore it."""

    def embedded(self, items: int) -> None:
        """Ignore it."""

    def advance(self, failed: bool) -> None:
        """Ignore it."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What the reading thread hands over: a part of a file, or how the file ended."""

    file: FileToRead
    part: PreparedPart | None = None
    failure: FileRejected | FileUnreadable | None = None

    @property
    def weight(self) -> int:
        return self.part.weight if self.part else 1000


@dataclass(slots=True)
class _Tally:
    """What a run has done so far."""

    embedded: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """Parts of files that are read but not yet encoded."""

    parts: list[PreparedPart] = field(default_factory=list)
    chunks: int = 0
    pictures: int = 0
    weight: int = 0

    @property
    def is_full(self) -> bool:
        return (
            self.chunks >= _CHUNKS_AT_ONCE
            or self.pictures >= _PICTURES_AT_ONCE
            or self.weight >= _BYTES_AT_ONCE
        )

    def put(self, part: PreparedPart) -> None:
        self.parts.append(part)
        self.chunks += len(part.chunks)
        self.pictures += len(part.images)
        self.weight += part.weight

    def drop(self, path: str) -> None:
        """Forget what was read of a file."""
        kept = [part for part in self.parts if part.path != path]
        self.parts, self.chunks, self.pictures, self.weight = [], 0, 0, 0
        for part in kept:
            self.put(part)


class Pipeline:
    """Brings a store in step with a folder."""

    def __init__(
        self,
        text_encoder: TextEncoder,
        image_encoder: ImageEncoder,
        config: IngestConfig,
        progress: Progress | None = None,
        reading: Reading | None = None,
        tagger: Tagger | None = None,
    ) -> None:
        """Take the encoders.

        Args:
            text_encoder: of passages.
            image_encoder: of pictures.
            config: how files become items, and the limits.
            progress: is told how far a run is.
            reading: what reads the files; without one it is done in this process.
            tagger: names what pictures show; without one they get no tags.
        """
        self._text_encoder = text_encoder
        self._image_encoder = image_encoder
        self._config = config
        self._progress = progress or NoProgress()
        self._reading = reading or DirectReading(ReadSettings(config))
        self._tagger = tagger

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
        added = added_files(writer)
        plan = self._plan([*found, *added], writer)
        if not found and plan.gone:
            raise InputError(
                f"{folder} holds no files, but the index holds {len(plan.gone)} of it. If its disk is not "
                "connected, connect it; to take all of them out, use 'mmchat delete'."
            )
        report = self._apply(plan, writer, started, str(folder))
        writer.commit()
        return report

    def update(self, files: Sequence[FoundFile], writer: Writer) -> IndexReport:
        """Index these files where they are new or changed, and leave all others as they are.

        Raises:
            InputError: none of them can be indexed; the store is left as it was.
        """
        started = time.perf_counter()
        plan = replace(self._plan(files, writer), gone=frozenset())
        report = self._apply(plan, writer, started, "What is there")
        reasons = {problem.document: problem.reason for problem in report.problems}
        failed = [reasons[path] for f in files if (path := f.source.relative) in reasons]
        if len(failed) == len(files):
            raise InputError(" ".join(failed[:3]))
        writer.commit()
        return report

    def _plan(self, files: Sequence[FoundFile], writer: Writer) -> Plan:
        return make_plan(files, writer.known, writer.amendments.deleted, self._config)

    def _apply(self, plan: Plan, writer: Writer, started: float, what: str) -> IndexReport:
        tally = self._read_and_encode(plan.changed, writer) if plan.changed else _Tally()
        _lift_deletions(plan.changed, writer)
        for path in plan.gone:
            writer.remove(path)
        if plan.changed or plan.gone or writer.starts_empty:
            counts = writer.counts()
            if counts["chunks"] + counts["pictures"] == 0:
                raise InputError(_nothing(what, writer.problems()))
            relink(writer)
        changed = bool(plan.changed or plan.gone)
        tally.notes += tag_pictures(self._tagger, writer, changed=changed)
        return report_of(
            writer,
            started,
            embedded=tally.embedded,
            skipped=plan.unchanged,
            removed=len(plan.gone),
            notes=tuple(tally.notes),
        )

    def _read_and_encode(self, files: Sequence[FileToRead], writer: Writer) -> _Tally:
        """Read files and add what comes of them."""
        self._progress.start(len(files))
        batch, tally = _Batch(), _Tally()
        script = ScriptCheck(
            self._text_encoder.letters_per_token, korean_words=self._config.korean_words
        )
        steps = self._read(files, writer.amendments.deleted)
        ahead = ReadAhead(steps, lambda read: read.weight, _BYTES_AHEAD)
        try:
            for read in ahead:
                if read.part is not None:
                    batch.put(read.part)
                    tally.notes += read.part.read.loaded.notes
                    script.look([chunk.text for chunk in read.part.chunks])
                    if batch.is_full:
                        tally.embedded += self._flush(batch, writer)
                    continue
                if read.failure is not None:
                    batch.drop(read.file.file.source.relative)
                    _note_failure(read.file, read.failure, writer)
                self._progress.advance(read.failure is not None)
        finally:
            ahead.close(interrupt=self._reading.close)
        tally.embedded += self._flush(batch, writer)
        tally.notes += script.notes
        return tally

    def _read(self, files: Sequence[FileToRead], deleted: Mapping[str, str]) -> Iterator[_Read]:
        """Read and chunk files: this runs in a thread of its own."""
        for file in files:
            failure = file.failure
            try:
                if failure is None:
                    for part in self._parts(file, deleted):
                        yield _Read(file, part)
            except (FileRejected, FileUnreadable) as error:
                failure = error
            yield _Read(file, failure=failure)

    def _parts(self, file: FileToRead, deleted: Mapping[str, str]) -> Iterator[PreparedPart]:
        path, content_hash = file.file.source.relative, file.content_hash
        empty = True
        for part in self._reading.read(file.file.source, content_hash):
            kept = without_deleted(part, deleted, content_hash)
            yield PreparedPart(path, content_hash, kept, tuple(self._chunk(kept.loaded)))
            empty = False
        if empty:
            yield PreparedPart(path, content_hash, ReadPart(LoadedPart()))

    def _chunk(self, loaded: LoadedPart) -> Iterator[Chunk]:
        for document in loaded.documents:
            yield from chunk_document(document, self._text_encoder.token_spans, self._config)

    def _flush(self, batch: _Batch, writer: Writer) -> int:
        if not batch.parts:
            return 0
        texts = [chunk.context_text for part in batch.parts for chunk in part.chunks]
        pixels = [image for part in batch.parts for image in part.images]
        text = np.zeros((0, self._text_encoder.dimension), dtype=np.float32)
        images = np.zeros((0, self._image_encoder.dimension), dtype=np.float32)
        if texts:
            text = self._text_encoder.encode_passages(texts)
        if pixels:
            images = self._image_encoder.encode_images(pixels)
        writer.add([part.stored(writer) for part in batch.parts], text, images)
        batch.parts, batch.chunks, batch.pictures, batch.weight = [], 0, 0, 0
        self._progress.embedded(len(texts) + len(pixels))
        return len(texts) + len(pixels)


def added_files(writer: Writer) -> list[FoundFile]:
    """Return the files that were added by hand, as if they lay in the folder."""
    added = writer.amendments.added
    return [
        FoundFile(SourcePath(writer.file(original), path, name))
        for (path, original), name in zip(added.items(), names_of(list(added)), strict=True)
    ]


def relink(writer: Writer) -> None:
    """Find out anew which pictures belong to which chunks."""
    chunks, pictures, references = writer.places(MAX_LINKS)
    duplicates = find_duplicates(pictures, references)
    links, captions = link_pictures(chunks, pictures, references, duplicates)
    writer.set_links(links, captions)
    writer.set_duplicates(duplicates)


def report_of(
    writer: Writer,
    started: float,
    *,
    embedded: int = 0,
    skipped: int = 0,
    removed: int = 0,
    notes: tuple[str, ...] = (),
) -> IndexReport:
    """Return what a run did that began at `started` (of `time.perf_counter`)."""
    return IndexReport(
        **writer.counts(),
        embedded=embedded,
        skipped=skipped,
        removed=removed,
        seconds=round(time.perf_counter() - started, 3),
        problems=tuple(writer.problems()),
        notes=notes,
    )


def _note_failure(file: FileToRead, failure: FileRejected | FileUnreadable, writer: Writer) -> None:
    source = file.file.source
    reason = str(failure).replace(str(source.path), source.relative)
    # A disk that failed may give the same bytes tomorrow: only a rejected file waits for others.
    again = isinstance(failure, FileUnreadable)
    problem = FileProblem(source.relative, reason, "" if again else file.content_hash)
    writer.add_problem(problem, keep=again)


def _lift_deletions(files: Sequence[FileToRead], writer: Writer) -> None:
    """A file that was deleted from the index is back once its content is another."""
    amendments = writer.amendments
    read = {file.file.source.relative: file.content_hash for file in files}
    deleted = still_deleted(amendments.deleted, read)
    if len(deleted) < len(amendments.deleted):
        writer.amend(replace(amendments, deleted=deleted))


def _nothing(what: str, problems: Sequence[FileProblem]) -> str:
    if not problems:
        return f"{what} holds no files. Put documents or pictures into it."
    first = problems[0].reason
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{what} holds nothing that can be indexed. {first}{more}"
