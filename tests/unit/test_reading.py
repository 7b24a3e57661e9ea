"""Reading in a process of its own: what it yields, and what a hostile file costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from support import ROOT, SmallIndex

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected, MmchatError
from mmchat.ingest.base import SourcePath
from mmchat.ingest.pipeline import Pipeline
from mmchat.ingest.process import ProcessReading
from mmchat.ingest.reading import DirectReading, FileUnreadable, Reading, ReadSettings, hash_file
from mmchat.types import IndexReport

Write = Callable[[str, str | bytes], Path]
HOSTILE = [sys.executable, "-P", str(ROOT / "tests" / "hostile_reader.py")]


@pytest.fixture
def reading() -> Iterator[ProcessReading]:
    reading = ProcessReading(ReadSettings(IngestConfig(max_seconds=2, max_memory_mb=512)), HOSTILE)
    yield reading
    reading.close()


def build(index: SmallIndex, folder: Path, reading: Reading) -> IndexReport:
    with index.writer() as writer:
        return Pipeline(index.text, index.images, index.ingest, reading=reading).run(folder, writer)


def source(path: Path) -> SourcePath:
    return SourcePath(path, path.name, path.stem)


def test_it_reads_what_reading_right_here_reads(write: Write, draw, reading: ProcessReading):
    folder = write("a.md", "# Kettle\n\n한국어 문장입니다.")
    draw("photo.png", "blue", (300, 200))
    direct = DirectReading(ReadSettings(IngestConfig()))
    for name in ("a.md", "photo.png"):
        path = folder / name
        (here,) = direct.read(source(path), hash_file(path))
        (there,) = reading.read(source(path), hash_file(path))
        assert there.loaded.documents == here.loaded.documents
        assert there.copies == here.copies
        pairs = zip(there.loaded.pictures, here.loaded.pictures, strict=True)
        assert all(a.image.tobytes() == b.image.tobytes() and a.size == b.size for a, b in pairs)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("crash", "crashed the reader (SIGSEGV)"),
        ("exit", "crashed the reader (exit code 3)"),
        ("hang", "took longer to read than 2 s"),
        pytest.param(
            "eat",
            "needs more memory to read than 512 MB",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="no limit of memory here"),
        ),
    ],
)
def test_a_hostile_file_costs_itself_alone_and_is_not_tried_again(
    small_index: SmallIndex, write: Write, reading: ProcessReading, order: str, said: str
):
    folder = write("a.txt", "Alpha words.")
    write("b.hostile", order)
    write("c.txt", "Gamma words.")
    report = build(small_index, folder, reading)
    assert (report.documents, report.errors) == (2, 1)
    (problem,) = report.problems
    assert said in problem.reason and problem.document == "b.hostile"
    reader = small_index.reader()
    assert not reader.search_words(order, 5)
    assert reader.search_words("gamma", 5)
    again = build(small_index, folder, reading)
    assert (again.embedded, again.skipped, again.errors) == (0, 3, 1)
    write("b.hostile", "Mended words.")
    mended = build(small_index, folder, reading)
    assert (mended.embedded, mended.errors) == (1, 0)


def test_what_a_library_prints_does_not_disturb(write: Write, reading: ProcessReading):
    path = write("a.hostile", "print this") / "a.hostile"
    (part,) = reading.read(source(path), hash_file(path))
    assert part.loaded.documents[0].document.text.strip() == "print this"


def test_a_file_that_changes_while_it_is_read_keeps_its_earlier_content(
    small_index: SmallIndex, write: Write, reading: ProcessReading
):
    folder = write("a.hostile", "Earlier words.")
    build(small_index, folder, reading)
    write("a.hostile", "change now")
    report = build(small_index, folder, reading)
    assert "changed while it was read" in report.problems[0].reason
    assert small_index.reader().search_words("earlier", 1)
    write("a.hostile", "Settled words.")
    assert build(small_index, folder, reading).errors == 0
    assert not small_index.reader().search_words("earlier", 1)


def test_a_file_that_cannot_be_opened_keeps_its_earlier_content(small_index, write, monkeypatch):
    from mmchat.ingest import planning

    folder = write("a.txt", "Earlier words.")
    write("b.txt", "Other words.")
    small_index.build(folder)
    real = planning.hash_file

    def fail(path: Path) -> str:
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(planning, "hash_file", fail)
        report = small_index.build(folder)
    assert (report.removed, report.errors) == (0, 1)
    assert "Permission denied" in report.problems[0].reason
    assert small_index.reader().search_words("earlier", 1)
    assert small_index.build(folder).errors == 0


def test_waiting_for_the_encoders_is_not_counted(write: Write, reading: ProcessReading):
    path = write("a.hostile", "Words.") / "a.hostile"
    parts = reading.read(source(path), hash_file(path))
    next(parts)
    time.sleep(2.5)
    assert list(parts) == []


def test_the_process_starts_with_the_first_file_and_ends_with_the_reading(write, reading):
    assert reading._child is None
    path = write("a.txt", "Words.") / "a.txt"
    list(reading.read(source(path), hash_file(path)))
    process = reading._child._process
    assert process.poll() is None
    reading.close()
    assert process.poll() is not None


def test_it_does_not_outlive_whoever_started_it(write: Write, tmp_path: Path):
    path = write("a.txt", "Words.") / "a.txt"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from mmchat.config import IngestConfig; from mmchat.ingest.base import SourcePath\n"
        "from mmchat.ingest.process import ProcessReading\n"
        "from mmchat.ingest.reading import ReadSettings, hash_file\n"
        "path = Path(sys.argv[1]); reading = ProcessReading(ReadSettings(IngestConfig()))\n"
        "list(reading.read(SourcePath(path, 'a.txt', 'a'), hash_file(path)))\n"
        "print(reading._child._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_reader_that_does_not_start_blames_no_file(small_index: SmallIndex, write: Write):
    folder = write("a.txt", "Words.")
    reading = ProcessReading(
        ReadSettings(IngestConfig()), [sys.executable, "-c", "import nonsense"]
    )
    with pytest.raises(MmchatError, match="nonsense") as caught:
        build(small_index, folder, reading)
    assert not isinstance(caught.value, FileRejected)
    assert not small_index.path.exists()


def test_the_reading_process_imports_no_encoder():
    code = "import sys, mmchat.ingest.child; print({'torch', 'faiss', 'gradio'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"


def test_unreadable_is_told_from_broken(write: Write, tmp_path: Path):
    direct = DirectReading(ReadSettings(IngestConfig()))
    folder = write("a.jpg", b"broken")
    with pytest.raises(FileRejected):
        list(direct.read(source(folder / "a.jpg"), hash_file(folder / "a.jpg")))
    with pytest.raises(FileUnreadable):
        list(direct.read(source(folder / "gone.txt"), ""))
    Image.new("RGB", (9, 9)).save(folder / "a.jpg")
    assert list(direct.read(source(folder / "a.jpg"), hash_file(folder / "a.jpg")))
