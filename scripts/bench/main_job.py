"""Measure the main job on the grocery folder: figures, not tests.

    python scripts/bench/main_job.py [--data ../shared/data/grocery] [--json] [--photos N]

Prints files and pictures a second; how often a shelf photo brings up its product; seconds to the first
words and to the whole of an answer; peak memory; seconds from `mmchat search` to its result in a process
of its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import mmchat

ROOT = Path(__file__).parents[2]
QUESTIONS = (
    "How long does asparagus keep in the fridge?",
    "How should I store bananas?",
    "What is the taste of Pink Lady apples?",
    "Is the oat milk suitable for people who do not tolerate lactose?",
    "What can I cook with leek?",
    "Where does the pineapple come from?",
    "What can I use coconut cream for?",
    "Which potatoes are good for mashing?",
    "Do you sell lawn mowers?",
    "What does the parking at the store cost?",
)


@dataclass
class Found:
    """How many photos brought up their product, at rank 1 and within the first 5 products."""

    photos: int = 0
    product: dict[int, int] = field(default_factory=lambda: {1: 0, 5: 0})
    coarse: dict[int, int] = field(default_factory=lambda: {1: 0, 5: 0})


def build(catalog: Path, out: Path) -> dict[str, float]:
    """Build the index and return its rates; the models are fetched before the clock starts."""
    config = mmchat.Config()
    mmchat.build_index(catalog, out.with_name("warm"), config=config)
    report = mmchat.build_index(catalog, out, config=config)
    again = mmchat.build_index(catalog, out, config=config)
    return {
        "files_per_second": round(report.documents / report.seconds, 1),
        "pictures": report.pictures,
        "pictures_per_second": round(report.pictures / report.seconds, 1),
        "passages_per_second": round(report.chunks / report.seconds, 1),
        "build_seconds": report.seconds,
        "nothing_changed_seconds": again.seconds,
    }


def find_photos(index: mmchat.Index, data: Path, limit: int) -> Found:
    """Search with every photo; a hit counts for the product whose folder it lies in."""
    coarse = {
        row["Class Name (str)"]: row["Coarse Class Name (str)"]
        for row in csv.DictReader((data / "classes.csv").open(encoding="utf-8"))
    }
    found = Found()
    rows = list(csv.DictReader((data / "photos.csv").open(encoding="utf-8")))
    for row in rows[:: max(1, len(rows) // limit)]:
        photo = Path(row["photo"])
        wanted = photo.parent.name
        hits = index.search(image=data / photo, k=50)
        products = list(dict.fromkeys(Path(hit.document).parent.name for hit in hits))
        found.photos += 1
        for k in (1, 5):
            found.product[k] += wanted in products[:k]
            found.coarse[k] += coarse[wanted] in {coarse.get(p) for p in products[:k]}
    return found


def answer_times(index: mmchat.Index) -> dict[str, float]:
    """Ask the questions once to warm up and once on the clock."""
    with mmchat.Assistant(index, config=mmchat.Config()) as assistant:
        assistant.ask(QUESTIONS[0])
        answers = [assistant.ask(question) for question in QUESTIONS]
    firsts = [a.first_token_seconds for a in answers if a.first_token_seconds is not None]
    return {
        "first_words_seconds_p50": round(statistics.median(firsts), 2),
        "answer_seconds_p50": round(statistics.median(a.seconds for a in answers), 2),
        "answer_seconds_max": round(max(a.seconds for a in answers), 2),
        "answered": sum(a.status != mmchat.Status.ABSTAINED for a in answers),
        "asked": len(answers),
    }


def cold_search_seconds(index: Path) -> float:
    """Return the seconds of `mmchat search` in a process of its own, the best of three."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        command = [sys.executable, "-m", "mmchat.cli", "search", "asparagus", "--json", "--index"]
        subprocess.run([*command, str(index)], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return round(min(times), 2)


def main() -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "grocery")
    parser.add_argument("--photos", type=int, default=648, help="photos to search with")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "grocery"
        figures: dict[str, float] = build(arguments.data / "catalog", path)
        index = mmchat.open_index(path, config=mmchat.Config())
        found = find_photos(index, arguments.data, arguments.photos)
        figures["photos"] = found.photos
        for k in (1, 5):
            figures[f"product_in_top_{k}"] = round(found.product[k] / found.photos, 3)
            figures[f"coarse_kind_in_top_{k}"] = round(found.coarse[k] / found.photos, 3)
        figures |= answer_times(index)
        figures["cold_search_seconds"] = cold_search_seconds(path)
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    figures["peak_memory_megabytes"] = round(peak / 1e6)
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:28}{value:>10}")


if __name__ == "__main__":
    main()
