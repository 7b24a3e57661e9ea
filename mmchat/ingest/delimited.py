"""Read CSV and TSV, row by row: a table of any length takes little memory."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, SourcePath
from mmchat.ingest.decoding import text_lines
from mmchat.ingest.tables import Table, in_parts

_CELL_CHARS = 1_000_000
_DELIMITERS = ",;\t|"
# Excel writes and reads this line, which says what separates the cells.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*$')


def load_table(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a table whose first row names the columns; each other row becomes a document.

    Raises:
        FileRejected: it has no header or no rows, a quote is not closed, a row has too many cells, or two
            rows have the same id. The message names the line.
    """
    rows = table_rows(source)
    _, header, delimiter = next(rows, (0, [], ","))
    if not any(name.strip() for name in header):
        raise FileRejected(
            f"{source.relative}, line 1: expected a header that names the columns. Add one."
        )
    decimal_comma = delimiter == ";"
    table = Table(source, header, context.columns, decimal_comma=decimal_comma)
    yield LoadedPart(notes=(table.note,))
    documents = (table.document(line, f"line {line}", cells) for line, cells, _ in rows)
    first: LoadedDocument | None = next((found for found in documents if found), None)
    if first is None:
        raise FileRejected(f"{source.relative} has a header but no rows. Add rows, or remove it.")
    yield from in_parts(chain([first], documents))


def table_rows(source: SourcePath) -> Iterator[tuple[int, list[str], str]]:
    """Yield the rows that are not empty lines: the line where each begins, its cells, and the separator.

    Raises:
        FileRejected: a quote is not closed; the message names the line.
    """
    lines = text_lines(source)
    skipped = 0
    first = ""
    for line in lines:
        if line.strip():
            first = line
            break
        skipped += 1
    stated = _SEPARATOR_LINE.match(first)
    delimiter = stated[1] if stated else _delimiter(source, first)
    if stated:
        skipped += 1
    # Of the whole process, but nothing else in it reads CSV; the default of 131,072 is too small.
    csv.field_size_limit(_CELL_CHARS)
    reader = csv.reader(
        lines if stated else chain([first], lines), delimiter=delimiter, strict=True
    )
    begins = skipped + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileRejected(_broken(source, begins, skipped + reader.line_num, error)) from error
        if cells:
            yield begins, cells, delimiter
        begins = skipped + reader.line_num + 1


def _delimiter(source: SourcePath, header: str) -> str:
    if source.path.suffix.lower() == ".tsv":
        return "\t"
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)


def _broken(source: SourcePath, begins: int, line: int, error: csv.Error) -> str:
    where = f"line {begins}" if line <= begins else f"lines {begins} to {line}"
    return (
        f"{source.relative}, {where}: a quote is not closed, or stands within a quoted cell without being "
        f'doubled ({error}). Write "" for a quote inside of a cell, or save the table again as CSV.'
    )
