"""The SQLite part of a local index: documents, chunks, pictures, links and what is known of them.

Lists of ids go in as one JSON value (`json_each`), which no limit on bound variables cuts off.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from mmchat.stores import facts, postings, tagging
from mmchat.stores.base import SourcePart
from mmchat.types import Box, Chunk, Document, FileProblem, Link, Picture, Tag

# The row id of a chunk or picture is also the id of its vector in the files beside this one. It is never
# given again, so that what was taken out cannot come back as another.
_SCHEMA = f"""
CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT UNIQUE NOT NULL, content_hash TEXT NOT NULL,
    dropped INTEGER NOT NULL DEFAULT 0);
CREATE TABLE problems (path TEXT PRIMARY KEY, content_hash TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    path TEXT UNIQUE NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, metadata TEXT NOT NULL);
CREATE INDEX documents_file ON documents (file);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT UNIQUE NOT NULL,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    page INTEGER, breadcrumb TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX chunks_document ON chunks (document);
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT UNIQUE NOT NULL,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    name TEXT NOT NULL, media TEXT NOT NULL, thumb TEXT NOT NULL, width INTEGER NOT NULL,
    height INTEGER NOT NULL, own_caption TEXT NOT NULL, caption TEXT NOT NULL, page INTEGER, box TEXT,
    "offset" INTEGER, look BLOB NOT NULL, duplicate_of TEXT);
CREATE INDEX pictures_document ON pictures (document);
CREATE TABLE refs (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    target TEXT NOT NULL, "offset" INTEGER NOT NULL, alt TEXT NOT NULL);
CREATE INDEX refs_document ON refs (document);
CREATE TABLE links (picture TEXT NOT NULL, chunk TEXT NOT NULL, position INTEGER NOT NULL);
CREATE INDEX links_picture ON links (picture, position);
CREATE INDEX links_chunk ON links (chunk, position);
{facts.SCHEMA}{postings.SCHEMA}{tagging.SCHEMA}"""

_SELECT_CHUNKS = """
SELECT c.item, d.path, c.ordinal, c.text, c.start, c."end", c.breadcrumb, c.page
FROM chunks c JOIN documents d ON d.id = c.document WHERE c.item IN (SELECT value FROM json_each(?))
"""
_SELECT_PICTURES = """
SELECT p.item, d.path, p.name, p.media, p.thumb, p.width, p.height, p.caption, p.page, p.box,
       p."offset", p.look, t.name, t.probability
FROM pictures p JOIN documents d ON d.id = p.document LEFT JOIN tags t ON t.picture = p.id
WHERE p.item IN (SELECT value FROM json_each(?))
"""


def connect_readonly(path: Path) -> sqlite3.Connection:
    """Open a finished catalog. Nobody writes it any more, so that no locks are needed."""
    uri = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def connect_writable(path: Path) -> sqlite3.Connection:
    """Open a catalog for writing, and lay out its tables where it is new.

    There is no journal: the file belongs to a generation that nobody reads before it is finished, and
    that is thrown away where the writer dies.
    """
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        connection.executescript(_SCHEMA)
    return connection


def known_files(connection: sqlite3.Connection) -> dict[str, str]:
    """Return path to content hash of the files that are indexed or have a problem.

    A file may have both, where an earlier content is kept: then the content that failed counts.
    """
    indexed = connection.execute("SELECT path, content_hash FROM files").fetchall()
    failed = connection.execute("SELECT path, content_hash FROM problems").fetchall()
    return dict(indexed + failed)


def check(connection: sqlite3.Connection) -> None:
    """Read a little of everything that is searched: a damaged file shows when it is opened, not later.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    for table in ("files", "documents", "chunks", "pictures", "links", "facts", "postings", "tags"):
        connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchall()  # noqa: S608


def insert_part(connection: sqlite3.Connection, part: SourcePart) -> tuple[list[int], list[int]]:
    """Add a part of a file; return the row ids of its chunks and of its pictures, in order."""
    connection.execute(
        "INSERT OR IGNORE INTO files (path, content_hash) VALUES (?, ?)",
        (part.path, part.content_hash),
    )
    (file_id,) = connection.execute("SELECT id FROM files WHERE path = ?", (part.path,)).fetchone()
    connection.execute(
        "UPDATE files SET dropped = dropped + ? WHERE id = ?", (part.dropped, file_id)
    )
    documents: dict[str, int] = {}
    for document in part.documents:
        cursor = connection.execute(
            "INSERT INTO documents (file, path, title, text, metadata) VALUES (?, ?, ?, ?, ?)",
            (
                file_id,
                document.path,
                document.title,
                document.text,
                json.dumps(dict(document.metadata), ensure_ascii=False),
            ),
        )
        documents[document.path] = _row_id(cursor)
        facts.insert_facts(connection, documents[document.path], document)
    # A figure may come in a later part than the document that it is in.
    earlier = {p.document for p in part.pictures} - documents.keys()
    documents |= {path: _document_row(connection, path) for path in earlier}
    connection.executemany(
        'INSERT INTO refs (document, target, "offset", alt) VALUES (?, ?, ?, ?)',
        [(documents[r.document], r.target, r.offset, r.alt) for r in part.references],
    )
    chunk_rows = [_insert_chunk(connection, documents[c.document], c) for c in part.chunks]
    picture_rows = [_insert_picture(connection, documents[p.document], p) for p in part.pictures]
    return chunk_rows, picture_rows


def _document_row(connection: sqlite3.Connection, path: str) -> int:
    (row,) = connection.execute("SELECT id FROM documents WHERE path = ?", (path,)).fetchone()
    return int(row)


def _insert_chunk(connection: sqlite3.Connection, document: int, chunk: Chunk) -> int:
    cursor = connection.execute(
        'INSERT INTO chunks (item, document, ordinal, start, "end", page, breadcrumb, text)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            chunk.id,
            document,
            chunk.ordinal,
            chunk.start,
            chunk.end,
            chunk.page,
            json.dumps(chunk.breadcrumb, ensure_ascii=False),
            chunk.text,
        ),
    )
    return _row_id(cursor)


def _insert_picture(connection: sqlite3.Connection, document: int, picture: Picture) -> int:
    box = picture.box
    cursor = connection.execute(
        "INSERT INTO pictures (item, document, name, media, thumb, width, height, own_caption, caption,"
        ' page, box, "offset", look) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        (
            picture.id,
            document,
            picture.name,
            picture.media,
            picture.thumb,
            picture.width,
            picture.height,
            picture.caption,
            picture.caption,
            picture.page,
            json.dumps([box.left, box.top, box.right, box.bottom]) if box else None,
            picture.offset,
            picture.look,
        ),
    )
    row = _row_id(cursor)
    connection.execute("INSERT INTO owners (document, picture) VALUES (?, ?)", (document, row))
    return row


def replace_links(
    connection: sqlite3.Connection, links: Iterable[Link], captions: Mapping[str, str]
) -> None:
    """Replace all links, and the captions of the pictures that are named."""
    connection.execute("DELETE FROM links")
    # A document may name it no longer.
    connection.execute("UPDATE pictures SET caption = own_caption WHERE caption <> own_caption")
    connection.executemany(
        "INSERT INTO links (picture, chunk, position) VALUES (?, ?, ?)",
        [(link.picture, link.chunk, link.position) for link in links],
    )
    connection.executemany(
        "UPDATE pictures SET caption = ? WHERE item = ?",
        [(caption, item) for item, caption in captions.items()],
    )
    facts.set_owners(connection)


def replace_duplicates(connection: sqlite3.Connection, duplicates: Mapping[str, str]) -> None:
    """Replace which picture stands for which others."""
    connection.execute("UPDATE pictures SET duplicate_of = NULL WHERE duplicate_of IS NOT NULL")
    connection.executemany(
        "UPDATE pictures SET duplicate_of = ? WHERE item = ?",
        [(kept, item) for item, kept in duplicates.items()],
    )


def shown_pictures(connection: sqlite3.Connection) -> list[int] | None:
    """Return the row ids of the pictures that nothing else stands for; None where those are all."""
    (hidden,) = connection.execute("SELECT count(duplicate_of) FROM pictures").fetchone()
    if not hidden:
        return None
    rows = connection.execute("SELECT id FROM pictures WHERE duplicate_of IS NULL ORDER BY id")
    return [row for (row,) in rows]


def item_ids(connection: sqlite3.Connection, table: facts.ItemTable) -> list[str]:
    """Return the ids of all items, in the order in which they came."""
    rows = connection.execute(f"SELECT item FROM {table} ORDER BY id")  # noqa: S608
    return [item for (item,) in rows]


def items_of_rows(
    connection: sqlite3.Connection, table: facts.ItemTable, rows: Sequence[int]
) -> dict[int, str]:
    """Return row id to item id."""
    found = connection.execute(
        f"SELECT id, item FROM {table} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(rows),),
    )
    return dict(found.fetchall())


def rows_of_items(
    connection: sqlite3.Connection, table: facts.ItemTable, items: Sequence[str]
) -> dict[str, int]:
    """Return item id to row id of those items that are in the table."""
    found = connection.execute(
        f"SELECT item, id FROM {table} WHERE item IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(items),),
    )
    return dict(found.fetchall())


def select_chunks(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Chunk]:
    """Return the chunks of these ids, by id."""
    rows = connection.execute(_SELECT_CHUNKS, (json.dumps(ids),))
    return {
        item: Chunk(
            id=item,
            document=document,
            ordinal=ordinal,
            text=text,
            start=start,
            end=end,
            breadcrumb=tuple(json.loads(breadcrumb)),
            page=page,
        )
        for item, document, ordinal, text, start, end, breadcrumb, page in rows
    }


def sample_chunks(connection: sqlite3.Connection, most: int) -> list[str]:
    """Return the texts of up to `most` chunks, evenly spread by the order in which they came."""
    first, last = connection.execute("SELECT min(id), max(id) FROM chunks").fetchone()
    if first is None:
        return []
    places = sorted({first + (last - first) * i // max(1, most - 1) for i in range(most)})
    found = connection.execute(
        "SELECT text FROM chunks WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(places),),
    )
    return [text for (text,) in found]


def select_pictures(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Picture]:
    """Return the pictures of these ids, by id."""
    rows = connection.execute(_SELECT_PICTURES, (json.dumps(ids),))
    return {
        item: Picture(
            id=item,
            document=document,
            name=name,
            media=media,
            thumb=thumb,
            width=width,
            height=height,
            caption=caption,
            page=page,
            box=Box(*json.loads(box)) if box else None,
            offset=offset,
            look=look,
            tag=None if tag is None else Tag(tag, probability),
        )
        for (
            item,
            document,
            name,
            media,
            thumb,
            width,
            height,
            caption,
            page,
            box,
            offset,
            look,
            tag,
            probability,
        ) in rows
    }


def linked(
    connection: sqlite3.Connection, wanted: str, given: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    """Follow links from one end (`given`: "picture" or "chunk") to the other, the nearest first."""
    rows = connection.execute(
        f"SELECT {given}, {wanted} FROM links WHERE {given} IN (SELECT value FROM json_each(?))"  # noqa: S608
        " ORDER BY position, rowid",
        (json.dumps(ids),),
    )
    found: dict[str, list[str]] = {}
    for key, value in rows:
        found.setdefault(key, []).append(value)
    return found


def select_document(connection: sqlite3.Connection, path: str) -> Document | None:
    """Return the document of that path, or None."""
    row = connection.execute(
        "SELECT path, title, text, metadata FROM documents WHERE path = ?", (path,)
    ).fetchone()
    if row is None:
        return None
    path, title, text, metadata = row
    return Document(path, title, text, json.loads(metadata))


def select_titles(connection: sqlite3.Connection, paths: Sequence[str]) -> dict[str, str]:
    """Return path to title of these documents."""
    rows = connection.execute(
        "SELECT path, title FROM documents WHERE path IN (SELECT value FROM json_each(?))",
        (json.dumps(paths),),
    )
    return dict(rows.fetchall())


def problems(connection: sqlite3.Connection) -> list[FileProblem]:
    """Return the files that could not be indexed, by path."""
    rows = connection.execute("SELECT path, reason, content_hash FROM problems ORDER BY path")
    return [FileProblem(*row) for row in rows]


def media_names(connection: sqlite3.Connection) -> set[str]:
    """Return the names of all files that the pictures need."""
    rows = connection.execute("SELECT media FROM pictures UNION SELECT thumb FROM pictures")
    return {name for (name,) in rows}


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many there are of what `mmchat.stores.base.Writer.counts` names."""
    queries = {
        "documents": "SELECT count(*) FROM documents",
        "chunks": "SELECT count(*) FROM chunks",
        "pictures": "SELECT count(*) FROM pictures",
        "errors": "SELECT count(*) FROM problems",
        "dropped": "SELECT coalesce(sum(dropped), 0) FROM files",
        "duplicates": "SELECT count(duplicate_of) FROM pictures",
    }
    return {name: connection.execute(query).fetchone()[0] for name, query in queries.items()}


def _row_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
