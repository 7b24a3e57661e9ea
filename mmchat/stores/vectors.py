"""The vectors of a local index, open for searching. FAISS is known here and in `vectors_writing` alone.

A space has up to three files:

    text.faiss   every vector as 16-bit floats, in a form that FAISS maps into memory
    text.rows    the row of the catalog that each of them belongs to (int64, ascending)
    text.ivf     where there are many: an inverted file with 8-bit vectors, which FAISS maps as well

Few vectors are compared one by one. Of many, the inverted file finds candidates, and their 16-bit vectors
say which are the best. A filter that leaves few is answered exactly, from what it leaves.
"""

from __future__ import annotations

import struct
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from mmchat.errors import IndexMismatch
from mmchat.stores.base import Vectors

Rows: TypeAlias = NDArray[np.int64]

faiss: Any = _faiss
"""FAISS without its type stubs, which know the C++ signatures and not those that Python has."""

ROW = np.dtype("<i8")
HALF = np.dtype("<f2")
FEW = 512
"""Vectors that are fetched one by one sooner than FAISS steps over all others."""
_RARE = 20
"""A filter that leaves one in so many is answered exactly: the inverted file would look at most lists."""


@dataclass(frozen=True, slots=True)
class VectorFiles:
    """The files of one space."""

    flat: Path
    rows: Path
    inverted: Path

    @classmethod
    def of(cls, generation: Path, name: str) -> VectorFiles:
        """Return the files of the space `name` ("text", "image") in a generation."""
        return cls(*(generation / f"{name}.{ending}" for ending in ("faiss", "rows", "ivf")))


class VectorReader:
    """Finds the nearest vectors by inner product. Safe to use from several threads."""

    def __init__(self, files: VectorFiles, dimension: int, *, few: int = FEW) -> None:
        """Open a space; its vectors stay on disk until they are compared.

        Args:
            files: what `VectorWriter` wrote.
            dimension: numbers in a vector.
            few: vectors that are fetched one by one where a filter leaves no more.

        Raises:
            IndexMismatch: a file is missing or damaged.
        """
        self._few = few
        self._dimension = dimension
        self._offset = len(flat_header(dimension, 0))
        self._flat = _read(files.flat)
        self._rows = read_rows(files)
        if self._flat.ntotal != len(self._rows) or self._flat.d != dimension:
            raise IndexMismatch(damaged(files.rows))
        self._inverted: Any = _read(files.inverted) if files.inverted.exists() else None
        # Open from now on: the file may be removed while there is still something to search for.
        self._file = files.flat.open("rb", buffering=0)
        self._reading = threading.Lock()
        weakref.finalize(self, self._file.close)

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return len(self._rows)

    def search(
        self, vector: Vectors, k: int, allowed: Rows | None = None
    ) -> list[tuple[int, float]]:
        """Return row and inner product of the `k` nearest vectors, best first.

        Args:
            vector: (dimension,).
            k: how many, at most.
            allowed: rows that may be found, ascending; None is all.
        """
        places = None if allowed is None else self._places(allowed)
        left = self.count if places is None else len(places)
        k = min(k, left)
        if k == 0:
            return []
        if places is not None and left <= self._few:
            return self._best(places, self._at(places) @ vector, k)
        if self._inverted is not None and left * _RARE > self.count and k <= left // 4:
            near = self._candidates(vector, k, allowed, left)
            if len(near) >= k:
                return self._best(near, self._at(near) @ vector, k)
        selector = None if places is None else _selector(places, self.count)
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)
        scores, found = _search_one(self._flat, vector, k, parameters)
        return self._best(found[found >= 0], scores[found >= 0], k)

    def vectors(self, rows: Rows) -> Vectors:
        """Return the vectors of these rows, which ascend; shape (rows, dimension)."""
        return self._at(self._places(rows))

    def _at(self, places: NDArray[np.intp]) -> Vectors:
        """Read the vectors at these places, which ascend; shape (places, dimension).

        They are read, not mapped: what is mapped stays in the memory that the process is charged with.
        """
        content = np.empty((len(places), self._dimension), HALF)
        width = self._dimension * HALF.itemsize
        gaps = np.flatnonzero(np.diff(places) != 1) + 1
        starts, ends = [0, *gaps.tolist()], [*gaps.tolist(), len(places)]
        with self._reading:
            for start, end in zip(starts, ends, strict=True):
                if start < end:
                    self._file.seek(self._offset + int(places[start]) * width)
                    self._file.readinto(content[start:end].data.cast("B"))
        return content.astype(np.float32)

    def _candidates(
        self, vector: Vectors, k: int, allowed: Rows | None, left: int
    ) -> NDArray[np.intp]:
        """Return the places that the inverted file holds for near; too few where it saw too few."""
        index = self._inverted
        nprobe = index.nprobe
        selector = None
        if allowed is not None:
            # As many vectors that pass are looked at as there are without a filter.
            nprobe = min(index.nlist, -(-nprobe * self.count // left))
            selector = _selector(allowed, int(self._rows[-1]) + 1)
        parameters = faiss.SearchParametersIVF(nprobe=nprobe, sel=selector)
        _, rows = _search_one(index, vector, candidates_for(k), parameters)
        return self._places(np.sort(rows[rows >= 0]))

    def _best(self, places: NDArray[np.intp], scores: Vectors, k: int) -> list[tuple[int, float]]:
        order = np.lexsort((places, -scores))[:k]
        return [(int(self._rows[places[i]]), float(scores[i])) for i in order]

    def _places(self, rows: Rows) -> NDArray[np.intp]:
        places = np.searchsorted(self._rows, rows)
        places = np.minimum(places, max(self.count - 1, 0))
        return places[self._rows[places] == rows] if self.count else places[:0]


def candidates_for(k: int) -> int:
    """Return how many vectors of 8 bits are looked at again in 16 bits, to find the best `k`."""
    return 2 * k + 20


def flat_index(dimension: int) -> Any:
    """Return an index of 16-bit floats without vectors, which are compared by inner product."""
    return faiss.IndexScalarQuantizer(
        dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )


def flat_header(dimension: int, count: int) -> bytes:
    """Return what stands before the vectors in a FAISS file of 16-bit floats.

    The vectors are the last thing in such a file. So it can be written piece by piece, which FAISS itself
    cannot do, and each vector has a place that can be computed.
    """
    index = flat_index(dimension)
    index.ntotal = count
    empty: bytes = faiss.serialize_index(index).tobytes()
    return empty[:-8] + struct.pack("<Q", count * dimension * HALF.itemsize)


def read_rows(files: VectorFiles) -> Rows:
    """Return the rows of all vectors.

    Raises:
        IndexMismatch: the file is missing or damaged.
    """
    try:
        return np.fromfile(files.rows, ROW)
    except OSError as error:
        raise IndexMismatch(damaged(files.rows)) from error


def damaged(path: Path) -> str:
    """Say that a file of an index is damaged, and what to do about it."""
    return (
        f"{path} is missing or damaged. Copy the whole index again, or build it with "
        "'mmchat index FOLDER --out INDEX --rebuild'."
    )


def _read(path: Path) -> Any:
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise IndexMismatch(damaged(path)) from error


def _search_one(index: Any, vector: Vectors, k: int, parameters: Any) -> tuple[Vectors, Rows]:
    """Return scores and ids of the `k` nearest of one vector; ids are -1 where there are no more."""
    # One query is computed by one thread in any case; others would only be woken, and waited for.
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        scores, found = index.search(vector[None, :], k, params=parameters)
    finally:
        faiss.omp_set_num_threads(threads)
    return scores[0], found[0]


def _selector(numbers: NDArray[Any], end: int) -> Any:
    """Return a selector of these numbers, which are below `end`."""
    bits = np.zeros(end, np.bool_)
    bits[numbers] = True
    return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
