"""What every store must do, checked against brute force in NumPy."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import SmallIndex

from mmchat.conditions import Range
from mmchat.errors import IndexLocked, IndexMismatch, IndexNotFound, StoreError
from mmchat.stores.base import SourcePart
from mmchat.stores.local import LocalReader, read_manifest
from mmchat.stores.manifest import EncoderRecord, Manifest, check_encoder
from mmchat.stores.writing import LocalWriter
from mmchat.types import Box, Chunk, Document, FileProblem, Link, Picture

DIMENSION = 16
MANIFEST = Manifest(EncoderRecord("t", "t-1", DIMENSION), EncoderRecord("i", "i-1", DIMENSION), {})


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def source(path: str, texts: list[str], pictures: int = 0) -> SourcePart:
    joined = "\n".join(texts)
    chunks, start = [], 0
    for number, text in enumerate(texts):
        chunks.append(Chunk(f"{path}:{number}", path, number, text, start, start + len(text)))
        start += len(text) + 1
    return SourcePart(
        path=path,
        content_hash=f"hash of {joined}",
        documents=(Document(path, path.upper(), joined, {"price": 3}),),
        chunks=tuple(chunks),
        pictures=tuple(
            Picture(
                f"{path}!{n}",
                path,
                f"{path}/{n}",
                "media/x",
                "thumbs/x",
                4,
                3,
                "a caption",
                page=2,
                box=Box(0.1, 0.2, 0.3, 0.4),
                offset=7,
                look=b"a look",
            )
            for n in range(pictures)
        ),
    )


def filled(path: Path, files: int = 30, per_file: int = 5) -> tuple[LocalReader, np.ndarray]:
    vectors = unit(files * per_file, seed=1)
    with LocalWriter(path, MANIFEST) as writer:
        sources = [
            source(f"f{i}", [f"text {i} {j}" for j in range(per_file)], pictures=1)
            for i in range(files)
        ]
        writer.add(sources, vectors, unit(files, seed=2))
        writer.commit()
    return LocalReader(path), vectors


def test_nearest_agrees_with_brute_force(tmp_path: Path):
    reader, vectors = filled(tmp_path / "index")
    ids = [f"f{i}:{j}" for i in range(30) for j in range(5)]
    for query in unit(20, seed=3):
        exact = np.argsort(-(vectors @ query))[:10]
        found = reader.search_text(query, 10)
        assert [s.item for s in found] == [ids[row] for row in exact]
        # fp16 keeps three digits of a cosine.
        assert np.allclose([s.score for s in found], (vectors @ query)[exact], atol=2e-3)


def test_an_item_is_nearest_to_itself_with_a_cosine_of_one(tmp_path: Path):
    reader, vectors = filled(tmp_path / "index", files=2)
    best = reader.search_text(vectors[3], 1)[0]
    assert best.item == "f0:3"
    assert best.score == pytest.approx(1, abs=1e-3)


def test_removed_and_replaced_files_leave_no_hit(tmp_path: Path):
    filled(tmp_path / "index")
    new = unit(1, seed=9)
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        writer.remove("f3")
        writer.add([source("f4", ["wholly new"])], new, unit(0, seed=0))
        writer.commit()
    reader = LocalReader(tmp_path / "index")
    items = {s.item for s in reader.search_text(unit(1, seed=5)[0], 1000)}
    assert len(items) == 28 * 5 + 1
    assert not any(item.startswith("f3:") for item in items)
    assert {item for item in items if item.startswith("f4:")} == {"f4:0"}
    assert reader.search_text(new[0], 1)[0].item == "f4:0"
    assert [s.item for s in reader.search_words("wholly", 5)] == ["f4:0"]
    assert not reader.search_words('"text" 3', 1000) or not any(
        s.item.startswith("f3:") for s in reader.search_words("text 3", 1000)
    )
    assert len(reader.search_images(unit(1, seed=6)[0], 1000)) == 28


def test_pictures_that_another_stands_for_are_not_found_until_they_stand_alone(tmp_path: Path):
    reader, _ = filled(tmp_path / "index")
    query = unit(1, seed=6)[0]
    before = reader.search_images(query, 1000)
    hidden = {before[0].item: before[5].item, before[2].item: before[5].item}
    for duplicates in (hidden, {}):
        with LocalWriter(tmp_path / "index", MANIFEST) as writer:
            writer.set_duplicates(duplicates)
            assert writer.counts()["duplicates"] == len(duplicates)
            writer.commit()
        expected = [scored for scored in before if scored.item not in duplicates]
        reader = LocalReader(tmp_path / "index")
        for k in (10, 1000):
            found = reader.search_images(query, k)
            assert [scored.item for scored in found] == [scored.item for scored in expected[:k]]
        assert set(reader.pictures(list(hidden))) == set(hidden), "they are still in the catalog"


def test_what_was_left_out_is_counted_by_file(tmp_path: Path):
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        parts = [replace(source(name, []), dropped=2) for name in ("a", "b")]
        parts.append(SourcePart("a", "hash", (), dropped=3))
        writer.add(parts, unit(0, seed=0), unit(0, seed=0))
        assert writer.counts()["dropped"] == 7
        writer.remove("a")
        assert writer.counts()["dropped"] == 2
        writer.commit()


def test_vectors_come_out_by_item(tmp_path: Path):
    reader, vectors = filled(tmp_path / "index", files=3)
    got = reader.text_vectors(["f2:1", "absent", "f0:3"])
    assert got.keys() == {"f2:1", "f0:3"}
    assert np.allclose(got["f2:1"], vectors[11], atol=1e-3)
    assert np.allclose(got["f0:3"], vectors[3], atol=1e-3)
    assert np.allclose(reader.image_vectors(["f1!0"])["f1!0"], unit(3, seed=2)[1], atol=1e-3)
    assert reader.image_vectors([]) == {}


def test_a_sample_is_spread_over_all_passages(tmp_path: Path):
    reader, _ = filled(tmp_path / "index")
    every = [f"text {i} {j}" for i in range(30) for j in range(5)]
    assert reader.sample(1000) == every
    sample = reader.sample(10)
    assert sample == reader.sample(10)
    assert len(sample) == 10
    assert (sample[0], sample[-1]) == (every[0], every[-1])
    with LocalWriter(tmp_path / "empty", MANIFEST) as writer:
        writer.commit()
    assert LocalReader(tmp_path / "empty").sample(10) == []


def test_a_day_has_hours(tmp_path: Path):
    times = ["2026-03-14T23:59:00", "2026-03-15", "2026-03-15T10:30:00", "2026-03-16T00:00:00"]
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        for number, made in enumerate(times):
            name = str(number)
            document = Document(name, name, name, {"made": made})
            part = SourcePart(name, name, (document,), (Chunk(name, name, 0, name, 0, 1),))
            writer.add([part], unit(1, number), unit(0, 0))
        writer.commit()
    reader = LocalReader(tmp_path / "index")
    day = datetime.date(2026, 3, 15)
    for where, expected in (
        (Range("made", high=day), "012"),
        (Range("made", high=day, high_included=False), "0"),
        (Range("made", low=day), "123"),
        (Range("made", low=day, low_included=False), "3"),
        (Range("made", low="2026-03-15T10:00:00", high="2026-03-15T11:00:00"), "2"),
    ):
        assert reader.passing(list("0123"), where) == set(expected), where


def test_what_goes_in_comes_out(tmp_path: Path):
    reader, _ = filled(tmp_path / "index", files=3)
    expected = source("f1", [f"text 1 {j}" for j in range(5)], pictures=1)
    assert reader.chunks(["f1:2", "absent"]) == {"f1:2": expected.chunks[2]}
    assert reader.pictures(["f1!0"]) == {"f1!0": expected.pictures[0]}
    assert reader.document("f1") == expected.documents[0]
    assert reader.document("absent") is None
    assert reader.titles(["f1", "absent"]) == {"f1": "F1"}


def test_links_are_followed_both_ways_in_order(tmp_path: Path):
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        writer.add([source("a", ["x", "y"], pictures=2)], unit(2, 1), unit(2, 2))
        links = [Link("a!0", "a:1", 0), Link("a!0", "a:0", 1), Link("a!1", "a:0", 0)]
        writer.set_links(links, {"a!1": "new caption"})
        writer.commit()
    reader = LocalReader(tmp_path / "index")
    assert reader.chunks_of(["a!0", "a!1"]) == {"a!0": ["a:1", "a:0"], "a!1": ["a:0"]}
    assert reader.pictures_of(["a:0"]) == {"a:0": ["a!1", "a!0"]}
    assert reader.pictures(["a!1"])["a!1"].caption == "new caption"


def test_nothing_is_seen_before_the_commit_and_a_failure_leaves_the_old(tmp_path: Path):
    reader, _ = filled(tmp_path / "index", files=2)
    with pytest.raises(RuntimeError), LocalWriter(tmp_path / "index", MANIFEST) as writer:
        writer.remove("f0")
        raise RuntimeError
    assert LocalReader(tmp_path / "index").generation == reader.generation
    assert set(LocalReader(tmp_path / "index").chunks(["f0:0"])) == {"f0:0"}
    assert sorted(p.name for p in (tmp_path / "index").glob("g*")) == [reader.generation.name]


def test_a_first_build_that_fails_leaves_nothing(tmp_path: Path):
    with pytest.raises(RuntimeError), LocalWriter(tmp_path / "index", MANIFEST) as writer:
        writer.put_media(b"picture", ".jpg")
        raise RuntimeError
    assert not (tmp_path / "index").exists()


def test_a_reader_goes_on_while_the_index_is_rebuilt(tmp_path: Path):
    reader, vectors = filled(tmp_path / "index", files=2)
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        writer.remove("f0")
        writer.commit()
    assert not reader.is_current
    assert reader.search_text(vectors[0], 1)[0].item == "f0:0"
    assert set(reader.chunks(["f0:0"])) == {"f0:0"}


def test_other_encoders_or_settings_keep_nothing(tmp_path: Path):
    filled(tmp_path / "index", files=2)
    for manifest in (
        Manifest(EncoderRecord("t", "t-2", DIMENSION), MANIFEST.image_encoder, {}),
        Manifest(MANIFEST.text_encoder, MANIFEST.image_encoder, {"chunk_tokens": 99}),
    ):
        with LocalWriter(tmp_path / "index", manifest) as writer:
            assert writer.starts_empty
            assert not writer.known
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        assert not writer.starts_empty
        assert set(writer.known) == {"f0", "f1"}


def test_problems_are_kept_with_the_hash_that_failed(tmp_path: Path):
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        writer.add([source("a", ["x"])], unit(1, 1), unit(0, 0))
        writer.add_problem(FileProblem("b", "b is broken", "h"))
        writer.commit()
    reader = LocalReader(tmp_path / "index")
    assert reader.problems() == [FileProblem("b", "b is broken", "h")]
    lines = (reader.generation / "errors.jsonl").read_text().splitlines()
    assert [json.loads(line)["reason"] for line in lines] == ["b is broken"]
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        assert writer.known["b"] == "h"


def test_old_generations_and_unused_pictures_are_swept(tmp_path: Path):
    index = tmp_path / "index"
    for number in range(4):
        with LocalWriter(index, MANIFEST) as writer:
            name = writer.put_media(f"picture {number}".encode(), ".jpg")
            picture = Picture("p", "a", "a", name, name, 1, 1)
            file = SourcePart("a", str(number), (Document("a", "A", ""),), pictures=(picture,))
            writer.add([file], unit(0, 0), unit(1, 1))
            writer.commit()
    assert sorted(p.name for p in index.glob("g*")) == ["g000003", "g000004"]
    assert len(list((index / "media").iterdir())) == 2


def test_an_index_moves_by_copying(tmp_path: Path):
    _, vectors = filled(tmp_path / "index", files=2)
    shutil.copytree(tmp_path / "index", tmp_path / "moved")
    shutil.rmtree(tmp_path / "index")
    reader = LocalReader(tmp_path / "moved")
    assert reader.search_text(vectors[0], 1)[0].item == "f0:0"
    assert str(tmp_path) not in (reader.generation / "manifest.json").read_text()


def test_a_second_writer_is_told_who_writes(tmp_path: Path):
    index = tmp_path / "index"
    filled(index, files=1)
    with LocalWriter(index, MANIFEST), pytest.raises(IndexLocked, match=str(os.getpid())):
        code = (
            "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
            "from mmchat.stores.writing import LocalWriter; from test_stores import MANIFEST\n"
            "from mmchat.errors import IndexLocked\n"
            "try:\n    LocalWriter(Path(sys.argv[1]), MANIFEST).__enter__()\n"
            "except IndexLocked as error:\n    print(error)\n"
        )
        here = str(Path(__file__).parent)
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([here, str(Path(here).parent)])}
        done = subprocess.run(
            [sys.executable, "-c", code, str(index), here],
            capture_output=True,
            text=True,
            env=env,
            timeout=60,
            check=True,
        )
        raise IndexLocked(done.stdout)


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_no_index(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    with pytest.raises(IndexNotFound, match="mmchat index"):
        LocalReader(tmp_path / name)


def test_an_index_of_another_version_is_refused(tmp_path: Path):
    reader, _ = filled(tmp_path / "index", files=1)
    manifest = reader.generation / "manifest.json"
    values = json.loads(manifest.read_text())
    for damage in ({**values, "format": 99}, {**values, "surprise": 1}, []):
        manifest.write_text(json.dumps(damage))
        with pytest.raises(IndexMismatch, match="--rebuild"):
            LocalReader(tmp_path / "index")
    # The way out that the message names is open: another writer replaces what cannot be read.
    filled(tmp_path / "index", files=1)
    assert LocalReader(tmp_path / "index").chunks(["f0:0"])


@pytest.mark.parametrize("name", ["text.faiss", "text.rows", "catalog.sqlite"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str):
    reader, _ = filled(tmp_path / "index", files=1)
    (reader.generation / name).write_bytes(b"damage")
    with pytest.raises(IndexMismatch, match=name):
        LocalReader(tmp_path / "index").chunks(["f0:0"])


def test_a_folder_with_other_content_is_not_touched(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(StoreError, match=r"thesis\.txt"), LocalWriter(tmp_path, MANIFEST):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("name", ["media", "thumbs", "g000001", "CURRENT"])
def test_a_folder_of_the_user_that_is_called_like_ours_is_not_touched(tmp_path: Path, name: str):
    out = tmp_path / "shop"
    out.mkdir()
    if name == "CURRENT":
        (out / name).write_text("MANIFEST-000012")
    else:
        (out / name).mkdir()
        (out / name / "photo.jpg").write_text("mine")
    before = sorted(p.as_posix() for p in out.rglob("*"))
    with pytest.raises(StoreError, match=name), LocalWriter(out, MANIFEST):
        pass
    assert sorted(p.as_posix() for p in out.rglob("*")) == before


def test_a_first_build_that_was_killed_is_begun_again(tmp_path: Path):
    index = tmp_path / "index"
    (index / "g000001").mkdir(parents=True)
    (index / "media").mkdir()
    for name in ("lock", "writer.json", "CURRENT.partial"):
        (index / name).touch()
    reader, _ = filled(index, files=1)
    assert reader.chunks(["f0:0"])


@pytest.mark.parametrize("name", ["text.faiss", "catalog.sqlite", "manifest.json"])
def test_a_damaged_index_is_built_anew(tmp_path: Path, name: str):
    reader, _ = filled(tmp_path / "index", files=1)
    (reader.generation / name).write_bytes(b"damage")
    with LocalWriter(tmp_path / "index", MANIFEST) as writer:
        assert writer.starts_empty


def test_an_encoder_that_differs_is_refused_with_both_names():
    recorded = EncoderRecord("e5", "e5-aaa", 384)
    check_encoder("text", recorded, EncoderRecord("renamed", "e5-aaa", 384), "shop")
    with pytest.raises(IndexMismatch) as caught:
        check_encoder("text", recorded, EncoderRecord("minilm", "minilm-bbb", 384), "shop")
    for part in ("e5-aaa", "minilm-bbb", "encoders.text", "mmchat index shop"):
        assert part in str(caught.value)


def test_killed_at_any_moment_it_leaves_the_old_or_the_new(
    tmp_path: Path, small_index: SmallIndex, write: Callable[[str, str], Path]
):
    """A build is stopped before each of its steps in turn; what is left always opens whole."""
    folder = write("a.txt", "the old words")
    small_index.build(folder)
    write("a.txt", "the new words")
    steps = ["remove", "put_media", "add", "places", "set_links", "counts", "commit"]

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    for step in steps:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LocalWriter, step, die)
            try:
                small_index.build(folder)
            except Killed:
                reader = small_index.reader()
                old, new = (bool(reader.search_words(word, 1)) for word in ("old", "new"))
                assert old != new, step
    small_index.build(folder)
    assert not small_index.reader().search_words("old", 1)
    assert small_index.reader().search_words("new", 1)
    assert read_manifest(small_index.path).chunks == 1
