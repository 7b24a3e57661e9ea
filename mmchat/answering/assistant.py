"""From a question to an answer with its sources: retrieve, find evidence, decide, generate, check.

A sentence is shown only when it has been checked. What the documents do not support is not shown: in
its place stands a quotation, or nothing. With nothing left the answer is an honest "I don't know".
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from mmchat.answering.draft import Draft, without_marks
from mmchat.answering.evidence import (
    Evidence,
    TextEncoder,
    Thresholds,
    adds_to,
    answerable,
    quotable,
)
from mmchat.answering.finding import Finding, Retriever, called, looks_like
from mmchat.answering.followups import understand
from mmchat.answering.generators.base import Generator
from mmchat.answering.grounding import check
from mmchat.answering.hostile import headings_of, is_order, orders_in, without_orders
from mmchat.answering.naming import Products, name_photo
from mmchat.answering.phrases import Phrases, abstention, plain, says_unknown
from mmchat.answering.policy import Policy
from mmchat.answering.prompt import STOP, Passage, build, estimate_tokens
from mmchat.answering.seeing import look, show
from mmchat.answering.sentences import is_finished, split_stream
from mmchat.answering.turn import NOTHING_ASKED, Turn
from mmchat.answering.words import language_of, telling_words, without_unproven_verdict
from mmchat.config import AnswerConfig
from mmchat.errors import GenerationError, QueryError
from mmchat.types import Answer, AnswerPiece, Chunk, Exchange, Status
from mmchat.visible import visible

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

_MAX_QUESTION = 10_000
"""Characters of a question that are read."""
_MAX_SENTENCES = 3
"""An answer is a sentence or two; a small model that goes on begins to invent."""
_NEAREST = 3
"""Titles that are offered where the answer is not known."""


Pieces: TypeAlias = Iterator[str]


def _asked(text: str) -> str:
    """Return what a customer asks, without what they order: it is not searched, and it proves nothing."""
    return " ".join(without_orders(text, but_questions=True).split())


class AnswerPipeline:
    """Answers questions from what a retriever finds.

    Calls from several threads are safe where they are for the parts that it was given.
    """

    def __init__(
        self,
        retriever: Retriever,
        encoder: TextEncoder,
        generator: Generator | None,
        config: AnswerConfig,
        *,
        thresholds: Thresholds | None = None,
        policy: Policy | None = None,
        products: Products | None = None,
    ) -> None:
        """Join the parts; nothing is loaded or computed yet.

        Args:
            retriever: finds passages and pictures.
            encoder: compares the question with single sentences.
            generator: writes the answer; None quotes sentences of the documents instead.
            config: how much is shown and written, and for how long.
            thresholds: when evidence is enough.
            policy: how the owner wants answers to be written, and what they are not about.
            products: shows what is like the thing in a photo; None shows nothing.
        """
        # Korean is one by default: of 25 questions on KorQuAD the small default model answered 17 right
        # in its own words and 19 by quotation, in 5.8 and 0.3 seconds.
        self._quoted_languages = {code.strip() for code in config.quoted_languages.split(",")}
        self._thresholds = thresholds or Thresholds()
        self._finding = Finding(retriever, encoder, config.passages, self._thresholds)
        self._generator = generator
        self._config = config
        self._policy = policy or Policy()
        self._products = products

    def ask(
        self,
        text: str = "",
        image: Image | None = None,
        *,
        history: Sequence[str | Exchange] = (),
        cancel: threading.Event | None = None,
    ) -> Answer:
        """Return the whole answer; see `stream`."""
        *_, last = self.stream(text, image, history=history, cancel=cancel)
        assert last.answer is not None
        return last.answer

    def stream(
        self,
        text: str = "",
        image: Image | None = None,
        *,
        history: Sequence[str | Exchange] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[AnswerPiece]:
        """Yield the answer sentence by sentence, and in the last piece the whole of it.

        Args:
            text: the question; may be empty where there is a picture.
            image: a photo to search with.
            history: what was said before, oldest first; a question that leans on it ("and in the
                freezer?") is made to stand alone. A text is a question whose answer is not known.
            cancel: ends the answer soon after it is set, with what is there.

        Raises:
            QueryError: there is neither a question nor a picture; raised at the call.
        """
        # Control characters and halves of surrogate pairs mean nothing to a tokenizer, or break it.
        shown = (c if c.isprintable() else " " for c in visible(text[:_MAX_QUESTION]))
        text = " ".join("".join(shown).split())
        if not text and image is None:
            raise QueryError(NOTHING_ASKED)
        readings: Sequence[str] = (text,)
        orders = orders_in(text)
        if image is None:
            said = [Exchange(each) if isinstance(each, str) else each for each in history]
            orders += [order for each in said for order in orders_in(each.question)]
            said = [replace(each, question=_asked(each.question)) for each in said]
            follow_up = understand(_asked(text) or text, said)
            readings, image = follow_up.readings, follow_up.image
        turn = Turn(
            text,
            readings,
            image,
            time.perf_counter(),
            cancel or threading.Event(),
            " ".join(orders),
        )
        return self._run(turn)

    def warm_up(self) -> None:
        """Load what the first question would wait for, and read the worked examples into the cache.

        A generator that fails here is asked again with the first question.
        """
        self._finding.warm_up()
        if self._generator is None:
            return
        messages = build("warm", [], self._policy.style)
        try:
            with closing(self._generator.stream(messages, max_tokens=1)) as pieces:
                for _ in pieces:
                    pass
        except GenerationError as error:
            _log.warning("The generator is not ready: %s", error)

    def _run(self, turn: Turn) -> Iterator[AnswerPiece]:
        phrases = self._policy.phrases(turn.question)
        if any(map(self._policy.refuses, (turn.question, *turn.readings))):
            turn.status, turn.own_words = Status.REFUSED, phrases.refusal
        else:
            self._retrieve(turn)
            yield AnswerPiece(reading=len(turn.found.candidates))
            for piece in self._write(turn):
                if turn.first_token is None:
                    turn.first_token = time.perf_counter() - turn.started
                yield AnswerPiece(piece)
            if not turn.draft:
                titles = dict.fromkeys(
                    hit.title for hit in turn.found.hits if hit.title and not is_order(hit.title)
                )
                turn.nearest = tuple(itertools.islice(titles, _NEAREST))
                turn.status = Status.ABSTAINED
                turn.own_words = self._own_words(turn, phrases)
        if turn.own_words:
            turn.first_token = time.perf_counter() - turn.started
            yield AnswerPiece(turn.own_words)
        yield AnswerPiece(answer=self._finish(turn))

    def _own_words(self, turn: Turn, phrases: Phrases) -> str:
        """Return what is said where no sentence of the documents is."""
        if turn.failed:
            return phrases.unavailable
        focus, offer = turn.found.focus, self._policy.offers_person
        if focus is None:
            return abstention(phrases, turn.found.text, turn.nearest, offer=offer)
        # Whoever sees what the photo was taken for can tell why nothing was found.
        resemblance = phrases.resemblance.format(title=plain(called(focus)))
        return f"{resemblance} {abstention(phrases, turn.question, (), offer=offer)}"

    def _retrieve(self, turn: Turn) -> None:
        turn.found = found = self._finding.find(turn.readings, turn.image)
        turn.draft = Draft(found.candidates)
        if found.focus is not None:
            # The customer sees what the photo was taken for, before what is said of it.
            phrases = self._policy.phrases(turn.question)
            resemblance = phrases.resemblance.format(title=called(found.focus))
            turn.draft.open_with(resemblance, found.focus)

    def _write(self, turn: Turn) -> Pieces:
        if turn.image is not None and not telling_words(turn.found.text):
            yield from self._name_photo(turn)
        elif turn.image is None and not answerable(turn.found.evidence, self._thresholds):
            return
        elif self._generator is None or language_of(turn.question) in self._quoted_languages:
            yield from self._quote(turn, turn.found.evidence, most=2)
        else:
            yield from self._generate(turn, self._generator)

    def _generate(self, turn: Turn, generator: Generator) -> Pieces:
        """Ask about one passage after the other until one gives a sentence that holds.

        One at a time: of the same 27 questions the 0.5 B model answered 26 right when it saw one
        passage, and 20 when it saw three.
        """
        try:
            for number in self._promising(turn):
                evidence = [each for each in turn.found.evidence if each.passage == number]
                if evidence[0].coverage is None:
                    # A small model cannot translate, and what it makes up could not be checked.
                    turn.status = Status.PARTIAL
                else:
                    yield from self._answer_from(turn, generator, number, evidence)
                if turn.status == Status.PARTIAL and not turn.draft:
                    yield from self._quote(turn, evidence, most=1)
                if turn.draft or turn.is_over(self._config.time_limit):
                    break
            if self._config.sees_pictures and not turn.draft:
                hits = [turn.found.candidates[number].hit for number in self._promising(turn)]
                left = turn.seconds_left(self._config.time_limit)
                for piece in look(generator, turn.found.text, hits, turn.draft, left, turn.cancel):
                    turn.status = Status.PARTIAL
                    yield piece
        except GenerationError as error:
            turn.status, turn.failed = Status.PARTIAL, True
            _log.warning("The generator failed, the documents are quoted instead: %s", error)
        seen = any(source.basis == "pixels" for source in turn.draft.sources)
        if not turn.cancel.is_set() and not seen:
            yield from self._complete(turn)

    def _complete(self, turn: Turn) -> Pieces:
        """Quote what most probably answers, where nothing that was written rests on it.

        A small model often knows no answer, or tells something beside it, where the sentence stands there.
        """
        if turn.draft:
            best = [each for each in turn.found.evidence[:1] if not turn.draft.rests_on(each)]
            yield from self._quote(turn, best, most=1)
            return
        if turn.is_over(self._config.time_limit):
            turn.status, turn.failed = Status.PARTIAL, True
            _log.warning("The generator gave no answer within answers.time_limit, quoting.")
        refused = turn.status != Status.PARTIAL
        surest = turn.found.evidence[0].confidence if turn.found.evidence else 0.0
        if not refused or surest >= self._thresholds.against_refusal:
            yield from self._quote(turn, turn.found.evidence, most=2)

    def _promising(self, turn: Turn) -> list[int]:
        """Return which passages to ask about, the most promising first."""
        thresholds = self._thresholds
        enough = thresholds.answer if turn.image is None else thresholds.beside_photo
        promising = [each for each in turn.found.evidence if each.passage_confidence >= enough]
        # Of passages that are about as probable the retriever, which has seen all, knows the better one.
        promising.sort(key=lambda each: (-round(each.passage_confidence, 1), each.passage))
        return list(dict.fromkeys(each.passage for each in promising))

    def _answer_from(
        self, turn: Turn, generator: Generator, number: int, evidence: Sequence[Evidence]
    ) -> Pieces:
        """Release what the generator writes about one passage and the passage supports."""
        for sentence in self._ask(turn, generator, turn.found.candidates[number].chunk):
            if sentence in turn.draft:
                continue
            verdict = check(
                sentence,
                turn.found.text,
                turn.found.chunks,
                evidence,
                self._thresholds,
                turn.orders,
            )
            if verdict.supported:
                yield turn.draft.add(sentence, verdict.support)
            else:
                turn.status = Status.PARTIAL
                _log.info("Dropped %r: %s.", sentence, verdict.problem)

    def _ask(self, turn: Turn, generator: Generator, chunk: Chunk) -> Iterator[str]:
        """Yield the sentences that the generator writes about a passage, until it knows no more."""
        # What an order says could support nothing; a model that does not see it cannot follow it.
        text = self._fitting(without_orders(chunk.text), turn.found.text)
        passage = Passage(" > ".join(headings_of(chunk.breadcrumb)), text)
        messages = build(turn.found.text, [passage], self._policy.style)
        pieces = generator.stream(
            show(messages, turn.image if self._config.sees_pictures else None),
            max_tokens=self._config.max_tokens,
            stop=STOP,
            time_limit=turn.seconds_left(self._config.time_limit),
            cancel=turn.cancel,
        )
        with closing(pieces):
            for sentence in itertools.islice(split_stream(pieces), _MAX_SENTENCES):
                plain = without_unproven_verdict(without_marks(sentence))
                if says_unknown(plain):
                    return
                if turn.is_over(self._config.time_limit) and not is_finished(plain):
                    return  # cut off: half a sentence may say the opposite of the whole
                if plain:
                    yield plain

    def _fitting(self, text: str, question: str) -> str:
        """Cut a passage to what the context holds beside the examples, question and answer."""
        assert self._generator is not None
        fixed = sum(
            estimate_tokens(each.content) for each in build(question, [], self._policy.style)
        )
        room = self._generator.context_tokens - self._config.max_tokens - fixed
        if estimate_tokens(text) <= room:
            return text
        return text.encode()[: max(room, 0) * 3].decode(errors="ignore")

    def _quote(self, turn: Turn, evidence: Sequence[Evidence], most: int) -> Pieces:
        """Quote the sentences that most probably answer, the most probable first."""
        language = self._policy.language(turn.question)
        phrases = self._policy.phrases(turn.question)
        quoted = (
            each
            for each in quotable(
                evidence, self._thresholds.quote, turn.found.text, turn.found.chunks
            )
            if adds_to(turn.draft.text, each.text)
        )
        for each in itertools.islice(quoted, most):
            text = each.text
            if language_of(text) != language:
                text = phrases.quotation.format(quote=text)
            yield turn.draft.add(text, [each])

    def _name_photo(self, turn: Turn) -> Pieces:
        picture = looks_like(turn.found.hits)
        if picture is not None:
            phrases = self._policy.phrases(turn.question or called(picture))
            yield from name_photo(turn, picture, phrases)
            turn.similar = self._products.named(turn.found.hits) if self._products else ()

    def _finish(self, turn: Turn) -> Answer:
        documents = {source.document for source in turn.draft.sources}
        pictures = {
            hit.picture: hit
            for hit in reversed(turn.found.hits)
            if hit.picture and hit.document in documents
        }
        return Answer(
            answer=turn.own_words or turn.draft.text,
            status=turn.status,
            sources=turn.draft.sources,
            seconds=time.perf_counter() - turn.started,
            pictures=tuple(reversed(pictures.values())),
            first_token_seconds=turn.first_token,
            asked=turn.found.text,
            nearest=turn.nearest,
            similar=turn.similar,
        )
