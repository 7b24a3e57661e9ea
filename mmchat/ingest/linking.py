"""Find out which pictures belong to which chunks.

A picture beside a text says what the text means by "this product", and the text says what the picture
shows. From the surest sign to the weakest:

1. it is a figure of the document itself: the chunks of its page, or those around it, the nearest first;
2. a document names it (`![…](kettle.webp)`, a column of a table). A table may name the file alone, or
   write it in other capitals: shops keep their pictures elsewhere than their tables;
3. its file name has the stem of a document in the same folder: `Kettle_Iconic.jpg` and
   `Kettle_Description.txt`, `kettle-2.jpg` and `kettle.md`;
4. it lies in a folder with one document only.

Text that was read in a picture belongs to it too, and always. A picture that stands for others, which look
the same, belongs to what those belong to; they themselves are seen no more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import PurePosixPath

from mmchat.ingest.naming import shared_stem
from mmchat.stores.base import ChunkPlace, PicturePlace, Reference
from mmchat.types import Link

# Links of one picture: enough for every passage of a product page, and a bound on a book's cover.
MAX_LINKS = 40
# Chunks that a figure belongs to where no page bounds what is beside it.
_NEAREST = 4
# Times that one document shows a picture again, from which on it is a logo.
_LOGO_REPEATS = 3


def link_pictures(
    chunks: Sequence[ChunkPlace],
    pictures: Sequence[PicturePlace],
    references: Sequence[Reference],
    duplicates: Mapping[str, str] | None = None,
) -> tuple[list[Link], dict[str, str]]:
    """Link every picture to the chunks that it belongs to.

    Args:
        chunks: all there are, those of a document in order.
        pictures: all there are.
        references: all there are.
        duplicates: picture id to the id of the picture that stands for it.

    Returns:
        the links, and picture id to a caption that a document gives it.
    """
    names = {picture.name for picture in pictures}
    by_document: dict[str, list[ChunkPlace]] = defaultdict(list)
    read_in: dict[str, list[ChunkPlace]] = defaultdict(list)
    for chunk in chunks:
        (read_in if chunk.document in names else by_document)[chunk.document].append(chunk)
    naming = _naming(references, names, chunks)
    neighbours = _Neighbours(d for d, (first, *_) in by_document.items() if not _is_row(first))

    belonging: dict[str, list[str]] = {}
    captions: dict[str, str] = {}
    for picture in pictures:
        named = naming.get(picture.name, [])
        if picture.document in by_document:
            found = _around(by_document[picture.document], picture)
        elif named:
            found = _around_references(named, by_document)
        else:
            documents = neighbours.of(picture.name)
            found = [chunk for document in documents for chunk in by_document[document]]
        own = [chunk.id for chunk in read_in.get(picture.name, [])][:MAX_LINKS]
        others = list(dict.fromkeys(chunk.id for chunk in found))
        belonging[picture.id] = [*others[: MAX_LINKS - len(own)], *own]
        alt = max((reference.alt for reference in named), key=len, default="")
        if alt:
            captions[picture.id] = alt
    _stand_in(belonging, pictures, duplicates or {})
    links = [
        Link(picture, chunk, position)
        for picture, ids in belonging.items()
        for position, chunk in enumerate(list(dict.fromkeys(ids))[:MAX_LINKS])
    ]
    return links, captions


def _is_row(chunk: ChunkPlace) -> bool:
    """Tell whether a chunk's document is one of several of its file: a row of a table, a later part."""
    return chunk.file not in {"", chunk.document}


def _naming(
    references: Iterable[Reference],
    known: Collection[str],
    chunks: Iterable[ChunkPlace],
) -> dict[str, list[Reference]]:
    """Return the name of each picture to the references that mean it."""
    rows = {chunk.document for chunk in chunks if _is_row(chunk)}
    by_path: dict[str, list[str]] = defaultdict(list)
    by_file: dict[str, list[str]] = defaultdict(list)
    for name in sorted(known):
        by_path[name.casefold()].append(name)
        by_file[PurePosixPath(name).name.casefold()].append(name)
    naming: dict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        target = reference.target
        found = [target] if target in known else by_path.get(target.casefold(), [])
        if not found and reference.document in rows:
            namesakes = by_file.get(PurePosixPath(target).name.casefold(), [])
            found = _nearest(reference.document, namesakes)
        for name in found:
            naming[name].append(reference)
    return naming


def _nearest(document: str, names: Sequence[str]) -> list[str]:
    """Return the one picture that lies nearest to a document; none where several are as near."""
    folders = PurePosixPath(document.split("#", maxsplit=1)[0]).parent.parts

    def distance(name: str) -> int:
        parts = PurePosixPath(name).parent.parts
        shared = sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(folders, parts, strict=False))
        )
        return len(folders) + len(parts) - 2 * shared

    ranked = sorted((distance(name), name) for name in names)
    is_clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] < ranked[1][0])
    return [ranked[0][1]] if is_clear else []


def _stand_in(
    belonging: dict[str, list[str]],
    pictures: Sequence[PicturePlace],
    duplicates: Mapping[str, str],
) -> None:
    """Hand what duplicates belong to over to the pictures that stand for them."""
    document = {picture.id: picture.document for picture in pictures}
    repeats = Counter((kept, document[item]) for item, kept in duplicates.items())
    for item in sorted(duplicates):
        kept = duplicates[item]
        ids = belonging.pop(item)
        # What a document shows on page after page (a logo) says nothing about any of them.
        if repeats[kept, document[item]] < _LOGO_REPEATS:
            belonging[kept] += ids


def _around(chunks: Sequence[ChunkPlace], picture: PicturePlace) -> list[ChunkPlace]:
    """Return the chunks beside a figure, the nearest first."""
    offset = picture.offset
    if picture.page is not None:
        chunks = [chunk for chunk in chunks if chunk.page == picture.page]
    if offset is None:
        return list(chunks)
    nearest = sorted(chunks, key=lambda c: (max(0, c.start - offset, offset + 1 - c.end), c.start))
    return nearest if picture.page is not None else nearest[:_NEAREST]


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
    """Documents by folder and by the stem that their file names share with pictures.

    Rows of a table are not among them: they name their pictures themselves.
    """

    def __init__(self, documents: Iterable[str]) -> None:
        self._by_stem: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._by_folder: dict[str, list[str]] = defaultdict(list)
        for document in documents:
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
