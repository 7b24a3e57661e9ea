"""What is on a page of a PDF: its lines, and where its pictures stand."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import pypdfium2
import pypdfium2.raw as pdfium

from mmchat.ingest.pdf.lines import Line, clean
from mmchat.ingest.pdf.unseen import is_unseen
from mmchat.pictures import to_rgb
from mmchat.types import Box

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

MAX_OBJECTS = 20_000
"""Objects of a page that are looked at: a map drawn of lines has millions, and pictures come first."""
_DEVICE = 1_000_000
"""PDFium places things in whole pixels: a page of so many makes fractions of them."""
_MAX_RENDERED = 60_000
"""Pixels of a whole page's side, of which a region is rendered: PDFium counts in 32 bits."""
_LINE_PX = 400
"""Pixels of a line that is looked at, on its longer side."""
_COVERS = 0.8
"""The share of a page from which on a picture is the page itself."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture on a page."""

    box: Box
    pixels: tuple[int, int]
    """Width and height of the pictures that it is made of."""

    @property
    def covers_page(self) -> bool:
        """Whether it is a scan of the whole page, or the ground that the page is printed on."""
        return area(self.box) >= _COVERS


@dataclass(frozen=True, slots=True)
class Layout:
    """What there is to know of a page before its text is mended."""

    lines: tuple[Line, ...]
    pictures: tuple[Placed, ...]
    is_scan: bool
    """Whether its text must be read off its picture."""


def look_at(page: pypdfium2.PdfPage, max_megapixels: float) -> Layout:
    """Return the lines and pictures of a page.

    Args:
        page: it stays open.
        max_megapixels: where a picture has more, the page is not rendered, and its pictures are left out.
    """
    pictures, shows_something = _pictures(page, max_megapixels)
    textpage = page.get_textpage()
    try:
        text = textpage.get_text_range()
        covered = any(picture.covers_page for picture in pictures)
        lines = tuple(_lines(page, textpage, text, covered=covered))
    finally:
        textpage.close()
    printed = "".join(line.text for line in lines)
    # A stamp or a page number on a scan is no text layer.
    has_text = len(printed) >= (60 if covered else 1) and not _is_garbled(printed)
    return Layout(lines, pictures, is_scan=shows_something and not has_text)


def render(page: pypdfium2.PdfPage, box: Box, longest: int, most: float = float("inf")) -> Image:
    """Return a region of a page as it is printed: masks, colours, rotation and all.

    Args:
        page: it stays open.
        box: the region.
        longest: pixels of the longer side of the result, at most.
        most: pixels to a point (1/72 inch), at most: more than a picture has would only blow it up.
    """
    width, height = page.get_size()
    region = (box.right - box.left) * width, (box.bottom - box.top) * height
    # Only the region is ever allocated, however large the page says that it is.
    scale = min(longest / max(region), most, _MAX_RENDERED / max(width, height))
    crop = (box.left * width, (1 - box.bottom) * height, (1 - box.right) * width, box.top * height)
    bitmap = page.render(
        scale=scale,
        crop=tuple(max(0.0, edge) for edge in crop),
        may_draw_forms=False,
        draw_annots=False,
        rev_byteorder=True,
    )
    try:
        image: Image = bitmap.to_pil().convert("RGB").copy()
    finally:
        bitmap.close()
    image.thumbnail((longest, longest))
    return image


def ground(page: pypdfium2.PdfPage, longest: int) -> Image | None:
    """Return the picture that covers a page, without what is printed on it; None where there is none."""
    for thing in islice(page.get_objects(), MAX_OBJECTS):
        if thing.type != pdfium.FPDF_PAGEOBJ_IMAGE:
            continue
        box = _box(page, _corners(thing))
        if box is None or area(box) < _COVERS:
            continue
        bitmap = thing.get_bitmap(render=True)
        try:
            image: Image = to_rgb(bitmap.to_pil()).copy()
        finally:
            bitmap.close()
        image.thumbnail((longest, longest))
        return image
    return None


def area(box: Box) -> float:
    """Return the share of the page that a box takes."""
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)


def _pictures(page: pypdfium2.PdfPage, max_megapixels: float) -> tuple[tuple[Placed, ...], bool]:
    """Return the pictures of a page, and whether there is anything on it that can be seen."""
    found = []
    count = 0
    for thing in islice(page.get_objects(), MAX_OBJECTS):
        count += 1
        if thing.type != pdfium.FPDF_PAGEOBJ_IMAGE:
            continue
        try:
            pixels = thing.get_px_size()
            box = _box(page, _corners(thing))
        except pypdfium2.PdfiumError:
            continue
        if pixels[0] * pixels[1] > max_megapixels * 1e6:
            _log.warning("A picture of %d x %d pixels in a PDF is left out.", *pixels)
            return (), False
        if box is not None and min(pixels) > 0:
            found.append(Placed(box, pixels))
    return tuple(_put_together(found)), count > 0


def _corners(thing: Any) -> list[tuple[float, float]]:
    """Return the corners of a picture on its page; it may be inside of forms, which are moved too."""
    matrix = thing.get_matrix()
    container = thing.container
    while container is not None:
        matrix = matrix.multiply(container.get_matrix())
        container = container.container
    return [matrix.on_point(x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]


def _box(page: pypdfium2.PdfPage, points: Sequence[tuple[float, float]]) -> Box | None:
    """Return the box around points of a page as a reader sees it; None where it is off the page."""
    placed = [_place(page, x, y) for x, y in points]
    xs, ys = [x for x, _ in placed], [y for _, y in placed]
    box = Box(_clip(min(xs)), _clip(min(ys)), _clip(max(xs)), _clip(max(ys)))
    return box if box.right > box.left and box.bottom > box.top else None


def _place(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[float, float]:
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _DEVICE, _DEVICE, 0, x, y, across, down)
    return across.value / _DEVICE, down.value / _DEVICE


def _clip(fraction: float) -> float:
    return min(1.0, max(0.0, fraction))


def _put_together(found: Sequence[Placed]) -> list[Placed]:
    """Join the strips and tiles that programs cut one picture into."""
    joined: list[Placed] = []
    for picture in found:
        current = picture
        for other in [one for one in joined if _belong_together(one, current)]:
            joined.remove(other)
            box = Box(
                min(other.box.left, current.box.left),
                min(other.box.top, current.box.top),
                max(other.box.right, current.box.right),
                max(other.box.bottom, current.box.bottom),
            )
            current = Placed(box, _sum_of_pixels(other, current, box))
        joined.append(current)
    return joined


def _belong_together(a: Placed, b: Placed) -> bool:
    """Tell whether one lies in the other, or both are edge to edge with the same ends."""
    if a.covers_page or b.covers_page:
        return False  # what stands on a printed ground is no part of it
    one, other, near = a.box, b.box, 0.001
    within = (
        min(one.right, other.right) - max(one.left, other.left),
        min(one.bottom, other.bottom) - max(one.top, other.top),
    )
    shared = max(0.0, within[0]) * max(0.0, within[1])
    if shared >= 0.8 * min(area(one), area(other)):
        return True
    same_ends = (abs(one.left - other.left) < near and abs(one.right - other.right) < near) or (
        abs(one.top - other.top) < near and abs(one.bottom - other.bottom) < near
    )
    return same_ends and min(within) > -near


def _sum_of_pixels(one: Placed, other: Placed, box: Box) -> tuple[int, int]:
    """Return how many pixels the whole has at the finer of the two resolutions."""
    across = max(p.pixels[0] / (p.box.right - p.box.left) for p in (one, other))
    down = max(p.pixels[1] / (p.box.bottom - p.box.top) for p in (one, other))
    return round(across * (box.right - box.left)), round(down * (box.bottom - box.top))


def _lines(
    page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, text: str, *, covered: bool
) -> Iterator[Line]:
    position = 0
    for raw in text.split("\n"):
        cleaned = clean(raw)
        if cleaned:
            span = (position, position + len(raw))
            box = _line_box(page, textpage, *span)
            begins = position + len(raw) - len(raw.lstrip())
            first = pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, begins)
            show = partial(_shown, page, box)
            if first < 0 or not is_unseen(textpage, first, covered=covered, show=show):
                yield Line(cleaned, box)
        position += len(raw) + 1


def _shown(page: pypdfium2.PdfPage, box: Box | None) -> Image | None:
    if box is None or area(box) <= 0:
        return None
    return render(page, box, _LINE_PX)


def _line_box(
    page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, start: int, end: int
) -> Box | None:
    first = pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, start)
    if first < 0:
        return None
    left, top, right, bottom = (ctypes.c_double() for _ in range(4))
    points: list[tuple[float, float]] = []
    for number in range(pdfium.FPDFText_CountRects(textpage, first, end - start)):
        if pdfium.FPDFText_GetRect(textpage, number, left, top, right, bottom):
            points += [(left.value, bottom.value), (right.value, top.value)]
    return _box(page, points) if points else None


def _is_garbled(text: str) -> bool:
    """Tell whether the fonts of a page do not say which letters they show."""
    unknown = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" for c in text)
    return unknown > 0.3 * len(text)
