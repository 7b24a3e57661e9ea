"""What the owner sees of an index: how it stands, and what is in it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.errors import StoreError
from mmchat.stores.amending import read_amendments
from mmchat.types import FileProblem

if TYPE_CHECKING:
    from mmchat.app.index import Index


@dataclass(frozen=True, slots=True)
class Overview:
    """How an index stands."""

    documents: int
    passages: int
    pictures: int
    changed: datetime.datetime
    """When its content was last written."""
    generation: str
    source: str
    """The name of the folder that it was built from."""
    text_encoder: str
    image_encoder: str
    problems: tuple[FileProblem, ...]
    """The files that could not be read, and why."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document of an index, and how much was made of it."""

    path: str
    title: str
    passages: int
    pictures: int
    added: bool
    """Whether it was added by hand, and is not of the folder of the index."""
    has_text: bool
    thumb: Path | None
    """A small copy of its first picture."""


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some of the documents that were looked for."""

    rows: tuple[DocumentRow, ...]
    total: int
    """How many there are in all."""


def overview(index: Index) -> Overview:
    """Return how the newest generation of an index stands."""
    reader = index.reader()
    manifest = reader.manifest
    return Overview(
        documents=manifest.documents,
        passages=manifest.chunks,
        pictures=manifest.pictures,
        changed=datetime.datetime.fromisoformat(manifest.created),
        generation=reader.generation.name,
        source=manifest.source,
        text_encoder=manifest.text_encoder.name,
        image_encoder=manifest.image_encoder.name,
        problems=tuple(reader.problems()),
    )


def list_documents(
    index: Index, words: str = "", *, limit: int = 50, offset: int = 0
) -> DocumentPage:
    """Return documents by path.

    Args:
        index: the index.
        words: only those with all of these words in their path or title.
        limit: how many at most.
        offset: how many of them to pass over.
    """
    reader = index.reader()
    found, total = reader.documents(words, limit=limit, offset=offset)
    added = names_added(index)
    return DocumentPage(
        tuple(
            DocumentRow(
                each.path,
                each.title,
                each.chunks,
                each.pictures,
                each.file in added,
                bool(each.has_text),
                reader.file(each.thumb) if each.thumb else None,
            )
            for each in found
        ),
        total,
    )


def names_added(index: Index) -> frozenset[str]:
    """Return the names of the files that were added by hand."""
    try:
        return frozenset(read_amendments(index.reader().generation).added)
    except StoreError:  # the list is damaged, which is said where something is to be added
        return frozenset()
