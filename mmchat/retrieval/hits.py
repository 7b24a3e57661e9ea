"""Hits: items with what a reader wants to see of them, and why they were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mmchat.retrieval.mixing import Chosen
from mmchat.stores.base import Reader
from mmchat.types import Chunk, Hit, Picture


class HitMaker:
    """Reads from a store what the items of a page need."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def hits(
        self,
        page: Sequence[Chosen],
        chunks: Mapping[str, Chunk],
        pictures: Mapping[str, Picture],
    ) -> list[Hit]:
        """Return the hits of a page.

        Args:
            page: the items, best first.
            chunks: at least the chunks of the page and of its duplicates.
            pictures: at least the pictures of the page.
        """
        items = [entry.fused.item for entry in page]
        pictures_of = self._reader.pictures_of([item for item in items if item in chunks])
        chunks_of = self._reader.chunks_of([item for item in items if item in pictures])
        beside = self._reader.chunks([ids[0] for ids in chunks_of.values()])
        known_chunks = {**chunks, **beside}
        known_pictures = {
            **pictures,
            **self._reader.pictures([ids[0] for ids in pictures_of.values()]),
        }
        shown = [*items, *(ids[0] for ids in (*chunks_of.values(), *pictures_of.values()))]
        documents = {known_chunks[i].document for i in shown if i in known_chunks}
        documents |= {known_pictures[i].document for i in shown if i in known_pictures}
        titles = self._reader.titles(list(documents))
        hits = []
        for rank, entry in enumerate(page, start=1):
            item = entry.fused.item
            chunk_id = item if item in chunks else next(iter(chunks_of.get(item, ())), "")
            picture_id = item if item in pictures else next(iter(pictures_of.get(item, ())), "")
            hit = self._hit(
                rank, entry, known_chunks.get(chunk_id), known_pictures.get(picture_id), titles
            )
            same = dict.fromkeys(chunks[i].document for i in entry.duplicates)
            hits.append(replace(hit, duplicates=tuple(d for d in same if d != hit.document)))
        return hits

    def explained(self, hits: Sequence[Hit], text: str) -> list[Hit]:
        """Return hits with the words of `text` that their passages have."""
        matched = self._reader.matched_words(text, [h.item for h in hits if h.kind == "chunk"])
        return [replace(hit, words=matched.get(hit.item, ())) for hit in hits]

    def _hit(
        self,
        rank: int,
        entry: Chosen,
        chunk: Chunk | None,
        picture: Picture | None,
        titles: Mapping[str, str],
    ) -> Hit:
        fused = entry.fused
        item = chunk if chunk is not None and chunk.id == fused.item else picture
        assert item is not None, "the store returned an item that it does not hold"
        caption, alt = (picture.caption, picture.alt) if picture else ("", "")
        passage = chunk.text if chunk else ""
        return Hit(
            rank=rank,
            score=round(fused.score, 6),
            kind="chunk" if item is chunk else "picture",
            item=fused.item,
            document=item.document,
            page=item.page,
            text=passage if item is chunk else caption or passage or alt,
            picture=picture.name if picture else None,
            channels={channel.value: r for channel, r in fused.ranks.items()},
            title=titles.get(chunk.document if chunk else item.document, ""),
            picture_path=self._reader.file(picture.media) if picture else None,
            thumb_path=self._reader.file(picture.thumb) if picture else None,
            tag=picture.tag if picture else None,
            alt=alt,
        )
