"""Take files and documents out of the catalog. What is returned are the row ids of their vectors."""

from __future__ import annotations

import sqlite3

from mmchat.stores import tagging

Rows = tuple[list[int], list[int]]
"""Row ids that chunks and pictures had."""


def delete_file(connection: sqlite3.Connection, path: str) -> Rows:
    """Remove a file with all its documents, and what is noted of it as a problem."""
    documents = [row for (row,) in connection.execute(_DOCUMENTS.format("d.id"), (path,))]
    removed = _items_of(connection, documents)
    connection.execute("DELETE FROM files WHERE path = ?", (path,))
    connection.execute("DELETE FROM problems WHERE path = ?", (path,))
    tagging.outdate(connection)
    return removed


def delete_document(connection: sqlite3.Connection, path: str) -> Rows:
    """Remove one document; its file stays, even without any."""
    found = connection.execute("SELECT id FROM documents WHERE path = ?", (path,)).fetchall()
    documents = [row for (row,) in found]
    removed = _items_of(connection, documents)
    connection.executemany("DELETE FROM documents WHERE id = ?", [(row,) for row in documents])
    tagging.outdate(connection)
    return removed


def documents_of(connection: sqlite3.Connection, path: str) -> list[str]:
    """Return the paths of the documents that were made of a file."""
    return [found for (found,) in connection.execute(_DOCUMENTS.format("d.path"), (path,))]


_DOCUMENTS = (
    "SELECT {} FROM documents d JOIN files f ON f.id = d.file WHERE f.path = ? ORDER BY d.id"
)


def _items_of(connection: sqlite3.Connection, documents: list[int]) -> Rows:
    """Return the row ids of the items of these documents."""
    chunks: list[int] = []
    pictures: list[int] = []
    for table, rows in (("chunks", chunks), ("pictures", pictures)):
        for document in documents:
            found = connection.execute(
                f"SELECT id FROM {table} WHERE document = ?",  # noqa: S608
                (document,),
            )
            rows += [row for (row,) in found]
    return chunks, pictures
