"""Measure retrieval on a dataset of one's own.

A dataset is a folder in the form of BEIR (Thakur et al., "BEIR: A heterogeneous benchmark for zero-shot
evaluation of information retrieval models", NeurIPS 2021):

    queries.jsonl   {"_id": "q1", "text": "...", "image": "photos/1.jpg"}   text, image, or both
    qrels.tsv       query-id <tab> corpus-id <tab> score; above 0 is relevant, more is better
    corpus.jsonl    {"_id": "d1", "title": "...", "text": "..."}            where there is no index

Over an index of one's own, a corpus-id is the path of a document (`guide.md`, `prices.csv#KT-101`), of a
picture, of a folder above them (a product's), or the id of an item.

A direction is what is asked with and what is to be found: text→text, text→picture, picture→picture,
picture→text; `mixed` is everything that has words and a photo, or is answered by both kinds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mmchat.errors import InputError
from mmchat.pictures import SUFFIXES
from mmchat.types import Hit

METRICS = ("ndcg@10", "recall@5", "recall@10", "hit@1", "mrr@10")
_CUTOFF = 10
# Several passages of a document count once, and what is left of the hits should still be ten documents.
_HITS = 40
_TREC = {
    "ndcg@10": "ndcg_cut_10",
    "recall@5": "recall_5",
    "recall@10": "recall_10",
    "hit@1": "success_1",
    "mrr@10": "recip_rank",
}
_KINDS = {"text": "chunk", "picture": "picture"}
_FORM = "A dataset is a folder with queries.jsonl, qrels.tsv and, where no index is named, corpus.jsonl."
_SAMPLES = 2000
_FLIPS = 10_000
_BLOCK = 500

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """A query of a dataset with what answers it."""

    id: str
    text: str
    image: Path | None
    relevant: Mapping[str, int]
    """Corpus-id to grade, above 0."""
    direction: str


@dataclass(frozen=True, slots=True)
class Row:
    """A document of a corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its 95 % interval."""

    value: float
    low: float
    high: float


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


def read_questions(folder: Path, *, corpus: bool) -> list[Question]:
    """Read the queries of a dataset that have an answer.

    Args:
        folder: the dataset.
        corpus: whether the documents are the rows of its corpus.jsonl.

    Raises:
        InputError: a file is missing or broken, or no query has an answer.
    """
    grades = _read_grades(folder / "qrels.tsv")
    questions = []
    for number, row in _rows(folder / "queries.jsonl"):
        name = str(row.get("_id", ""))
        text, image = str(row.get("text", "")), row.get("image")
        path = folder / str(image) if image else None
        if not name or not (text.strip() or path):
            raise InputError(
                f"{folder / 'queries.jsonl'}, line {number}: expected _id, and text or image."
            )
        if path is not None and not path.is_file():
            raise InputError(
                f"{folder / 'queries.jsonl'}, line {number}: there is no picture {path}."
            )
        if name in grades:
            direction = _direction(text, path, grades[name], corpus=corpus)
            questions.append(Question(name, text, path, grades[name], direction))
    if not questions:
        raise InputError(
            f"{folder}: no query of queries.jsonl has a line in qrels.tsv with a score above 0. "
            "Expected query-id, corpus-id and score with tabs between, and the ids of queries.jsonl."
        )
    return questions


def read_corpus(folder: Path) -> Iterator[Row]:
    """Yield the documents of a dataset.

    Raises:
        InputError: the file is missing or broken.
    """
    for number, row in _rows(folder / "corpus.jsonl"):
        if not row.get("_id") or "text" not in row:
            raise InputError(f"{folder / 'corpus.jsonl'}, line {number}: expected _id and text.")
        yield Row(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))


def has_corpus(folder: Path) -> bool:
    """Tell whether a dataset brings its own documents."""
    return (folder / "corpus.jsonl").is_file()


def measure(searcher: Searcher, questions: Sequence[Question]) -> Results:
    """Ask every question and return the metrics of each, by direction.

    Gains are linear, as in trec_eval and BEIR: grade 2 is worth twice as much as grade 1.
    """
    import pytrec_eval

    grouped: dict[str, list[Question]] = {}
    for question in questions:
        grouped.setdefault(question.direction, []).append(question)
    results: dict[str, dict[str, Values]] = {}
    for direction, members in sorted(grouped.items()):
        evaluator = pytrec_eval.RelevanceEvaluator(
            {q.id: dict(q.relevant) for q in members}, set(_TREC.values())
        )
        runs = {q.id: ranking(searcher, q) for q in members}
        found = evaluator.evaluate(
            {
                name: {item: float(len(run) - place) for place, item in enumerate(run)}
                for name, run in runs.items()
            }
        )
        # What found nothing at all is left out by trec_eval.
        results[direction] = {
            metric: np.array([found.get(q.id, {}).get(key, 0.0) for q in members])
            for metric, key in _TREC.items()
        }
    return results


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


def estimate(values: Values, *, seed: int = 0) -> Estimate:
    """Return the mean of values, of shape (questions,), with its 95 % interval by bootstrap.

    Efron & Tibshirani, "An introduction to the bootstrap", 1993: the percentiles of the means of samples
    with replacement.
    """
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            values[random.integers(0, len(values), (_BLOCK, len(values)))].mean(1)
            for _ in range(_SAMPLES // _BLOCK)
        ]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return Estimate(float(values.mean()), float(low), float(high))


def paired_test(a: Values, b: Values, *, seed: int = 0) -> float:
    """Return the probability that a difference as large as this comes about by chance.

    Fisher's randomisation test, two-sided, on the same questions asked of both: it assumes no
    distribution (Smucker, Allan & Carterette, "A comparison of statistical significance tests for
    information retrieval evaluation", CIKM 2007).
    """
    random = np.random.default_rng(seed)
    differences = b - a
    seen = abs(differences.mean())
    as_large = 0
    for _ in range(_FLIPS // _BLOCK):
        signs = random.choice((-1.0, 1.0), (_BLOCK, len(differences)))
        as_large += int((np.abs((signs * differences).mean(1)) >= seen - 1e-12).sum())
    return (as_large + 1) / (_FLIPS + 1)


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


def _direction(question: str, image: object, relevant: Iterable[str], *, corpus: bool) -> str:
    asked = [name for name, given in (("text", question.strip()), ("picture", image)) if given]
    wanted = {"text" if corpus else _kind(name) for name in relevant}
    if len(asked) == 1 and len(wanted) == 1 and "" not in wanted:
        return f"{asked[0]}→{wanted.pop()}"
    return "mixed"


def _kind(name: str) -> str:
    """Return the kind of what a corpus-id of an index names; empty for a folder, which has both."""
    if name.endswith("/"):
        return ""
    return "picture" if PurePosixPath(name).suffix.lower() in SUFFIXES else "text"


def _read_grades(path: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}). {_FORM}") from error
    for number, line in enumerate(lines, start=1):
        parts = line.split("\t")
        if not line.strip() or (number == 1 and parts[-1].strip() == "score"):
            continue
        score = parts[-1].strip()
        if len(parts) not in {3, 4} or not score.lstrip("-").isdigit():
            raise InputError(
                f"{path}, line {number}: expected query-id, corpus-id and a whole score, with tabs between; "
                f"got '{line[:80]}'."
            )
        if int(score) > 0:
            # trec_eval's own form has a zero between the ids.
            grades.setdefault(parts[0], {})[parts[-2]] = int(score)
    return grades


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the content of each line of a JSON Lines file."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}). {_FORM}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}, line {number}: not JSON ({error}).") from error
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {number}: expected an object in braces.")
        yield number, row
