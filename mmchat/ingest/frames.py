"""What the reading process and the one that started it say to each other: pickles with their length.

Pickle is safe here although the reader opens hostile files: it runs with the rights of the user who
started it, so that whoever took it over would gain nothing by lying to its parent. It keeps a crash, a
loop or a full memory away from the index; it is no sandbox.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import BinaryIO

from mmchat.ingest.base import SourcePath

_LENGTH = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Read this file. The answer is its parts, then `FileEnd` or `FileFailed`."""

    source: SourcePath
    content_hash: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The reader is there."""


@dataclass(frozen=True, slots=True)
class FileEnd:
    """All parts of the file came before."""


@dataclass(frozen=True, slots=True)
class FileFailed:
    """The file could not be read."""

    reason: str
    again: bool
    """Whether it may be well the next time, with the same content."""
    out_of_memory: bool = False


def write_frame(stream: BinaryIO, message: object) -> None:
    """Send a message."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def read_frame(stream: BinaryIO) -> object:
    """Wait for a message.

    Raises:
        EOFError: the other side is gone.
    """
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return pickle.loads(_exactly(stream, length))  # noqa: S301


def _exactly(stream: BinaryIO, count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError
    return content
