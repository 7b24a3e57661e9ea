"""Gather photos of products to tune with: from folders, a table, an index, or two of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from mmchat.config import Config
from mmchat.encoders.runtime import Vectors, unit_rows
from mmchat.errors import InputError
from mmchat.ingest.examples import Example, read_photos
from mmchat.pictures import SUFFIXES, load_picture
from mmchat.stores.local import LocalReader
from mmchat.stores.manifest import EncoderRecord, check_encoder
from mmchat.tuning.base import Progress
from mmchat.tuning.photos import Photos

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmchat.encoders.image import OpenClipEncoder

_AT_ONCE = 32


class PhotoGatherer:
    """Puts photos and the pictures of an index together, each with its vector and its product."""

    def __init__(
        self, encoder: OpenClipEncoder, words: int, config: Config, progress: Progress
    ) -> None:
        """Take what photos are encoded with.

        Args:
            encoder: mmchat-lite.
            words: numbers of a vector that pictures share with words; the visual part follows.
            config: the settings.
            progress: is told of every picture that is encoded.
        """
        self._encoder = encoder
        self._words = words
        self._config = config
        self._progress = progress
        self._left_out: Counter[str] = Counter()

    def gather(self, source: Path | None, reader: LocalReader | None) -> Photos:
        """Return the photos of `source`, which ask, and the pictures of an index, which are found.

        Without the one or the other, pictures of the same kind find each other.

        Raises:
            InputError: the source cannot be read, or holds no photo that could be used.
            IndexMismatch: the index was built with another image encoder.
        """
        shown, vectors = _pictures(reader, self._encoder) if reader else ([], [])
        products = [product for product, _ in shown]
        asks = [source is None] * len(shown)
        if source is not None:
            names = _names(shown) if reader else None
            photos = list(self._usable(_examples(source, self._config), source, names))
            # With an index they are searched with alone, as the photos of customers are.
            encode = self._encoder.encode_image_queries if reader else self._encoder.encode_images
            vectors = [*vectors, *self._encoded([path for _, path in photos], encode)]
            products += [product for product, _ in photos]
            asks += [True] * len(photos)
        if not vectors:
            told = ", ".join(f"{count} {reason}" for reason, count in self._left_out.items())
            raise InputError(
                f"{source or 'The index'} has no photo of a product that could be used ({told or 'none'}). "
                "Expected a folder with a folder of photos for each product, or a table of pictures and "
                "products."
            )
        visual = np.stack(vectors)[:, self._words :]
        return Photos(
            unit_rows(visual),
            products,
            np.array(asks),
            # With an index its pictures are what is found.
            np.arange(len(products)) < len(shown) if reader else np.ones(len(products), bool),
            dict(self._left_out),
        )

    def _usable(
        self, examples: Sequence[Example], source: Path, names: Mapping[str, str] | None
    ) -> Iterator[tuple[str, Path]]:
        """Yield product and path of each photo, once; `names` are those of the products of an index."""
        root = source if source.is_dir() else source.parent
        seen: set[str] = set()
        for example in examples:
            path = root / example.given
            product = example.wanted if names is None else names.get(_key(example.wanted), "")
            reason = ""
            if not example.given or not example.wanted:
                reason = "without a picture or a product"
            elif not product:
                reason = "of products that the index has no picture of"
            elif not path.is_file():
                reason = "that are not there"
            else:
                content = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
                reason = "that were there already" if content in seen else ""
                seen.add(content)
            if reason:
                self._left_out[reason] += 1
            else:
                yield product, path

    def _encoded(
        self, paths: Sequence[Path], encode: Callable[[Sequence[Image]], Vectors]
    ) -> list[Vectors]:
        self._progress.start("Looking at photos", len(paths))
        vectors: list[Vectors] = []
        try:
            for start in range(0, len(paths), _AT_ONCE):
                batch = [self._opened(path) for path in paths[start : start + _AT_ONCE]]
                vectors += list(encode(batch))
                self._progress.advance(len(batch))
        finally:
            self._progress.finish()
        return vectors

    def _opened(self, path: Path) -> Image:
        ingest = self._config.ingest
        return load_picture(path, ingest.max_megapixels, ingest.max_media_px)[0]


def _examples(source: Path, config: Config) -> list[Example]:
    """Return the photos of a folder, labelled by their folders, or of a table."""
    if not source.is_dir():
        return list(read_photos(source, config.columns))
    found = sorted(
        path.relative_to(source)
        for path in source.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.parent != source
    )
    return [Example(str(path), str(path), path.parent.as_posix()) for path in found]


def _pictures(
    reader: LocalReader, encoder: OpenClipEncoder
) -> tuple[list[tuple[str, str]], list[Vectors]]:
    """Return the pictures of an index that belong to a document: its path, and its title; and vectors."""
    recorded = reader.manifest.image_encoder
    got = EncoderRecord(recorded.name, encoder.fingerprint, encoder.dimension)
    check_encoder("image", recorded, got, reader.manifest.source)
    ids = reader.item_ids("pictures")
    pictures = reader.pictures(ids)
    linked = reader.chunks_of(ids)
    chunks = reader.chunks([of_picture[0] for of_picture in linked.values() if of_picture])
    vectors = reader.image_vectors(ids)
    documents = {
        item: chunks[linked[item][0]].document if linked.get(item) else pictures[item].document
        for item in ids
    }
    titles = reader.titles(sorted(set(documents.values())))
    # A picture that nothing belongs to is its own document: it shows no product that is known.
    kept = [item for item in ids if documents[item] != pictures[item].name]
    shown = [(documents[item], titles.get(documents[item], "")) for item in kept]
    return shown, [vectors[item] for item in kept]


def _names(shown: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return what products of an index may be called, to the path of their document.

    That is the path, the title, the file's stem, the id of a row, or the folder if it holds one product
    alone. What would mean two products means neither.
    """
    meant: dict[str, set[str]] = {}
    for path, title in set(shown):
        place = PurePosixPath(path)
        row = path.partition("#")[2]
        called = {path, title, row or place.stem}
        if not row:
            called |= {place.parent.as_posix(), f"{place.parent.as_posix()}/", place.parent.name}
        for name in called:
            meant.setdefault(_key(name), set()).add(path)
    unique = {name: next(iter(paths)) for name, paths in meant.items() if len(paths) == 1}
    return {**unique, **{_key(path): path for path, _ in shown}}


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
