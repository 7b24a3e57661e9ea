"""What a store of items must do, so that ingestion and retrieval need not know which one it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmchat.conditions import Filter
from mmchat.types import Chunk, Document, FileProblem, Link, Metadata, Picture, Tag

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scored:
    """An item of one channel. The score is comparable within its channel only; higher is better."""

    item: str
    score: float


@dataclass(frozen=True, slots=True)
class Reference:
    """A document names a picture: `![alt](target)` in Markdown, a column of a table, a figure in it."""

    document: str
    target: str
    """The picture's path relative to the indexed folder; of a figure its name."""
    offset: int
    """The character of the document's text at which it is named."""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class SourcePart:
    """What was made of one file of the folder, or of a part of it: a large file comes in many."""

    path: str
    content_hash: str
    documents: tuple[Document, ...]
    chunks: tuple[Chunk, ...] = ()
    pictures: tuple[Picture, ...] = ()
    references: tuple[Reference, ...] = ()
    dropped: int = 0
    """Pictures that were left out because they show nothing."""


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where a chunk stands: what linking needs to know of it."""

    id: str
    document: str
    start: int
    end: int
    page: int | None
    file: str = ""
    """The file of the folder that its document was made of; empty where that is the document itself."""


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """Where a picture stands, and what it looks like: what linking needs to know of it."""

    id: str
    document: str
    name: str
    page: int | None
    offset: int | None = None
    """The character of its document's text beside which it stands."""
    look: bytes = b""


@dataclass(frozen=True, slots=True)
class Amendments:
    """What somebody changed by hand about what the source folder gives. It outlives every rebuild."""

    added: Mapping[str, str] = field(default_factory=dict)
    """Path, such as a file of the folder has, to the copy that the index keeps, relative to the index."""
    deleted: Mapping[str, str] = field(default_factory=dict)
    """Path of a file, or of a row of one, to the file's content hash when it was taken out."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a document tells that may name what a picture shows."""

    title: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Scale:
    """What the scores of one image encoder are worth; see `mmchat.tags.probability`."""

    slope: float
    """`a`: by how much a standard deviation raises the logarithm of the odds."""
    others: float
    """`b`: the logarithm of the weight of an everyday thing."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What pictures are named by."""

    names: tuple[str, ...]
    categories: tuple[str, ...]
    """Of each name what it is a kind of; empty where that is not known."""
    vectors: Vectors
    """What the image encoder makes of the names, (names, dimension)."""
    scale: Scale | None = None
    """None where it is not known, so that nothing is named."""


class TagStore(Protocol):
    """What a store that is being written knows of tags."""

    def things(self) -> Iterator[Thing]:
        """Yield the documents that are rows of tables, or that pictures belong to."""
        ...

    def folders(self) -> Sequence[str]:
        """Return the name of the folder of each picture that is a file."""
        ...

    def naming(self) -> Naming | None:
        """Return what the pictures were named by; None where there were no names."""
        ...

    def pictures(self) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Yield the row ids (n,) and the vectors (n, dimension) of all pictures, block by block."""
        ...

    def belonging(self) -> Iterator[tuple[int, str]]:
        """Yield the row id of each picture and the title of a document that it belongs to."""
        ...

    def replace(self, naming: Naming | None, tags: Iterable[tuple[int, Tag]], mark: str) -> None:
        """Replace all names and all tags (by row id of the picture)."""
        ...


class Reader(Protocol):
    """A store that is open for reading. Vectors are float32, one row an item, of length one."""

    @property
    def has_pictures(self) -> bool:
        """Whether there is any picture to find."""
        ...

    def search_text(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        """Return the chunks nearest to a text vector.

        Args:
            vector: (dimension,).
            k: how many; fewer only where a filter leaves fewer.
            where: which chunks may be found.

        Raises:
            QueryError: the filter names an unknown field, or compares it with a value of another kind.
        """
        ...

    def search_words(self, text: str, k: int, where: Filter | None = None) -> list[Scored]:
        """Return the `k` chunks that match the words of `text` best (BM25), best first.

        Scores are above 0 and up to 1: the share of the query's words, by what they tell, that a chunk has.
        """
        ...

    def matched_words(self, text: str, chunk_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return chunk id to the words of `text` that the chunk has, as they are written in `text`."""
        ...

    @property
    def words_per_chunk(self) -> float:
        """Words in a chunk, on average, as BM25 counts them."""
        ...

    def search_images(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        """Return the `k` pictures nearest to a vector of the image space, best first.

        Pictures that duplicate another one are left out.
        """
        ...

    def sample(self, most: int) -> Sequence[str]:
        """Return the texts of up to `most` chunks, spread over all: the same ones every time."""
        ...

    def text_vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, Vectors]:
        """Return chunk id to its vector, which searches for what is like it."""
        ...

    def image_vectors(self, picture_ids: Sequence[str]) -> Mapping[str, Vectors]:
        """Return picture id to its vector, likewise."""
        ...

    def passing(self, items: Sequence[str], where: Filter) -> set[str]:
        """Return those of these chunks and pictures that a filter lets through."""
        ...

    def chunks(self, ids: Sequence[str]) -> Mapping[str, Chunk]:
        """Return the chunks of these ids; an id that is not there is left out."""
        ...

    def pictures(self, ids: Sequence[str]) -> Mapping[str, Picture]:
        """Return the pictures of these ids; an id that is not there is left out."""
        ...

    def pictures_of(self, chunk_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return chunk id to the ids of the pictures that belong to it, the nearest first."""
        ...

    def chunks_of(self, picture_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return picture id to the ids of the chunks that it belongs to, the nearest first."""
        ...

    def titles(self, paths: Sequence[str]) -> Mapping[str, str]:
        """Return path to title of these documents."""
        ...

    def file(self, relative: str) -> Path:
        """Return the full path of a file that the index keeps (a picture's `media` or `thumb`)."""
        ...

    def document(self, path: str) -> Document | None:
        """Return the document of that path, or None."""
        ...


class Writer(Protocol):
    """A store that is open for writing: readers see nothing of it until `commit`."""

    starts_empty: bool
    """Whether nothing of an earlier content was kept."""

    @property
    def known(self) -> Mapping[str, str]:
        """Path to content hash of each file that the store holds, or holds a problem of."""
        ...

    @property
    def amendments(self) -> Amendments:
        """What was added and deleted by hand."""
        ...

    def amend(self, amendments: Amendments) -> None:
        """Replace what was added and deleted by hand."""
        ...

    def put_original(self, path: Path) -> str:
        """Keep a copy of a file from elsewhere; return its name relative to the index."""
        ...

    def file(self, relative: str) -> Path:
        """Return the full path of a file that the store keeps."""
        ...

    def put_media(self, content: bytes, suffix: str, *, thumb: bool = False) -> str:
        """Keep the bytes of a picture; return their name relative to the index."""
        ...

    def add(self, parts: Sequence[SourcePart], text: Vectors, images: Vectors) -> None:
        """Add parts of files. The first of a file replaces what an earlier run made of it.

        Args:
            parts: what was read, in order.
            text: (chunks of all parts, dimension), in the order of the parts.
            images: (pictures of all parts, dimension), likewise.
        """
        ...

    def add_problem(self, problem: FileProblem, *, keep: bool = False) -> None:
        """Note that a file could not be read.

        Args:
            problem: the reason.
            keep: leave what the store holds of an earlier content, where nothing of the new one was
                added; otherwise it is removed.
        """
        ...

    def remove(self, path: str) -> None:
        """Remove a file and everything that was made of it."""
        ...

    def documents_of(self, path: str) -> Sequence[str]:
        """Return the paths of the documents that were made of a file."""
        ...

    def remove_document(self, path: str) -> None:
        """Remove a document, which may be one of many of its file."""
        ...

    def places(self, most: int) -> tuple[list[ChunkPlace], list[PicturePlace], list[Reference]]:
        """Return what linking needs to know: of a store without pictures, nothing.

        Args:
            most: chunks that are wanted of a document which only lies beside a picture.
        """
        ...

    def set_links(self, links: Iterable[Link], captions: Mapping[str, str]) -> None:
        """Replace all links, and give pictures without a caption of their own one (by id)."""
        ...

    @property
    def tag_mark(self) -> str:
        """How the tags that are held were made; empty where they are out of date."""
        ...

    def tag_store(self) -> TagStore:
        """Return what reads the vocabulary of tags, and keeps them."""
        ...

    def set_duplicates(self, duplicates: Mapping[str, str]) -> None:
        """Replace what is known of duplicates: picture id to the id of the one that stands for it."""
        ...

    def problems(self) -> Sequence[FileProblem]:
        """Return the files that could not be indexed, in this run and in those before it."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return how many items there are.

        The names are `documents`, `chunks`, `pictures`, `errors`, `dropped` and `duplicates`.
        """
        ...

    def commit(self) -> None:
        """Make the new content the one that readers see."""
        ...
