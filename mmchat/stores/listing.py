"""Look through the documents of a catalog, page by page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from mmchat.types import Document

_SELECT = """
SELECT d.path, d.title, (SELECT count(*) FROM chunks WHERE document = d.id),
       (SELECT count(*) FROM pictures WHERE document = d.id),
       coalesce((SELECT thumb FROM pictures WHERE document = d.id ORDER BY id LIMIT 1), ''),
       f.path, d.text <> ''
FROM documents d JOIN files f ON f.id = d.file"""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document, and how much was made of it."""

    path: str
    title: str
    chunks: int
    pictures: int
    thumb: str
    """The small copy of its first picture, relative to the index; empty without one."""
    file: str
    """The path of the file that it was made of."""
    has_text: int
    """1 where it has a text, 0 where it is a picture."""


def list_documents(
    connection: sqlite3.Connection, words: str, *, limit: int, offset: int
) -> tuple[list[ListedDocument], int]:
    """Return the documents with all these words in path or title, by path, and how many there are in all."""
    where, values = _having(words.split())
    (total,) = connection.execute(
        f"SELECT count(*) FROM documents d{where}",  # noqa: S608
        values,
    ).fetchone()
    rows = connection.execute(
        f"{_SELECT}{where} ORDER BY d.path LIMIT ? OFFSET ?", (*values, limit, offset)
    )
    return [ListedDocument(*row) for row in rows], total


def knows(connection: sqlite3.Connection, path: str) -> bool:
    """Tell whether a file of that path is indexed, or has a problem."""
    found = connection.execute(
        "SELECT 1 FROM files WHERE path = ? UNION SELECT 1 FROM problems WHERE path = ?",
        (path, path),
    )
    return found.fetchone() is not None


def documents_in(connection: sqlite3.Connection, folder: str) -> list[Document]:
    """Return the documents below a folder, by path."""
    rows = connection.execute(
        "SELECT path, title, text, metadata FROM documents WHERE path > ? AND path < ? ORDER BY path",
        (f"{folder}/", f"{folder}0"),  # "0" is what follows "/"
    )
    return [Document(path, title, text, json.loads(meta)) for path, title, text, meta in rows]


def _having(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the condition, and its values, that all words are in the path or the title."""
    patterns = [
        "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        for word in words
    ]
    has = "(d.path LIKE ? ESCAPE '\\' OR d.title LIKE ? ESCAPE '\\')"
    where = f" WHERE {' AND '.join([has] * len(words))}" if words else ""
    return where, [each for pattern in patterns for each in (pattern, pattern)]
