"""The read path up to the hits: query → channels → fuse → page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mmchat.config import RetrievalConfig
from mmchat.errors import QueryError
from mmchat.filters import split_kind
from mmchat.retrieval.base import ImageEncoder, Reranker, TextEncoder
from mmchat.retrieval.calibration import Calibration, confidence, words_as_pictures
from mmchat.retrieval.fusion import Fused, RankedList, TextFindings, blend, fuse
from mmchat.retrieval.hits import HitMaker
from mmchat.retrieval.mixing import choose
from mmchat.retrieval.queries import MAX_K, Words, checked, shifted, stack
from mmchat.stores.base import Reader, Vectors
from mmchat.types import Channel, Chunk, Filter, Hit, Query

# Passages of one picture that a photo brings up by itself: its description, not its whole manual.
_CHUNKS_OF_A_PICTURE = 2
# Passages whose pictures, and pictures whose passages, are brought up by words.
_LINKED_FROM = 20
# What belongs to a hit is a little less surely meant than the hit itself, in standard deviations.
_LINK_COSTS = 0.5
_STEP = 1e-3
# Between the pictures of one passage, their own likeness decides.
_TIE_BREAK = 0.01


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
        self._reranker = reranker

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

    def blended(self, text: str, vector: Vectors, depth: int, where: Filter | None) -> list[Fused]:
        """Return the passages that match words and their vector, with the scores of `blend`."""
        return blend(
            self.findings(text, vector, depth, where),
            self._config.weight_dense,
            self._config.weight_bm25,
        )

    def findings(
        self, text: str, vector: Vectors, depth: int, where: Filter | None = None
    ) -> TextFindings:
        """Return what both text channels find, before they are blended."""
        return TextFindings(
            dense=self._reader.search_text(vector, depth, where),
            words=self._reader.search_words(text, depth, where) if text else (),
            depth=depth,
            background=self._calibration.background(vector),
            spread=self._calibration.spread,
            words_per_chunk=self._reader.words_per_chunk,
        )

    def _understand(self, query: Query, words: Words, where: Filter | None) -> _Asked:
        asked = _Asked(words, None, None, None, max(self._config.depth, query.k), where, query.like)
        text, picture = self._example(query.like)
        if query.image is not None:
            picture = self._image_encoder.encode_images([query.image])[0]
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
        assert asked.text is not None, "a query has words, a photo or an item to be like"
        found = self._blended_for(asked)
        chance = self._calibration.of_passages(self._reader, self._best)
        chunks = {f.item: f.scored(chance.surprise(f.score)) for f in found}
        pictures = self._seen(asked)
        chunks, pictures = (
            self._with_chunks_of(pictures, chunks, asked),
            self._with_pictures_of(found, chunks, pictures, asked),
        )
        return [*chunks.values()], [*pictures.values()]

    def _blended_for(self, asked: _Asked) -> list[Fused]:
        assert asked.text is not None
        words = asked.words
        found = self.blended(words.wanted, asked.text, asked.depth, asked.where)
        if words.minus:
            unwanted = self._reader.search_words(" ".join(words.minus), MAX_K, asked.where)
            against = {s.item: s.score for s in unwanted}
            weight = self._config.weight_bm25
            found = [f.scored(f.score - weight * against.get(f.item, 0)) for f in found]
            found.sort(key=lambda f: (-f.score, f.item))
        return self._reranked(words.wanted, found)

    def _reranked(self, text: str, found: list[Fused]) -> list[Fused]:
        """Return the best passages in the order of the reranker; scores stay with the places."""
        best = found[: self._config.rerank_depth]
        if self._reranker is None or not text or not best:
            return found
        chunks = self._reader.chunks([f.item for f in best])
        scores = self._reranker.scores(text, [chunks[f.item].context_text for f in best])
        order = sorted(range(len(best)), key=lambda i: (-scores[i], i))
        moved: list[Fused] = []
        for place, i in enumerate(order):
            # Places that stood equal must not any more, or their ids would order them.
            below = moved[-1].score - _STEP if moved else best[0].score
            moved.append(best[i].scored(min(best[place].score, below)))
        return [*moved, *found[len(best) :]]

    def _best(self, text: str, vector: Vectors) -> float | None:
        """Return the best score of a passage: what everyday sentences measure chance by."""
        found = self.blended(text, vector, self._config.depth, None)
        return found[0].score if found else None

    def _seen(self, asked: _Asked) -> dict[str, Fused]:
        """Return the pictures that look as the words say."""
        if asked.words_as_picture is None or not self._config.weight_image:
            return {}
        found = self._reader.search_images(asked.words_as_picture, asked.depth, asked.where)
        chance = self._calibration.of_pictures(self._reader, self._best)
        return {
            s.item: Fused(s.item, chance.surprise(s.score), {Channel.IMAGE: rank})
            for rank, s in enumerate(found, start=1)
        }

    def _with_pictures_of(
        self,
        found: Sequence[Fused],
        chunks: Mapping[str, Fused],
        pictures: Mapping[str, Fused],
        asked: _Asked,
    ) -> dict[str, Fused]:
        """Return pictures with those that belong to the best passages."""
        best = [f.item for f in found[:_LINKED_FROM]] if self._config.weight_linked else []
        links = self._reader.pictures_of(best)
        origins: dict[str, float] = {}
        for chunk in best:
            for picture in links.get(chunk, ()):
                origins.setdefault(picture, chunks[chunk].score)
        return self._joined(pictures, origins, asked.where)

    def _with_chunks_of(
        self, pictures: Mapping[str, Fused], chunks: Mapping[str, Fused], asked: _Asked
    ) -> dict[str, Fused]:
        """Return passages with those that belong to pictures which look as the words say."""
        best = [p for p in list(pictures.values())[:_LINKED_FROM] if p.score > _LINK_COSTS]
        links = self._reader.chunks_of([p.item for p in best] if self._config.weight_linked else [])
        origins: dict[str, float] = {}
        for picture in best:
            for chunk in links.get(picture.item, ())[:_CHUNKS_OF_A_PICTURE]:
                origins.setdefault(chunk, picture.score)
        return self._joined(chunks, origins, asked.where)

    def _joined(
        self, items: Mapping[str, Fused], origins: Mapping[str, float], where: Filter | None
    ) -> dict[str, Fused]:
        """Return items with those that belong to a hit; `origins` is item to the score of that hit."""
        passed = self._passing(list(origins), where)
        joined = dict(items)
        for rank, item in enumerate([o for o in origins if o in passed], start=1):
            own = joined.get(item)
            lent = origins[item] - _LINK_COSTS
            if own is None:
                joined[item] = Fused(item, lent, {Channel.LINKED: rank})
            else:
                score = max(own.score, lent + _TIE_BREAK * min(own.score, 10.0))
                joined[item] = Fused(item, score, {**own.ranks, Channel.LINKED: rank})
        return joined

    def _passing(self, items: Sequence[str], where: Filter | None) -> set[str]:
        return set(items) if where is None else self._reader.passing(items, where)

    def _by_picture(self, asked: _Asked) -> tuple[list[Fused], list[Fused]]:
        """Return chunks and pictures by rank: what a photo found and, with words, what they found."""
        assert asked.picture is not None
        found = self._reader.search_images(asked.picture, asked.depth, asked.where)
        seen = RankedList.of(Channel.IMAGE, [s.item for s in found], self._config.weight_image)
        alone = asked.text is None
        linked = self._ranked_chunks_of(seen, asked.where, alone=alone)
        if asked.text is None:
            return fuse([linked], self._config.rrf_k), fuse([seen], self._config.rrf_k)
        texts = self._blended_for(asked)
        ranked = RankedList.of(Channel.DENSE, [f.item for f in texts], self._config.weight_text)
        own = {f.item: f.ranks for f in texts}
        chunks = [
            replace(f, ranks={**own.get(f.item, {}), **_only_linked(f.ranks)})
            for f in fuse([ranked, linked], self._config.rrf_k)
        ]
        links = self._reader.pictures_of([f.item for f in chunks])
        order = dict.fromkeys(p for f in chunks for p in links.get(f.item, ()))
        passed = self._passing(list(order), asked.where)
        of_text = RankedList.of(
            Channel.LINKED, [p for p in order if p in passed], self._config.weight_linked
        )
        return chunks, fuse([seen, of_text], self._config.rrf_k)

    def _ranked_chunks_of(
        self, pictures: RankedList, where: Filter | None, *, alone: bool
    ) -> RankedList:
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
        passed = self._passing(list(ranks), where)
        weight = self._config.weight_linked if alone else self._config.weight_photo
        return RankedList(Channel.LINKED, {c: r for c, r in ranks.items() if c in passed}, weight)

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
