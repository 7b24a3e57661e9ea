"""Find out which pictures belong to which chunks.

A picture beside a text says what the text means by "this product", and the text says what the picture
shows. From the surest sign to the weakest:

1. it is a figure of the document itself: the chunks of its page;
2. a document names it (`![…](kettle.webp)`, a column of a catalogue);
3. its file name has the stem of a document in the same folder: `Kettle_Iconic.jpg` and
   `Kettle_Description.txt`, `kettle-2.jpg` and `kettle.md`;
4. it lies in a folder with one document only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from mmchat.ingest.text import shared_stem
from mmchat.stores.base import ChunkPlace, PicturePlace, Reference
from mmchat.types import Link

# Links of one picture: enough for every passage of a product page, and a bound on a book's cover.
MAX_LINKS = 40


def link_pictures(
    chunks: Sequence[ChunkPlace], pictures: Sequence[PicturePlace], references: Sequence[Reference]
) -> tuple[list[Link], dict[str, str]]:
    """Link every picture to the chunks that it belongs to.

    Returns:
        the links, and picture id to a caption that a document gives it.
    """
    by_document: dict[str, list[ChunkPlace]] = defaultdict(list)
    for chunk in chunks:
        by_document[chunk.document].append(chunk)
    naming: dict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        naming[reference.target].append(reference)
    neighbours = _Neighbours(by_document)

    links: list[Link] = []
    captions: dict[str, str] = {}
    for picture in pictures:
        named = naming.get(picture.name, [])
        if picture.document in by_document:
            found = _around_page(by_document[picture.document], picture.page)
        elif named:
            found = _around_references(named, by_document)
        else:
            documents = neighbours.of(picture.name)
            found = [chunk for document in documents for chunk in by_document[document]]
        ids = list(dict.fromkeys(chunk.id for chunk in found))[:MAX_LINKS]
        links += [Link(picture.id, chunk, position) for position, chunk in enumerate(ids)]
        alt = max((reference.alt for reference in named), key=len, default="")
        if alt:
            captions[picture.id] = alt
    return links, captions


def _around_page(chunks: Sequence[ChunkPlace], page: int | None) -> list[ChunkPlace]:
    if page is None:
        return list(chunks)
    return [chunk for chunk in chunks if chunk.page == page]


def _around_references(
    references: Iterable[Reference], by_document: Mapping[str, Sequence[ChunkPlace]]
) -> list[ChunkPlace]:
    """Return the chunks of the documents that name a picture, those at the place itself first."""
    nearest: list[ChunkPlace] = []
    others: list[ChunkPlace] = []
    for reference in references:
        chunks = by_document.get(reference.document, [])
        at = next((c for c in chunks if reference.offset < c.end), None)
        nearest += [at] if at else []
        others += chunks
    return nearest + others


class _Neighbours:
    """Documents by folder and by the stem that their file names share with pictures."""

    def __init__(self, documents: Iterable[str]) -> None:
        self._by_stem: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._by_folder: dict[str, list[str]] = defaultdict(list)
        for document in documents:
            if "#" in document:
                continue  # a row of a catalogue names its pictures itself
            path = PurePosixPath(document)
            self._by_folder[str(path.parent)].append(document)
            self._by_stem[str(path.parent), shared_stem(path.stem).casefold()].append(document)

    def of(self, picture: str) -> list[str]:
        path = PurePosixPath(picture)
        folder = str(path.parent)
        same_stem = self._by_stem.get((folder, shared_stem(path.stem).casefold()))
        if same_stem:
            return same_stem
        alone = self._by_folder.get(folder, [])
        return alone if len(alone) == 1 else []
