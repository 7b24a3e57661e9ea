"""The tags of a local index: what its pictures probably show, and the names that this was chosen from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np

from mmchat.stores.base import NamedLevel, Naming, Scale, Thing, Vectors
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
    level INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (level, place)) WITHOUT ROWID;
CREATE TABLE tagging (mark TEXT NOT NULL, slope REAL, others REAL);
"""


class LocalTags:
    """The tags of a generation that is being written."""

    def __init__(self, connection: sqlite3.Connection, images: VectorWriter) -> None:
        self._connection = connection
        self._images = images

    def things(self) -> Iterator[Thing]:
        """Yield the documents that are rows, that have properties, or that pictures belong to."""
        rows = self._connection.execute(
            "SELECT title, metadata FROM documents WHERE text <> '' AND"
            " (metadata <> '{}' OR id IN (SELECT document FROM owners)) ORDER BY id"
        )
        for title, metadata in rows:
            yield Thing(title, json.loads(metadata))

    def folders(self) -> list[str]:
        """Return the name of the folder of each picture that is a file."""
        rows = self._connection.execute(
            "SELECT p.name FROM pictures p JOIN documents d ON d.id = p.document WHERE p.name = d.path"
        )
        return [PurePosixPath(name).parent.name for (name,) in rows]

    def naming(self) -> Naming:
        """Return what the pictures were named by."""
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

    def replace(self, naming: Naming, tags: Iterable[tuple[int, Tag]], mark: str) -> None:
        """Replace all names and all tags (by row id of the picture)."""
        for table in ("tags", "names", "tagging"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
        self._connection.executemany(
            "INSERT INTO names (level, place, name, vector) VALUES (?, ?, ?, ?)",
            (
                (number, place, name, level.vectors[place].astype("<f4").tobytes())
                for number, level in enumerate(naming.levels)
                for place, name in enumerate(level.names)
            ),
        )
        self._connection.executemany(
            "INSERT INTO tags (picture, name, folded, probability) VALUES (?, ?, ?, ?)",
            ((row, tag.name, fold(tag.name), tag.probability) for row, tag in tags),
        )
        scale = naming.scale
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


def read_naming(connection: sqlite3.Connection) -> Naming:
    """Return what the pictures of a catalog were named by."""
    row = connection.execute("SELECT slope, others FROM tagging").fetchone()
    found: dict[int, tuple[list[str], list[bytes]]] = {}
    rows = connection.execute("SELECT level, name, vector FROM names ORDER BY level, place")
    for level, name, vector in rows:
        names, vectors = found.setdefault(level, ([], []))
        names.append(name)
        vectors.append(vector)
    levels = tuple(
        NamedLevel(tuple(names), np.stack([np.frombuffer(v, "<f4") for v in vectors]))
        for names, vectors in found.values()
    )
    return Naming(levels, None if row is None or row[0] is None else Scale(*row))
