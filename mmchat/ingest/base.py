"""The vocabulary of reading: what a loader is given, and what it makes of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from mmchat.config import ColumnsConfig, IngestConfig
from mmchat.stores.base import Reference
from mmchat.types import Box, Document

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document's text under one heading. A chunk never crosses its borders."""

    start: int
    end: int
    breadcrumb: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """A document with its structure."""

    document: Document
    sections: tuple[Section, ...]
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedPicture:
    """A decoded picture, scaled to what the index keeps."""

    document: str
    """The path of the document that it is part of; of an image file its own."""
    name: str
    image: Image
    size: tuple[int, int]
    """Width and height of the original, in pixels."""
    caption: str = ""
    page: int | None = None
    box: Box | None = None
    offset: int | None = None
    """The character of the document's text beside which it stands."""
    text_is_read: bool = False
    """Whether the document holds the text that is in the picture: the picture of a scanned page."""

    @property
    def is_figure(self) -> bool:
        """Whether it is part of a document, and no file of its own."""
        return self.name != self.document


@dataclass(frozen=True, slots=True)
class LoadedPart:
    """Some of the documents and pictures of one file, whole ones; a large file comes in many parts."""

    documents: tuple[LoadedDocument, ...] = ()
    pictures: tuple[LoadedPicture, ...] = ()
    notes: tuple[str, ...] = ()
    """What whoever owns the file should be told of how it was read, in sentences that name it."""
    dropped: int = 0
    """Pictures that were left out because they show nothing: spacers, icons, blank figures."""


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A file of the folder that is to be read."""

    path: Path
    relative: str
    """Its path relative to the indexed folder."""
    name: str
    """What it is called in words, where it does not say so itself."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text that was recognised in a picture."""

    text: str
    confidence: float
    """From 0 to 1."""
    box: Box


class TextRecogniser(Protocol):
    """Reads the text in pictures."""

    def read(self, image: Image) -> Sequence[TextLine]:
        """Return the lines of an RGB picture in reading order."""
        ...

    def may_hold_text(self, image: Image) -> bool:
        """Tell at a glance whether reading a picture is worth its time."""
        ...


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What a loader may use beside the file itself."""

    config: IngestConfig
    recogniser: TextRecogniser | None = None
    """None where text in pictures is not to be read."""
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)


Loader: TypeAlias = Callable[[SourcePath, LoadContext], Iterator[LoadedPart]]
"""Reads a file part by part, so that a large one is never in memory whole."""
