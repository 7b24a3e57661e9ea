"""An index is safe at any moment: killed builds, full disks, readers beside a writer, two writers."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT, SmallIndex

from mmchat.errors import IndexLocked, StoreError
from mmchat.stores.findable import FindableWriter

Write = Callable[[str, str | bytes], Path]


def run(script: str | Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_it_is_the_old_or_the_new_and_never_a_mixture(tmp_path: Path):
    done = run(ROOT / "tests" / "killed_builds.py", tmp_path, 50, 20)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert min(counts["steps"].values()) > 15
    assert sum(counts["at_random"].values()) == 50
    # Kills before and after the swap were among them, or this shows nothing.
    assert counts["at_steps"]["old"] > 5 and counts["at_steps"]["new"] > 1
    assert counts["at_random"]["old"] > 5


def test_readers_go_on_while_the_index_is_written(small_index: SmallIndex, write: Write):
    folder = write("a.txt", "Version 0 of the words.")
    small_index.build(folder)
    over = threading.Event()
    seen: list[str] = []
    failures: list[Exception] = []

    def read() -> None:
        reader = small_index.reader()
        while not over.is_set():
            try:
                if not reader.is_current:
                    reader = small_index.reader()
                (found,) = reader.search_words("words", 9)
                seen.append(reader.chunks([found.item])[found.item].text)
            except Exception as error:
                failures.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    for version in range(1, 11):
        write("a.txt", f"Version {version} of the words.")
        small_index.build(folder)
    over.set()
    thread.join()
    assert not failures
    numbers = [int(text.split()[1]) for text in seen]
    assert numbers == sorted(numbers)


_FILL = """
import resource, sys
from pathlib import Path
from support import SmallIndex
from mmchat.errors import MmchatError
folder, index, limit = Path(sys.argv[1]), SmallIndex(Path(sys.argv[2])), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    index.build(folder)
except (MmchatError, OSError) as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("limit", [100, 50_000, 200_000, 500_000])
def test_a_full_disk_leaves_the_old_index(
    small_index: SmallIndex, write: Write, tmp_path: Path, limit: int
):
    folder = write("a.txt", "Precious words.")
    small_index.build(folder)
    for number in range(40):
        write(f"large-{number}.txt", f"Many words, {number} of them. " * 800)
    (tmp_path / "fill.py").write_text(_FILL)
    done = run(tmp_path / "fill.py", folder, small_index.path, limit)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith(("StoreError", "OSError")), done.stdout
    assert len(list(small_index.path.glob("g*"))) == 1
    assert small_index.reader().search_words("precious", 1)
    assert small_index.build(folder).documents == 41


def test_vectors_that_cannot_be_written_leave_the_old_index(small_index, write, monkeypatch):
    folder = write("a.txt", "Precious words.")
    small_index.build(folder)
    write("b.txt", "More.")

    def full(*_: object) -> None:
        raise RuntimeError("Error in write: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FindableWriter, "finish", full)
        with pytest.raises(StoreError, match=r"No space left.*space"):
            small_index.build(folder)
    assert len(list(small_index.path.glob("g*"))) == 1
    assert small_index.build(folder).documents == 2


def test_the_lock_tells_who_writes(small_index: SmallIndex, write: Write):
    small_index.build(write("a.txt", "Words."))
    with small_index.writer():
        note = json.loads((small_index.path / "writer.json").read_text())
        with pytest.raises(IndexLocked) as caught, small_index.writer():
            pass
    assert note["pid"] == os.getpid() and note["host"] == platform.node()
    for part in (str(note["pid"]), note["since"], note["command"], note["host"], "Wait until"):
        assert part in str(caught.value)
    assert not (small_index.path / "writer.json").exists()


def test_what_a_killed_writer_left_goes_with_the_next_one(small_index: SmallIndex, write: Write):
    folder = write("a.txt", "Words.")
    small_index.build(folder)
    unfinished = small_index.path / "g000009"
    unfinished.mkdir()
    (unfinished / "catalog.sqlite").write_bytes(b"half of it")
    assert small_index.build(folder).embedded == 0
    assert not unfinished.exists()


def test_nothing_is_copied_where_nothing_changed(
    small_index: SmallIndex, write: Write, monkeypatch
):
    folder = write("a.txt", "Words.")
    write("bad.pdf", b"%PDF nothing")
    small_index.build(folder)

    def never(*_: object) -> None:
        raise AssertionError("copied")

    monkeypatch.setattr(shutil, "copyfile", never)
    assert small_index.build(folder).embedded == 0
