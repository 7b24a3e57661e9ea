"""The read path up to the hits: query → channels → fuse."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mmchat.config import RetrievalConfig
from mmchat.errors import QueryError
from mmchat.filters import split_kind
from mmchat.retrieval.fusion import Fused, RankedList, fuse
from mmchat.stores.base import Reader, Vectors
from mmchat.types import Channel, Chunk, Filter, Hit, Picture, Query

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_K = 1000
MAX_QUERY_CHARACTERS = 10_000
# Passages of one picture that a photo brings up by itself: its description, not its whole manual.
_CHUNKS_OF_A_PICTURE = 2


class TextEncoder(Protocol):
    """What retrieval needs of a text encoder."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...


class ImageEncoder(Protocol):
    """What retrieval needs of an image encoder: both sides of the space that it shares."""

    def encode_images(self, images: Sequence[Image]) -> Vectors:
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


class Retriever:
    """Finds the items of a store that answer a query."""

    def __init__(
        self,
        reader: Reader,
        text_encoder: TextEncoder,
        image_encoder: ImageEncoder,
        config: RetrievalConfig,
    ) -> None:
        self._reader = reader
        self._text_encoder = text_encoder
        self._image_encoder = image_encoder
        self._config = config

    def search(self, query: Query) -> list[Hit]:
        """Return the `query.k` best items, passages and pictures in one list.

        Words search all three channels. A photo searches the image space and, through the pictures that
        it finds, the passages that belong to them. Both together search all.

        Raises:
            QueryError: there are neither words nor a photo, k is out of range, or the filter does not
                suit the documents.
        """
        text = _checked(query)
        depth = max(self._config.depth, query.k)
        kinds, where = split_kind(query.where)
        vector = self._text_encoder.encode_queries([text])[0] if text else None
        word_lists = [] if vector is None else self._search_words(text, vector, depth, where)
        seen = self._search_pictures(query.image, text, vector, depth, where)
        picture_lists = [seen]
        if query.image is not None:
            word_lists.append(self._passing(self._linked_chunks(seen, alone=not text), where))
        if text:
            picture_lists.append(self._passing(self._linked_pictures(word_lists), where))
        chunks = fuse(word_lists, self._config.rrf_k) if "chunk" in kinds else []
        pictures = fuse(picture_lists, self._config.rrf_k) if "picture" in kinds else []
        best = sorted([*chunks, *pictures], key=lambda f: (-f.score, f.item))[: query.k]
        return self._hits(best)

    def chunk(self, item: str) -> Chunk | None:
        """Return the chunk of that id, or None."""
        return self._reader.chunks([item]).get(item)

    def _search_words(
        self, text: str, vector: Vectors, depth: int, where: Filter | None
    ) -> list[RankedList]:
        dense = self._reader.search_text(vector, depth, where)
        words = self._reader.search_words(text, depth, where)
        return [
            RankedList.of(Channel.DENSE, [s.item for s in dense], self._config.weight_dense),
            RankedList.of(Channel.BM25, [s.item for s in words], self._config.weight_bm25),
        ]

    def _search_pictures(
        self,
        image: Image | None,
        text: str,
        text_vector: Vectors | None,
        depth: int,
        where: Filter | None,
    ) -> RankedList:
        if not self._reader.has_pictures:
            return RankedList.of(Channel.IMAGE, [], self._config.weight_image)
        # A photo says more about how a thing looks than the words beside it, which ask about it.
        if image is not None:
            vector = self._image_encoder.encode_images([image])[0]
        else:
            assert text_vector is not None, "a query has words or a photo"
            vector = self._words_as_picture(text, text_vector)
        found = self._reader.search_images(vector, depth, where)
        return RankedList.of(Channel.IMAGE, [s.item for s in found], self._config.weight_image)

    def _words_as_picture(self, text: str, vector: Vectors) -> Vectors:
        """Return the vector of words in the image space."""
        vectors = self._image_encoder.from_query_vectors(self._text_encoder, vector[None, :])
        if vectors is None:
            vectors = self._image_encoder.encode_texts([text])
        one: Vectors = vectors[0]
        return one

    def _passing(self, ranked: RankedList, where: Filter | None) -> RankedList:
        """Return a list without the items that a filter does not let through."""
        if where is None or not ranked.ranks:
            return ranked
        passed = self._reader.passing(list(ranked.ranks), where)
        kept = {item: rank for item, rank in ranked.ranks.items() if item in passed}
        return RankedList(ranked.channel, kept, ranked.weight)

    def _linked_chunks(self, pictures: RankedList, *, alone: bool) -> RankedList:
        """Rank the chunks of pictures as their pictures rank; all chunks of one picture stand equal.

        With words beside the photo every passage of the product may hold the answer, and the words
        choose among them; a photo alone asks what the thing is, which its first passages say.
        """
        order = sorted(pictures.ranks, key=pictures.ranks.__getitem__)
        links = self._reader.chunks_of(order)
        ranks: dict[str, int] = {}
        for picture in order:
            chunks = links.get(picture, ())
            for position, chunk in enumerate(chunks[:_CHUNKS_OF_A_PICTURE] if alone else chunks):
                rank = pictures.ranks[picture] + (position if alone else 0)
                ranks[chunk] = min(rank, ranks.get(chunk, rank))
        weight = self._config.weight_linked if alone else self._config.weight_photo
        return RankedList(Channel.LINKED, ranks, weight)

    def _linked_pictures(self, word_lists: Sequence[RankedList]) -> RankedList:
        """Rank the pictures that belong to the passages which the words found."""
        chunks = [fused.item for fused in fuse(word_lists, self._config.rrf_k)]
        links = self._reader.pictures_of(chunks)
        pictures = dict.fromkeys(picture for chunk in chunks for picture in links.get(chunk, ()))
        return RankedList.of(Channel.LINKED, list(pictures), self._config.weight_linked)

    def _hits(self, fused: Sequence[Fused]) -> list[Hit]:
        items = [f.item for f in fused]
        chunks = dict(self._reader.chunks(items))
        pictures = dict(self._reader.pictures(items))
        pictures_of = self._reader.pictures_of(list(chunks))
        chunks_of = self._reader.chunks_of(list(pictures))
        chunks.update(self._reader.chunks([ids[0] for ids in chunks_of.values()]))
        pictures.update(self._reader.pictures([ids[0] for ids in pictures_of.values()]))
        documents = {chunk.document for chunk in chunks.values()}
        documents |= {picture.document for picture in pictures.values()}
        titles = self._reader.titles(list(documents))
        hits = []
        for rank, f in enumerate(fused, start=1):
            is_chunk = f.item in chunks
            chunk_id = f.item if is_chunk else next(iter(chunks_of.get(f.item, ())), "")
            picture_id = next(iter(pictures_of.get(f.item, ())), "") if is_chunk else f.item
            hits.append(self._hit(rank, f, chunks.get(chunk_id), pictures.get(picture_id), titles))
        return hits

    def _hit(
        self,
        rank: int,
        fused: Fused,
        chunk: Chunk | None,
        picture: Picture | None,
        titles: Mapping[str, str],
    ) -> Hit:
        item = chunk if chunk is not None and chunk.id == fused.item else picture
        assert item is not None, "the store returned an item that it does not hold"
        caption = picture.caption if picture else ""
        passage = chunk.text if chunk else ""
        return Hit(
            rank=rank,
            score=round(fused.score, 6),
            kind="chunk" if item is chunk else "picture",
            item=fused.item,
            document=item.document,
            page=item.page,
            text=passage if item is chunk else caption or passage,
            picture=picture.name if picture else None,
            channels={channel.value: r for channel, r in fused.ranks.items()},
            title=titles.get(chunk.document if chunk else item.document, ""),
            picture_path=self._reader.file(picture.media) if picture else None,
            thumb_path=self._reader.file(picture.thumb) if picture else None,
        )


def _checked(query: Query) -> str:
    """Return the words of a query, cleaned, or refuse it."""
    if query.k < 1:
        raise QueryError(f"k = {query.k}: expected a number from 1 to {MAX_K}.")
    if query.k > MAX_K:
        raise QueryError(f"k = {query.k}: expected at most {MAX_K}. Ask for fewer hits.")
    # Control characters mean nothing to an encoder; a question pasted from a terminal has them.
    text = unicodedata.normalize("NFC", query.text[:MAX_QUERY_CHARACTERS])
    text = "".join(c if c.isprintable() else " " for c in text).strip()
    if not text and query.image is None:
        raise QueryError("The query is empty. Give words, a photo, or both.")
    return text
