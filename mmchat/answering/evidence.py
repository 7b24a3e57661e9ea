"""Evidence: which sentences of the passages that were found may answer a question, and how probably."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmchat.answering.hostile import headings_of, order_spans
from mmchat.answering.numbers import amounts, tells_intervals
from mmchat.answering.sentences import readable
from mmchat.answering.words import (
    asks_how_long,
    asks_yes_or_no,
    content_words,
    language_of,
    says_no,
    telling_words,
)
from mmchat.everyday import EVERYDAY
from mmchat.sentences import sentence_spans
from mmchat.types import Chunk

Vectors = NDArray[np.float32]


class TextEncoder(Protocol):
    """Turns texts into vectors: float32, of shape (texts, dimension), each of length one."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts that may answer them."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that an answer may use."""

    passage: int
    """Which of the passages it stands in, from 0."""
    text: str
    """As a reader wants it."""
    span: tuple[int, int]
    """Its characters in the document."""
    relevance: float = 0.0
    """How much nearer it is to the question than everyday sentences are, in their standard
    deviations: so it does not depend on the scale of an encoder's cosines."""
    coverage: float | None = 0.0
    """The share of the question's telling words that it has under its headings; None where the
    question is in another language."""
    passage_coverage: float | None = 0.0
    """The same for the whole passage."""
    asked: int = 0
    """How many telling words the question has."""

    @property
    def confidence(self) -> float:
        """How probable it is that this sentence answers the question, from 0 to 1."""
        return _probability(self.relevance, self.coverage, self.passage_coverage, self.asked)

    @property
    def passage_confidence(self) -> float:
        """How probable it is that its passage answers the question, from 0 to 1."""
        return _probability(
            self.relevance, self.passage_coverage, self.passage_coverage, self.asked
        )


def _probability(
    relevance: float, coverage: float | None, whole: float | None, asked: int
) -> float:
    """Logistic regression of "this corpus answers the question".

    Fitted, with both classes weighing the same, on 150 questions each that epqa, manual-tv and half of
    korquad answer, and as many that they do not: another set's, questions without a scope, and for Korean
    those of the other half of korquad too; with multilingual-e5-small. Area under the ROC curve 0.994.

    A coverage of all of one or two words comes about by chance in a large collection, hence the one more word
    that nothing covers. Beyond 6.5 standard deviations relevance tells no more, and encoders differ there.
    Without words in common between two languages, relevance has to do.
    """
    if coverage is None or whole is None:
        logit = 0.82 * relevance - 2.69
    else:
        words = 2.32 * coverage + 13.11 * whole
        logit = 1.02 * min(relevance, 6.5) + words * asked / (asked + 1) - 10.47
    return 1.0 / (1.0 + math.exp(-max(min(logit, 30.0), -30.0)))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When evidence is enough."""

    answer: float = 0.7
    """Confidence in a passage below which it is not put to the generator. Of the questions that the fit of
    the confidence is from, 95 % of those that are answered have such a passage, and 3 % of the others; with
    all-MiniLM-L6-v2, in English, 100 % and 7 %."""
    beside_photo: float = 0.4
    """The same where the question comes with a photo: it need not say what it is about."""
    quote: float = 0.7
    """Confidence in a sentence from which on it may be quoted in place of an answer."""
    against_refusal: float = 0.85
    """The same where the generator was asked, and said that it does not know."""
    coverage: float = 0.64
    """The share of a sentence's own words that its evidence has to contain."""


_ELSEWHERE = re.compile(
    r"^(?:please\s+)?(?:see|refer\s+to|read)\s+[^.,;:]+\.?$"
    r"|^for\s+(?:more|further)?\s*(?:details?|information)\b[^.;:]*\b(?:see|refer|visit|contact)\b[^.;:]*\.?$"
    r"|참고(?:해|하)[^.]*\.?$",
    re.IGNORECASE,
)
"""A sentence that sends its reader elsewhere: "See delivery.", "자세한 내용은 배송 안내를 참고해 주세요."."""
POINT = 0.34
"""By how much less of the question a sentence has than another before it is beside the point: one word of
three."""
_REMEMBERED = 4096
"""Sentences whose vectors are kept: 6 MB at 384 dimensions."""


class EvidenceFinder:
    """Finds the sentences of passages that bear on a question. Safe to call from several threads."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def find(self, question: str, passages: Sequence[Chunk]) -> list[Evidence]:
        """Return every sentence of the passages with its relevance, the most promising first.

        Args:
            question: in words; an empty one gives every sentence relevance 0, in reading order.
            passages: each with the span that it has in its document.
        """
        found = [each for number, chunk in enumerate(passages) for each in _told(number, chunk)]
        if not question or not found:
            return [each for each, _ in found]
        asked, language = telling_words(question), language_of(question)

        def covered(text: str) -> float | None:
            if language_of(text) != language:
                return None
            return len(asked & content_words(text)) / len(asked) if asked else 0.0

        relevances = self._relevances(
            question, [f"{context}\n{each.text}".strip() for each, context in found]
        )
        whole = [covered(chunk.context_text) for chunk in passages]
        ranked = [
            replace(
                each,
                relevance=float(relevance),
                coverage=covered(f"{context}\n{each.text}"),
                passage_coverage=whole[each.passage],
                asked=len(asked),
            )
            for (each, context), relevance in zip(found, relevances, strict=True)
        ]
        return sorted(ranked, key=lambda each: (-each.confidence, -each.relevance))

    def _relevances(self, question: str, texts: Sequence[str]) -> Vectors:
        """Return the relevance of each text, of shape (texts,)."""
        query = self._encoder.encode_queries([question])[0]
        everyday = self._vectors(EVERYDAY) @ query
        similarities = self._vectors(texts) @ query
        spread = max(float(everyday.std()), 1e-3)
        return np.asarray((similarities - everyday.mean()) / spread, dtype=np.float32)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of shape (texts, dimension); those of before are remembered.

        Encoding is what costs here, and the same passages come up again and again.
        """
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, self._encoder.encode_passages(missing), strict=True))
        with self._lock:
            for text in dict.fromkeys(texts):
                # Put at the end again: the first in the dict is the one not used for longest.
                self._known.pop(text, None)
                self._known[text] = known[text]
            while len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        return np.stack([known[text] for text in texts])


def _told(number: int, chunk: Chunk) -> Iterator[tuple[Evidence, str]]:
    """Yield the sentences of a passage that tell something, each with the headings above it.

    A heading, a question ("Can I return shoes?" of a FAQ) or an announcement ("Follow these steps:")
    tells nothing: it would support the echo of whoever asks the same. It says what the sentences after it
    are about. What sends its reader elsewhere and an order to the assistant are no evidence either.
    """
    heading = " > ".join(headings_of(chunk.breadcrumb))
    context = heading
    ordered = set(order_spans(chunk.text))
    for start, end in sentence_spans(chunk.text):
        text = readable(chunk.text[start:end])
        line = chunk.text.rfind("\n", 0, start) + 1
        if (start, end) in ordered or _ELSEWHERE.search(text):
            continue
        if text.endswith(("?", "？", ":", "：")) or chunk.text[line:start].lstrip().startswith("#"):
            context = f"{heading} > {text}".removeprefix(" > ")
        elif content_words(text) - content_words(heading) or amounts(text):
            yield Evidence(number, text, (chunk.start + start, chunk.start + end)), context


def answerable(evidence: Sequence[Evidence], thresholds: Thresholds) -> bool:
    """Decide from the evidence whether to try to answer at all."""
    return any(each.passage_confidence >= thresholds.answer for each in evidence)


def quotable(
    evidence: Sequence[Evidence], threshold: float, question: str, passages: Sequence[Chunk]
) -> list[Evidence]:
    """Return the sentences that may be quoted for an answer, in their order.

    Not one that is beside the point, nor one of another product than the best is about, nor one that only
    says what was asked: "The channel is not found" answers nobody who asks what to do then. A question of
    yes or no is answered by its own words, and no other by a "No, …". How often something is done does not
    tell how long it takes.

    Args:
        evidence: the most promising first.
        threshold: of their confidence.
        question: what was asked.
        passages: those that the evidence stands in.
    """
    by_its_words, how_long = asks_yes_or_no(question), asks_how_long(question)
    telling = [
        each
        for each in evidence
        if each.confidence >= threshold
        and (by_its_words or (adds_to(question, each.text) and not says_no(each.text)))
        and not (how_long and tells_intervals(each.text))
    ]
    if not telling:
        return []
    asked, best = content_words(question), telling[0]

    def named(each: Evidence) -> frozenset[str]:
        return asked & content_words(" ".join(headings_of(passages[each.passage].breadcrumb)))

    return [
        each
        for each in telling
        if (best.coverage or 0.0) - (each.coverage or 0.0) < POINT and named(best) <= named(each)
    ]


def adds_to(said: str, text: str) -> bool:
    """Tell whether a text has a content word or a number that was not said."""
    words, known = content_words(text), content_words(said)
    return bool(
        words - known or {a.value for a in amounts(text)} - {a.value for a in amounts(said)}
    )
