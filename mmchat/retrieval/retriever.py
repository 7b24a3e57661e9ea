"""The read path up to the hits: query → channels → fuse → page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mmchat.conditions import Filter
from mmchat.config import RetrievalConfig
from mmchat.errors import QueryError
from mmchat.filters import split_kind
from mmchat.retrieval.base import ImageEncoder, Reranker, TextEncoder
from mmchat.retrieval.belonging import Belonging
from mmchat.retrieval.calibration import Calibration, confidence, words_as_pictures
from mmchat.retrieval.fusion import Fused, RankedList, fuse
from mmchat.retrieval.hits import HitMaker
from mmchat.retrieval.mixing import choose
from mmchat.retrieval.passages import PassageSearch
from mmchat.retrieval.queries import Words, checked, shifted, stack
from mmchat.stores.base import Reader, Scored, Vectors
from mmchat.types import Channel, Chunk, Hit, Query


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query as the channels take it."""

    words: Words
    text: Vectors | None
    """Where to look among passages: (dimension,)."""
    picture: Vectors | None
    """Where a photo, or a picture of the index, says to look among pictures."""
    words_as_picture: Vectors | None
    """Where the words say to look among pictures."""
    depth: int
    where: Filter | None
    itself: str
    """The item that is searched by, which is not one of its own hits."""


class Retriever:
    """Finds the items of a store that answer a query."""

    def __init__(
        self,
        reader: Reader,
        text_encoder: TextEncoder,
        image_encoder: ImageEncoder,
        config: RetrievalConfig,
        *,
        calibration: Calibration | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """Take the parts.

        Args:
            reader: what is searched.
            text_encoder: of passages and questions.
            image_encoder: of pictures and of words about them.
            config: how channels are searched and fused.
            calibration: remembers what scores mean between retrievers of the same encoders.
            reranker: reads the best passages once more.
        """
        self._reader = reader
        self._text_encoder = text_encoder
        self._image_encoder = image_encoder
        self._config = config
        self._calibration = calibration or Calibration(text_encoder, image_encoder)
        self.passages = PassageSearch(reader, config, self._calibration, reranker)

    def search(self, query: Query) -> list[Hit]:
        """Return the `query.k` best items, passages and pictures in one list.

        Words search all three channels; what they find brings up what belongs to it. A photo searches the
        image space and, through the pictures that it finds, the passages that belong to them. Both together
        search all.

        Raises:
            QueryError: there is nothing to search by, k is out of range, the filter does not suit the
                documents, or there is no item of the id that is to be like.
        """
        kinds, where = split_kind(query.where)
        asked = self._understand(query, checked(query), where)
        if asked.picture is None:
            chunks, pictures = self._by_words(asked)
        else:
            chunks, pictures = self._by_picture(asked)
        found = [*(chunks if "chunk" in kinds else ()), *(pictures if "picture" in kinds else ())]
        found = [f for f in found if f.item != asked.itself]
        found.sort(key=lambda f: (-f.score, f.item))
        # Duplicates and what stands back leave gaps that the next ones fill.
        found = found[: 2 * query.k + 10]
        if asked.picture is None:
            found = [f.scored(confidence(f.score)) for f in found]
        hits = self._page(found, query.k, confidence(0.0) if asked.picture is None else 0.0)
        if query.explain and asked.words.wanted:
            return HitMaker(self._reader).explained(hits, asked.words.wanted)
        return hits

    def chunk(self, item: str) -> Chunk | None:
        """Return the chunk of that id, or None."""
        return self._reader.chunks([item]).get(item)

    def documents_of(self, picture: str) -> list[str]:
        """Return the documents whose passages a picture belongs to, the nearest first."""
        linked = self._reader.chunks_of([picture]).get(picture, ())
        chunks = self._reader.chunks(linked)
        return list(dict.fromkeys(chunks[item].document for item in linked if item in chunks))

    def _understand(self, query: Query, words: Words, where: Filter | None) -> _Asked:
        asked = _Asked(words, None, None, None, max(self._config.depth, query.k), where, query.like)
        text, picture = self._example(query.like)
        if query.image is not None:
            picture = self._image_encoder.encode_image_queries([query.image])[0]
        as_picture = None
        spoken = words.text or " ".join(words.plus)
        if spoken:
            vector = self._text_encoder.encode_queries([spoken])[0]
            text = text if text is not None else vector
            if picture is None and self._reader.has_pictures:
                as_picture = self._as_pictures([spoken], vector[None, :])[0]
        steps = words.plus if words.text or query.like or query.image is not None else ()
        # Words beside an item that is to be like are one more thing that it should be.
        steps = (*((words.text,) if words.text and query.like else ()), *steps)
        asked = replace(asked, text=text, picture=picture, words_as_picture=as_picture)
        return self._moved(asked, steps, words.minus) if steps or words.minus else asked

    def _example(self, like: str) -> tuple[Vectors | None, Vectors | None]:
        """Return the vector of a chunk or the vector of a picture."""
        if not like:
            return None, None
        chunks, pictures = self._reader.text_vectors([like]), self._reader.image_vectors([like])
        if like not in chunks and like not in pictures:
            raise QueryError(
                f"like = '{like}': the index has no such item. Expected the id of a hit ('item' in "
                "the results of a search)."
            )
        return chunks.get(like), pictures.get(like)

    def _moved(self, asked: _Asked, plus: Sequence[str], minus: Sequence[str]) -> _Asked:
        """Return a query moved towards `plus` and away from `minus` in each space that it looks in."""
        vectors = self._text_encoder.encode_queries([*plus, *minus])
        moved = asked
        if asked.text is not None:
            found = self._reader.search_text(asked.text, asked.depth, asked.where)
            near = self._reader.text_vectors([s.item for s in found])
            text = shifted(
                asked.text,
                vectors[: len(plus)],
                vectors[len(plus) :],
                centre=self._calibration.sentences.mean(0),
                neighbours=stack([*near.values()], len(asked.text)),
            )
            moved = replace(moved, text=text)
        start = asked.picture if asked.picture is not None else asked.words_as_picture
        if start is None:
            return moved
        vectors = self._as_pictures([*plus, *minus], vectors)
        found = self._reader.search_images(start, asked.depth, asked.where)
        near = self._reader.image_vectors([s.item for s in found])
        picture = shifted(
            start,
            vectors[: len(plus)],
            vectors[len(plus) :],
            centre=self._calibration.picture_sentences.mean(0),
            neighbours=stack([*near.values()], len(start)),
        )
        if asked.picture is not None:
            return replace(moved, picture=picture)
        return replace(moved, words_as_picture=picture)

    def _as_pictures(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        return words_as_pictures(self._image_encoder, self._text_encoder, texts, vectors)

    def _by_words(self, asked: _Asked) -> tuple[list[Fused], list[Fused]]:
        """Return chunks and pictures with scores that compare: how far they are above chance."""
        found = self.passages.surprising(self._said(asked))
        seen = self._seen(asked)
        chunks, pictures = {f.item: f for f in found}, {f.item: f for f in seen}
        if self._config.weight_linked:
            belonging = Belonging(self._reader, asked.where)
            pictures = belonging.with_pictures_of(found, pictures)
            chunks = belonging.with_chunks_of(seen, chunks)
        return [*chunks.values()], [*pictures.values()]

    def _said(self, asked: _Asked) -> list[Fused]:
        """Return the passages that say what is asked for."""
        assert asked.text is not None, "a query has words, a photo or an item to be like"
        return self.passages.ranked(asked.words, asked.text, asked.depth, asked.where)

    def _seen(self, asked: _Asked) -> list[Fused]:
        """Return the pictures that look as the words say, with how far they are above chance."""
        if asked.words_as_picture is None or not self._config.weight_image:
            return []
        found = self._reader.search_images(asked.words_as_picture, asked.depth, asked.where)
        chance = self._calibration.of_pictures(self._reader, self.passages.best)
        return [
            Fused(s.item, chance.surprise(s.score), {Channel.IMAGE: rank})
            for rank, s in enumerate(found, start=1)
        ]

    def _by_picture(self, asked: _Asked) -> tuple[list[Fused], list[Fused]]:
        """Return chunks and pictures by rank: what a photo found and, with words, what they found."""
        assert asked.picture is not None
        belonging = Belonging(self._reader, asked.where)
        found = self._reader.search_images(asked.picture, asked.depth, asked.where)
        if self._is_foreign(asked, found):
            found = []
        seen = RankedList.of(Channel.IMAGE, [s.item for s in found], self._config.weight_image)
        if asked.text is None:
            linked = belonging.chunks_by_rank(seen, self._config.weight_linked, alone=True)
            return fuse([linked], self._config.rrf_k), fuse([seen], self._config.rrf_k)
        linked = belonging.chunks_by_rank(seen, self._config.weight_photo, alone=False)
        texts = self._said(asked)
        ranked = RankedList.of(Channel.DENSE, [f.item for f in texts], self._config.weight_text)
        own = {f.item: f.ranks for f in texts}
        chunks = [
            replace(f, ranks={**own.get(f.item, {}), **_only_linked(f.ranks)})
            for f in fuse([ranked, linked], self._config.rrf_k)
        ]
        of_text = belonging.pictures_by_rank(chunks, self._config.weight_linked)
        return chunks, fuse([seen, of_text], self._config.rrf_k)

    def _is_foreign(self, asked: _Asked, found: Sequence[Scored]) -> bool:
        """Tell whether a photo shows nothing of the collection: some picture is always the nearest."""
        # Where a filter has left other things out, or words have moved the photo, the nearest is asked for.
        as_it_is = asked.where is None and not asked.words.plus and not asked.words.minus
        return as_it_is and bool(found) and found[0].score < self._image_encoder.unrelated

    def _page(self, found: Sequence[Fused], k: int, enough: float) -> list[Hit]:
        items = [f.item for f in found]
        chunks, pictures = self._reader.chunks(items), self._reader.pictures(items)
        page = choose(
            found,
            chunks,
            pictures,
            k,
            share=self._config.document_share,
            enough=enough,
        )
        return HitMaker(self._reader).hits(page, chunks, pictures)


def _only_linked(ranks: Mapping[Channel, int]) -> dict[Channel, int]:
    return {channel: rank for channel, rank in ranks.items() if channel is Channel.LINKED}
