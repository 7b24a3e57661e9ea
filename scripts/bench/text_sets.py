"""The text sets of ../shared/data in one form, and indexes of them whose questions are encoded once.

epqa and manual-tv are in BEIR's form already. Of parakqc the first of ten paraphrases is the document and
the second asks; of korquad the paragraphs are the documents, and the first 300 questions ask (or all).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mmchat
from mmchat.app import Index, build_corpus
from mmchat.conditions import Equals
from mmchat.config import RetrievalConfig
from mmchat.dataset import Question, read_corpus, read_questions
from mmchat.retrieval.calibration import Calibration
from mmchat.retrieval.retriever import Retriever
from mmchat.stores.base import Vectors
from mmchat.stores.local import LocalReader
from mmchat.types import Hit, Query

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SETS = ("epqa", "manual-tv", "parakqc", "korquad")
ENGLISH = ("epqa", "manual-tv")
_KORQUAD_QUESTIONS = 300


def dataset(name: str, folder: Path, data: Path = DATA, *, every_question: bool = False) -> Path:
    """Return the folder of a set in BEIR's form; what is not in it is written below `folder`."""
    if name in ENGLISH:
        return data / name
    target = folder / (f"{name}-all" if every_question else name)
    if not (target / "qrels.tsv").exists():
        target.mkdir(parents=True, exist_ok=True)
        rows = _parakqc(data) if name == "parakqc" else _korquad(data, every_question)
        documents, questions, answers = rows
        _write(target / "corpus.jsonl", documents)
        _write(target / "queries.jsonl", questions)
        lines = [f"{question}\t{document}\t1" for question, document in answers]
        header = "query-id\tcorpus-id\tscore"
        (target / "qrels.tsv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return target


_Rows = tuple[dict[str, str], dict[str, str], list[tuple[str, str]]]


def _parakqc(data: Path) -> _Rows:
    text = (data / "parakqc" / "paraKQC_v1.txt").read_text(encoding="utf-8")
    lines = [line.split("\t")[2] for line in text.splitlines()]
    documents = {f"d{i}": lines[i] for i in range(0, len(lines), 10)}
    questions = {f"q{i}": lines[i + 1] for i in range(0, len(lines), 10)}
    return documents, questions, [(f"q{i}", f"d{i}") for i in range(0, len(lines), 10)]


def _korquad(data: Path, every_question: bool) -> _Rows:
    articles = json.loads((data / "korquad" / "KorQuAD_v1.0_dev.json").read_bytes())["data"]
    paragraphs = [p for article in articles for p in article["paragraphs"]]
    documents = {f"p{i}": p["context"] for i, p in enumerate(paragraphs)}
    asked = [(f"p{i}", qa) for i, p in enumerate(paragraphs) for qa in p["qas"]]
    if not every_question:
        asked = asked[:_KORQUAD_QUESTIONS]
    questions = {qa["id"]: qa["question"] for _, qa in asked}
    return documents, questions, [(qa["id"], document) for document, qa in asked]


def _write(path: Path, rows: dict[str, str]) -> None:
    lines = [json.dumps({"_id": i, "text": t}, ensure_ascii=False) for i, t in rows.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Remembering:
    """A text encoder that encodes many questions at once ahead, and then only looks them up."""

    def __init__(self, encoder: Any, texts: Sequence[str]) -> None:
        self._encoder = encoder
        distinct = list(dict.fromkeys(texts))
        self._known = dict(zip(distinct, encoder.encode_queries(distinct), strict=True))

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        if all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        vectors: Vectors = self._encoder.encode_queries(texts)
        return vectors


class Bench:
    """A set with its index, searched with any settings."""

    def __init__(self, folder: Path, work: Path, encoder: str) -> None:
        self.name = folder.name
        self.folder = folder
        self.questions: list[Question] = read_questions(folder, corpus=True)
        config = mmchat.load_config(None, {"encoders.text": encoder}, environ={})
        path = work / "indexes" / f"{folder.name.removesuffix('-all')}-{encoder}"
        if not (path / "CURRENT").exists():
            build_corpus(read_corpus(folder), path, config=config)
        self.index: Index = mmchat.open_index(path, config=config)
        self.reader = LocalReader(path)
        asked = [q.text for q in self.questions]
        self.encoder = Remembering(self.index.encoders.text, asked)
        self.calibration = Calibration(self.encoder, self.index.encoders.image)

    def searcher(self, settings: RetrievalConfig) -> Retrieval:
        """Return the set's index with settings of its own."""
        return Retrieval(self.retriever(settings))

    def retriever(self, settings: RetrievalConfig) -> Retriever:
        """Return what searches the set's index."""
        return Retriever(
            self.reader,
            self.encoder,
            self.index.encoders.image,
            settings,
            calibration=self.calibration,
        )


class Retrieval:
    """A retriever as the evaluation asks it."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    def search(
        self,
        text: str = "",
        image: Any = None,
        k: int | None = None,
        *,
        where: Any = None,
    ) -> Sequence[Hit]:
        """Return the best passages for words."""
        assert image is None
        return self._retriever.search(Query(text, k=k or 10, where=Equals("kind", "chunk")))
