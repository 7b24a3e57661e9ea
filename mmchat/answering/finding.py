"""What a question is answered from: the passages that are found for it, and their sentences."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from mmchat.answering.draft import Candidate
from mmchat.answering.evidence import EvidenceFinder, TextEncoder, Thresholds, answerable
from mmchat.answering.followups import about
from mmchat.answering.hostile import is_order
from mmchat.answering.turn import Found
from mmchat.answering.words import content_words, telling_words
from mmchat.conditions import AllOf, Equals, In
from mmchat.types import Channel, Chunk, Hit, Query

if TYPE_CHECKING:
    from PIL.Image import Image

_OF_A_PRODUCT = 3
"""How many times as many passages are looked at where they are all of the product in a photo."""


class Retriever(Protocol):
    """Finds the items that a question is about."""

    def search(self, query: Query) -> Sequence[Hit]:
        """Return the best `query.k` items, best first."""
        ...

    def chunk(self, item_id: str) -> Chunk | None:
        """Return the chunk of a hit with its span in its document, or None where there is none."""
        ...

    def documents_of(self, picture_id: str) -> Sequence[str]:
        """Return the documents whose passages a picture belongs to."""
        ...


class Finding:
    """Finds passages and the sentences in them. Safe to use from several threads where its parts are."""

    def __init__(
        self, retriever: Retriever, encoder: TextEncoder, passages: int, thresholds: Thresholds
    ) -> None:
        """Join the parts.

        Args:
            retriever: finds passages and pictures.
            encoder: compares the question with single sentences.
            passages: how many an answer may rest on.
            thresholds: when a reading of a question is taken to be answered.
        """
        self._retriever = retriever
        self._finder = EvidenceFinder(encoder)
        self._passages = passages
        self._thresholds = thresholds

    def find(self, readings: Sequence[str], image: Image | None) -> Found:
        """Find what answers the likeliest reading that can be answered, or else the likeliest.

        Args:
            readings: what was asked, the likeliest meaning first; at least one.
            image: a photo that it is about.
        """
        if image is not None:
            return self._beside_photo(readings[0], image)
        likeliest: Found | None = None
        for reading in readings:
            hits = self._search(reading)
            found = self._found(reading, hits, self._candidates(hits, self._passages))
            if answerable(found.evidence, self._thresholds):
                return found
            likeliest = likeliest or found
        assert likeliest is not None, "a question means something"
        return likeliest

    def warm_up(self) -> None:
        """Load the encoder."""
        self._finder.find(
            "warm", [Chunk(id="", document="", ordinal=0, text="Warm.", start=0, end=5)]
        )

    def _beside_photo(self, reading: str, image: Image) -> Found:
        """Find what is said of the product in a photo, where the question is about that.

        Nothing of another product may answer "Is this waterproof?", however well its words fit; what stands
        on a page without a product ("You can return anything …") may.
        """
        hits = self._search(reading, image)
        focus = looks_like(hits)
        asked = about(reading, called(focus) if focus else "") if telling_words(reading) else ""
        if not asked:
            return self._found(reading, hits, self._candidates(hits, self._passages))
        general = [hit for hit in self._search(asked) if not hit.picture]
        candidates = [
            *(self._candidates_of(asked, focus) if focus else ()),
            *self._candidates(general, self._passages),
        ]
        return self._found(asked, hits, candidates, focus)

    def _candidates_of(self, asked: str, picture: Hit) -> list[Candidate]:
        """Return the best passages of the product in a picture."""
        documents = tuple(self._retriever.documents_of(picture.item))
        if not documents:
            return []
        most = _OF_A_PRODUCT * self._passages
        where = AllOf((Equals("kind", "chunk"), In("document", documents)))
        return self._candidates(self._retriever.search(Query(asked, k=most, where=where)), most)

    def _search(self, text: str, image: Image | None = None) -> Sequence[Hit]:
        # Passages and pictures come in one list: enough of it to hold the passages that are wanted.
        return self._retriever.search(Query(text=text, image=image, k=5 * self._passages))

    def _candidates(self, hits: Iterable[Hit], most: int) -> list[Candidate]:
        passages = (
            Candidate(hit, chunk)
            for hit in hits
            if hit.kind == "chunk" and (chunk := self._retriever.chunk(hit.item)) is not None
        )
        return list(itertools.islice(passages, most))

    def _found(
        self,
        reading: str,
        hits: Sequence[Hit],
        candidates: Sequence[Candidate],
        focus: Hit | None = None,
    ) -> Found:
        evidence = self._finder.find(reading, [each.chunk for each in candidates])
        return Found(reading, hits, candidates, evidence, focus)


def looks_like(hits: Sequence[Hit]) -> Hit | None:
    """Return the picture that a photo resembles most, and whose name can be told; None where none does."""
    look = Channel.IMAGE.value
    pictures = [
        hit
        for hit in hits
        if hit.kind == "picture"
        and look in hit.channels
        and not is_order(hit.title or hit.document)
    ]
    return min(pictures, key=lambda hit: hit.channels[look], default=None)


def called(picture: Hit) -> str:
    """Return the name of what a picture shows: its title, or where that is none the name of its folder.

    A page may be headed "Information about item 17" and lie, with its pictures, in "TrailMaster-X4-Tent".
    """
    title = picture.title or PurePosixPath(picture.document).stem
    folder = re.sub(r"[-_\s]+", " ", PurePosixPath(picture.document).parent.name).strip()
    words = content_words(folder)
    is_name = bool(words) and words <= content_words(picture.text)
    return folder if is_name and not words & content_words(title) else title
