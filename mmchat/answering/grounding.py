"""Evidence: which sentences may answer a question, and whether they support what was written.

Everything here is told from the evidence alone. It is cheap on purpose: a check runs between the
moment a sentence is written and the moment it is shown.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmchat.answering.hostile import addresses, headings_of, order_spans, orders_of
from mmchat.answering.numbers import Amount, amounts, claims
from mmchat.answering.sentences import readable
from mmchat.answering.words import (
    asks_yes_or_no,
    content_words,
    language_of,
    names,
    polarity,
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

    @property
    def confidence(self) -> float:
        """How probable it is that this sentence answers the question, from 0 to 1."""
        return _probability(self.relevance, self.coverage)

    @property
    def passage_confidence(self) -> float:
        """How probable it is that its passage answers the question, from 0 to 1."""
        return _probability(self.relevance, self.passage_coverage)


def _probability(relevance: float, coverage: float | None) -> float:
    """Logistic regression of "this corpus answers the question".

    Fitted, with both classes weighing the same, on 227 questions that the grocery, manual-tv, epqa
    and korquad sets answer and 112 that they do not (most of them asked of another set, which is the
    easy half), with multilingual-e5-small and all-MiniLM-L6-v2 together: area under the ROC curve
    0.992. Words tell more than vectors there: coverage alone has 0.992, relevance alone 0.937.
    Without words in common between two languages, relevance has to do.
    """
    if coverage is None:
        logit = 0.82 * relevance - 3.94
    else:
        logit = 0.25 * min(relevance, 8.0) + 11.25 * coverage - 7.2
    return 1.0 / (1.0 + math.exp(-max(min(logit, 30.0), -30.0)))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When evidence is enough."""

    answer: float = 0.4
    """Confidence in a passage below which it is not put to the generator. Chosen with `quote` on 70 questions
    each that epqa, manual-tv and korquad answer, and 70 each that they do not: 95 % of the answerable ones
    pass, and 3 % of the others."""
    quote: float = 0.4
    """Confidence in a sentence from which on it may be quoted in place of an answer: 91 % and 2 %."""
    coverage: float = 0.64
    """The share of a sentence's own words that its evidence has to contain."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence is supported: by which evidence, or why not."""

    support: tuple[Evidence, ...] = ()
    problem: str = ""

    @property
    def supported(self) -> bool:
        """True where there is evidence and no problem."""
        return bool(self.support) and not self.problem


_PARTS = re.compile(r"[,;:()\[\]]|\s[-–—]\s")
_LINKING = content_words(
    "however unfortunately generally usually typically normally additionally furthermore moreover "
    "therefore since until till after before during while because although though especially "
    "including according currently now today note thus instead otherwise sure certainly course yes "
    "finally first then also both e.g i.e "
    "네 예 물론 따라서 그러나 다만 즉 단 참고로 또 그래서 일반적으로 아쉽게도"
)
"""Words that a part of a sentence may consist of beside those of the evidence."""
_REMEMBERED = 4096
"""Sentences whose vectors are kept: 6 MB at 384 dimensions."""
_MOST_SUPPORT = 4
_POINT = 0.34
"""By how much more of the question another sentence has to have before an answer is refused for it:
one word of three."""


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
    are about. An order to the assistant is no evidence either.
    """
    heading = " > ".join(headings_of(chunk.breadcrumb))
    context = heading
    ordered = set(order_spans(chunk.text))
    for start, end in sentence_spans(chunk.text):
        text = readable(chunk.text[start:end])
        line = chunk.text.rfind("\n", 0, start) + 1
        if (start, end) in ordered:
            continue
        if text.endswith(("?", "？", ":", "：")) or chunk.text[line:start].lstrip().startswith("#"):
            context = f"{heading} > {text}".removeprefix(" > ")
        elif content_words(text) - content_words(heading) or amounts(text):
            yield Evidence(number, text, (chunk.start + start, chunk.start + end)), context


def answerable(evidence: Sequence[Evidence], thresholds: Thresholds) -> bool:
    """Decide from the evidence whether to try to answer at all."""
    return any(each.passage_confidence >= thresholds.answer for each in evidence)


def check(
    sentence: str,
    question: str,
    passages: Sequence[Chunk],
    evidence: Sequence[Evidence],
    thresholds: Thresholds,
    orders: str = "",
) -> Verdict:
    """Decide whether the evidence says what `sentence` says.

    A sentence rests on one to four evidence sentences of the same passage. Its amounts and addresses have
    to stand in them, its names in them or in the passage's headings; it must not deny what the best of
    them asserts or assert what it denies; and they have to contain enough of the content words that it
    adds to the question. `orders` is what the customer told the assistant to do: its words prove nothing.
    """
    if not evidence:
        return Verdict(problem="there is no evidence")
    if not content_words(sentence) and not claims(sentence):
        return Verdict(problem="it says nothing")
    if sentence.rstrip(" .!?").casefold() in question.casefold():
        return Verdict(problem="it only repeats the question")
    support = _best_support(sentence, evidence)
    if not support:
        return Verdict(problem="no evidence shares a word with it")
    number = support[0].passage
    told = [each for each in evidence if each.passage == number]
    heading = " ".join(headings_of(passages[number].breadcrumb))
    problem = (
        _unsupported_address(sentence, support)
        or _obedience(
            sentence,
            question,
            support,
            heading,
            f"{orders_of(passages[number])} {orders}",
        )
        or _unsupported_amount(sentence, support, heading)
        or _unsupported_name(sentence, support, heading)
        or _contradiction(sentence, support)
        or _mix_up(sentence, number, passages)
        or _beside_the_point(support, told)
        or _aside(sentence, question, told, heading)
        or _uncovered(sentence, question, support, heading, thresholds.coverage)
    )
    return Verdict(support=support, problem=problem)


def _best_support(sentence: str, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return the evidence sentence that covers most, and up to three others where they add something."""
    left = content_words(sentence) | {each.value for each in claims(sentence)}
    open_to = {
        each: content_words(each.text) | {found.value for found in amounts(each.text)}
        for each in evidence
    }
    support: list[Evidence] = []
    while open_to and len(support) < _MOST_SUPPORT:
        best = max(open_to, key=lambda each: (len(left & open_to[each]), each.relevance))
        if not left & open_to[best]:
            break
        support.append(best)
        left -= open_to.pop(best)
        open_to = {e: words for e, words in open_to.items() if e.passage == best.passage}
    return tuple(support)


def _words_of(evidence: Sequence[Evidence], *around: str) -> frozenset[str]:
    """Return the content words of some evidence, and of what stands around it."""
    return content_words(" ".join([*around, *(each.text for each in evidence)]))


def _unsupported_address(sentence: str, support: Sequence[Evidence]) -> str:
    """Catch an address that the evidence does not have letter by letter: it may carry words away."""
    known = addresses(" ".join(each.text for each in support))
    foreign = sorted(addresses(sentence) - known)
    return f"the evidence does not have the address {', '.join(foreign)}" if foreign else ""


def _obedience(
    sentence: str,
    question: str,
    support: Sequence[Evidence],
    heading: str,
    orders: str,
) -> str:
    """Catch what an order asked for beside what the evidence says: one word in three would be covered."""
    known = _words_of(support, question, heading)
    obeyed = sorted((content_words(sentence) & content_words(orders)) - known)
    return f"it says {', '.join(obeyed)}, as an order wants" if obeyed else ""


def _aside(sentence: str, question: str, told: Sequence[Evidence], heading: str) -> str:
    """Catch a part of a sentence that has nothing of its passage, where the rest has enough for both."""
    parts = [part for part in _PARTS.split(sentence) if content_words(part)]
    if len(parts) < 2:
        return ""
    known = _words_of(told, question, heading) | _LINKING
    for part in parts:
        if not content_words(part) & known:
            return f"the evidence has nothing of {part.strip()!r}"
    return ""


def _unsupported_amount(sentence: str, support: Sequence[Evidence], heading: str) -> str:
    known: list[Amount] = amounts(heading)
    for each in support:
        known += amounts(each.text)
    for claim in claims(sentence):
        if not any(claim.agrees(other) for other in known):
            return f"the evidence does not have {claim.value} {claim.unit or ''}".rstrip()
    return ""


def _unsupported_name(sentence: str, support: Sequence[Evidence], heading: str) -> str:
    text = " ".join([heading, *(each.text for each in support)])
    known = content_words(text) | names(text) | {word.lower() for word in text.split()}
    missing = sorted(name for name in names(sentence) if name not in known)
    return f"the evidence does not name {', '.join(missing)}" if missing else ""


def _contradiction(sentence: str, support: Sequence[Evidence]) -> str:
    contradicted = polarity(sentence).contradicts(polarity(support[0].text))
    return "the evidence says the opposite" if contradicted else ""


def _mix_up(sentence: str, number: int, passages: Sequence[Chunk]) -> str:
    """Catch a fact of one product that is told of another: "A banana is 15 cm long", of aubergines.

    The other product is known by the heading of its own passage.
    """
    known = content_words(passages[number].context_text)
    others = [content_words(" ".join(chunk.breadcrumb)) for chunk in passages]
    foreign = frozenset().union(*others) - known
    mixed = sorted(telling_words(sentence) & foreign)
    return f"the passage is not about {', '.join(mixed)}" if mixed else ""


def _beside_the_point(support: Sequence[Evidence], told: Sequence[Evidence]) -> str:
    """Catch a true sentence that leaves the question, where the passage has one that does not.

    "How should I cut a mango?" has "cut" and "mango"; "Mango can be eaten in desserts" rests on a
    sentence with only one of them, while another has both.
    """
    covered = max(each.coverage or 0.0 for each in support)
    best = max(told, key=lambda each: each.coverage or 0.0)
    if (best.coverage or 0.0) - covered < _POINT:
        return ""
    return f"the question is rather answered by {best.text!r}"


def _uncovered(
    sentence: str, question: str, support: Sequence[Evidence], heading: str, needed: float
) -> str:
    """Name the words that the sentence adds to question and evidence, if they are too many."""
    if language_of(sentence) != language_of(support[0].text):
        return "it is in another language than the evidence"
    words, asked = telling_words(sentence), telling_words(question)
    known = _words_of(support, heading)
    own = words - asked
    if not own and not claims(sentence) and not asks_yes_or_no(question):
        return "it only repeats the question"
    # The words of the question prove nothing, but where a sentence adds none they are all it has.
    own = own or words
    share = len(own & known) / len(own) if own else 1.0
    if share >= needed:
        return ""
    return f"the evidence does not have {', '.join(sorted(own - known))}"
