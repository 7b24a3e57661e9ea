"""How often a follow-up finds what answers it: as it is, joined to the question before, rewritten.

    python scripts/bench/followups.py [--index INDEX]

The cases (tests/followups.jsonl) were written by hand over the sample shop, in English and Korean. Without
--index the sample shop is indexed first, into a temporary folder. Prints one row a way of asking.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmchat
from mmchat.answering.followups import understand
from mmchat.sentences import is_korean
from mmchat.types import Exchange

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "followups.jsonl"
DEPTH = 3


@dataclass(frozen=True)
class Case:
    """A follow-up after what was said, and the titles of the documents that may answer it."""

    history: tuple[Exchange, ...]
    question: str
    titles: frozenset[str]


def read_cases() -> list[Case]:
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [
        Case(
            tuple(Exchange(said["question"], product=said["product"]) for said in row["history"]),
            row["question"],
            frozenset(row["titles"]),
        )
        for row in rows
    ]


def alone(case: Case) -> str:
    return case.question


def joined(case: Case) -> str:
    return f"{case.history[-1].question} {case.question}"


def rewritten(case: Case) -> str:
    return understand(case.question, case.history).readings[0]


def measure(index: Any, cases: list[Case], ask: Callable[[Case], str]) -> tuple[float, float]:
    """Return the share of cases whose document is first, and the share where it is among the first."""
    first = among = 0
    for case in cases:
        found = [hit.title for hit in index.search(ask(case), k=DEPTH, where={"kind": "chunk"})]
        first += found[0] in case.titles
        among += not case.titles.isdisjoint(found)
    return first / len(cases), among / len(cases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path)
    path = parser.parse_args().index
    cases = read_cases()
    with tempfile.TemporaryDirectory() as scratch:
        if path is None:
            path = Path(scratch) / "shop"
            mmchat.build_index(ROOT / "mmchat" / "sample_shop", path)
        index = mmchat.open_index(path)
        print(f"{'':12}{'cases':>7}{'first':>8}{'in 3':>8}")
        for language in ("English", "Korean"):
            chosen = [c for c in cases if is_korean(c.question) == (language == "Korean")]
            for ask in (alone, joined, rewritten):
                first, among = measure(index, chosen, ask)
                print(f"{language:9}{ask.__name__:>10}{len(chosen):>5}{first:>8.2f}{among:>8.2f}")
    begun = time.perf_counter()
    for case in cases:
        understand(case.question, case.history)
    print(f"{(time.perf_counter() - begun) / len(cases) * 1e3:.2f} ms to rewrite one")


if __name__ == "__main__":
    main()
