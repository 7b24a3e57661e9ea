"""What linking needs to know of a catalog, and no more: most chunks are near no picture."""

from __future__ import annotations

import json
import sqlite3
from pathlib import PurePosixPath

from mmchat.stores.base import ChunkPlace, PicturePlace, Reference

Places = tuple[list[ChunkPlace], list[PicturePlace], list[Reference]]

_CHUNKS = """
SELECT c.item, d.path, c.start, c."end", c.page, f.path
FROM chunks c JOIN documents d ON d.id = c.document JOIN files f ON f.id = d.file
WHERE d.id IN (SELECT value FROM json_each(?)) AND c.ordinal < ? ORDER BY d.path, c.ordinal
"""
_ALL = 2**62


def places(connection: sqlite3.Connection, most: int) -> Places:
    """Return the pictures, the references to them, and the chunks that may belong to one.

    Those are the chunks of a document that holds a picture or names one, and the first `most` chunks of a
    document that lies in the folder of one.
    """
    pictures = [PicturePlace(*row) for row in connection.execute(_PICTURES)]
    if not pictures:
        return [], [], []
    references = [Reference(*row) for row in connection.execute(_REFERENCES)]
    # The text that was read in a figure is a document with the figure's name.
    close = {name for p in pictures for name in (p.document, p.name)}
    close |= {r.document for r in references}
    folders = {PurePosixPath(p.name).parent for p in pictures}
    whole: list[int] = []
    beside: list[int] = []
    for row, path, file in connection.execute(_DOCUMENTS):
        if path in close:
            whole.append(row)
        elif path == file and PurePosixPath(path).parent in folders:
            beside.append(row)
    chunks = [
        ChunkPlace(*row)
        for rows, limit in ((whole, _ALL), (beside, most))
        for row in connection.execute(_CHUNKS, (json.dumps(rows), limit))
    ]
    return sorted(chunks, key=lambda chunk: chunk.document), pictures, references


_DOCUMENTS = "SELECT d.id, d.path, f.path FROM documents d JOIN files f ON f.id = d.file"
_PICTURES = """
SELECT p.item, d.path, p.name, p.page, p."offset", p.look FROM pictures p
JOIN documents d ON d.id = p.document ORDER BY p.name
"""
_REFERENCES = """
SELECT d.path, r.target, r."offset", r.alt FROM refs r JOIN documents d ON d.id = r.document
ORDER BY d.path, r.rowid
"""
