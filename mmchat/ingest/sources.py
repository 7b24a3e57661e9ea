"""From what was read of a file to what a store keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mmchat.ingest.base import LoadedPart, LoadedPicture
from mmchat.ingest.reading import Copies, ReadPart
from mmchat.stores.base import SourcePart, Writer
from mmchat.types import Chunk, Picture

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """A part of a file, cut into chunks; its pictures are not in the store yet."""

    path: str
    content_hash: str
    read: ReadPart
    chunks: tuple[Chunk, ...] = ()

    @property
    def images(self) -> Sequence[Image]:
        """The pixels of its pictures, in order."""
        return [picture.image for picture in self.read.loaded.pictures]

    @property
    def weight(self) -> int:
        """Bytes that it takes in memory, roughly."""
        return self.read.weight + 1000

    def stored(self, writer: Writer) -> SourcePart:
        """Keep the copies of its pictures, and return what else the store is to keep."""
        loaded = self.read.loaded
        return SourcePart(
            path=self.path,
            content_hash=self.content_hash,
            documents=tuple(document.document for document in loaded.documents),
            chunks=self.chunks,
            pictures=tuple(
                self._keep(picture, copies, writer)
                for picture, copies in zip(loaded.pictures, self.read.copies, strict=True)
            ),
            references=tuple(r for document in loaded.documents for r in document.references),
            dropped=loaded.dropped,
        )

    def _keep(self, picture: LoadedPicture, copies: Copies, writer: Writer) -> Picture:
        identity = f"{picture.name}\0{self.content_hash}".encode()
        return Picture(
            id="p" + hashlib.blake2b(identity, digest_size=8).hexdigest(),
            document=picture.document,
            name=picture.name,
            media=writer.put_media(copies.media, ".jpg"),
            thumb=writer.put_media(copies.thumb, ".jpg", thumb=True),
            width=picture.size[0],
            height=picture.size[1],
            caption=picture.caption,
            page=picture.page,
            box=picture.box,
            offset=picture.offset,
            look=copies.look,
        )


def without_deleted(read: ReadPart, deleted: Mapping[str, str], content_hash: str) -> ReadPart:
    """Leave out the documents that somebody deleted from a file whose content is still the same."""
    out = {d.document.path for d in read.loaded.documents if deleted.get(d.document.path)}
    out = {path for path in out if deleted[path] == content_hash}
    return _without(read, out) if out else read


def still_deleted(deleted: Mapping[str, str], read: Mapping[str, str]) -> dict[str, str]:
    """Return what stays deleted when files were read again.

    Args:
        deleted: path of a file or of a row of one (`prices.csv#KT-101`) to the content that was deleted.
        read: path to the content hash of the files that were read.
    """

    def content(path: str) -> str | None:
        pieces = path.split("#")
        files = ("#".join(pieces[:count]) for count in range(len(pieces), 0, -1))
        return next((read[file] for file in files if file in read), None)

    return {path: mark for path, mark in deleted.items() if content(path) in (None, "", mark)}


def _without(read: ReadPart, documents: Collection[str]) -> ReadPart:
    loaded = read.loaded
    kept = [
        (picture, copies)
        for picture, copies in zip(loaded.pictures, read.copies, strict=True)
        if picture.document not in documents
    ]
    part: LoadedPart = replace(
        loaded,
        documents=tuple(d for d in loaded.documents if d.document.path not in documents),
        pictures=tuple(picture for picture, _ in kept),
    )
    return ReadPart(part, tuple(copies for _, copies in kept))
