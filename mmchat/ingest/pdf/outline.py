"""The bookmarks of a PDF: which headings stand above which lines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pypdfium2
import pypdfium2.raw as pdfium

from mmchat.ingest.pdf.lines import Line

_MAX_BOOKMARKS = 10_000
_MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A heading that the PDF lists, and where it stands."""

    level: int
    title: str
    height: float | None
    """The distance of its place from the bottom of the page, in points, where it is told."""


class Outline:
    """The headings above a line, page after page."""

    def __init__(self, pdf: pypdfium2.PdfDocument) -> None:
        self._by_page: dict[int, list[Bookmark]] = defaultdict(list)
        for mark in islice(pdf.get_toc(), _MAX_BOOKMARKS):
            title = " ".join(mark.get_title().split())[:_MAX_TITLE]
            target = mark.get_dest()
            page = target.get_index() if target is not None else None
            if title and target is not None and page is not None:
                self._by_page[page].append(Bookmark(mark.level, title, _height(target)))
        self._above: list[tuple[int, str]] = []

    def split(
        self, page: int, lines: Sequence[Line], page_height: float
    ) -> list[tuple[int, tuple[str, ...]]]:
        """Return where sections begin on a page (the number of a line), with the headings above them.

        Pages must come in order: a page goes on under the headings that the one before ended with.

        Args:
            page: counts from 0.
            lines: of the page.
            page_height: in points.
        """
        begins: dict[int, tuple[str, ...]] = {0: self._headings}
        placed = [
            (_line_of(mark, lines, page_height), order, mark)
            for order, mark in enumerate(self._by_page.get(page, []))
        ]
        for line, _, mark in sorted(placed, key=lambda one: one[:2]):
            self._above = [entry for entry in self._above if entry[0] < mark.level]
            self._above.append((mark.level, mark.title))
            begins[line] = self._headings
        return sorted(begins.items())

    @property
    def _headings(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._above)


def _height(target: pypdfium2.PdfDest) -> float | None:
    mode, position = target.get_view()
    if mode == pdfium.PDFDEST_VIEW_XYZ and len(position) >= 2 and position[1] > 0:
        return float(position[1])
    if mode in {pdfium.PDFDEST_VIEW_FITH, pdfium.PDFDEST_VIEW_FITBH} and position:
        return float(position[0])
    return None


def _line_of(mark: Bookmark, lines: Sequence[Line], page_height: float) -> int:
    """Return the line with which a bookmark begins: the one that says its title, or the one at its place."""
    title = _letters(mark.title)
    for number, line in enumerate(lines):
        text = _letters(line.text)
        if text and (text == title or (len(text) >= 3 and title.startswith(text))):
            return number
        if title and text.endswith(title) and len(text) <= len(title) + 8:
            return number  # "3.1 Cleaning" under the bookmark "Cleaning"
    if mark.height is not None and page_height > 0:
        top = 1 - mark.height / page_height
        for number, line in enumerate(lines):
            if line.box is not None and line.box.bottom > top:
                return number
    return 0


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
