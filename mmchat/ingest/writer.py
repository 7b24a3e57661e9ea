"""Write a document from what a loader reads: headings, lines, tables and pictures, in their order.

Every loader of text goes through this one class, so that a heading, a row of a table and a figure mean
the same whichever format they come from:

- the text is what a reader sees, one line a paragraph, list item or row of a table;
- headings become the breadcrumb of the sections below them;
- a row of a table is a statement that can be read alone, because it repeats the names of its columns;
- pictures are noted at the place where they stand.

A long text becomes several documents (`guide.md`, `guide.md#part-2`, …) that are handed over as they
fill up, so that memory stays bounded however long the file is.
"""

from __future__ import annotations

import hashlib
import logging
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmchat import pictures
from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadedDocument, LoadedPart, LoadedPicture, Section
from mmchat.stores.base import Reference
from mmchat.types import Box, Document, Metadata
from mmchat.visible import visible

_log = logging.getLogger(__name__)

PART_CHARS = 1_000_000
"""Characters of a document after which another one begins, at the next border of a section."""
_SECTION_CHARS = 50_000
_LINE_CHARS = 20_000
_HEADING_CHARS = 160
_STATEMENT_CHARS = 400
_DESCRIBING_WORDS = 4


def clean(text: str) -> str:
    """Return text that every part of an index can hold: composed letters, no NUL, no half characters.

    And nothing that a reader does not see.
    """
    text = unicodedata.normalize("NFC", visible(text.replace("\0", " ")))
    return text.encode("utf-8", "replace").decode() if _has_surrogate(text) else text


def shorten(text: str, length: int = _HEADING_CHARS) -> str:
    """Return a text in one line, cut where it is too long for a heading."""
    text = " ".join(clean(text[: 4 * length]).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def statements(header: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    """Write a row of a table: `Capacity: 1.7 l`, or `Country: Korea; Days: 3` in a wider one.

    A very wide row becomes several statements, each of which begins with the row's first cell.
    """
    if len(row) == 2 and all(row):
        yield f"{row[0]}: {row[1]}"
        return
    names = [*header, *[""] * (len(row) - len(header))]
    cells = [f"{n}: {c}" if n else c for n, c in zip(names, row, strict=False) if c]
    begun: list[str] = []
    for cell in cells:
        if len(begun) > 1 and sum(map(len, begun)) + len(cell) > _STATEMENT_CHARS:
            yield "; ".join(begun)
            begun = begun[:1]
        begun.append(cell)
    if begun:
        yield "; ".join(begun)


@dataclass(slots=True)
class _Placed:
    """A picture at its place in the text."""

    target: str
    offset: int
    alt: str
    is_figure: bool = False
    end: int = 0
    """Where the text goes on below it, and below the line that describes it."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A picture inside of the file, not decoded yet."""

    document: str
    name: str
    content: bytes
    caption: str
    offset: int
    page: int | None
    box: Box | None


class DocumentWriter:
    """Writes the text of one file and notes where sections and pictures stand.

    Args:
        path: of the file, relative to the indexed folder.
        title: stands first in every breadcrumb.
        metadata: of the document, and of all that a long text is cut into.
        whole: whether it stays one document however long it is.
    """

    def __init__(
        self, path: str, title: str, metadata: Metadata | None = None, *, whole: bool = False
    ) -> None:
        self._part_chars = math.inf if whole else PART_CHARS
        self._path = path
        self._title = shorten(title)
        self._metadata = dict(metadata or {})
        self._headings: list[tuple[int, str]] = []
        self._bare_heading = False
        self._page: int | None = None
        self._part = 1
        self._finished: list[LoadedDocument] = []
        self._figures: list[_Figure] = []
        self._figure_keys: set[bytes] = set()
        self._waiting: list[tuple[bytes, _Placed, Box | None, int | None]] = []
        self._begin_part()

    def _begin_part(self) -> None:
        self._lines: list[str] = []
        self._length = 0
        self._text_end = 0
        self._section_start = 0
        self._sections: list[Section] = []
        self._placed: list[_Placed] = []

    @property
    def is_empty(self) -> bool:
        """Whether there is neither text nor a picture."""
        written = self._lines or self._placed or self._finished or self._part > 1
        return not (written or self._bare_heading)

    def start_page(self, number: int) -> None:
        """Begin a page (or slide), counted from 1; headings of the page before do not reach into it."""
        self._close_headings(1)
        self._page = number

    def heading(self, level: int, text: str) -> None:
        """Begin a section below the headings of lower levels."""
        text = shorten(text)
        if not text:
            return
        self._close_headings(level)
        self._headings.append((level, text))
        self._bare_heading = True

    def end_heading(self, level: int) -> None:
        """End the section of a heading that does not reach to the next one."""
        self._close_headings(level)

    def line(self, text: str) -> None:
        """Write a paragraph, a list item or another line that stands alone."""
        text = clean(text).rstrip()
        if text.strip():
            self._bare_heading = False
            for piece in _pieces(text):
                self._append(piece)

    def end_paragraph(self) -> None:
        """Leave an empty line, but never two."""
        if self._lines and self._lines[-1] != "\n":
            self._append("")

    def row(self, header: Sequence[str], cells: Sequence[str]) -> None:
        """Write a row of a table as statements that can be read alone."""
        for statement in statements(header, cells):
            self.line(statement)

    def refer(self, target: str | None, alt: str) -> None:
        """Note that a picture of the folder stands here; None is one that is not in the folder."""
        if target:
            self._placed.append(_Placed(clean(target), self._length, shorten(alt, 400)))
            self._end_picture()

    def figure(self, content: bytes, alt: str, box: Box | None = None) -> None:
        """Take a picture that is part of the file itself: the bytes of a picture file.

        The same picture again is the same figure, which belongs to the place where it stands first.
        """
        key = hashlib.blake2b(content, digest_size=16).digest()
        if key in self._figure_keys:
            return
        self._figure_keys.add(key)
        name = f"{self._path}#figure-{len(self._figure_keys)}"
        placed = _Placed(name, self._length, shorten(alt, 400), is_figure=True)
        self._placed.append(placed)
        self._waiting.append((content, placed, box, self._page))
        self._end_picture()

    def _end_picture(self) -> None:
        self._placed[-1].end = self._length

    def describe(self, text: str) -> None:
        """Write what the picture above shows as a line, where it says more than a name does."""
        names = {self._title, *(name for _, name in self._headings)}
        if not self._placed or self._placed[-1].end != self._length or text in names:
            return
        if len(text.split()) >= _DESCRIBING_WORDS:
            self.line(text)
            self._end_picture()

    def caption(self, text: str) -> None:
        """Write a line that is the caption of the picture above it, where there is one."""
        if self._placed and self._placed[-1].end == self._length:
            self._placed[-1].alt = shorten(text, 400)
        self.line(text)

    def finished(self, limits: IngestConfig) -> Iterator[LoadedPart]:
        """Yield what is complete: documents, and after each the pictures that are in it."""
        for document in self._finished:
            yield LoadedPart((document,))
        self._finished.clear()
        figures, self._figures = self._figures, []
        unreadable = 0
        for figure in figures:
            picture = _decode(figure, limits)
            unreadable += picture is None
            if picture:
                yield LoadedPart(pictures=(picture,))
        if unreadable:
            note = f"{self._path}: {unreadable} of the pictures in it cannot be read; the rest is indexed."
            yield LoadedPart(notes=(note,))

    def end(self, limits: IngestConfig) -> Iterator[LoadedPart]:
        """Yield the rest; a document comes even where it has no text (pictures may stand in it)."""
        self._close()
        self._end_part()
        yield from self.finished(limits)

    def document(self) -> LoadedDocument:
        """Return the one document of a writer that keeps it whole; figures in it are left out."""
        self._close()
        self._end_part()
        return self._finished.pop()

    def _close(self) -> None:
        if self._bare_heading and self._part == 1 and not self._lines:
            self.line(self._headings[-1][1])  # all that there is, be it the title
        self._close_headings(1)

    def _append(self, text: str) -> None:
        if self._length - self._section_start > _SECTION_CHARS:
            self._end_section()
            if self._length > self._part_chars:
                self._end_part()
        self._lines.append(text + "\n")
        self._length += len(text) + 1
        if text:
            self._text_end = self._length - 1

    def _close_headings(self, level: int) -> None:
        last_level, last = self._headings[-1] if self._headings else (0, "")
        if self._bare_heading and last_level >= level and last != self._title:
            # Nothing stands below it: what it says would be lost with it.
            self.line(last)
        self._end_section()
        self._headings = [entry for entry in self._headings if entry[0] < level]
        self._bare_heading = False
        if self._length > self._part_chars:
            self._end_part()

    def _end_section(self) -> None:
        start, self._section_start = self._section_start, self._length
        if self._text_end <= start:
            return
        names = [self._title, *(text for _, text in self._headings)]
        crumbs = tuple(dict.fromkeys(name for name in names if name))
        self._sections.append(Section(start, self._length, crumbs, self._page))
        for placed in reversed(self._placed):
            if placed.offset < self._text_end:
                break
            # It closes this section: at the offset where it was noted, the next one begins.
            placed.offset = self._text_end - 1

    def _end_part(self) -> None:
        if self._part > 1 and not (self._lines or self._placed):
            return
        path = self._path if self._part == 1 else f"{self._path}#part-{self._part}"
        document = Document(path, self._title, "".join(self._lines), self._metadata)
        references = tuple(
            Reference(path, placed.target, placed.offset, placed.alt)
            for placed in self._placed
            if not placed.is_figure
        )
        self._finished.append(LoadedDocument(document, tuple(self._sections), references))
        self._figures += [
            _Figure(path, placed.target, content, placed.alt, placed.offset, page, box)
            for content, placed, box, page in self._waiting
        ]
        self._waiting.clear()
        self._part += 1
        self._begin_part()


def _pieces(text: str) -> Iterator[str]:
    """Cut a line that is far longer than a paragraph, between words where there are any."""
    while len(text) > _LINE_CHARS:
        cut = max(text.rfind("\n", 1, _LINE_CHARS), text.rfind(" ", 1, _LINE_CHARS))
        cut = cut if cut > 0 else _LINE_CHARS
        yield text[:cut]
        text = text[cut:]
    yield text


def _decode(figure: _Figure, limits: IngestConfig) -> LoadedPicture | None:
    try:
        image, size = pictures.load_picture(
            figure.content, limits.max_megapixels, limits.max_media_px, figure.name
        )
    except FileRejected as error:
        _log.info("%s is left out: %s", figure.name, error)
        return None
    return LoadedPicture(
        document=figure.document,
        name=figure.name,
        image=image,
        size=size,
        caption=figure.caption,
        page=figure.page,
        box=figure.box,
        offset=figure.offset,
    )


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
