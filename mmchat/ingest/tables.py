"""Read CSV and TSV: each row is a document of its own, its columns are its metadata."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, Section, SourcePath
from mmchat.ingest.markdown import resolve
from mmchat.ingest.text import humanise, read_text
from mmchat.stores.base import Reference
from mmchat.types import Document, MetadataValue

# What columns are called, most telling first. Korean shops export these from their back office.
_ID_COLUMNS = ("sku", "id", "code", "article", "item", "no", "상품코드", "번호")
_TITLE_COLUMNS = ("name", "title", "product", "product_name", "question", "상품명", "제목", "질문")
_PICTURE_COLUMNS = ("image", "picture", "photo", "image_path", "이미지", "사진")


def load_table(source: SourcePath, _context: LoadContext) -> Iterator[LoadedPart]:
    """Read a table whose first row names the columns.

    Raises:
        FileRejected: it has no rows below its header, or cannot be read as a table.
    """
    text, relative = read_text(source), source.relative
    header_line = text.partition("\n")[0]
    delimiter = "\t" if source.path.suffix.lower() == ".tsv" else _delimiter(header_line)
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except (csv.Error, ValueError) as error:
        raise FileRejected(
            f"{relative} cannot be read as a table ({error}). Save it again as CSV in UTF-8."
        ) from error
    if not rows:
        raise FileRejected(f"{relative} has a header but no rows. Add rows, or remove it.")
    columns = [name.strip() for name in header]
    documents = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        values = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        row_id = _pick(values, _ID_COLUMNS) or str(number)
        while row_id in seen:
            row_id = f"{row_id}-{number}"
        seen.add(row_id)
        if any(values.values()):
            documents.append(_document(values, relative, row_id, source.name))
    yield LoadedPart(tuple(documents))


def _document(
    values: dict[str, str], relative: str, row_id: str, name_of_table: str
) -> LoadedDocument:
    name = f"{relative}#{row_id}"
    title = _pick(values, _TITLE_COLUMNS) or f"{name_of_table} {row_id}"
    picture = _pick(values, _PICTURE_COLUMNS)
    lines = [
        f"{humanise(column)}: {value}"
        for column, value in values.items()
        if value and column.lower() not in _PICTURE_COLUMNS
    ]
    text = "\n".join(lines)
    target = resolve(picture, relative) if picture else None
    references = (Reference(name, target, 0, title),) if target else ()
    metadata = {column: _typed(value) for column, value in values.items() if value}
    document = Document(path=name, title=title, text=text, metadata=metadata)
    return LoadedDocument(document, (Section(0, len(text), (title,)),), references)


def _pick(values: dict[str, str], names: Sequence[str]) -> str:
    lowered = {column.lower(): value for column, value in values.items()}
    return next((lowered[name] for name in names if lowered.get(name)), "")


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _typed(value: str) -> MetadataValue:
    """Read a number as a number, so that filters can compare it; `007` stays a code."""
    if value.lower() in {"true", "yes", "false", "no"}:
        return value.lower() in {"true", "yes"}
    if value.lstrip("-").startswith("0") and value.lstrip("-0")[:1].isdigit():
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
