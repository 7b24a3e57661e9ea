"""Read a dataset in the form of BEIR.

(Thakur et al., "BEIR: A heterogeneous benchmark for zero-shot evaluation of information retrieval models",
NeurIPS 2021). It is a folder:

    queries.jsonl   {"_id": "q1", "text": "...", "image": "photos/1.jpg"}   text, image, or both
    qrels.tsv       query-id <tab> corpus-id <tab> score; above 0 is relevant, more is better
    corpus.jsonl    {"_id": "d1", "title": "...", "text": "..."}            where there is no index

A query may have "answers": ["…", "…"] as people wrote them, of which each would do; an empty list says that
the documents do not answer it. "subject" is what it is about, such as a product's name: an answer that only
names it is not right.

Over an index of one's own, a corpus-id is the path of a document (`guide.md`, `prices.csv#KT-101`), of a
picture, of a folder above them (a product's), or the id of an item.

A direction is what is asked with and what is to be found: text→text, text→picture, picture→picture,
picture→text; `mixed` is everything that has words and a photo, or is answered by both kinds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mmchat.errors import InputError
from mmchat.pictures import SUFFIXES

_FORM = "A dataset is a folder with queries.jsonl, qrels.tsv and, where no index is named, corpus.jsonl."


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
class Asked:
    """A question with the answers that people wrote, of which each would do."""

    text: str
    answers: tuple[str, ...] = ()
    """Empty where the documents do not answer it."""
    image: Path | None = None
    subject: str = ""
    """What it is about: naming that is no answer."""


@dataclass(frozen=True, slots=True)
class Row:
    """A document of a corpus."""

    id: str
    title: str
    text: str


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
    for name, text, path, _ in _read_queries(folder / "queries.jsonl"):
        if name in grades:
            direction = _direction(text, path, grades[name], corpus=corpus)
            questions.append(Question(name, text, path, grades[name], direction))
    if not questions:
        raise InputError(
            f"{folder}: no query of queries.jsonl has a line in qrels.tsv with a score above 0. "
            "Expected query-id, corpus-id and score with tabs between, and the ids of queries.jsonl."
        )
    return questions


def read_asked(folder: Path) -> list[Asked]:
    """Read the queries of a dataset that say how they are answered.

    Raises:
        InputError: the file is missing or broken, or no query has "answers".
    """
    path = folder / "queries.jsonl"
    asked = []
    for name, text, image, row in _read_queries(path):
        answers = row.get("answers")
        if answers is None:
            continue
        if not isinstance(answers, list) or not all(isinstance(each, str) for each in answers):
            raise InputError(
                f"{path}, query {name}: got answers {str(answers)[:60]}, expected a list of texts; an empty "
                "list says that the documents do not answer it."
            )
        written = tuple(each for each in answers if each.strip())
        asked.append(Asked(text, written, image, str(row.get("subject", ""))))
    if not asked:
        raise InputError(
            f'{path}: no query has "answers". Expected a list of written answers for each question that '
            "is to be asked, and an empty list where the documents do not answer it."
        )
    return asked


def read_corpus(folder: Path) -> Iterator[Row]:
    """Yield the documents of a dataset.

    Raises:
        InputError: the file is missing or broken.
    """
    for number, row in json_rows(folder / "corpus.jsonl"):
        if not row.get("_id") or "text" not in row:
            raise InputError(f"{folder / 'corpus.jsonl'}, line {number}: expected _id and text.")
        yield Row(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))


def has_corpus(folder: Path) -> bool:
    """Tell whether a dataset brings its own documents."""
    return (folder / "corpus.jsonl").is_file()


def _read_queries(path: Path) -> Iterator[tuple[str, str, Path | None, dict[str, Any]]]:
    """Yield id, words, picture and the whole row of each query."""
    for number, row in json_rows(path):
        name, text, image = str(row.get("_id", "")), str(row.get("text", "")), row.get("image")
        picture = path.parent / str(image) if image else None
        if not name or not (text.strip() or picture):
            raise InputError(f"{path}, line {number}: expected _id, and text or image.")
        if picture is not None and not picture.is_file():
            raise InputError(f"{path}, line {number}: there is no picture {picture}.")
        yield name, text, picture, row


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


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
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
