"""Which line of a page is the caption of a picture, and which line it stands beside."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmchat.ingest.pdf.lines import Line
from mmchat.types import Box

_CAPTION = re.compile(
    r"[<\[(〈《【]?\s*"
    r"(?:fig(?:ure|\.)?|table|plate|photo|picture|image|illustration|diagram|abb(?:ildung|\.)?"
    r"|그림|표|사진|도표|도해|圖|図|表)"
    r"\s*\.?\s*(?:[0-9]+|[A-Z](?=[.\-–0-9:]))(?:[.\-–][0-9]+)*[a-z]?(?![0-9A-Za-z가-힣])",
    re.IGNORECASE,
)
_REACH = 0.06
"""How far from a picture its caption may stand, as a share of the page's height."""


def caption_of(box: Box, lines: Sequence[Line]) -> str:
    """Return the caption nearest to a picture, below it or above; empty where there is none."""
    near = [
        (_gap(box, line.box), number)
        for number, line in enumerate(lines)
        if line.box is not None
        and _CAPTION.match(line.text)
        and _shares_column(box, line.box)
        and _gap(box, line.box) <= _REACH
    ]
    if not near:
        return ""
    _, number = min(near)
    caption = lines[number].text
    # A second line goes on with a small letter; "see" begins a sentence of the text as often as not.
    if number + 1 < len(lines) and lines[number + 1].text[:1].islower():
        caption = f"{caption} {lines[number + 1].text}"
    return caption


def line_beside(box: Box, lines: Sequence[Line]) -> int | None:
    """Return the number of the line that stands nearest above a picture, or nearest to it at all."""
    placed = [(number, line.box) for number, line in enumerate(lines) if line.box is not None]
    if not placed:
        return None
    middle = (box.top + box.bottom) / 2
    above = [
        (middle - (other.top + other.bottom) / 2, number)
        for number, other in placed
        if _shares_column(box, other) and (other.top + other.bottom) / 2 <= middle
    ]
    if above:
        return min(above)[1]
    return min((abs(middle - (o.top + o.bottom) / 2), number) for number, o in placed)[1]


def _gap(one: Box, other: Box) -> float:
    return max(0.0, other.top - one.bottom, one.top - other.bottom)


def _shares_column(one: Box, other: Box) -> bool:
    return min(one.right, other.right) > max(one.left, other.left)
