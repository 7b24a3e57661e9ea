"""Put the lines that were read in a picture into the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from mmchat.ingest.base import TextLine

# What makes two columns of running text, and not the goods and the prices of a receipt.
_COLUMN_LINES = 4
_COLUMN_LETTERS = 20


def join_lines(lines: Sequence[TextLine]) -> str:
    """Return lines as text: rows from the top, two columns one after the other."""
    return "\n".join(_ordered(lines))


def _ordered(lines: Sequence[TextLine]) -> list[str]:
    columns = _columns(lines)
    if columns is None:
        return _rows(lines)
    left, right = columns
    aside = [*left, *right]
    top, bottom = min(line.box.top for line in aside), max(line.box.bottom for line in aside)
    # A line across both columns is a heading above them or a note below.
    across = [line for line in lines if line not in aside]
    middle = (top + bottom) / 2
    above = [line for line in across if _middle(line) < middle]
    below = [line for line in across if _middle(line) >= middle]
    return [*_rows(above), *_rows(left), *_rows(right), *_rows(below)]


def _columns(lines: Sequence[TextLine]) -> tuple[list[TextLine], list[TextLine]] | None:
    """Return the lines left and right of a gutter, where there are two columns of running text."""
    edges = sorted({line.box.right for line in lines if line.box.right < 0.75})
    for edge in reversed(edges):
        left = [line for line in lines if line.box.right <= edge]
        right = [line for line in lines if line.box.left >= edge + 0.005]
        across = len(lines) - len(left) - len(right)
        if min(len(left), len(right)) < _COLUMN_LINES or across > 0.25 * len(lines):
            continue
        letters = [median(len(line.text) for line in side) for side in (left, right)]
        overlap = min(_bottom(left), _bottom(right)) - max(_top(left), _top(right))
        if min(letters) >= _COLUMN_LETTERS and overlap > 0:
            return left, right
    return None


def _rows(lines: Sequence[TextLine]) -> list[str]:
    """Join what stands beside each other: `Kettle 29.90`."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda one: (_middle(one), one.box.left)):
        if rows and rows[-1][0].box.top < _middle(line) < rows[-1][0].box.bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [
        " ".join(line.text for line in sorted(row, key=lambda one: one.box.left)) for row in rows
    ]


def _middle(line: TextLine) -> float:
    return (line.box.top + line.box.bottom) / 2


def _top(lines: Sequence[TextLine]) -> float:
    return min(line.box.top for line in lines)


def _bottom(lines: Sequence[TextLine]) -> float:
    return max(line.box.bottom for line in lines)
