"""An assistant that answers from a script: the same calls and errors as the real one, without models."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

from mmchat.answering.phrases import PHRASES, Phrases
from mmchat.answering.words import language_of
from mmchat.app import Desk
from mmchat.config import Config, SessionsConfig
from mmchat.errors import QueryError
from mmchat.pictures import open_image
from mmchat.types import (
    Answer,
    AnswerPiece,
    Chunk,
    Document,
    Exchange,
    Hit,
    ImageInput,
    Likeness,
    Similar,
    Source,
    Status,
)

PASSAGE = (
    "Bring the receipt. The warranty lasts 24 months. "
    "<img src=http://tracker.invalid/p.png onerror=\"document.title='run'\"> ${7*7} {{7*7}} <b>bold</b>"
)
USED = "The warranty lasts 24 months."
HEADING = "How long is the warranty?"
ABSTENTION = "I don't know: I found nothing about this in the documents."
SENTENCES = (
    "The warranty lasts 24 months [1].",
    " See ![p](http://tracker.invalid/a.png) <img src=http://tracker.invalid/b.png> [2].",
)


class ScriptedIndex:
    """Two items: a passage that attacks the page, and a picture. Any search finds both."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = Config()
        self.manifest = SimpleNamespace(documents=2, chunks=1, pictures=1)
        for folder, size in (("media", (640, 480)), ("thumbs", (160, 120))):
            (path / folder).mkdir(parents=True)
            Image.new("RGB", size, "firebrick").save(path / folder / "kettle.png")
        (path / "catalog.sqlite").write_text("not for visitors")
        media, thumb = path / "media" / "kettle.png", path / "thumbs" / "kettle.png"
        self.passage = Hit(
            1, 0.9, "chunk", "c1", "policies/warranty.md", 3, PASSAGE, None, {}, "Warranty"
        )
        self.picture = Hit(
            2, 0.5, "picture", "p1", "kettle.png", None, "A red kettle", "kettle.png", {},
            "Red kettle", media, thumb,
        )  # fmt: skip
        other = path / "thumbs" / "black.png"
        Image.new("RGB", (160, 120), "black").save(other)
        self.other = Hit(
            3, 0.4, "picture", "p2", "black.png", None, "A black kettle", "black.png", {},
            "Black kettle", other, other,
        )  # fmt: skip

    def search(
        self, text: str = "", image: ImageInput | None = None, k: int | None = None
    ) -> list[Hit]:
        return [self.passage, self.picture][:k]

    def open_image(self, image: ImageInput) -> Image.Image:
        return open_image(image)

    def document(self, path: str) -> Document | None:
        return Document(path, "Warranty", PASSAGE) if path == self.passage.document else None

    def retriever(self) -> ScriptedIndex:
        return self

    def chunk(self, item: str) -> Chunk | None:
        return Chunk("c1", "policies/warranty.md", 0, PASSAGE, 0, len(PASSAGE), ("W", HEADING))


@dataclass
class ScriptedAssistant:
    """What it says follows a word of the question: `unknown`, `crash`, or else two sentences."""

    index: ScriptedIndex
    config: Config = field(default_factory=Config)
    gate: threading.Event = field(default_factory=threading.Event)
    """Every sentence but the first waits until it is set (and five seconds at most)."""
    asked: list[tuple[str, bool, list[str]]] = field(default_factory=list)
    """Question, whether there was a photo, and history, of every question so far."""
    closed: threading.Event = field(default_factory=threading.Event)
    """Set when a stream has ended, whichever way."""
    finished: int = 0
    """Streams that were read to their end."""
    liked: list[str] = field(default_factory=list)
    """The pictures of which more was asked for."""

    def __post_init__(self) -> None:
        self.gate.set()

    def phrases(self, text: str) -> Phrases:
        return PHRASES[language_of(text)]

    def stream(
        self,
        text: str = "",
        image: ImageInput | None = None,
        *,
        history: Sequence[str | Exchange] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[AnswerPiece]:
        if image is not None:
            open_image(image)
        if not text and image is None:
            raise QueryError("Got an empty question and no picture.")
        said = [each if isinstance(each, str) else each.question for each in history]
        self.asked.append((text, image is not None, said))
        return self._run(text)

    def more_like(self, text: str, shown: Hit | Source) -> Iterator[AnswerPiece]:
        self.liked.append(shown.picture or "")
        self.asked.append((text, False, []))
        said = "These look like Red kettle [1]."
        source = replace(self._answer().sources[1], n=1)
        yield AnswerPiece(said)
        yield AnswerPiece(
            answer=Answer(said, Status.ANSWERED, (source,), 0.1, similar=(self.similar,))
        )

    @property
    def similar(self) -> Similar:
        """A product that attacks the page with its name."""
        name = "Black <b>kettle</b> <img src=http://tracker.invalid/c.png>"
        return Similar(self.index.other, name, "32.90 EUR", Likeness.TAG, "kettle")

    def _run(self, text: str) -> Iterator[AnswerPiece]:
        try:
            yield AnswerPiece(reading=2)
            if "crash" in text:
                raise RuntimeError("secret detail")
            if "unknown" in text:
                yield AnswerPiece(ABSTENTION)
                yield AnswerPiece(answer=Answer(ABSTENTION, Status.ABSTAINED, (), 0.2))
            else:
                for count, sentence in enumerate(SENTENCES):
                    if count:
                        self.gate.wait(timeout=5)
                    yield AnswerPiece(sentence)
                yield AnswerPiece(answer=self._answer())
            self.finished += 1
        finally:
            self.closed.set()

    def _answer(self) -> Answer:
        p = self.index.picture
        start = PASSAGE.index(USED)
        return Answer(
            "".join(SENTENCES),
            Status.ANSWERED,
            (
                Source(1, "policies/warranty.md", 3, (start, start + len(USED)), USED, None,
                       PASSAGE, "Warranty", 0.9),
                Source(2, p.document, None, None, p.text, p.picture, p.text, p.title, 0.5,
                       p.picture_path, p.thumb_path),
            ),
            1.25,
            (p,),
        )  # fmt: skip


def scripted_desk(folder: Path) -> Desk:
    """Return a desk whose assistant answers from the script, over an index and a database in a folder."""
    database = str(folder / "conversations.sqlite")
    config = Config(sessions=SessionsConfig(database=database))
    return Desk(ScriptedAssistant(ScriptedIndex(folder / "index"), config=config))  # type: ignore[arg-type]
