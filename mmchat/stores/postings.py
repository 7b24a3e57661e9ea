"""BM25 over an inverted index that lives in the catalog.

For each word there are two arrays: the places of the passages that have it, and how often. A query adds up
the scores of its words in one array with NumPy, so that every passage gets its exact score: 1 ms at 100,000
passages, where SQLite's FTS5 takes 70 ms because it steps through the matches one by one.

Passages come in parts, one for each run that added some. What is removed is only noted; parts are joined,
and what was removed is dropped, where it has become much.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mmchat.stores.words import WordSplitter

Rows: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.float32]
_Posting: TypeAlias = tuple[str, bytes, bytes]
"""A word, the places of its passages within a part (uint32, ascending), and its counts (uint8)."""

_Part: TypeAlias = tuple[int, Rows, NDArray[np.uint32]]
"""The number of a part, the rows of its passages, and how many words each has."""

K1 = 0.5
"""How slowly a word that comes again counts less. See `WordsReader` for why there is no b."""

SCHEMA = """
CREATE TABLE word_parts (id INTEGER PRIMARY KEY, rows BLOB NOT NULL, lengths BLOB NOT NULL);
CREATE TABLE postings (
    word TEXT NOT NULL, part INTEGER NOT NULL, places BLOB NOT NULL, counts BLOB NOT NULL,
    PRIMARY KEY (word, part)) WITHOUT ROWID;
CREATE TABLE removed_words ("row" INTEGER PRIMARY KEY);
"""
_PLACES = np.dtype("<u4")
_COUNTS = np.dtype("u1")
_ROWS = np.dtype("<i8")
_LENGTHS = np.dtype("<u4")
_HIGHEST_COUNT = 255
# About 40 MB of memory, and 50,000 passages.
_POSTINGS_IN_MEMORY = 4_000_000
_MOST_PARTS = 8
_MOST_REMOVED = 0.2
"""The share of removed passages above which everything is written anew."""


class WordsWriter:
    """Adds the words of passages to a catalog. Memory is bounded: what is read waits in a file.

    Args:
        connection: of the catalog; must not be in a transaction.
        spool: a file for what waits; it is made, and removed by `finish`.
        splitter: makes words of passages.
        postings_in_memory: pairs of a word and a passage after which they go to the file.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        spool: Path,
        splitter: WordSplitter,
        *,
        postings_in_memory: int = _POSTINGS_IN_MEMORY,
    ) -> None:
        self._connection = connection
        self._spool = spool
        self._splitter = splitter
        self._most = postings_in_memory
        self._rows = array("q")
        self._lengths = array("I")
        self._begin_memory()
        connection.execute("ATTACH ? AS spool", (str(spool),))
        connection.execute("PRAGMA spool.journal_mode = OFF")
        connection.execute("PRAGMA spool.synchronous = OFF")
        connection.execute(
            "CREATE TABLE spool.postings (word TEXT, part INTEGER, places BLOB, counts BLOB,"
            " PRIMARY KEY (word, part)) WITHOUT ROWID"
        )
        self._spooled = 0

    def _begin_memory(self) -> None:
        self._ids: dict[str, int] = {}
        self._words = array("I")
        self._places = array("I")
        self._counts = array("B")

    def add(self, row: int, text: str) -> None:
        """Add the passage of that row, which must be higher than the rows before it."""
        words = self._splitter.indexed(text)
        place = len(self._rows)
        self._rows.append(row)
        self._lengths.append(len(words))
        for word, count in Counter(words).items():
            self._words.append(self._ids.setdefault(word, len(self._ids)))
            self._places.append(place)
            self._counts.append(min(count, _HIGHEST_COUNT))
        if len(self._words) >= self._most:
            self._to_spool()

    def remove(self, rows: Sequence[int]) -> None:
        """Remove passages."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO removed_words VALUES (?)", [(row,) for row in rows]
        )

    def finish(self) -> None:
        """Write what waits into the catalog, as a part of its own or joined with those before it."""
        if self._spooled:
            self._to_spool()
        parts = _read_parts(self._connection)
        removed = _removed(self._connection)
        passages = sum(len(rows) for _, rows, _ in parts) + len(self._rows)
        if len(parts) >= _MOST_PARTS or len(removed) > _MOST_REMOVED * passages:
            self._rewrite(parts, removed)
        elif self._rows:
            self._insert_part(len(parts), self._rows.tobytes(), self._lengths.tobytes())
            self._insert("main.postings", len(parts), self._waiting())
        self._connection.commit()
        self._connection.execute("DETACH spool")
        self._spool.unlink(missing_ok=True)

    def _to_spool(self) -> None:
        self._insert("spool.postings", self._spooled, self._in_memory())
        self._spooled += 1
        self._begin_memory()

    def _in_memory(self) -> Iterator[_Posting]:
        """Yield the postings that are in memory, word by word."""
        words = np.frombuffer(self._words, np.dtype("u4"))
        order = np.argsort(words, kind="stable")
        places = np.frombuffer(self._places, _PLACES)[order]
        counts = np.frombuffer(self._counts, _COUNTS)[order]
        ends = np.cumsum(np.bincount(words, minlength=len(self._ids)))
        start = 0
        for word, end in zip(self._ids, ends.tolist(), strict=True):
            yield word, places[start:end].tobytes(), counts[start:end].tobytes()
            start = end

    def _waiting(self) -> Iterator[_Posting]:
        """Yield everything that was added, each word once."""
        if not self._spooled:
            return self._in_memory()
        rows = self._connection.execute(
            "SELECT word, places, counts FROM spool.postings ORDER BY word, part"
        )
        return _joined(rows)

    def _rewrite(self, parts: list[_Part], removed: Rows) -> None:
        """Make one part of everything, without what was removed."""
        # What waits becomes a part like the others first: then there is one way to join them.
        if self._rows:
            number = len(parts)
            self._insert("main.postings", number, self._waiting())
            parts = [
                *parts,
                (number, np.frombuffer(self._rows, _ROWS), np.frombuffer(self._lengths, _LENGTHS)),
            ]
        rows = np.concatenate([rows for _, rows, _ in parts] or [np.zeros(0, _ROWS)])
        lengths = np.concatenate([lengths for _, _, lengths in parts] or [np.zeros(0, _LENGTHS)])
        kept = ~np.isin(rows, removed)
        new_place = np.cumsum(kept) - 1
        offsets = _offsets(parts)
        self._connection.execute("CREATE TABLE spool.joined (word, places, counts)")
        found = self._connection.execute(
            "SELECT word, part, places, counts FROM main.postings ORDER BY word, part"
        )
        self._connection.executemany(
            "INSERT INTO spool.joined VALUES (?, ?, ?)",
            _joined(_renumbered(found, offsets, kept, new_place)),
        )
        self._connection.execute("DELETE FROM main.postings")
        self._connection.execute("DELETE FROM word_parts")
        self._connection.execute("DELETE FROM removed_words")
        self._connection.execute(
            "INSERT INTO main.postings SELECT word, 0, places, counts FROM spool.joined"
        )
        self._insert_part(0, rows[kept].tobytes(), lengths[kept].tobytes())

    def _insert_part(self, number: int, rows: bytes, lengths: bytes) -> None:
        self._connection.execute("INSERT INTO word_parts VALUES (?, ?, ?)", (number, rows, lengths))

    def _insert(self, table: str, part: int, postings: Iterable[_Posting]) -> None:
        self._connection.executemany(
            f"INSERT INTO {table} VALUES (?, ?, ?, ?)",  # noqa: S608
            ((word, part, places, counts) for word, places, counts in postings),
        )


class WordsReader:
    """Scores the passages of a finished catalog. Safe to use from several threads.

    score(passage) = sum over the words of idf · f (k1 + 1) / (f + k1), divided by what a passage would have
    that is full of every word, sum of idf · (k1 + 1): from 0 to 1, the share of the query that is there. With
    idf = ln(1 + (N - n + 0.5) / (n + 0.5)), as in Lucene (Robertson & Zaragoza, "The Probabilistic Relevance
    Framework: BM25 and Beyond", 2009, with a one in the logarithm that keeps it positive).

    This is their BM25 with b = 0. Lengths stand against passages of different scope; ours are cut to one
    size, and a shorter one is only the end of a section. Measured in docs/quality.md.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        parts = _read_parts(connection)
        self._offsets = _offsets(parts)
        self._rows: Rows = np.concatenate([rows for _, rows, _ in parts] or [np.zeros(0, _ROWS)])
        lengths = np.concatenate([lengths for _, _, lengths in parts] or [np.zeros(0, _LENGTHS)])
        removed = _removed(connection)
        self._kept = ~np.isin(self._rows, removed) if len(removed) else None
        if self._kept is not None:
            lengths = np.where(self._kept, lengths, 0)
        self._passages = len(self._rows) if self._kept is None else int(self._kept.sum())
        self.mean_words = float(lengths.sum()) / max(self._passages, 1)
        """Words in a passage, on average."""

    def search(
        self,
        connection: sqlite3.Connection,
        words: Sequence[str],
        k: int,
        allowed: Rows | None = None,
    ) -> list[tuple[int, float]]:
        """Return row and score, above 0 to 1, of the `k` passages that match best, best first.

        Args:
            connection: to the catalog that this reader was made for.
            words: distinct words as `WordSplitter.query` gives them.
            k: how many, at most.
            allowed: rows that may be found, ascending; None is all.
        """
        scores = np.zeros(len(self._rows), np.float32)
        whole = sum(self._add(scores, connection, word) for word in words)
        scores /= np.float32(max(whole, 1e-9))
        open_to = self._places_of(allowed)
        places = np.flatnonzero(scores) if open_to is None else open_to[scores[open_to] > 0]
        found = scores[places]
        if len(places) > k:
            # Equal scores are ordered by row, so the last place may be shared: take all that share it.
            least = np.partition(found, len(found) - k)[len(found) - k]
            places, found = places[found >= least], found[found >= least]
        order = np.lexsort((places, -found))[:k]
        return [(int(self._rows[places[i]]), float(found[i])) for i in order]

    def _add(self, scores: Scores, connection: sqlite3.Connection, word: str) -> float:
        """Add the scores of a word; return what it can give at most."""
        found = connection.execute(
            "SELECT part, places, counts FROM postings WHERE word = ? ORDER BY part", (word,)
        ).fetchall()
        if not found:
            return self._most(0)
        places = np.concatenate(
            [
                np.frombuffer(blob, _PLACES).astype(np.intp) + self._offsets[n]
                for n, blob, _ in found
            ]
        )
        counts = np.frombuffer(b"".join(blob for _, _, blob in found), _COUNTS).astype(np.float32)
        if self._kept is not None:
            kept = self._kept[places]
            places, counts = places[kept], counts[kept]
        most = self._most(len(places))
        scores[places] += np.float32(most) * counts / (counts + np.float32(K1))
        return most

    def _most(self, n: int) -> float:
        """Return idf · (k1 + 1) of a word that `n` passages have."""
        return math.log1p((self._passages - n + 0.5) / (n + 0.5)) * (K1 + 1)

    def _places_of(self, allowed: Rows | None) -> NDArray[np.intp] | None:
        if allowed is None:
            return None
        places = np.searchsorted(self._rows, allowed)
        places = np.minimum(places, len(self._rows) - 1)
        return places[self._rows[places] == allowed] if len(self._rows) else places[:0]


def _read_parts(connection: sqlite3.Connection) -> list[_Part]:
    found = connection.execute("SELECT id, rows, lengths FROM word_parts ORDER BY id")
    return [(n, np.frombuffer(r, _ROWS), np.frombuffer(c, _LENGTHS)) for n, r, c in found]


def _offsets(parts: Sequence[_Part]) -> dict[int, int]:
    """Return the place that the first passage of each part has among all."""
    lengths = [len(rows) for _, rows, _ in parts]
    starts = accumulate(lengths, initial=0)
    return {number: start for (number, _, _), start in zip(parts, starts, strict=False)}


def _removed(connection: sqlite3.Connection) -> Rows:
    found = connection.execute('SELECT "row" FROM removed_words').fetchall()
    return np.array([row for (row,) in found], dtype=np.int64)


def _joined(postings: Iterable[_Posting]) -> Iterator[_Posting]:
    """Join the postings of one word, which stand next to each other."""
    for word, same in groupby(postings, key=lambda posting: posting[0]):
        pieces = list(same)
        places = b"".join(places for _, places, _ in pieces)
        if places:
            yield word, places, b"".join(counts for _, _, counts in pieces)


def _renumbered(
    postings: Iterable[tuple[str, int, bytes, bytes]],
    offsets: dict[int, int],
    kept: NDArray[np.bool_],
    new_place: NDArray[np.intp],
) -> Iterator[_Posting]:
    """Give passages their places in the joined part, and leave out those that are not kept."""
    for word, part, places_blob, counts_blob in postings:
        places = np.frombuffer(places_blob, _PLACES).astype(np.intp) + offsets[part]
        counts = np.frombuffer(counts_blob, _COUNTS)
        stays = kept[places]
        yield word, new_place[places[stays]].astype(_PLACES).tobytes(), counts[stays].tobytes()
