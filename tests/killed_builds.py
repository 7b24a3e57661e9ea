"""Kill builds with SIGKILL, at every step and at random moments, and look at what is left each time.

    python tests/killed_builds.py FOLDER MOMENTS SEED

Each build runs in a forked process of its own, with the small encoders. Prints as JSON how often the old
and how often the new content was found; anything else ends the script with an error.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
from PIL import Image
from support import SmallIndex

from mmchat.errors import IndexNotFound
from mmchat.ingest.pipeline import Pipeline
from mmchat.ingest.process import ProcessReading
from mmchat.ingest.reading import ReadSettings
from mmchat.stores.findable import FindableWriter

# What a build changes on the disk goes through these.
_STEPS = [
    (os, "replace"),
    (os, "fsync"),
    (os, "mkdir"),
    (os, "unlink"),
    (os, "rmdir"),
    (shutil, "copyfile"),
    (FindableWriter, "finish"),
]
_QUERIES = ("alpha words", "beta words", "gamma delta", "only here")
Content = tuple[object, ...]


def write_versions(folder: Path) -> tuple[Path, Path]:
    """Write two folders that differ in edited, new, renamed and deleted files, and in pictures."""
    old, new = folder / "old", folder / "new"
    for version, colour in ((old, "red"), (new, "blue")):
        version.mkdir(parents=True)
        for number in range(6):
            (version / f"same-{number}.txt").write_text(f"Gamma words {number}. " * 20)
        (version / "edited.md").write_text(f"![p](p.png) The {version.name} alpha words. " * 30)
        Image.new("RGB", (320, 200), colour).save(version / "p.png")
        (version / f"{version.name}.txt").write_text(f"Beta words only here: {version.name}.")
        (version / f"{version.name}.jpg").write_bytes(b"broken")
    return old, new


def build(index: SmallIndex, folder: Path, *, in_process: bool = False) -> None:
    """Bring an index in step with a folder."""
    reading = ProcessReading(ReadSettings(index.ingest)) if in_process else None
    with index.writer() as writer:
        Pipeline(index.text, index.images, index.ingest, reading=reading).run(folder, writer)


def content(index: SmallIndex) -> Content:
    """Return everything that an index holds and answers, whatever its rows are numbered."""
    reader = index.reader()
    with sqlite3.connect(reader.generation / "catalog.sqlite") as catalog:
        tables = [
            sorted(catalog.execute(f"SELECT {columns} FROM {table}"))
            for table, columns in (
                ("files", "path, content_hash"),
                ("problems", "path, content_hash, reason"),
                ("documents", "path, title, text, metadata"),
                ("chunks", 'item, ordinal, start, "end", breadcrumb'),
                ("pictures", "item, name, media, thumb, caption"),
                ("links", "picture, chunk, position"),
            )
        ]
    answers = [
        sorted((scored.item, round(scored.score, 3)) for scored in found)
        for query in _QUERIES
        for found in (
            reader.search_text(index.text.encode_queries([query])[0], 99),
            reader.search_words(query, 99),
            reader.search_images(index.images.encode_texts(["red"])[0], 99),
        )
    ]
    pictures = reader.pictures([row[0] for row in tables[4]]).values()
    assert all(reader.file(name).is_file() for p in pictures for name in (p.media, p.thumb))
    return (*tables, *answers)


def killed(work: Callable[[], None], seconds: float | None = None) -> bool:
    """Run `work` in a forked process; kill it after so long. Return whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def stopping_at(step: int, work: Callable[[], None]) -> Callable[[], None]:
    """Return `work` so that it kills its own process before its n-th step on the disk."""
    left = step

    def wrap(real: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return counted

    def run() -> None:
        for module, name in _STEPS:
            setattr(module, name, wrap(getattr(module, name)))
        work()

    return run


class Trial:
    """Kills builds of an index that goes from one version of a folder to the other."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.versions = write_versions(scratch / "folders")
        self.clean: list[Content] = []
        for number, version in enumerate(self.versions):
            index = SmallIndex(scratch / f"clean-{number}")
            build(index, version)
            self.clean.append(content(index))
        assert self.clean[0] != self.clean[1]
        self.found: Counter[str] = Counter()

    def start(self, *, first: bool) -> SmallIndex:
        """Return an index of the old version; none at all for a first build."""
        path = self.scratch / "index"
        shutil.rmtree(path, ignore_errors=True)
        if not first:
            shutil.copytree(self.scratch / "clean-0", path)
        return SmallIndex(path)

    def look(self, index: SmallIndex, *, first: bool) -> str:
        """Tell which version is there, and that it is whole."""
        try:
            now = content(index)
        except IndexNotFound:
            assert first, "the index is gone"
            return "none"
        assert now in self.clean, "a mixture"
        return "new" if now == self.clean[1] else "old"

    def judge(self, index: SmallIndex, *, first: bool) -> None:
        """Count what is left after a kill; a rerun must come to what a clean build comes to."""
        self.found[self.look(index, first=first)] += 1
        build(index, self.versions[1])
        assert content(index) == self.clean[1]
        held = {p.name for p in index.path.iterdir() if p.name[0] == "g"}
        assert len(held) <= 2 and not list(index.path.rglob("*.partial")), held

    def every_step(self, *, first: bool) -> Iterator[int]:
        """Kill a build before each of its steps in turn."""
        step = 0
        while True:
            index = self.start(first=first)
            if not killed(stopping_at(step, lambda i=index: build(i, self.versions[1]))):
                return
            self.judge(index, first=first)
            yield step
            step += 1

    def at_random(self, moments: int, rng: random.Random) -> None:
        """Kill builds at random moments: first ones and later ones, with and without a reading process."""
        lengths: dict[tuple[bool, bool], float] = {}
        for number in range(moments):
            kind = first, in_process = number % 3 == 0, number % 5 == 0
            if kind not in lengths:
                index = self.start(first=first)
                begun = time.monotonic()
                killed(lambda i=index, p=in_process: build(i, self.versions[1], in_process=p))
                lengths[kind] = time.monotonic() - begun
            index = self.start(first=first)
            killed(
                lambda i=index, p=in_process: build(i, self.versions[1], in_process=p),
                rng.uniform(0, 1.1 * lengths[kind]),
            )
            self.judge(index, first=first)


def main() -> None:
    """Run the trial."""
    scratch, moments, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    faiss.omp_set_num_threads(1)  # threads of OpenMP do not survive a fork
    trial = Trial(scratch)
    steps = {
        name: len(list(trial.every_step(first=first)))
        for name, first in (("first", True), ("later", False))
    }
    at_steps, trial.found = trial.found, Counter()
    trial.at_random(moments, random.Random(seed))
    print(json.dumps({"steps": steps, "at_steps": at_steps, "at_random": trial.found}))


if __name__ == "__main__":
    main()
