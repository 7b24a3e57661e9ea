"""Read a table of a page: which cells are its header, and what stands in its rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

_SPACE = re.compile(r"\s+")
_MAX_COLUMNS = 1_000
_HEADER_CHARS = 60
_NUMBER = re.compile(r"[\W\d_]*\d[\W\d_]*\w{0,3}")
_BREAKS = frozenset("br p div li tr dd dt h1 h2 h3 h4 h5 h6".split())


@dataclass(slots=True)
class Grid:
    """A table: every row has a cell for each column that it reaches."""

    caption: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    pictures: list[LexborNode] = field(default_factory=list)


def is_layout(table: LexborNode) -> bool:
    """Tell whether a table only puts things beside each other: its cells are read as paragraphs."""
    if (table.attributes.get("role") or "").lower() in {"presentation", "none"}:
        return True
    if table.css_first("table table, h1, h2, h3, h4, h5, h6") is not None:
        return True
    return all(len(_cells(row)) <= 1 for row in table.css("tr"))


def read_grid(table: LexborNode, skipped: set[int]) -> Grid:
    """Read a table; a cell that spans several columns or rows stands in each of them.

    Args:
        table: the element.
        skipped: ids of elements that are not content.
    """
    grid = Grid()
    caption = table.css_first("caption")
    if caption is not None:
        grid.caption = _text(caption, skipped, grid.pictures)
    lines: list[tuple[list[str], bool]] = []
    below: dict[int, tuple[int, str]] = {}
    for row in table.css("tr"):
        if row.mem_id in skipped:
            continue
        cells = [cell for cell in _cells(row) if cell.mem_id not in skipped]
        inside_head = row.parent is not None and row.parent.tag == "thead"
        is_header = bool(cells) and (inside_head or all(cell.tag == "th" for cell in cells))
        lines.append(
            (_spread(cells, below, lambda cell: _text(cell, skipped, grid.pictures)), is_header)
        )
    heads = 0
    while heads < len(lines) - 1 and lines[heads][1]:
        heads += 1
    if not heads and len(lines) > 1 and _looks_like_header([cells for cells, _ in lines]):
        heads = 1
    grid.header = _join_headers([cells for cells, _ in lines[:heads]])
    grid.rows = [cells for cells, _ in lines[heads:] if any(cells)]
    return grid


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in {"td", "th"}]


def _spread(
    cells: list[LexborNode], below: dict[int, tuple[int, str]], text_of: Callable[[LexborNode], str]
) -> list[str]:
    """Return the cells of a row, those included that reach into it from above.

    Args:
        cells: of the row.
        below: column to how many rows a cell from above still fills, and its text; brought up to date.
        text_of: reads a cell.
    """
    row: list[str] = []

    def fill_from_above() -> None:
        while (reach := below.get(len(row))) and len(row) < _MAX_COLUMNS:
            left, text = reach
            if left == 1:
                del below[len(row)]
            else:
                below[len(row)] = (left - 1, text)
            row.append(text)

    for cell in cells:
        fill_from_above()
        text = text_of(cell)
        width, height = _span(cell, "colspan", 100), _span(cell, "rowspan", 1_000)
        for number in range(min(width, _MAX_COLUMNS - len(row))):
            # A name holds for all columns below it; a value is said once.
            shown = text if number == 0 or cell.tag == "th" else ""
            if height > 1:
                below[len(row)] = (height - 1, shown)
            row.append(shown)
    fill_from_above()
    return row


def _span(cell: LexborNode, name: str, most: int) -> int:
    value = cell.attributes.get(name) or ""
    return max(1, min(int(value), most)) if re.fullmatch(r"\d{1,6}", value) else 1


def _text(cell: LexborNode, skipped: set[int], pictures: list[LexborNode]) -> str:
    parts: list[str] = []
    above: list[LexborNode] = []
    node: LexborNode | None = cell
    while node is not None:
        child = None
        if node.is_text_node:
            parts.append(node.text_content or "")
        elif node.is_element_node and node.mem_id not in skipped:
            if node.tag == "img":
                pictures.append(node)
            elif node.tag in _BREAKS:
                parts.append(" ")
            child = node.first_child
        if child is not None:
            above.append(node)
            node = child
            continue
        while above and node.next is None:
            node = above.pop()
        node = node.next if above else None
    return _SPACE.sub(" ", "".join(parts)).strip()


def _looks_like_header(lines: list[list[str]]) -> bool:
    """Tell whether the first row names the columns, in a table that does not say so (as in Word)."""
    first = lines[0]
    return len(first) > 2 and all(
        cell and len(cell) <= _HEADER_CHARS and not _NUMBER.fullmatch(cell) for cell in first
    )


def _join_headers(heads: list[list[str]]) -> list[str]:
    """Join several rows of header: `Delivery` above `Days` becomes `Delivery Days`."""
    columns = max((len(head) for head in heads), default=0)
    joined = []
    for column in range(columns):
        parts = [head[column] for head in heads if column < len(head) and head[column]]
        joined.append(" ".join(dict.fromkeys(parts)))
    return joined
