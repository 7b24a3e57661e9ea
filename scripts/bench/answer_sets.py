"""Questions with written answers from ../shared/data, what answers them, and questions that nothing does."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmchat.dataset import Asked, json_rows

DATA = Path(__file__).parents[2].parent / "shared" / "data"
_HEARSAY = re.compile(
    r"(?:i'm not sure but )?(?:there is )?(?:a|one) customer (?:says|saying|said) (?:that )?"
    r"|i'm not sure but ",
    re.IGNORECASE,
)
"""How the written answers of epqa begin where a review says it: no part of what was asked."""


@dataclass(frozen=True)
class AnswerSet:
    """A folder that can be indexed, and its questions."""

    name: str
    folder: Path
    answerable: Sequence[Asked]
    language: str = "en"


def read(data: Path, work: Path) -> list[AnswerSet]:
    """Return all sets; what has to be written as a folder is written below `work`."""
    return [make(data, work) for make in (_epqa, _manual, _outdoor, _korquad)]


def unanswerable(
    sets: Sequence[AnswerSet], data: Path, count: int, seed: int
) -> dict[str, list[Asked]]:
    """Return for each set questions that its folder cannot answer: half of them of other sets, and half that
    no set has a scope for: clinc150's in English, in Korean those of parakqc, of weather, mail and travel."""
    found = {}
    scopes = json.loads((data / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    lines = (data / "parakqc" / "paraKQC_v1.txt").read_text(encoding="utf-8").splitlines()
    outside = {
        "en": [Asked(text) for text, _ in scopes["oos_test"]],
        "ko": [Asked(line.rpartition("\t")[2]) for line in lines if line.strip()],
    }
    for each in sets:
        generator = random.Random(f"{seed} {each.name}")
        others = [
            Asked(question.text)
            for other in sets
            if other.name != each.name
            for question in other.answerable
            if question.image is None
        ]
        half = count // 2
        found[each.name] = [
            *generator.sample(others, half),
            *generator.sample(outside[each.language], count - half),
        ]
    return found


def _epqa(data: Path, work: Path) -> AnswerSet:
    """Questions about products, each with its own product's name; only those that can be answered fully."""
    source = data / "epqa"
    graded = (
        line.split("\t")
        for line in (source / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    )
    full = {question for question, _, grade in graded if int(grade) == 2}
    questions = [
        Asked(
            row["text"],
            tuple(_HEARSAY.sub("", each) for each in row["answers"]),
            subject=row["text"].partition(" | ")[0],
        )
        for _, row in json_rows(source / "queries.jsonl")
        if row["_id"] in full and row.get("answers")
    ]
    return AnswerSet("epqa", _folder(work / "epqa", source / "corpus.jsonl"), questions)


def _manual(data: Path, work: Path) -> AnswerSet:
    source = data / "manual-tv"
    questions = [
        Asked(row["text"], tuple(row["answers"]))
        for _, row in json_rows(source / "queries.jsonl")
        if row.get("answers")
    ]
    return AnswerSet("manual-tv", _folder(work / "manual-tv", source / "corpus.jsonl"), questions)


def _outdoor(data: Path, work: Path) -> AnswerSet:
    """ "This product", and a photo of it that is not in the catalogue."""
    source = data / "outdoor"
    questions = [
        Asked(
            row["text"],
            tuple(row["answers"]),
            source / row["photo"],
            row["product"].replace("-", " "),
        )
        for _, row in json_rows(source / "questions.jsonl")
    ]
    return AnswerSet("outdoor", source / "catalog", questions)


def _korquad(data: Path, work: Path) -> AnswerSet:
    articles = json.loads((data / "korquad" / "KorQuAD_v1.0_dev.json").read_bytes())["data"]
    folder = work / "korquad"
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, str]] = []
    questions: list[Asked] = []
    for article in articles:
        for paragraph in article["paragraphs"]:
            number = len(rows)
            rows.append(
                {"id": f"p{number}", "title": article["title"], "text": paragraph["context"]}
            )
            questions += [
                Asked(each["question"], tuple(answer["text"] for answer in each["answers"]))
                for each in paragraph["qas"]
            ]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "paragraphs.jsonl").write_text(text + "\n", encoding="utf-8")
    return AnswerSet("korquad", folder, questions, "ko")


def _folder(folder: Path, *files: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, folder / file.name)
    return folder
