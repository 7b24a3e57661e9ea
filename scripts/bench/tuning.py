"""Measure what tuning gains on real data, and how long it takes.

    python scripts/bench/tuning.py apparel grocery parakqc manual-tv

Each set is tuned to a scratch folder; what is printed is what `mmchat tune` prints. Held-out questions and
products decide, as they do there.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import mmchat
from mmchat.cli.tuning import print_report
from mmchat.progress import StepProgress
from mmchat.tuning.base import TuningReport

DATA = Path(__file__).parents[2].parent / "shared" / "data"
_PARAPHRASES = 10


def apparel(scratch: Path) -> TuningReport:
    """Photos of clothes; a style is to be found from another view or in another colour."""
    styles = map(json.loads, (DATA / "apparel" / "styles.jsonl").read_text().splitlines())
    rows = [
        (str(DATA / "apparel" / image["file"]), style["sku"])
        for style in styles
        for image in style["images"]
    ]
    table = _table(scratch, ("picture", "product"), rows)
    return mmchat.tune_photos(table, out=scratch / "head", progress=StepProgress())


def grocery(scratch: Path) -> TuningReport:
    """Photos in front of shelves; another photo of the product is to be found."""
    photos = DATA / "grocery" / "photos"
    return mmchat.tune_photos(photos, out=scratch / "head", progress=StepProgress())


def parakqc(scratch: Path) -> TuningReport:
    """Korean sentences; of ten paraphrases the sixth asks for the first."""
    lines = (DATA / "parakqc" / "paraKQC_v1.txt").read_text(encoding="utf-8").splitlines()
    texts = [line.split("\t")[-1] for line in lines]
    rows = [(texts[n + 5], texts[n]) for n in range(0, len(texts), _PARAPHRASES)]
    table = _table(scratch, ("question", "passage"), rows)
    return mmchat.tune_text(table, out=scratch / "model", progress=StepProgress())


def manual_tv(scratch: Path) -> TuningReport:
    """Questions to the manual of a television; the section that answers is to be found."""
    return mmchat.tune_text(DATA / "manual-tv", out=scratch / "model", progress=StepProgress())


SETS: dict[str, Callable[[Path], TuningReport]] = {
    "apparel": apparel,
    "grocery": grocery,
    "parakqc": parakqc,
    "manual-tv": manual_tv,
}


def _table(scratch: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    path = scratch / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def main() -> None:
    """Tune to the sets that are named, or to all."""
    names = sys.argv[1:] or list(SETS)
    unknown = [name for name in names if name not in SETS]
    if unknown or not DATA.is_dir():
        sys.exit(f"Expected some of {', '.join(SETS)}, and their data in {DATA}.")
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            print(f"== {name}")
            print_report(SETS[name](Path(scratch)))


if __name__ == "__main__":
    main()
