"""Measure retrieval and answers on a dataset of one's own, in the form that `mmchat.dataset` reads."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from mmchat.app import Grade, grade
from mmchat.dataset import Asked, Question
from mmchat.measures import METRICS, Estimate, Values, estimate, graded, paired_test, share
from mmchat.types import Answer, Hit

_CUTOFF = 10
# Several passages of a document count once, and what is left of the hits should still be ten documents.
_HITS = 40
_KINDS = {"text": "chunk", "picture": "picture"}


class Searcher(Protocol):
    """What is measured: an index."""

    def search(
        self,
        text: str = "",
        image: Path | None = None,
        k: int | None = None,
        *,
        where: Mapping[str, Any] | None = None,
    ) -> Sequence[Hit]:
        """Return the best hits for words, a photo, or both."""
        ...


Results = Mapping[str, Mapping[str, Values]]
"""Direction to metric to the value of each question, in one order."""


def measure(searcher: Searcher, questions: Sequence[Question]) -> Results:
    """Ask every question and return the metrics of each, by direction."""
    grouped: dict[str, list[Question]] = {}
    for question in questions:
        grouped.setdefault(question.direction, []).append(question)
    return {
        direction: graded([q.relevant for q in members], [ranking(searcher, q) for q in members])
        for direction, members in sorted(grouped.items())
    }


def ranking(searcher: Searcher, question: Question) -> list[str]:
    """Return the corpus-ids that a question finds, best first, ten at most, each once."""
    kind = _KINDS.get(question.direction.partition("→")[2])
    hits = searcher.search(
        question.text, question.image, _HITS, where={"kind": kind} if kind else None
    )
    found: dict[str, None] = {}
    for hit in hits:
        names = _names(hit)
        wanted = [name for name in names if name in question.relevant]
        found.update(dict.fromkeys((wanted or names)[:1]))
        # A passage that stands in two documents is found in both.
        found.update(dict.fromkeys(hit.duplicates))
    return list(found)[:_CUTOFF]


def _names(hit: Hit) -> list[str]:
    """Return what a dataset may call a hit: its document first."""
    folders = [f"{folder.as_posix()}/" for folder in PurePosixPath(hit.document).parents][:-1]
    return [hit.document, hit.item, *folders]


def as_values(results: Results) -> dict[str, dict[str, Any]]:
    """Return results as JSON values: direction to metric to mean, with intervals and counts beside."""
    return {
        direction: {
            **{name: round(float(values.mean()), 4) for name, values in metrics.items()},
            "queries": len(next(iter(metrics.values()))),
            "intervals": {
                name: [round(e.low, 4), round(e.high, 4)]
                for name, e in ((name, estimate(values)) for name, values in metrics.items())
            },
        }
        for direction, metrics in results.items()
    }


def differences(a: Results, b: Results) -> dict[str, dict[str, Any]]:
    """Return, by direction and metric, how far b is above a, with interval and paired test."""
    compared: dict[str, dict[str, Any]] = {}
    for direction in (d for d in a if d in b):
        compared[direction] = {}
        for name in METRICS:
            change = estimate(b[direction][name] - a[direction][name])
            compared[direction][name] = {
                "difference": round(change.value, 4),
                "interval": [round(change.low, 4), round(change.high, 4)],
                "p": round(paired_test(a[direction][name], b[direction][name]), 4),
            }
    return compared


class Asker(Protocol):
    """What is asked: an assistant."""

    def ask(self, text: str = "", image: Path | None = None) -> Answer:
        """Return the answer to words, a photo, or both."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of a dataset, its answer, and how that did."""

    asked: Asked
    answer: Answer
    grade: Grade


def ask_all(asker: Asker, questions: Iterable[Asked]) -> Iterator[Answered]:
    """Ask every question, one after the other, and grade each answer as it comes."""
    for asked in questions:
        answer = asker.ask(asked.text, asked.image)
        yield Answered(asked, answer, grade(answer, asked.answers, asked.text, asked.subject))


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """How an assistant's answers did. Each share with its 95 % interval."""

    answerable: int
    unanswerable: int
    right: Estimate
    """Of the answerable questions, those whose answer says what a person wrote."""
    abstained: Estimate
    """Of the answerable questions, those that were not answered."""
    false_answers: Estimate
    """Of the unanswerable questions, those that were answered all the same."""
    citation_precision: Estimate
    """Of the citations, those whose passage has the facts of the sentence."""
    unsupported: Estimate
    """Of the sentences shown, those that none of their citations holds."""
    seconds: float
    """The median of a whole answer."""


def answer_figures(answered: Sequence[Answered]) -> AnswerFigures:
    """Return the figures of at least one answer."""
    known = [each for each in answered if each.asked.answers]
    unknown = [each for each in answered if not each.asked.answers]
    grades = [each.grade for each in answered]
    return AnswerFigures(
        answerable=len(known),
        unanswerable=len(unknown),
        right=share(sum(each.grade.right for each in known), len(known)),
        abstained=share(sum(not each.grade.answered for each in known), len(known)),
        false_answers=share(sum(each.grade.answered for each in unknown), len(unknown)),
        citation_precision=share(sum(g.held for g in grades), sum(g.citations for g in grades)),
        unsupported=share(sum(g.unsupported for g in grades), sum(g.sentences for g in grades)),
        seconds=statistics.median(each.answer.seconds for each in answered),
    )
