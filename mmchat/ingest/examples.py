"""Read tables of examples to tune a model with: questions with passages, pictures with products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmchat.config import ColumnsConfig
from mmchat.errors import InputError
from mmchat.ingest.base import SourcePath
from mmchat.ingest.columns import Roles, find_roles
from mmchat.ingest.delimited import table_rows
from mmchat.ingest.records import record_lines

_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")
# Beside what `columns` knows as an answer: what exports and published sets call the other half.
_PASSAGES = frozenset("passage positive document context text 본문 문단 지문".split())
_PRODUCTS = frozenset("product label class group 상품 제품".split())


@dataclass(frozen=True, slots=True)
class Example:
    """Two cells of a row: a question and its passage, or a picture and its product."""

    place: str
    """Where it stands: `line 5`."""
    given: str
    wanted: str


def read_pairs(path: Path, columns: ColumnsConfig) -> Iterator[Example]:
    """Yield the questions of a CSV, TSV or JSON Lines file, each with its passage.

    Raises:
        InputError: it is not such a file, or has no column of questions or of passages.
    """
    header, rows = _table(path)
    # A passage is to a question what an answer is, which `find_roles` looks for in pairs.
    roles = find_roles(_renamed(header, "answer", _PASSAGES), columns)
    if roles.question is None or roles.answer is None:
        raise InputError(
            f"{path} has the columns {', '.join(header)}; expected one of questions (question, 질문) and "
            "one of passages (passage, answer, 답변). Rename them, or name them with --set "
            "columns.question=NAME and --set columns.answer=NAME."
        )
    yield from _cells(rows, roles.question, roles.answer)


def read_photos(path: Path, columns: ColumnsConfig) -> Iterator[Example]:
    """Yield the pictures of a table, as it names them, each with the product that it shows.

    Raises:
        InputError: it is not such a file, or has no column of pictures or of products.
    """
    header, rows = _table(path)
    roles = find_roles(_renamed(header, "title", _PRODUCTS), columns)
    product = _product(roles)
    if not roles.picture or product is None:
        raise InputError(
            f"{path} has the columns {', '.join(header)}; expected one of pictures (picture, image, 사진) "
            "and one of products (product, title, id, 상품). Rename them, or name them with --set "
            "columns.picture=NAME and --set columns.title=NAME."
        )
    yield from _cells(rows, roles.picture[0], product)


Rows = Iterator[tuple[str, Sequence[str]]]


def _table(path: Path) -> tuple[list[str], Rows]:
    """Return the header of a table and its rows, each with its place."""
    suffix = path.suffix.lower()
    if suffix not in _TABLES or not path.is_file():
        what = "is not there" if not path.exists() else f"is no {', '.join(_TABLES)} file"
        raise InputError(
            f"{path} {what}. Expected a table with a header (CSV, TSV), or JSON Lines with an object on "
            "each line."
        )
    source = SourcePath(path, path.name, path.stem)
    if suffix in {".csv", ".tsv"}:
        lines = table_rows(source)
        _, header, _ = next(lines, (0, [], ""))
        return header, ((f"line {number}", cells) for number, cells, _ in lines)
    records = list(record_lines(source))
    header = list(dict.fromkeys(name for _, _, record in records for name in record))
    return header, (
        (place, ["" if record.get(name) is None else str(record[name]) for name in header])
        for _, place, record in records
    )


def _renamed(header: Sequence[str], role: str, names: frozenset[str]) -> list[str]:
    """Return the header with the first column that has one of `names` called by its role."""
    known = [name.strip().casefold() for name in header]
    place = next((place for place, name in enumerate(known) if name in names), None)
    if place is None or role in known:
        return list(header)
    return [role if number == place else name for number, name in enumerate(header)]


def _product(roles: Roles) -> int | None:
    return roles.title if roles.title is not None else roles.id


def _cells(rows: Rows, given: int, wanted: int) -> Iterator[Example]:
    for place, cells in rows:
        # A row may leave out its last cells.
        one, other = (cells[n].strip() if n < len(cells) else "" for n in (given, wanted))
        yield Example(place, one, other)
