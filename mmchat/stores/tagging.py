"""The tags of a local index: what its pictures probably show, and the names that this was chosen from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np

from mmchat.stores.base import Naming, Scale, Thing, Vectors
from mmchat.stores.facts import fold
from mmchat.stores.vectors import Rows
from mmchat.stores.vectors_writing import VectorWriter
from mmchat.types import Tag

# `folded` is the name as filters compare it. A name's vector is kept, so that only new names are encoded and
# a photo that is asked about can be named without them.
SCHEMA = """
CREATE TABLE tags (
    picture INTEGER PRIMARY KEY REFERENCES pictures ON DELETE CASCADE,
    name TEXT NOT NULL, folded TEXT NOT NULL, probability REAL NOT NULL);
CREATE INDEX tags_folded ON tags (folded);
CREATE TABLE names (
    place INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, vector BLOB NOT NULL);
CREATE TABLE tagging (mark TEXT NOT NULL, slope REAL, others REAL);
"""


class LocalTags:
    """The tags of a generation that is being written."""

    def __init__(self, connection: sqlite3.Connection, images: VectorWriter) -> None:
        self._connection = connection
        self._images = images

    def things(self) -> Iterator[Thing]:
        """Yield the documents that are rows of tables, or that pictures belong to."""
        rows = self._connection.execute(
            "SELECT d.title, d.metadata FROM documents d JOIN files f ON f.id = d.file WHERE d.text <> ''"
            " AND (d.path <> f.path OR d.id IN (SELECT document FROM owners)) ORDER BY d.id"
        )
        for title, metadata in rows:
            yield Thing(title, json.loads(metadata))

    def folders(self) -> list[str]:
        """Return the name of the folder of each picture that is a file."""
        rows = self._connection.execute(
            "SELECT p.name FROM pictures p JOIN documents d ON d.id = p.document WHERE p.name = d.path"
        )
        return [PurePosixPath(name).parent.name for (name,) in rows]

    def naming(self) -> Naming | None:
        """Return what the pictures were named by; None where there were no names."""
        return read_naming(self._connection)

    def pictures(self) -> Iterator[tuple[Rows, Vectors]]:
        """Yield the row ids (n,) and the vectors (n, dimension) of all pictures, block by block."""
        return self._images.blocks()

    def belonging(self) -> Iterator[tuple[int, str]]:
        """Yield the row id of each picture and the title of a document that it belongs to."""
        yield from self._connection.execute(
            "SELECT o.picture, d.title FROM owners o JOIN documents d ON d.id = o.document"
            " WHERE d.text <> '' ORDER BY o.picture, d.id"
        )

    def replace(self, naming: Naming | None, tags: Iterable[tuple[int, Tag]], mark: str) -> None:
        """Replace all names and all tags (by row id of the picture)."""
        for table in ("tags", "names", "tagging"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
        if naming is not None:
            vectors = [vector.astype("<f4").tobytes() for vector in naming.vectors]
            self._connection.executemany(
                "INSERT INTO names (name, category, vector) VALUES (?, ?, ?)",
                zip(naming.names, naming.categories, vectors, strict=True),
            )
        self._connection.executemany(
            "INSERT INTO tags (picture, name, folded, probability) VALUES (?, ?, ?, ?)",
            ((row, tag.name, fold(tag.name), tag.probability) for row, tag in tags),
        )
        scale = naming.scale if naming else None
        self._connection.execute(
            "INSERT INTO tagging (mark, slope, others) VALUES (?, ?, ?)",
            (mark, scale.slope if scale else None, scale.others if scale else None),
        )


def read_mark(connection: sqlite3.Connection) -> str:
    """Return how the tags of a catalog were made; empty where they are out of date."""
    row = connection.execute("SELECT mark FROM tagging").fetchone()
    return str(row[0]) if row else ""


def outdate(connection: sqlite3.Connection) -> None:
    """Let the next build make the tags anew: a name may have gone with a document."""
    connection.execute("UPDATE tagging SET mark = ''")


def read_naming(connection: sqlite3.Connection) -> Naming | None:
    """Return what the pictures of a catalog were named by; None where there were no names."""
    row = connection.execute("SELECT slope, others FROM tagging").fetchone()
    found = connection.execute("SELECT name, category, vector FROM names ORDER BY place").fetchall()
    if row is None or not found:
        return None
    names, categories, vectors = zip(*found, strict=True)
    stacked = np.stack([np.frombuffer(vector, "<f4") for vector in vectors])
    return Naming(names, categories, stacked, None if row[0] is None else Scale(*row))
