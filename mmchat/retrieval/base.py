"""What retrieval needs of encoders and of a reranker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from mmchat.stores.base import Vectors

if TYPE_CHECKING:
    from PIL.Image import Image


class TextEncoder(Protocol):
    """What retrieval needs of a text encoder."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...


class ImageEncoder(Protocol):
    """What retrieval needs of an image encoder: both sides of the space that it shares."""

    @property
    def unrelated(self) -> float:
        """The cosine below which a photo shows nothing of a collection's best picture; -1 where not known."""
        ...

    def encode_image_queries(self, images: Sequence[Image]) -> Vectors:
        """Return unit vectors of shape (images, dimension)."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> Vectors | None:
        """Turn what a text encoder made of words into vectors of the image space.

        Args:
            encoder: what made `vectors` with its `encode_queries`.
            vectors: (texts, dimension of that encoder).

        Returns:
            unit vectors of shape (texts, dimension), or None where `encoder` is not the text tower: the
            words must be encoded again.
        """
        ...


class Reranker(Protocol):
    """Reads a question and a passage together, which is slower and better than comparing vectors."""

    def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """Return how well each passage answers the question; higher is better."""
        ...
