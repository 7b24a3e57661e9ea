"""The vocabulary of mmchat: frozen dataclasses that the parts hand to each other.

Scores and similarities: higher is better, everywhere. Ranks count from 1. Spans are character
offsets into the text of a document, half open. Paths are POSIX paths relative to the indexed folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmchat.conditions import Filter

ImageInput: TypeAlias = "str | Path | bytes | Image"
"""A picture as a caller may give it: a path, the bytes of a file, or a PIL image."""

ItemKind: TypeAlias = Literal["chunk", "picture"]
MetadataValue: TypeAlias = str | int | float | bool
Metadata: TypeAlias = Mapping[str, MetadataValue]


class Channel(StrEnum):
    """One ranked list that retrieval fuses."""

    DENSE = "dense"
    """Chunks by the cosine of text vectors."""
    BM25 = "bm25"
    """Chunks by their words."""
    IMAGE = "image"
    """Pictures by the cosine of vectors in the image space."""
    LINKED = "linked"
    """Items that belong to an item which another channel found: picture to chunk, chunk to picture."""


class Status(StrEnum):
    """How an answer ended."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    """Something of what the model wrote was dropped, or only a quotation could be given."""
    ABSTAINED = "abstained"
    REFUSED = "refused"
    """The owner does not want this topic to be talked about."""
    HANDED_OVER = "handed over"
    """A person will answer; nothing was searched."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a figure stands on its page, as fractions of the page's width and height, from the top left."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Document:
    """One source file or catalogue row."""

    path: str
    """Relative to the indexed folder; a row adds `#` and its row id: `prices.csv#KT-101`."""
    title: str
    text: str
    """The whole text, which the spans of its chunks point into. Empty for an image file."""
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document, the unit of text retrieval."""

    id: str
    document: str
    ordinal: int
    text: str
    """What the reader sees: the characters `start` to `end` of the document's text."""
    start: int
    end: int
    breadcrumb: tuple[str, ...] = ()
    """The document's title and the headings above the passage, outermost first."""
    page: int | None = None
    """Counts from 1."""

    @property
    def context_text(self) -> str:
        """The passage under its headings: what the encoders and BM25 read."""
        head = " > ".join(self.breadcrumb)
        return f"{head}\n{self.text}" if head else self.text


@dataclass(frozen=True, slots=True)
class Tag:
    """What a picture shows, as far as can be told from its pixels."""

    name: str
    """One of the owner's own names of things."""
    probability: float
    """Of all pictures that are tagged with this, the share of those that do show it."""

    @property
    def words(self) -> str:
        """The tag as alternative text, in the language of its name."""
        if any("가" <= letter <= "힣" for letter in self.name):
            return f"사진, 추정: {self.name}"
        return f"Picture, probably: {self.name}"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file, or a figure cut out of a document: the unit of image retrieval."""

    id: str
    document: str
    name: str
    """Relative to the indexed folder; a figure inside a document is `manual.pdf#p3-1`."""
    media: str
    """The copy that the index keeps, relative to its folder."""
    thumb: str
    """A small copy, 384 px on its longer side at most, relative to the index's folder."""
    width: int
    height: int
    caption: str = ""
    page: int | None = None
    box: Box | None = None
    offset: int | None = None
    """The character of its document's text beside which a figure stands."""
    look: bytes = b""
    """What it looks like in a few bytes, by which pictures that are nearly the same are found."""
    tag: Tag | None = None
    """What it probably shows, where something is likely enough."""

    @property
    def alt(self) -> str:
        """What it shows, in words: its caption, or else its tag; empty where neither is known."""
        return self.caption or (self.tag.words if self.tag else "")


@dataclass(frozen=True, slots=True)
class Link:
    """A picture belongs to a chunk. Position 0 is the chunk that it belongs to most closely."""

    picture: str
    chunk: str
    position: int


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: words, a picture, or both. `image` is decoded already (see `mmchat.open_image`)."""

    text: str = ""
    image: Image | None = None
    k: int = 5
    where: Filter | None = None
    """Which items may be found; it holds before the best `k` are taken, in every channel."""
    like: str = ""
    """The id of an item: more like this one. Other words and a photo count beside it."""
    plus: tuple[str, ...] = ()
    """What it should be more of: "blue"."""
    minus: tuple[str, ...] = ()
    """What it should be less of: "leather"."""
    explain: bool = False
    """Whether hits tell which words matched."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An item with its fused score and the reason for it."""

    rank: int
    score: float
    kind: ItemKind
    item: str
    """The id of the chunk or picture."""
    document: str
    page: int | None
    text: str
    """The passage; for a picture its caption, or the passage that it belongs to."""
    picture: str | None
    """The name of the picture, or of the picture beside the passage, relative to the folder."""
    channels: Mapping[str, int]
    """Channel to the item's rank in it."""
    title: str = ""
    picture_path: Path | None = None
    """The index's own copy of the picture, ready to open."""
    thumb_path: Path | None = None
    words: tuple[str, ...] = ()
    """The words of the query that the passage has, where `Query.explain` asks for them."""
    duplicates: tuple[str, ...] = ()
    """Other documents that have a passage which says the same."""
    tag: Tag | None = None
    """What `picture` probably shows, in one of the owner's own names of things."""
    alt: str = ""
    """What `picture` shows, in words: its caption, or else what it probably shows."""


class Likeness(StrEnum):
    """Why a product is shown beside a picture."""

    CLOSEST = "closest"
    """Nothing looks more like the photo."""
    TAG = "tag"
    """Both pictures probably show the same kind of thing."""
    CATEGORY = "category"
    """The catalogue has both in the same category."""
    LOOK = "look"
    """It looks alike; more is not known."""


@dataclass(frozen=True, slots=True)
class Similar:
    """A product that is shown because it looks like a picture."""

    hit: Hit
    """Its picture."""
    name: str
    price: str = ""
    """As the catalogue has it, with its currency where that is known; empty where there is none."""
    likeness: Likeness = Likeness.LOOK
    kind: str = ""
    """The kind of thing, or the category, that both have in common."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a numbered mark in an answer points at."""

    n: int
    document: str
    page: int | None
    span: tuple[int, int] | None
    """Characters of the document that were used; None for a picture."""
    text: str
    """What was used of it: the characters of `span`; of a picture its caption."""
    picture: str | None
    passage: str = ""
    """The whole passage that `text` stands in, so that a reader can judge it."""
    title: str = ""
    score: float = 0.0
    picture_path: Path | None = None
    thumb_path: Path | None = None
    basis: Literal["text", "pixels"] = "text"
    """What of it was used: its words, or the picture itself, by a generator that sees."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its sources. `sources` holds only what the answer's marks `[n]` use."""

    answer: str
    status: Status
    sources: tuple[Source, ...]
    seconds: float
    pictures: tuple[Hit, ...] = ()
    """Pictures that stand beside the answer, best first."""
    first_token_seconds: float | None = None
    """Seconds from the question to the first piece of the answer."""
    asked: str = ""
    """The question that was searched: it stands alone where the customer's leant on earlier ones."""
    nearest: tuple[str, ...] = ()
    """Where the answer is not known, the titles of the documents that came nearest."""
    similar: tuple[Similar, ...] = ()
    """Products that look like the picture that was asked about, best first."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question and its answer: what a later question may lean on."""

    question: str
    """As it was searched: it stands alone."""
    answer: str = ""
    product: str = ""
    """The title of the product that the answer was about."""
    image: Image | None = None
    """The picture that came with the question."""
    status: Status | None = None


class HandoffReason(StrEnum):
    """Why a conversation was passed to a person."""

    REQUEST = "request"
    """The customer asked for one, or accepted the offer."""
    UNANSWERED = "unanswered"
    """Several questions in a row that the documents do not answer."""
    ANGER = "anger"
    TOPIC = "topic"
    """Something that a person should answer: a topic or an amount of the settings."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """A conversation that was passed to a person. Both sides see it."""

    reason: HandoffReason
    detail: str = ""
    """What in the conversation gave the reason: the words, the topic, the amount."""


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """One step of a streamed answer: text to append, and in the last step the whole answer."""

    text: str = ""
    answer: Answer | None = None
    handoff: Handoff | None = None
    """Set once in a conversation, in the step by which a person takes over."""
    turn: int | None = None
    """In the first and the last step, the number under which the turn is kept, where it is."""
    reading: int | None = None
    """Set once, when the search is done: how many passages are read now."""


AnswerStream: TypeAlias = Iterator[AnswerPiece]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that was not indexed, and why."""

    document: str
    reason: str
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a build did. Numbers count items of the finished index but for the four named verbs."""

    documents: int
    chunks: int
    pictures: int
    embedded: int
    """Chunks and pictures that were encoded in this run."""
    skipped: int
    """Files whose content had not changed."""
    removed: int
    """Files that were in the index and are gone from the folder."""
    errors: int
    """Files that could not be indexed; `problems` says why."""
    seconds: float
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[str, ...] = ()
    """How files of this run were read, where their owner should know: which column is the title, say."""
    dropped: int = 0
    """Pictures that were left out because they show nothing: spacers, icons, blank figures."""
    duplicates: int = 0
    """Pictures that look like another one, which stands for them in results."""
