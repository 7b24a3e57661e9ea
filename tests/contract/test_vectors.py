"""The vectors and the words of a store as they change, against brute force in NumPy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmchat.errors import IndexMismatch
from mmchat.stores import vectors_writing
from mmchat.stores.postings import SCHEMA, WordsReader, WordsWriter
from mmchat.stores.vectors import VectorFiles, VectorReader
from mmchat.stores.vectors_writing import VectorPolicy, VectorWriter
from mmchat.stores.words import WordSplitter

DIMENSION = 24
SMALL = VectorPolicy(flat_up_to=300)
Content = dict[int, np.ndarray]


def unit(rows: int, seed: int) -> np.ndarray:
    centres = np.random.default_rng(0).normal(size=(20, DIMENSION))
    random = np.random.default_rng(seed)
    made = centres[random.integers(0, 20, rows)] + 0.5 * random.normal(size=(rows, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


class Space:
    """A space of vectors that changes run by run, beside a dictionary that says what it must hold."""

    def __init__(self, folder: Path, policy: VectorPolicy = SMALL) -> None:
        self.files = VectorFiles.of(folder, "text")
        self.policy = policy
        self.content: Content = {}
        self.kind = ""
        self.highest = 0

    def change(self, add: int, remove: int = 0, seed: int = 1) -> None:
        writer = VectorWriter(self.files, DIMENSION, self.policy)
        for start in range(0, add, 100):
            vectors = unit(min(100, add - start), seed + start)
            rows = list(range(self.highest + 1, self.highest + 1 + len(vectors)))
            writer.add(rows, vectors)
            self.highest += len(vectors)
            self.content |= dict(zip(rows, vectors, strict=True))
        random = np.random.default_rng(seed)
        gone = random.choice(sorted(self.content), remove, replace=False).tolist()
        writer.remove(gone)
        for row in gone:
            del self.content[row]
        self.kind = writer.finish().kind

    def recall(self, few: int = 0) -> float:
        reader = VectorReader(self.files, DIMENSION, few=few)
        assert reader.count == len(self.content)
        rows = np.array(sorted(self.content))
        matrix = np.stack([self.content[row] for row in rows.tolist()])
        hits = 0
        for query in unit(40, seed=99):
            found = reader.search(query, 10)
            assert {row for row, _ in found} <= self.content.keys()
            assert all(
                score == pytest.approx(float(self.content[row] @ query), abs=2e-3)
                for row, score in found
            )
            exact = rows[np.argsort(-(matrix @ query))[:10]]
            hits += len(set(exact.tolist()) & {row for row, _ in found})
        return hits / 400


def test_the_file_is_one_that_faiss_reads(tmp_path: Path):
    space = Space(tmp_path)
    space.change(add=250, remove=30)
    index = faiss.read_index(str(space.files.flat))
    assert (index.ntotal, index.d, index.metric_type) == (
        220,
        DIMENSION,
        faiss.METRIC_INNER_PRODUCT,
    )
    kept = np.stack([space.content[row] for row in sorted(space.content)])
    np.testing.assert_allclose(index.reconstruct_n(0, 220), kept, atol=1e-3)


def test_a_small_space_grows_into_an_inverted_file_and_back(tmp_path: Path):
    space = Space(tmp_path)
    space.change(add=200)
    assert space.kind.startswith("flat")
    assert space.recall() > 0.99
    space.change(add=400, seed=1000)
    assert space.kind.startswith("inverted file of 24 lists")
    assert space.recall() > 0.95
    space.change(add=0, remove=450)
    assert space.kind.startswith("flat")
    assert not space.files.inverted.exists()
    assert space.recall() > 0.99


def test_lists_are_found_anew_only_when_the_space_has_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    trained = []
    whole: Callable[..., object] = VectorWriter._trained

    def counted(self: VectorWriter, count: int) -> object:
        trained.append(count)
        return whole(self, count)

    monkeypatch.setattr(VectorWriter, "_trained", counted)
    space = Space(tmp_path)
    space.change(add=400)
    space.change(add=150, remove=60)
    space.change(add=150, remove=20, seed=2)
    assert trained == [400]
    assert space.recall() > 0.93
    space.change(add=400, seed=3)
    assert trained == [400, 1020]
    assert space.recall() > 0.95


def test_blocks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vectors_writing, "_BLOCK", 64)
    space = Space(tmp_path)
    space.change(add=500, remove=77)
    space.change(add=130, remove=40)
    assert space.kind.startswith("inverted")
    assert space.recall() > 0.95
    reader = VectorReader(space.files, DIMENSION)
    rows = np.array(sorted(space.content))[::7]
    expected = np.stack([space.content[row] for row in rows.tolist()])
    np.testing.assert_allclose(reader.vectors(rows), expected, atol=1e-3)
    np.testing.assert_allclose(reader.vectors(np.array([-1, 10**9])), np.zeros((0, DIMENSION)))


@pytest.mark.parametrize("size", [1, 2, 30])
def test_the_smallest_inverted_files(tmp_path: Path, size: int):
    space = Space(tmp_path, VectorPolicy(flat_up_to=0))
    space.change(add=size)
    reader = VectorReader(space.files, DIMENSION)
    found = reader.search(unit(1, seed=5)[0], 1000)
    assert sorted(row for row, _ in found) == sorted(space.content)


def test_nothing_at_all(tmp_path: Path):
    space = Space(tmp_path, VectorPolicy(flat_up_to=0))
    space.change(add=0)
    reader = VectorReader(space.files, DIMENSION)
    assert reader.search(unit(1, seed=5)[0], 10) == []
    assert reader.search(unit(1, seed=5)[0], 10, np.array([1, 2])) == []


@pytest.mark.parametrize("name", ["flat", "rows", "inverted"])
@pytest.mark.parametrize("content", [b"", b"damage" * 100])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes):
    space = Space(tmp_path)
    space.change(add=400)
    path: Path = getattr(space.files, name)
    path.write_bytes(content)
    with pytest.raises(IndexMismatch, match=path.name):
        VectorReader(space.files, DIMENSION)


TEXTS = st.lists(st.sampled_from(["red", "blue", "kettle", "the", "주전자"]), max_size=6).map(
    " ".join
)


@given(
    runs=st.lists(st.tuples(st.lists(TEXTS, max_size=8), st.sets(st.integers(1, 40))), max_size=14),
    in_memory=st.sampled_from([1, 5, 1000]),
)
@settings(max_examples=60, deadline=None)
def test_words_that_come_and_go_count_as_if_they_had_come_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[tuple[list[str], set[int]]],
    in_memory: int,
):
    def filled(steps: list[tuple[dict[int, str], set[int]]]) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:")
        connection.executescript(SCHEMA)
        for added, removed in steps:
            spool = tmp_path_factory.mktemp("words") / "spool"
            writer = WordsWriter(connection, spool, WordSplitter(), postings_in_memory=in_memory)
            for row, text in added.items():
                writer.add(row, text)
            writer.remove(sorted(removed))
            writer.finish()
            assert not spool.exists()
        return connection

    steps, there, highest = [], {}, 0
    for texts, removed in runs:
        added = dict(enumerate(texts, start=highest + 1))
        highest += len(texts)
        gone = removed & (there.keys() | added.keys())
        there = {row: text for row, text in (there | added).items() if row not in gone}
        steps.append((added, gone))
    one, other = filled(steps), filled([(there, set())])
    for words in (["red"], ["kettl", "blue"], ["주전", "the"], ["absent"]):
        for k in (1, 3, 100):
            got = WordsReader(one).search(one, words, k)
            expected = WordsReader(other).search(other, words, k)
            assert [row for row, _ in got] == [row for row, _ in expected]
            np.testing.assert_allclose([s for _, s in got], [s for _, s in expected], rtol=1e-5)
