"""Read files one at a time: what comes of it, what can go wrong, and the way to do it right here.

`DirectReading` reads in the calling process. `mmchat.ingest.process` does the same in a process of its
own, which a hostile file can crash, hang or fill without harm to anything else.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mmchat import pictures
from mmchat.config import ColumnsConfig, IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedPart, LoadedPicture, SourcePath
from mmchat.ingest.duplicates import look_of
from mmchat.ingest.loading import load_file
from mmchat.ingest.ocr import text_recogniser

_log = logging.getLogger(__name__)

# A text of many megabytes takes its time, and no hostile file has to be this large.
_BYTES_IN_TIME = 64_000_000


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What loaders go by. It travels to a reading process, so that it holds settings and no objects."""

    ingest: IngestConfig
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)

    def context(self) -> LoadContext:
        """Return what loaders may use, made in the process that reads."""
        return LoadContext(self.ingest, text_recogniser(self.ingest), self.columns)

    def seconds_for(self, source: SourcePath) -> float:
        """Return how long a file may take to read."""
        try:
            size = source.path.stat().st_size
        except OSError:
            size = 0
        return self.ingest.max_seconds * max(1.0, size / _BYTES_IN_TIME)


class FileUnreadable(Exception):
    """The disk did not give a file, or it changed meanwhile: that may be well again the next time."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of a picture that an index keeps, as the bytes of JPEG files, and what it looks like."""

    media: bytes
    thumb: bytes
    look: bytes


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A part of a file, and the copies of its pictures in their order."""

    loaded: LoadedPart
    copies: tuple[Copies, ...] = ()

    @property
    def weight(self) -> int:
        """Bytes that it takes in memory, roughly."""
        text = sum(len(document.document.text) for document in self.loaded.documents)
        pixels = sum(p.image.width * p.image.height * 3 for p in self.loaded.pictures)
        return 2 * text + pixels + sum(len(c.media) + len(c.thumb) for c in self.copies)


class Reading(Protocol):
    """Reads files, one after the other."""

    def read(self, source: SourcePath, content_hash: str) -> Iterator[ReadPart]:
        """Yield the parts of a file whose content has this hash.

        Raises:
            FileRejected: it cannot be read until its content changes.
            FileUnreadable: it cannot be read at present. In both cases the parts that came before do
                not count.
        """
        ...

    def close(self) -> None:
        """Let go of what reading needs; a `read` that is under way in another thread fails."""
        ...


class DirectReading:
    """Reads in the calling process."""

    def __init__(self, settings: ReadSettings) -> None:
        self._context = settings.context()

    def read(self, source: SourcePath, content_hash: str) -> Iterator[ReadPart]:
        """Yield the parts of a file; see `Reading`."""
        return read_file(source, content_hash, self._context)

    def close(self) -> None:
        """Do nothing."""


def read_file(source: SourcePath, content_hash: str, context: LoadContext) -> Iterator[ReadPart]:
    """Yield the parts of a file; see `Reading`."""
    relative = source.relative
    try:
        for loaded in load_file(source, context):
            yield ReadPart(loaded, tuple(_copies(picture) for picture in loaded.pictures))
        if hash_file(source.path) != content_hash:
            raise FileUnreadable(f"{relative} changed while it was read. Run the command again.")
    except (FileRejected, FileUnreadable, MemoryError):
        raise
    except OSError as error:
        raise FileUnreadable(disk_failed(relative, error)) from error
    except Exception as error:
        # Parsers fail on broken files in ways that nobody listed; the other files must not pay.
        _log.warning("Reading %s failed.", relative, exc_info=True)
        raise FileRejected(
            f"{relative} cannot be read ({type(error).__name__}: {error}). "
            "Open it in the program that it is from, and save it again."
        ) from error


def hash_file(path: Path) -> str:
    """Return the hash of a file's content: 32 hexadecimal digits.

    Raises:
        OSError: the disk does not give it.
    """
    with path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def disk_failed(relative: str, error: OSError) -> str:
    """Say that the disk does not give a file."""
    return (
        f"{relative} cannot be opened ({error.strerror or error}). "
        "Check its permissions and the disk; it is tried again the next time."
    )


def _copies(picture: LoadedPicture) -> Copies:
    return Copies(
        media=pictures.to_jpeg(picture.image),
        thumb=pictures.to_jpeg(picture.image, pictures.THUMB_PX),
        look=look_of(picture.image),
    )
