"""The items of an index as a map in two dimensions, with a query among them.

Passages and pictures live in two spaces, which nothing makes comparable; so there are two maps. The one of
passages is that of the text encoder. The one of pictures is that of the image encoder, in which words have
a place too, as far as the encoder gives pictures and words a space that they share.

A map is the principal component analysis of the vectors (Pearson, 1901): the two directions in which the
items differ most. It leaves out all others, so that what lies side by side may have little in common. How
much of the differences it shows is told, and what is really nearest to the query, by all dimensions, is
named.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmchat.retrieval.calibration import words_as_pictures
from mmchat.stores.base import Vectors
from mmchat.types import ImageInput, ItemKind

if TYPE_CHECKING:
    from mmchat.app.index import Index
    from mmchat.stores.local import LocalReader

MOST = 2000
"""Items on a map; of a larger collection a sample is shown."""
_NEAREST = 5


@dataclass(frozen=True, slots=True)
class Point:
    """An item on a map."""

    item: str
    kind: ItemKind
    x: float
    y: float
    title: str
    document: str
    page: int | None
    text: str
    """The passage; of a picture what it shows, where that is known."""
    thumb_path: Path | None


@dataclass(frozen=True, slots=True)
class QueryPoint:
    """Where a query lies."""

    x: float
    y: float
    nearest: tuple[str, ...]
    """The items that are nearest to it by all dimensions, the nearest first."""


@dataclass(frozen=True, slots=True)
class ItemMap:
    """The items of one kind in two dimensions."""

    kind: ItemKind
    points: tuple[Point, ...]
    total: int
    """Items that there are: `points` is a sample where it is less than these."""
    share: float
    """The share of the items' differences (variance) that the two directions show, from 0 to 1."""
    query: QueryPoint | None
    """None where there is no query, or it has no place in this space: a photo among passages."""


@dataclass(frozen=True, slots=True)
class _Plane:
    """What turns the vectors of a space into places."""

    mean: Vectors
    """(dimension,)."""
    axes: Vectors
    """(2, dimension), unit vectors or zeros."""
    share: float

    def places(self, vectors: Vectors) -> Vectors:
        """Return the places of vectors of shape (items, dimension): (items, 2)."""
        return np.asarray((vectors - self.mean) @ self.axes.T, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Drawn:
    generation: Path
    plane: _Plane
    points: tuple[Point, ...]
    total: int


class Atlas:
    """Draws the maps of an index. A map is computed once for each generation of it."""

    def __init__(self, index: Index, *, most: int = MOST) -> None:
        """Take an index.

        Args:
            index: what is drawn.
            most: items on a map; of more, every n-th is shown.
        """
        self._index = index
        self._most = most
        self._lock = threading.Lock()
        self._drawn: dict[ItemKind, _Drawn] = {}

    def draw(self, kind: ItemKind, text: str = "", image: ImageInput | None = None) -> ItemMap:
        """Return the map of passages or of pictures.

        Args:
            kind: which of them.
            text: words that are shown among the items.
            image: a photo, likewise. Among pictures it stands for the words beside it.

        Raises:
            QueryError: the photo cannot be read.
        """
        reader = self._index.reader()
        with self._lock:
            drawn = self._drawn.get(kind)
            if drawn is None or drawn.generation != reader.generation:
                drawn = self._drawn[kind] = _draw(reader, kind, self._most)
        vector = self._query(kind, text.strip(), image)
        if vector is None or not drawn.points:
            return ItemMap(kind, drawn.points, drawn.total, drawn.plane.share, None)
        search = reader.search_text if kind == "chunk" else reader.search_images
        nearest = tuple(found.item for found in search(vector, _NEAREST))
        # A sample may leave out just what is nearest.
        known = {point.item for point in drawn.points}
        missing = [item for item in nearest if item not in known]
        points = (*drawn.points, *_points(reader, kind, missing, drawn.plane))
        x, y = drawn.plane.places(vector[None, :])[0].tolist()
        query = QueryPoint(x, y, nearest)
        return ItemMap(kind, points, drawn.total, drawn.plane.share, query)

    def _query(self, kind: ItemKind, text: str, image: ImageInput | None) -> Vectors | None:
        """Return where a query lies in the space of a kind, of shape (dimension,); None for nowhere."""
        encoders = self._index.encoders
        vectors: Vectors
        if image is not None and kind == "picture":
            vectors = encoders.image.encode_image_queries([self._index.open_image(image)])
        elif not text:
            return None
        else:
            vectors = encoders.text.encode_queries([text])
            if kind == "picture":
                vectors = words_as_pictures(encoders.image, encoders.text, [text], vectors)
        first: Vectors = vectors[0]
        return first


def plane_of(vectors: Vectors) -> _Plane:
    """Return the plane in which vectors differ most.

    Args:
        vectors: (items, dimension); any number of items.
    """
    dimension = vectors.shape[1]
    axes = np.zeros((2, dimension), np.float32)
    if not len(vectors):
        return _Plane(np.zeros(dimension, np.float32), axes, 0.0)
    mean = vectors.mean(axis=0)
    _, lengths, directions = np.linalg.svd(vectors - mean, full_matrices=False)
    # A direction and its opposite are the same: the map should not be mirrored by a rebuild.
    for row, direction in enumerate(directions[:2]):
        axes[row] = direction * np.sign(direction[np.abs(direction).argmax()])
    variance = lengths**2
    share = float(variance[:2].sum() / variance.sum()) if variance.sum() > 1e-12 else 1.0
    return _Plane(mean, axes, share)


def _draw(reader: LocalReader, kind: ItemKind, most: int) -> _Drawn:
    items = reader.item_ids("chunks" if kind == "chunk" else "pictures")
    step = -(-len(items) // most) if items else 1
    sample = items[::step]
    plane = plane_of(_vectors(reader, kind, sample))
    return _Drawn(reader.generation, plane, tuple(_points(reader, kind, sample, plane)), len(items))


def _points(
    reader: LocalReader, kind: ItemKind, items: Sequence[str], plane: _Plane
) -> list[Point]:
    if not items:
        return []
    places = plane.places(_vectors(reader, kind, items)).tolist()
    told = _passages(reader, items) if kind == "chunk" else _pictures(reader, items)
    return [
        Point(item, kind, x, y, *told[item]) for item, (x, y) in zip(items, places, strict=True)
    ]


_Told = tuple[str, str, int | None, str, Path | None]
"""Title, document, page, text and thumbnail of an item."""


def _passages(reader: LocalReader, items: Sequence[str]) -> dict[str, _Told]:
    chunks = reader.chunks(items)
    of_chunk = reader.pictures_of(items)
    pictures = reader.pictures([ids[0] for ids in of_chunk.values()])
    told: dict[str, _Told] = {}
    for item, chunk in chunks.items():
        beside = [pictures[i] for i in of_chunk.get(item, ())[:1] if i in pictures]
        thumb = reader.file(beside[0].thumb) if beside else None
        title = " › ".join(chunk.breadcrumb) or chunk.document
        told[item] = (title, chunk.document, chunk.page, chunk.text, thumb)
    return told


def _pictures(reader: LocalReader, items: Sequence[str]) -> dict[str, _Told]:
    pictures = reader.pictures(items)
    titles = reader.titles(list({picture.document for picture in pictures.values()}))
    return {
        item: (
            titles.get(picture.document) or picture.name,
            picture.document,
            picture.page,
            picture.alt,
            reader.file(picture.thumb),
        )
        for item, picture in pictures.items()
    }


def _vectors(reader: LocalReader, kind: ItemKind, items: Sequence[str]) -> Vectors:
    """Return the vectors of items, of shape (items, dimension)."""
    manifest = reader.manifest
    if kind == "chunk":
        known, dimension = reader.text_vectors(items), manifest.text_encoder.dimension
    else:
        known, dimension = reader.image_vectors(items), manifest.image_encoder.dimension
    if not items:
        return np.zeros((0, dimension), np.float32)
    return np.stack([known[item] for item in items])
