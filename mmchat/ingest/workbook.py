"""Read Excel files, row by row: each sheet is a table, each of its rows a document."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from mmchat.errors import FileRejected
from mmchat.ingest.archives import check_archive, damage_told
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, SourcePath
from mmchat.ingest.tables import CellValue, Table, in_parts

_HEADER_ROWS = 20
"""Rows among which the header is looked for: a title may stand above it."""
_LEADING_ZEROS = re.compile(r"0{2,}")

Row = tuple[int, list[CellValue]]


def load_workbook(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read the sheets of a workbook that are not hidden; formulas as the values they had when saved.

    Raises:
        FileRejected: it is damaged, protected, too large unpacked, holds no rows below a header, a row has
            too many cells, or two rows of a sheet have the same id.
    """
    check_archive(source, context.config, main="xl/")
    book = _open(source)
    try:
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        found = False
        for sheet in shown:
            rows = _rows(source, sheet)
            prefix = sheet.title if len(shown) > 1 else ""
            for part in _read_sheet(source, context, prefix, rows):
                found = found or bool(part.documents)
                yield part
        if not found:
            raise FileRejected(
                f"{source.relative} has no sheet with a header and rows below it. Add rows, or remove it."
            )
        hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
        if hidden:
            note = f"{source.relative}: hidden sheets are left out ({', '.join(hidden)})"
            yield LoadedPart(notes=(note,))
    finally:
        book.close()


def _open(source: SourcePath) -> Any:
    import openpyxl

    with damage_told(source, "Excel"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that it does not know
        return openpyxl.load_workbook(source.path, read_only=True, data_only=True)


def _read_sheet(
    source: SourcePath, context: LoadContext, prefix: str, rows: Iterator[Row]
) -> Iterator[LoadedPart]:
    first = list(islice(rows, _HEADER_ROWS))
    place = _header(first)
    if place is None:
        return
    header = ["" if cell is None else str(cell) for cell in first[place][1]]
    table = Table(source, header, context.columns, prefix=prefix)
    documents = _documents(table, chain(first[place + 1 :], rows))
    begun = next((document for document in documents if document), None)
    if begun is not None:
        yield LoadedPart(notes=(table.note,))
        yield from in_parts(chain([begun], documents))


def _documents(table: Table, rows: Iterator[Row]) -> Iterator[LoadedDocument | None]:
    where = f"{table.prefix}, row" if table.prefix else "row"
    for number, cells in rows:
        yield table.document(number, f"{where} {number}", cells)


def _header(rows: list[Row]) -> int | None:
    """Return which of the first rows names the columns: the first with two names, or the first at all."""
    filled = [sum(cell not in (None, "") for cell in cells) for _, cells in rows]
    several = next((place for place, count in enumerate(filled) if count > 1), None)
    return several if several is not None else next((p for p, c in enumerate(filled) if c), None)


def _rows(source: SourcePath, sheet: Any) -> Iterator[Row]:
    """Yield the number and the cells of each row that is not blank."""
    sheet.reset_dimensions()  # the size that the file claims may be wrong, or a million empty rows
    with damage_told(source, "Excel"):
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells = [_value(cell) for cell in row]
            while cells and cells[-1] in {None, ""}:
                cells.pop()
            if cells:
                yield number, cells


def _value(cell: Any) -> CellValue:
    """Return what a cell shows, as far as its format changes the meaning: 15%, or the zeros of 00042."""
    value = cell.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        plain: CellValue = value
        return plain
    style = cell.number_format or ""
    if style.endswith("%"):
        return f"{round(value * 100, 6):g}%"
    if isinstance(value, int) and _LEADING_ZEROS.fullmatch(style):
        return str(value).zfill(len(style))
    return value
