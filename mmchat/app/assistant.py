"""The assistant: an index and a generator."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mmchat.answering.assistant import AnswerPipeline
from mmchat.answering.composing import Composer
from mmchat.answering.draft import resting_on_picture
from mmchat.answering.examples import read_examples
from mmchat.answering.phrases import Phrases, plain
from mmchat.answering.policy import Policy
from mmchat.answering.prompt import EXAMPLES, Style
from mmchat.app.generators import build_generator
from mmchat.app.index import Index
from mmchat.app.products import SimilarProducts
from mmchat.config import Config, Patterns
from mmchat.models import ModelStore
from mmchat.types import (
    Answer,
    AnswerPiece,
    AnswerStream,
    Chunk,
    Exchange,
    Hit,
    ImageInput,
    Query,
    Source,
    Status,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmchat.answering.generators import Generator
    from mmchat.models import Progress as DownloadProgress
    from mmchat.retrieval.retriever import Retriever


class _FreshRetriever:
    """Searches whatever generation is the newest when it is asked.

    The passages of what a search found are read from the same one, though a newer may have come.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._last = threading.local()

    def search(self, query: Query) -> Sequence[Hit]:
        self._last.retriever = self._index.retriever()
        hits: Sequence[Hit] = self._last.retriever.search(query)
        return hits

    def chunk(self, item: str) -> Chunk | None:
        return self._searched.chunk(item)

    def documents_of(self, picture: str) -> Sequence[str]:
        return self._searched.documents_of(picture)

    @property
    def _searched(self) -> Retriever:
        retriever: Retriever = self._last.retriever
        return retriever


class Assistant:
    """Answers questions from an index, with sources, and says so when they do not hold the answer."""

    def __init__(
        self,
        index: Index,
        *,
        config: Config | None = None,
        generator: Generator | None = None,
        download_progress: DownloadProgress | None = None,
    ) -> None:
        """Take an index.

        Args:
            index: what is answered from.
            config: the settings; those of the index where they are not given.
            generator: what writes; the one that `answers.generator` names where it is not given.
            download_progress: is told how far the fetching of a missing model is.

        Raises:
            ModelError: the generator cannot be had.
            ConfigError: the owner's worked examples cannot be used.
            MissingExtra: what computes it is not installed.
        """
        self.index = index
        self.config = config or index.config
        models = ModelStore(progress=download_progress)
        self._generator = generator or build_generator(self.config, models)
        self._policy = policy_of(self.config)
        self.composer = Composer(
            index.encoders.text, self._generator, self.config.answers, self._policy.style
        )
        self._products = SimilarProducts(index)
        self._pipeline = AnswerPipeline(
            _FreshRetriever(index),
            index.encoders.text,
            self._generator,
            self.config.answers,
            policy=self._policy,
            products=self._products,
        )

    def ask(
        self,
        text: str = "",
        image: ImageInput | None = None,
        *,
        history: Sequence[str | Exchange] = (),
    ) -> Answer:
        """Answer a question in words, about a photo, or both.

        Args:
            text: the question.
            image: a photo that it is about.
            history: what was said before, oldest first: `Exchange`s, or the questions alone.

        Raises:
            QueryError: there is neither a question nor a photo, or the photo cannot be read.
        """
        return self._pipeline.ask(text, self._opened(image), history=history)

    def stream(
        self,
        text: str = "",
        image: ImageInput | None = None,
        *,
        history: Sequence[str | Exchange] = (),
        cancel: threading.Event | None = None,
    ) -> AnswerStream:
        """Answer piece by piece; the last piece carries the whole `Answer`.

        Close it to stop, or set `cancel`, which ends it while it waits for the generator too.
        """
        return self._pipeline.stream(text, self._opened(image), history=history, cancel=cancel)

    def more_like(self, text: str, shown: Hit | Source) -> AnswerStream:
        """Show the products that look like a picture which an answer showed.

        Args:
            text: what the customer is taken to say by that; its language is answered in.
            shown: the picture.

        Raises:
            QueryError: the picture cannot be read any more.
        """
        started = time.perf_counter()
        similar = self._products.like(shown)
        phrases = self.phrases(text)
        said = phrases.alike if similar else phrases.nothing_alike
        said = said.format(title=plain(shown.title or shown.document))
        told, source = resting_on_picture(said, shown)
        seconds = time.perf_counter() - started
        answer = Answer(told, Status.ANSWERED, (source,), seconds, asked=text, similar=similar)
        # A generator, as every stream of an answer is: whoever reads it may close it.
        return (piece for piece in (AnswerPiece(told), AnswerPiece(answer=answer)))

    def phrases(self, text: str) -> Phrases:
        """Return the assistant's own sentences, in the language in which who wrote `text` is answered."""
        return self._policy.phrases(text)

    def warm_up(self) -> None:
        """Load what the first question would wait for: encoders, generator, its worked examples."""
        self.index.search("warm", k=1)
        self._pipeline.warm_up()

    def close(self) -> None:
        """Free the generator."""
        if self._generator is not None:
            self._generator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, image: ImageInput | None) -> Image | None:
        return None if image is None else self.index.open_image(image)


def policy_of(config: Config) -> Policy:
    """Return what the settings decide of every answer.

    Raises:
        ConfigError: the file of worked examples cannot be used.
    """
    service, languages = config.service, config.service.languages
    style = Style(
        company=config.web.company,
        tone=service.tone,
        language=languages[0] if len(languages) == 1 else "",
        examples=read_examples(Path(service.examples)) if service.examples else EXAMPLES,
    )
    return Policy(
        style,
        languages,
        Patterns(service.forbidden_topics, "service.forbidden_topics"),
        offers_person=config.handoff.enabled,
    )
