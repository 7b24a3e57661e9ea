"""Measure retrieval on a dataset of one's own, in the form that `mmchat.dataset` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from mmchat.dataset import Question
from mmchat.measures import METRICS, Values, estimate, graded, paired_test
from mmchat.types import Hit

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
