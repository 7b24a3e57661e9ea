"""What is known of documents besides their text, and the filters on it.

Each value of a document's metadata is a row of `facts`, so that a filter is a look-up in an index and not
a walk through every document. A filter becomes one SQL condition on the table of chunks or of pictures.
"""

from __future__ import annotations

import datetime
import json
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mmchat.conditions import AllOf, AnyOf, Contains, Equals, Filter, FilterValue, In, Not, Range
from mmchat.config import nearest
from mmchat.errors import QueryError
from mmchat.filters import ITEM_KINDS, split_kind
from mmchat.types import Document, MetadataValue

ItemTable: TypeAlias = Literal["chunks", "pictures"]
Sql: TypeAlias = tuple[str, tuple[Any, ...]]
"""A condition, and what its question marks stand for."""
Rows: TypeAlias = NDArray[np.int64]
_Leaf: TypeAlias = Equals | In | Range | Contains

SCHEMA = """
CREATE TABLE fields (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, label TEXT NOT NULL);
CREATE TABLE facts (
    field INTEGER NOT NULL REFERENCES fields, text TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE, number REAL,
    PRIMARY KEY (field, text, document)) WITHOUT ROWID;
CREATE INDEX facts_document ON facts (document);
CREATE INDEX facts_number ON facts (field, number) WHERE number IS NOT NULL;
CREATE TABLE owners (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    picture INTEGER NOT NULL REFERENCES pictures ON DELETE CASCADE,
    PRIMARY KEY (document, picture)) WITHOUT ROWID;
CREATE INDEX owners_picture ON owners (picture);
"""

_BUILT_IN = ("document", "folder", "title", "kind", "page", "tag")
_META = "meta."
# A document's title is a fact like any other, under a name that no column can have.
_TITLE = ":title"
_EXAMPLES = 3
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}$")
_LARGEST = 2**53
"""The largest whole number up to which a float holds every one."""


def insert_facts(connection: sqlite3.Connection, row: int, document: Document) -> None:
    """Keep what filters compare of a document."""
    facts: list[tuple[str, str, MetadataValue]] = [(_TITLE, "title", document.title)]
    facts += [(fold(label), label, value) for label, value in document.metadata.items()]
    connection.executemany(
        "INSERT OR IGNORE INTO fields (name, label) VALUES (?, ?)",
        [(name, label) for name, label, _ in facts],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO facts (field, document, text, number)"
        " VALUES ((SELECT id FROM fields WHERE name = ?), ?, ?, ?)",
        [(name, row, _text(value), _number(value)) for name, _, value in facts],
    )


def set_owners(connection: sqlite3.Connection) -> None:
    """Let each picture share the facts of its own document and of those that it is linked to."""
    connection.execute("DELETE FROM owners")
    connection.execute(
        "INSERT INTO owners (document, picture) SELECT document, id FROM pictures UNION"
        " SELECT c.document, p.id FROM links l JOIN pictures p ON p.item = l.picture"
        " JOIN chunks c ON c.item = l.chunk"
    )


def matching_rows(connection: sqlite3.Connection, table: ItemTable, where: Filter) -> Rows:
    """Return the row ids of the items that a filter lets through, in ascending order.

    Raises:
        QueryError: it names an unknown field, compares a field with a value of another kind, or has more
            parts than SQLite takes.
    """
    try:
        condition, values = _Compiler(connection, table).condition(where)
        # One long text is read in half the time of a million rows.
        (found,) = connection.execute(
            f"SELECT group_concat(i.id) FROM {table} i WHERE {condition}",  # noqa: S608
            values,
        ).fetchone()
        rows = np.fromstring(found or "", np.int64, sep=",")
    except sqlite3.OperationalError as error:
        raise QueryError(
            f"The filter has too many parts ({error}). Give several values of a field as one list."
        ) from error
    rows.sort()
    return rows


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Turns a filter into SQL about the row `i` of chunks or of pictures."""

    connection: sqlite3.Connection
    table: ItemTable

    def condition(self, where: Filter) -> Sql:
        match where:
            case AllOf(filters):
                return self._all_of(" AND ", "1", filters)
            case AnyOf(filters):
                return self._all_of(" OR ", "0", filters)
            case Not(inner):
                condition, values = self.condition(inner)
                return f"NOT ({condition})", values
            case _:
                return self._leaf(where)

    def _all_of(self, word: str, nothing: str, filters: tuple[Filter, ...]) -> Sql:
        parts = [self.condition(part) for part in filters]
        return _joined(word, nothing, [sql for sql, _ in parts]), tuple(
            value for _, values in parts for value in values
        )

    def _leaf(self, leaf: _Leaf) -> Sql:
        name = fold(leaf.field)
        if name == "kind":
            return self._kind(leaf)
        if name == "page":
            return _page(leaf)
        if name == "tag":
            return self._tag(leaf)
        if name == "document":
            return self._of(_document(leaf))
        if name == "folder":
            return self._of(_folder(leaf))
        if name == "title":
            name = _TITLE
        return self._of(self._fact(leaf, name.removeprefix(_META)))

    def _of(self, documents: Sql) -> Sql:
        """Turn a query for ids of documents into a condition on the item."""
        query, values = documents
        if self.table == "pictures":
            query = f"SELECT picture FROM owners WHERE document IN ({query})"  # noqa: S608
        return f"i.{'document' if self.table == 'chunks' else 'id'} IN ({query})", values

    def _kind(self, leaf: _Leaf) -> Sql:
        if not isinstance(leaf, (Equals, In)):
            _refuse(leaf, f"one of {' and '.join(ITEM_KINDS)}")
        kinds, _ = split_kind(leaf)
        return ("1" if self.table[:-1] in kinds else "0"), ()

    def _tag(self, leaf: _Leaf) -> Sql:
        """Find pictures by what they probably show, and passages by the pictures of their document."""
        condition: str
        values: tuple[str, ...] = ()
        match leaf:
            case Range(_, None, None):
                condition = "1"
            case Range():
                _refuse(leaf, "the name of a thing")
            case Contains(_, text):
                condition, values = "instr(folded, ?) > 0", (fold(text),)
            case Equals() | In():
                wanted = leaf.values if isinstance(leaf, In) else (leaf.value,)
                condition = "folded IN (SELECT value FROM json_each(?))"
                values = (json.dumps([_text(value) for value in wanted]),)
        query = f"SELECT picture FROM tags WHERE {condition}"  # noqa: S608
        if self.table == "pictures":
            return f"i.id IN ({query})", values
        query = f"SELECT document FROM owners WHERE picture IN ({query})"  # noqa: S608
        return f"i.document IN ({query})", values

    def _fact(self, leaf: _Leaf, name: str) -> Sql:
        found = self.connection.execute("SELECT id FROM fields WHERE name = ?", (name,)).fetchone()
        if found is None:
            self._unknown(leaf.field)
        (field,) = found
        match leaf:
            case Equals(_, value):
                return _equal(field, (value,))
            case In(_, wanted):
                return _equal(field, wanted)
            case Contains(_, text):
                return _FACTS.format("instr(text, ?) > 0"), (field, fold(text))
            case Range(_, None, None):
                return _FACTS.format("1"), (field,)
        self._check_kind(leaf, field)
        if _is_numeric(leaf):
            condition, values = _between(leaf, "number", _number)
        else:
            condition, values = _between(leaf, "text", _text)
            condition = f"number IS NULL AND {condition}"
        return _FACTS.format(condition), (field, *values)

    def _unknown(self, field: str) -> NoReturn:
        rows = self.connection.execute("SELECT label FROM fields WHERE name <> ?", (_TITLE,))
        known = [label for (label,) in rows]
        raise QueryError(
            f"No document has the field {field!r}: {nearest(field, [*_BUILT_IN, *known])}"
        )

    def _check_kind(self, leaf: Range, field: int) -> None:
        """Refuse to compare texts with a number: "12 cm" is neither below 50 nor above."""
        numeric = _is_numeric(leaf)
        if self._examples(field, numeric=numeric):
            return
        # Asked for only now: where there are none of them, all values of the field are gone through.
        if examples := self._examples(field, numeric=not numeric):
            holds, wanted = ("texts", "number") if numeric else ("numbers", "text")
            raise QueryError(
                f"{leaf.field} holds {holds} ({', '.join(examples)}), which cannot be compared with a "
                f"{wanted}. Compare it with one of its own kind."
            )

    def _examples(self, field: int, *, numeric: bool) -> list[str]:
        """Return a few values of a field, numbers or texts."""
        kind = "NOT NULL" if numeric else "NULL"
        rows = self.connection.execute(
            f"SELECT text FROM facts WHERE field = ? AND number IS {kind} LIMIT ?",  # noqa: S608
            (field, _EXAMPLES),
        )
        return [repr(text) for (text,) in rows]


_FACTS = "SELECT document FROM facts WHERE field = ? AND {}"


def _equal(field: int, values: Sequence[FilterValue]) -> Sql:
    """Find documents whose field has one of these values; numbers and texts have an index each."""
    texts = [_text(value) for value in values if _number(value) is None]
    numbers = [number for value in values if (number := _number(value)) is not None]
    return (
        "SELECT f.document FROM json_each(?) j CROSS JOIN facts f ON f.field = ? AND f.text = j.value"
        " UNION ALL"
        " SELECT f.document FROM json_each(?) j CROSS JOIN facts f ON f.field = ? AND f.number = j.value",
        (json.dumps(texts), field, json.dumps(numbers), field),
    )


def _joined(word: str, nothing: str, parts: Sequence[str]) -> str:
    """Join conditions as a balanced tree: SQLite takes many conditions, but no deep ones."""
    if len(parts) <= 1:
        return parts[0] if parts else nothing
    half = len(parts) // 2
    return f"({_joined(word, '', parts[:half])}){word}({_joined(word, '', parts[half:])})"


def _between(leaf: Range, column: str, convert: Callable[[FilterValue], Any]) -> Sql:
    parts: list[str] = []
    values: list[Any] = []
    if leaf.low is not None:
        parts.append(f"{column} {'>=' if leaf.low_included else '>'} ?")
        values.append(_to_end_of_day(convert(leaf.low), leaf.low_included is False))
    if leaf.high is not None:
        parts.append(f"{column} {'<=' if leaf.high_included else '<'} ?")
        values.append(_to_end_of_day(convert(leaf.high), leaf.high_included))
    return " AND ".join(parts) or "1", tuple(values)


def _to_end_of_day(value: Any, applies: bool) -> Any:
    """Let "up to a day" include its hours, and "after a day" begin with the next."""
    return (
        f"{value}\U0010ffff" if applies and isinstance(value, str) and _DAY.match(value) else value
    )


def _is_numeric(leaf: Range) -> bool:
    """Whether the ends of a range are numbers; one of each kind is refused."""
    ends = [value for value in (leaf.low, leaf.high) if value is not None]
    kinds = {_number(value) is not None for value in ends}
    if len(kinds) > 1:
        raise QueryError(
            f"{leaf.field}: a range from {leaf.low!r} to {leaf.high!r}; expected two numbers, two dates "
            "or two texts."
        )
    return kinds == {True}


def _page(leaf: _Leaf) -> Sql:
    is_open = isinstance(leaf, Range) and leaf.low is None and leaf.high is None
    if isinstance(leaf, Contains) or (
        isinstance(leaf, Range) and not is_open and not _is_numeric(leaf)
    ):
        _refuse(leaf, "a number")
    if isinstance(leaf, Range):
        condition, values = _between(leaf, "i.page", _number)
    else:
        wanted = leaf.values if isinstance(leaf, In) else (leaf.value,)
        condition = "i.page IN (SELECT value FROM json_each(?))"
        values = (json.dumps([_number(value) for value in wanted]),)
    return f"i.page IS NOT NULL AND {condition}", values


def _document(leaf: _Leaf) -> Sql:
    """Find documents by path; the path of a file stands for all that was made of it."""
    if isinstance(leaf, Contains):
        return "SELECT id FROM documents WHERE instr(lower(path), lower(?)) > 0", (leaf.text,)
    return (
        "SELECT d.id FROM json_each(?) j CROSS JOIN documents d ON d.path = j.value UNION ALL"
        " SELECT d.id FROM json_each(?) j CROSS JOIN files f ON f.path = j.value"
        " CROSS JOIN documents d ON d.file = f.id",
        (_paths(leaf), _paths(leaf)),
    )


def _folder(leaf: _Leaf) -> Sql:
    folders = [PurePosixPath(path).as_posix() for path in json.loads(_paths(leaf))]
    if "." in folders:
        return "SELECT id FROM documents", ()
    # "0" is the character after "/", so that these are the paths that begin with the folder.
    return (
        "SELECT d.id FROM json_each(?) j CROSS JOIN documents d"
        " ON d.path >= j.value || '/' AND d.path < j.value || '0'",
        (json.dumps(folders),),
    )


def _paths(leaf: _Leaf) -> str:
    if not isinstance(leaf, (Equals, In)):
        _refuse(leaf, "a path relative to the indexed folder")
    values = leaf.values if isinstance(leaf, In) else (leaf.value,)
    return json.dumps([_clean(str(value)).strip() for value in values])


def _refuse(leaf: _Leaf, expected: str) -> NoReturn:
    raise QueryError(
        f"{leaf.field}: {leaf!r} does not suit it; expected to be compared with {expected}."
    )


def fold(text: str) -> str:
    """Return a text as filters compare it: without regard to case and to white space."""
    return " ".join(unicodedata.normalize("NFC", _clean(text)).casefold().split())


def _clean(text: str) -> str:
    """Replace what SQLite cannot hold: halves of characters, from a command line that is not UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _text(value: MetadataValue | FilterValue) -> str:
    if isinstance(value, datetime.date):
        return fold(value.isoformat())
    return fold(str(value))


def _number(value: MetadataValue | FilterValue) -> float | None:
    """Return a number as SQLite compares it; a code too long for that (or a nan) stays a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= _LARGEST else None
