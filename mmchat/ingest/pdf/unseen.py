"""Which letters of a page nobody sees: not printed at all, of no size, or of the colour of their ground.

Letters that are not printed are right where a scan lies over them: they are what was read in it.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

_SMALLEST = 1.0
"""Points; what is lower nobody reads."""
_WHITE = 235
"""Of 255: letters as light as this are seen on a darker ground only."""
_CONTRAST = 16
"""Of 255: how far the lightest and the darkest pixel of a line are apart that shows something."""


def is_unseen(
    textpage: pypdfium2.PdfTextPage,
    start: int,
    *,
    covered: bool,
    show: Callable[[], Image | None],
) -> bool:
    """Tell whether nobody sees a line, by its first letter.

    Args:
        textpage: it stays open.
        start: the index of the letter.
        covered: whether a picture covers the page.
        show: renders the line; asked only where its letters are nearly white or see-through.
    """
    if _is_tiny(textpage, start):
        return True
    if covered:
        return False
    thing = pdfium.FPDFText_GetTextObject(textpage, start)
    if (
        thing
        and pdfium.FPDFTextObj_GetTextRenderMode(thing) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
    ):
        return True
    return _is_light(textpage, start) and _shows_nothing(show())


def _is_tiny(textpage: pypdfium2.PdfTextPage, start: int) -> bool:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not pdfium.FPDFText_GetCharBox(textpage, start, left, right, bottom, top):
        return False
    return 0 < max(abs(top.value - bottom.value), abs(right.value - left.value)) < _SMALLEST


def _is_light(textpage: pypdfium2.PdfTextPage, start: int) -> bool:
    """Tell whether a letter is nearly white or see-through."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFText_GetFillColor(textpage, start, red, green, blue, alpha):
        return False
    return min(red.value, green.value, blue.value) >= _WHITE or alpha.value == 0


def _shows_nothing(image: Image | None) -> bool:
    if image is None:
        return False
    pixels = np.asarray(image.convert("L"), dtype=np.int16)
    return bool(pixels.size) and int(pixels.max() - pixels.min()) < _CONTRAST
