"""The vectors of a local index: the one place that knows FAISS."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from mmchat.errors import IndexMismatch
from mmchat.stores.base import Vectors


def empty_vectors(dimension: int) -> Any:
    """Return an index without vectors, which are compared by inner product."""
    return faiss.IndexIDMap2(
        faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
    )


def read_vectors(path: Path) -> Any:
    """Read an index.

    Raises:
        IndexMismatch: the file is missing or damaged.
    """
    try:
        return faiss.read_index(str(path))
    except RuntimeError as error:
        raise IndexMismatch(damaged(path)) from error


def search_vectors(index: Any, vector: Vectors, k: int, hidden: Set[int]) -> tuple[Any, Any]:
    """Return the scores and the ids of the nearest `k` vectors, each of shape (1, k).

    Args:
        index: what is searched.
        vector: (dimension,).
        k: where there are fewer vectors, the ids end with -1.
        hidden: ids that are left out.
    """
    if not hidden:
        return index.search(vector[None, :], k)  # type: ignore[no-any-return]
    left_out = faiss.IDSelectorBatch(np.fromiter(hidden, dtype=np.int64))
    # Given to the constructor, and not set afterwards, the selector lives as long as it is used.
    chosen = faiss.SearchParameters(sel=faiss.IDSelectorNot(left_out))  # type: ignore[call-arg]
    return index.search(vector[None, :], k, params=chosen)  # type: ignore[no-any-return]


def write_vectors(index: Any, path: Path) -> None:
    """Write an index to a file."""
    faiss.write_index(index, str(path))


def damaged(path: Path) -> str:
    """Say that a file of an index is damaged, and what to do about it."""
    return (
        f"{path} is missing or damaged. Copy the whole index again, or build it with "
        "'mmchat index FOLDER --out INDEX --rebuild'."
    )
