"""Gather questions and passages to tune with: from a dataset, a table, an index, or two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mmchat.app.corpus import chunks_of_row
from mmchat.app.encoders import Encoders
from mmchat.config import Config
from mmchat.dataset import Row, has_corpus, read_corpus, read_questions
from mmchat.errors import InputError
from mmchat.ingest.examples import read_pairs
from mmchat.stores.local import LocalReader
from mmchat.tuning.pairs import Asked, Pairs, Passage, gather
from mmchat.types import Chunk

_CHUNKS_AT_ONCE = 10_000


def pairs_of(source: Path, encoders: Encoders, config: Config, reader: LocalReader | None) -> Pairs:
    """Return the questions of `source` with all passages that may answer them.

    Args:
        source: a dataset, or a table of pairs.
        encoders: what counts the tokens of a passage.
        config: the settings, by which passages are cut.
        reader: the index that the questions are about, if any.

    Raises:
        InputError: it cannot be read.
    """
    if not source.is_dir():
        rows = [(row.place, row.given, row.wanted) for row in read_pairs(source, config.columns)]
        return _of_table(rows, encoders, config, reader)
    questions = [
        Asked(question.text, question.relevant)
        for question in read_questions(source, corpus=reader is None)
    ]
    if reader is not None:
        named = {name for asked in questions for name in asked.relevant}
        library = _Library(reader, named)
        return gather(map(library.resolved, questions), library.passages())
    if not has_corpus(source):
        raise InputError(
            f"{source} has no corpus.jsonl. Add one, or name the index that the questions are about with "
            "--index."
        )
    return gather(questions, _cut(read_corpus(source), encoders, config))


def _of_table(
    rows: Sequence[tuple[str, str, str]],
    encoders: Encoders,
    config: Config,
    reader: LocalReader | None,
) -> Pairs:
    """Return the pairs of a table: what is no name of the index is the text of a passage itself."""
    library = _Library(reader, (passage for _, _, passage in rows))
    asked, texts = [], []
    for place, question, passage in rows:
        units = library.units(passage)
        asked.append(Asked(question, dict.fromkeys(units or (place,), 1)))
        if not units:
            texts.append(Row(place, "", passage))
    cut = _cut(texts, encoders, config)
    return gather(asked, [*library.passages(), *cut])


def _cut(rows: Iterable[Row], encoders: Encoders, config: Config) -> Iterator[Passage]:
    for row in rows:
        for chunk in chunks_of_row(row, encoders, config):
            yield Passage(row.id, chunk.context_text)


class _Library:
    """The passages of an index, and the names that questions call them by; empty without an index."""

    def __init__(self, reader: LocalReader | None, named: Iterable[str]) -> None:
        self._chunks = list(_every_chunk(reader)) if reader is not None else []
        self._single = {chunk.id: chunk for chunk in self._chunks}
        self._single |= {_words(chunk.text): chunk for chunk in self._chunks}
        self._documents: dict[str, list[Chunk]] = {}
        for chunk in self._chunks:
            self._documents.setdefault(chunk.document, []).append(chunk)
        # Where single passages of a document are named, each of its passages is a unit.
        found = (self._passage(name) for name in named if name not in self._documents)
        self._cut = {chunk.document for chunk in found if chunk}

    def units(self, name: str) -> list[str]:
        """Return the units that are meant by a passage's id or text, a document or a folder."""
        if name in self._documents:
            chunks = self._documents[name]
        elif chunk := self._passage(name):
            chunks = [chunk]
        elif name.endswith("/"):
            below = (path for path in self._documents if path.startswith(name))
            chunks = [chunk for path in below for chunk in self._documents[path]]
        else:
            chunks = []
        return list(dict.fromkeys(map(self._unit, chunks)))

    def resolved(self, asked: Asked) -> Asked:
        """Return a question with the units in place of the names; a name without one stays."""
        relevant: dict[str, int] = {}
        for name, grade in asked.relevant.items():
            for unit in self.units(name) or [name]:
                relevant[unit] = max(grade, relevant.get(unit, 0))
        return Asked(asked.text, relevant)

    def passages(self) -> list[Passage]:
        """Return all passages."""
        return [Passage(self._unit(chunk), chunk.context_text) for chunk in self._chunks]

    def _passage(self, name: str) -> Chunk | None:
        return self._single.get(name) or self._single.get(_words(name))

    def _unit(self, chunk: Chunk) -> str:
        return chunk.id if chunk.document in self._cut else chunk.document


def _every_chunk(reader: LocalReader) -> Iterator[Chunk]:
    ids = reader.item_ids("chunks")
    for start in range(0, len(ids), _CHUNKS_AT_ONCE):
        some = ids[start : start + _CHUNKS_AT_ONCE]
        chunks = reader.chunks(some)
        yield from (chunks[item] for item in some if item in chunks)


def _words(text: str) -> str:
    return " ".join(text.split())
