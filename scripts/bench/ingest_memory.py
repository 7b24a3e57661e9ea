"""Measure the memory of large builds, and the time of a build that has nothing to do: figures, not tests.

    python scripts/bench/ingest_memory.py [--only mixed,large,real] [--files 10000] [--megabytes 500]

Each build runs in a process of its own with stand-ins for the encoders, which take no time and no memory:
what is left is the ingestion's own. `beyond the models` is the peak of that process above what its imports
take, plus the whole peak of the reading process.

- mixed: so many files of text, Markdown, tables and pictures; then the same again with nothing changed.
- large: one text file of so many megabytes.
- real: a thirtieth of the files with the default encoders; a build without changes, over the full one.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

import mmchat
from mmchat.config import IngestConfig
from mmchat.ingest.pipeline import Pipeline
from mmchat.ingest.process import ProcessReading
from mmchat.ingest.reading import ReadSettings
from mmchat.stores.base import Vectors
from mmchat.stores.manifest import EncoderRecord, Manifest
from mmchat.stores.writing import LocalWriter

_WORDS = (
    "the kettle descales itself when it is filled with vinegar and water and then switched on for ten "
    "minutes while warranty claims need a receipt and an order number 반품은 삼십 일 안에 하셔야 합니다 "
    "배송비는 무료입니다"
).split()
_KINDS = ("txt", "md", "csv", "jpg", "png")


class NoText:
    """Stands for a text encoder: vectors of its width, made of nothing."""

    dimension = 384

    def __init__(self) -> None:
        self._some = np.random.default_rng(0).normal(size=(4096, self.dimension)).astype("float32")
        self._some /= np.linalg.norm(self._some, axis=1, keepdims=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return a vector for each text: of a table, by its length."""
        return self._some[[len(text) % 4096 for text in texts]]

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return pieces of up to five letters, about as long as real tokens."""
        return [match.span() for match in re.finditer(r"\w{1,5}|[^\w\s]", text)]

    def letters_per_token(self, text: str) -> float:
        """Return what an encoder would that knows every word."""
        return 5.0


class NoImages(NoText):
    """Stands for an image encoder."""

    dimension = 1792

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return a vector for each picture."""
        return self._some[[image.width % 4096 for image in images]]


def write_mixed(folder: Path, files: int) -> None:
    """Write so many files: as many of each kind, in folders of a hundred."""
    rng = random.Random(1)
    blurred = Image.effect_noise((1600, 1200), 200).filter(ImageFilter.GaussianBlur(2))
    photo = blurred.convert("RGB")
    for number in range(files):
        kind = _KINDS[number % len(_KINDS)]
        path = folder / f"{number // 100:03}" / f"product-{number:05}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind in {"jpg", "png"}:
            # A photo of a phone (of about 200 KB), or a clean drawing; the first pixel makes each its own.
            picture = photo if kind == "jpg" else Image.new("RGB", (640, 480), "white")
            picture.putpixel((0, 0), (number % 256, number // 256 % 256, 7))
            picture.save(path, quality=80)
        elif kind == "csv":
            rows = (f"{number}-{row},{_text(rng, 3)},{_text(rng, 20)}\n" for row in range(20))
            path.write_text("sku,name,description\n" + "".join(rows), encoding="utf-8")
        else:
            path.write_text(f"# {_text(rng, 4)}\n\n{_text(rng, 400)}\n", encoding="utf-8")


def write_large(folder: Path, megabytes: int) -> None:
    """Write one text file."""
    rng = random.Random(2)
    folder.mkdir(parents=True)
    with (folder / "large.txt").open("w", encoding="utf-8") as out:
        while out.tell() < megabytes * 1e6:
            out.write("\n\n".join(f"{_text(rng, 80)}." for _ in range(200)) + "\n\n")


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words))


def build_here(folder: Path, out: Path) -> dict[str, float]:
    """Build in this process, and build again without a change."""
    config = IngestConfig(max_file_mb=10_000)
    text, images = NoText(), NoImages()
    manifest = Manifest(
        EncoderRecord("none", "none-1", text.dimension),
        EncoderRecord("none", "none-1", images.dimension),
        asdict(config),
    )
    before = _peak(resource.RUSAGE_SELF)
    seconds = []
    reports = []
    for _ in range(2):
        started = time.perf_counter()
        with LocalWriter(out, manifest) as writer:
            reading = ProcessReading(ReadSettings(config))
            reports.append(Pipeline(text, images, config, reading=reading).run(folder, writer))
        seconds.append(time.perf_counter() - started)
        if len(seconds) == 1:
            own, reader = _peak(resource.RUSAGE_SELF) - before, _peak(resource.RUSAGE_CHILDREN)
    first, again = reports
    assert again.embedded == 0
    return {
        "documents": first.documents,
        "passages": first.chunks,
        "pictures": first.pictures,
        "errors": first.errors,
        "build_seconds": round(seconds[0], 1),
        "nothing_changed_seconds": round(seconds[1], 2),
        "megabytes_of_this_process": round(own),
        "megabytes_of_the_reader": round(reader),
        "megabytes_beyond_the_models": round(own + reader),
    }


def build_real(folder: Path, out: Path) -> dict[str, float]:
    """Build with the default encoders, which are loaded before the clock starts, and again."""
    config = mmchat.Config()
    mmchat.build_index(folder, out.with_name("warm"), config=config)
    full = mmchat.build_index(folder, out, config=config)
    again = mmchat.sync(out, config=config)
    return {
        "files": full.documents,
        "items_embedded": full.embedded,
        "build_seconds": full.seconds,
        "nothing_changed_seconds": again.seconds,
        "nothing_changed_over_build": round(again.seconds / full.seconds, 5),
    }


def _peak(who: int) -> float:
    """Return the peak memory of this process, or of the largest child that has ended, in 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024  # Linux counts in KiB, macOS in bytes
    return resource.getrusage(who).ru_maxrss * unit / 1e6


def main() -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="mixed,large,real")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--build", nargs=3, metavar=("KIND", "FOLDER", "OUT"), help="for itself")
    arguments = parser.parse_args()
    if arguments.build:
        kind, folder, out = arguments.build
        work = build_real if kind == "real" else build_here
        print(json.dumps(work(Path(folder), Path(out))))
        return
    for kind in arguments.only.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            folder, out = Path(scratch) / "folder", Path(scratch) / "index"
            if kind == "large":
                write_large(folder, arguments.megabytes)
            else:
                write_mixed(folder, arguments.files if kind == "mixed" else arguments.files // 30)
            command = [sys.executable, __file__, "--build", kind, str(folder), str(out)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(kind)
        for name, value in json.loads(done.stdout).items():
            print(f"  {name:32}{value:>12}")


if __name__ == "__main__":
    main()
