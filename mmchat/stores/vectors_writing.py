"""Write the vectors of a local index with bounded memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmchat.stores.base import Vectors
from mmchat.stores.manifest import VectorRecord
from mmchat.stores.vectors import (
    HALF,
    ROW,
    Rows,
    VectorFiles,
    candidates_for,
    faiss,
    flat_header,
    read_rows,
)

_BLOCK = 16_384
"""Vectors that are in memory at once."""
_TRAINING = 64
"""Vectors for each list that the lists are found with."""
_TRIALS = 200
"""Made-up queries, to find out how many lists must be looked at."""
_LEAST_SHARE = 2
"""One list in so many is looked at in any case: real queries may be less like the vectors still."""
_TOP = 10
_SEED = 11


@dataclass(frozen=True, slots=True)
class VectorPolicy:
    """When the vectors of a space get an inverted file."""

    flat_up_to: int
    """Up to so many vectors every one is compared."""
    recall: float = 0.99
    """The share of the ten nearest vectors that the inverted file must find."""


TEXT_POLICY = VectorPolicy(flat_up_to=500_000)
# Words differ from pictures only in the aligned part of a vector, by which an inverted file would not sort.
IMAGE_POLICY = VectorPolicy(flat_up_to=2**62)


class VectorWriter:
    """Adds vectors to the files of a space, and removes some; the files are this writer's own.

    Vectors go to disk as they come. Beside a block of them, memory holds eight bytes for each, and while
    an inverted file is written the 8-bit vectors in it.
    """

    def __init__(self, files: VectorFiles, dimension: int, policy: VectorPolicy) -> None:
        self._files = files
        self._dimension = dimension
        self._policy = policy
        self._offset = len(flat_header(dimension, 0))
        self._rows = array("q")
        self._removed: set[int] = set()
        if files.flat.exists():
            self._rows.frombytes(read_rows(files).tobytes())
            self._file = files.flat.open("r+b")
            self._file.truncate(self._offset + len(self._rows) * self._width)
        else:
            self._file = files.flat.open("w+b")
            self._file.write(flat_header(dimension, 0))
        self._file.seek(0, 2)
        self._before = len(self._rows)

    @property
    def _width(self) -> int:
        return self._dimension * HALF.itemsize

    def add(self, rows: Sequence[int], vectors: Vectors) -> None:
        """Add vectors of length one, shape (rows, dimension). Rows are higher than those before them."""
        self._rows.extend(rows)
        self._file.write(vectors.astype(HALF).tobytes())

    def remove(self, rows: Sequence[int]) -> None:
        """Remove the vectors of these rows."""
        self._removed.update(rows)

    def blocks(self) -> Iterator[tuple[Rows, Vectors]]:
        """Yield the rows (n,) and vectors (n, dimension) that are there, in order; add none meanwhile."""
        self._file.flush()
        rows = np.frombuffer(self._rows, ROW).copy()
        kept = ~np.isin(rows, np.fromiter(self._removed, np.int64))
        for start, block in self._blocks():
            stays = kept[start : start + len(block)]
            yield rows[start : start + len(block)][stays], block[stays].astype(np.float32)
        self._file.seek(0, 2)

    def close(self) -> None:
        """Let go of the file without finishing it."""
        self._file.close()

    def finish(self) -> VectorRecord:
        """Complete the files; return which kind of index they are, and why."""
        before = np.frombuffer(self._rows[: self._before], ROW).copy()
        added = self._added()
        if self._removed:
            self._compact()
        count = len(self._rows)
        self._file.seek(0)
        self._file.write(flat_header(self._dimension, count))
        self._file.truncate(self._offset + count * self._width)
        self._file.flush()
        self._files.rows.write_bytes(self._rows.tobytes())
        try:
            return self._index(count, before, added)
        finally:
            self._file.close()

    def _added(self) -> int:
        return sum(row not in self._removed for row in self._rows[self._before :])

    def _compact(self) -> None:
        """Close the gaps that removed vectors leave."""
        rows = np.frombuffer(self._rows, ROW).copy()
        kept = ~np.isin(rows, np.fromiter(self._removed, np.int64))
        end = 0
        for start, block in self._blocks():
            stays = block[kept[start : start + len(block)]]
            self._file.seek(self._offset + end * self._width)
            self._file.write(stays.tobytes())
            end += len(stays)
        self._rows = array("q", rows[kept].tobytes())

    def _blocks(self) -> Iterator[tuple[int, Any]]:
        """Yield all vectors as they are on disk, with the place of the first of each block."""
        for start in range(0, len(self._rows), _BLOCK):
            count = min(_BLOCK, len(self._rows) - start)
            self._file.seek(self._offset + start * self._width)
            content = self._file.read(count * self._width)
            yield start, np.frombuffer(content, HALF).reshape(count, self._dimension)

    def _index(self, count: int, before: Rows, added: int) -> VectorRecord:
        if count <= self._policy.flat_up_to:
            self._files.inverted.unlink(missing_ok=True)
            return VectorRecord(
                "flat, 16-bit floats, inner product",
                f"{count} vectors: every one is compared, which is exact to the tenth hit",
            )
        index = self._updated(before, added) if self._files.inverted.exists() else None
        if index is None:
            index = self._trained(count)
        faiss.write_index(index, str(self._files.inverted))
        return VectorRecord(
            f"inverted file of {index.nlist} lists with 8-bit vectors, {index.nprobe} of them looked at, "
            "candidates compared again in 16-bit floats, inner product",
            f"{count} vectors, more than {self._policy.flat_up_to}: comparing every one would take too "
            f"long and too much memory; tried when it was trained, it found {self._policy.recall:.0%} of "
            "the ten nearest or more",
        )

    def _updated(self, before: Rows, added: int) -> Any | None:
        """Return the inverted file with what changed; None where its lists no longer suit the size."""
        index = faiss.read_index(str(self._files.inverted))
        trained_for = index.nlist**2
        if not trained_for / 2 <= len(self._rows) <= trained_for * 2:
            return None
        gone = np.intersect1d(before, np.fromiter(self._removed, np.int64))
        if len(gone):
            index.remove_ids(gone)
        rows = np.frombuffer(self._rows, ROW)
        first = len(rows) - added
        for start, block in self._blocks():
            new = block[max(first - start, 0) :]
            if len(new):
                ids = rows[start + len(block) - len(new) : start + len(block)]
                index.add_with_ids(new.astype(np.float32), ids)
        return index

    def _trained(self, count: int) -> Any:
        """Return a new inverted file with as many lists as there are vectors in each."""
        lists = max(1, int(count**0.5))
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(self._dimension),
            self._dimension,
            lists,
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.cp.max_points_per_centroid = _TRAINING
        index.cp.min_points_per_centroid = 1
        index.train(self._sample(min(count, _TRAINING * lists)))
        rows = np.frombuffer(self._rows, ROW)
        for start, block in self._blocks():
            index.add_with_ids(block.astype(np.float32), rows[start : start + len(block)])
        self._choose_nprobe(index)
        return index

    def _sample(self, count: int) -> Vectors:
        """Return `count` vectors at random places, the same ones every time."""
        random = np.random.default_rng(_SEED)
        chosen = np.sort(random.choice(len(self._rows), count, replace=False))
        sample = np.empty((count, self._dimension), np.float32)
        for start, block in self._blocks():
            first, last = np.searchsorted(chosen, (start, start + len(block)))
            sample[first:last] = block[chosen[first:last] - start]
        return sample

    def _choose_nprobe(self, index: Any) -> None:
        """Look at as few lists as find the wanted share of the ten nearest of made-up queries."""
        # Questions lie beside passages: with passages as queries two lists of a thousand seemed enough, where
        # others found a fifth of their ten nearest. What lies between two passages is harder to find.
        ends = self._sample(min(2 * _TRIALS, len(self._rows)))
        np.random.default_rng(_SEED).shuffle(ends)
        queries = ends + np.roll(ends, 1, axis=0)
        queries = queries[:_TRIALS] / np.linalg.norm(queries[:_TRIALS], axis=1, keepdims=True)
        wanted = [set(rows) for rows in self._nearest(queries, _TOP).tolist()]
        nprobe = max(1, index.nlist // _LEAST_SHARE)
        while True:
            index.nprobe = min(nprobe, index.nlist)
            _, found = index.search(queries, candidates_for(_TOP))
            hits = sum(
                len(one & set(rows)) for one, rows in zip(wanted, found.tolist(), strict=True)
            )
            if hits >= self._policy.recall * sum(map(len, wanted)) or index.nprobe == index.nlist:
                return
            nprobe = nprobe * 5 // 4 + 1

    def _nearest(self, queries: Vectors, k: int) -> Rows:
        """Return the rows of the `k` nearest vectors of each query by comparing every one."""
        scores = np.full((len(queries), 0), 0, np.float32)
        rows = np.zeros((len(queries), 0), np.int64)
        numbers = np.frombuffer(self._rows, ROW)
        for start, block in self._blocks():
            scores = np.hstack([scores, queries @ block.astype(np.float32).T])
            here = np.broadcast_to(numbers[start : start + len(block)], (len(queries), len(block)))
            rows = np.hstack([rows, here])
            order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            scores = np.take_along_axis(scores, order, axis=1)
            rows = np.take_along_axis(rows, order, axis=1)
        return rows
