"""What makes the items of a generation findable: the words of its passages, and the vectors of all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from mmchat.stores.base import SourcePart, Vectors
from mmchat.stores.layout import IMAGE, TEXT
from mmchat.stores.manifest import Manifest, VectorRecord
from mmchat.stores.postings import WordsWriter
from mmchat.stores.vectors import VectorFiles
from mmchat.stores.vectors_writing import IMAGE_POLICY, TEXT_POLICY, VectorPolicy, VectorWriter

_SPOOL = "words.spool"


class FindableWriter:
    """Keeps words and vectors in step with the rows of a catalog, in the files of one generation.

    Args:
        generation: its folder, with the files of the one before it where its content is kept.
        connection: of its catalog; must not be in a transaction.
        manifest: tells the dimensions of both spaces.
        text_policy: when the vectors of passages get an inverted file.
        image_policy: when those of pictures do.
    """

    def __init__(
        self,
        generation: Path,
        connection: sqlite3.Connection,
        manifest: Manifest,
        *,
        text_policy: VectorPolicy = TEXT_POLICY,
        image_policy: VectorPolicy = IMAGE_POLICY,
    ) -> None:
        self._words = WordsWriter(connection, generation / _SPOOL, manifest.splitter())
        self._text, self._images = (
            VectorWriter(VectorFiles.of(generation, name), encoder.dimension, policy)
            for name, encoder, policy in (
                (TEXT, manifest.text_encoder, text_policy),
                (IMAGE, manifest.image_encoder, image_policy),
            )
        )

    def add_words(self, part: SourcePart, chunk_rows: Sequence[int]) -> None:
        """Add the words of the chunks of a part, which have these rows."""
        for row, chunk in zip(chunk_rows, part.chunks, strict=True):
            self._words.add(row, chunk.context_text)

    def add_vectors(
        self, chunk_rows: Sequence[int], text: Vectors, picture_rows: Sequence[int], images: Vectors
    ) -> None:
        """Add the vectors of chunks (rows, dimension) and of pictures likewise."""
        self._text.add(chunk_rows, text)
        self._images.add(picture_rows, images)

    @property
    def images(self) -> VectorWriter:
        """The vectors of the pictures, as far as they have come."""
        return self._images

    def remove(self, chunk_rows: Sequence[int], picture_rows: Sequence[int]) -> None:
        """Remove what was added of these rows, now or before."""
        self._words.remove(chunk_rows)
        self._text.remove(chunk_rows)
        self._images.remove(picture_rows)

    def finish(self) -> tuple[VectorRecord, VectorRecord]:
        """Complete the files; return which kinds of index the text and the image vectors have."""
        self._words.finish()
        return self._text.finish(), self._images.finish()

    def close(self) -> None:
        """Let go of the files, finished or not."""
        self._text.close()
        self._images.close()
