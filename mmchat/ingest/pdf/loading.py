"""Read PDF files with PDFium, the engine of Chrome.

A file is read twice: first its text (a document must be there before the pictures in it), then its
pictures, a few at a time. The scripts of a PDF never run: PDFium comes without an engine for them, and no
form is ever opened, which is where they would start.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from mmchat.errors import FileRejected
from mmchat.ingest.base import (
    LoadContext,
    LoadedDocument,
    LoadedPart,
    LoadedPicture,
    Section,
    SourcePath,
)
from mmchat.ingest.pdf.captions import caption_of, line_beside
from mmchat.ingest.pdf.lines import Line, mend
from mmchat.ingest.pdf.outline import Outline
from mmchat.ingest.pdf.page import Layout, Placed, ground, look_at, render
from mmchat.ingest.reading_order import join_lines
from mmchat.types import Box, Document

_log = logging.getLogger(__name__)

_WHOLE_PAGE = Box(0.0, 0.0, 1.0, 1.0)
_SCAN_PX = 1800
"""Pixels of the longer side of a page that is read: 150 to the inch of A4."""
_PICTURES_AT_ONCE = 4
_MAX_FIGURES = 60
"""Pictures of one page that are kept, the largest: a page of icons is not worth more."""
_NO_TITLE = re.compile(
    r"(?i)untitled.*|document\d*|무제|제목 ?없음|.*\.(docx?|indd|qxd|pptx?|hwpx?|pdf)"
)


def load_pdf(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a PDF file; each page is a section or more, so that a citation can name its page.

    Raises:
        FileRejected: it is damaged, needs a password, has too many pages, or shows nothing.
    """
    with _opened(source) as pdf:
        pages = len(pdf)
        if pages > context.config.max_pages:
            raise FileRejected(
                f"{source.relative} has {pages} pages; the limit is {context.config.max_pages}. "
                "Split it, or raise ingest.max_pages."
            )
        reading = _Reading(pdf, source, context)
        yield LoadedPart((reading.document(),))
        yield from reading.pictures()


@contextmanager
def _opened(source: SourcePath) -> Iterator[pypdfium2.PdfDocument]:
    try:
        pdf = pypdfium2.PdfDocument(source.path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise FileRejected(
                f"{source.relative} is protected with a password. Save a copy without one."
            ) from error
        raise FileRejected(
            f"{source.relative} cannot be opened as a PDF: it is damaged or of another kind ({error}). "
            "Open it in a PDF viewer and print it to a new PDF."
        ) from error
    try:
        yield pdf
    finally:
        pdf.close()


@dataclass(frozen=True, slots=True)
class _Page:
    """A page whose place in the document's text is known."""

    number: int
    """Counts from 0."""
    lines: tuple[Line, ...]
    offsets: tuple[int, ...]
    """The character of the document's text at which each line begins."""
    layout: Layout


class _Reading:
    """One PDF while it is read."""

    def __init__(
        self, pdf: pypdfium2.PdfDocument, source: SourcePath, context: LoadContext
    ) -> None:
        self._pdf = pdf
        self._source = source
        self._context = context
        self._pages: list[_Page] = []

    def document(self) -> LoadedDocument:
        """Read the text of all pages."""
        title = _title(self._pdf) or self._source.name
        outline = Outline(self._pdf)
        layouts, heights, failed = self._layouts()
        mended = mend([layout.lines for layout in layouts])
        parts: list[str] = []
        sections: list[Section] = []
        length = 0
        for number, lines in enumerate(mended):
            begins = dict(outline.split(number, lines, heights[number]))
            offsets = []
            for at, line in enumerate(lines):
                if at in begins:
                    sections = _ended(sections, length)
                    trail = tuple(dict.fromkeys((title, *begins[at])))
                    sections.append(Section(length, length, trail, number + 1))
                offsets.append(length)
                end = "\n\n" if at + 1 == len(lines) else "\n"
                parts.append(line.text + end)
                length += len(parts[-1])
            sections = _ended(sections, length)
            self._pages.append(_Page(number, tuple(lines), tuple(offsets), layouts[number]))
        if not parts and not any(layout.pictures for layout in layouts):
            self._refuse_empty(failed)
        document = Document(path=self._source.relative, title=title, text="".join(parts))
        return LoadedDocument(document, tuple(sections))

    def pictures(self) -> Iterator[LoadedPart]:
        """Cut out the pictures of all pages, a few at a time."""
        batch: list[LoadedPicture] = []
        for page in self._pages:
            for picture in self._pictures_of(page):
                batch.append(picture)
                if len(batch) == _PICTURES_AT_ONCE:
                    yield LoadedPart(pictures=tuple(batch))
                    batch = []
        if batch:
            yield LoadedPart(pictures=tuple(batch))

    def _layouts(self) -> tuple[list[Layout], list[float], int]:
        """Return what is on each page, its height in points, and how many pages cannot be read."""
        layouts, heights, failed = [], [], 0
        for number in range(len(self._pdf)):
            try:
                page = self._pdf[number]
                try:
                    heights.append(page.get_height())
                    layouts.append(self._layout(page))
                finally:
                    page.close()
            except (pypdfium2.PdfiumError, ValueError, ArithmeticError, MemoryError):
                # The other pages of a damaged file are as good as ever.
                _log.warning("Page %d of %s cannot be read.", number + 1, self._source.relative)
                failed += 1
                heights = [*heights[:number], 0.0]
                layouts = [*layouts[:number], Layout((), (), is_scan=False)]
        return layouts, heights, failed

    def _layout(self, page: pypdfium2.PdfPage) -> Layout:
        layout = look_at(page, self._context.config.max_megapixels)
        if not layout.is_scan:
            return layout
        covered = any(picture.covers_page for picture in layout.pictures)
        recogniser = self._context.recogniser
        lines: tuple[Line, ...] = ()
        if recogniser is not None:
            read = recogniser.read(render(page, _WHOLE_PAGE, _SCAN_PX))
            lines = tuple(Line(text) for text in join_lines(read).split("\n") if text)
        # Without a scan and without a word on it, the page is what its pictures are.
        if not lines and not covered:
            return Layout(layout.lines, layout.pictures, is_scan=False)
        if not lines:
            return Layout(layout.lines, layout.pictures, is_scan=True)
        whole = Placed(_WHOLE_PAGE, (_SCAN_PX, _SCAN_PX))
        return Layout(lines, layout.pictures or (whole,), is_scan=True)

    def _pictures_of(self, page: _Page) -> Iterator[LoadedPicture]:
        layout = page.layout
        if not layout.pictures:
            return
        opened = self._pdf[page.number]
        try:
            if layout.is_scan:
                yield self._scan(opened, page)
                return
            placed = sorted(layout.pictures, key=lambda p: p.pixels[0] * p.pixels[1])
            kept = set(placed[-_MAX_FIGURES:])
            in_order = sorted(
                (p for p in layout.pictures if p in kept), key=lambda p: (p.box.top, p.box.left)
            )
            for count, figure in enumerate(in_order, start=1):
                picture = self._figure(opened, page, figure, count)
                if picture is not None:
                    yield picture
        finally:
            opened.close()

    def _scan(self, opened: pypdfium2.PdfPage, page: _Page) -> LoadedPicture:
        image = render(opened, _WHOLE_PAGE, self._context.config.max_media_px)
        return LoadedPicture(
            document=self._source.relative,
            name=f"{self._source.relative}#p{page.number + 1}",
            image=image,
            size=image.size,
            page=page.number + 1,
            box=_WHOLE_PAGE,
            offset=page.offsets[0] if page.offsets else None,
            text_is_read=True,
        )

    def _figure(
        self, opened: pypdfium2.PdfPage, page: _Page, figure: Placed, count: int
    ) -> LoadedPicture | None:
        box, longest, size = figure.box, self._context.config.max_media_px, figure.pixels
        points = max(
            (box.right - box.left) * opened.get_width(),
            (box.bottom - box.top) * opened.get_height(),
        )
        try:
            # A page of text on a printed ground is no picture, but its ground may be one.
            image = ground(opened, longest) if figure.covers_page else None
            image = image or render(opened, box, longest, most=max(1.0, max(size) / points))
        except (pypdfium2.PdfiumError, ValueError, ArithmeticError, MemoryError):
            _log.warning("A picture on page %d of a PDF cannot be drawn.", page.number + 1)
            return None
        if (image.width < image.height) != (size[0] < size[1]):
            size = (size[1], size[0])  # it is turned on its page
        beside = line_beside(box, page.lines)
        return LoadedPicture(
            document=self._source.relative,
            name=f"{self._source.relative}#p{page.number + 1}-{count}",
            image=image,
            size=size,
            caption=caption_of(box, page.lines),
            page=page.number + 1,
            box=box,
            offset=page.offsets[beside] if beside is not None else None,
        )

    def _refuse_empty(self, failed: int) -> None:
        relative = self._source.relative
        if failed:
            raise FileRejected(
                f"{relative}: {failed} of its {len(self._pdf)} pages cannot be read, and the others show "
                "nothing. Open it in a PDF viewer and print it to a new PDF."
            )
        raise FileRejected(
            f"{relative} holds neither text nor pictures. Remove it, or print it to a new PDF."
        )


def _ended(sections: Sequence[Section], length: int) -> list[Section]:
    """Return sections of which the last ends here; one without a character is left out."""
    if not sections or sections[-1].end > sections[-1].start:
        return list(sections)
    *others, last = sections
    if last.start == length:
        return others
    return [*others, Section(last.start, length, last.breadcrumb, last.page)]


def _title(pdf: pypdfium2.PdfDocument) -> str:
    title = " ".join((pdf.get_metadata_dict().get("Title") or "").replace("\0", " ").split())
    title = title.removeprefix("Microsoft Word - ").removeprefix("Microsoft PowerPoint - ")
    return "" if _NO_TITLE.fullmatch(title) else title
