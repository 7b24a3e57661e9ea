"""How well the check of a sentence tells claims that their evidence supports from those that it does not.

    python scripts/bench/checker.py [--json]

WiCE's claims (sentences of an encyclopedia with the page that they cite, 119 sentences long on average) go
through the very check that an answer's sentences go through. Balanced accuracy is the mean of the shares of
supported claims that pass and of others that do not. It is printed for the threshold that is shipped, and
for a threshold that is chosen on four fifths of the claims and measured on the fifth.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmchat.answering.evidence import Evidence, Thresholds
from mmchat.answering.grounding import check
from mmchat.types import Chunk

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "wice" / "dev.jsonl"
GRID = tuple(round(0.4 + 0.02 * i, 2) for i in range(26))
FOLDS = 5

Passed = NDArray[np.bool_]


def passes(claim: str, sentences: Sequence[str], coverage: float) -> bool:
    """Return whether a claim passes the check with the sentences of a page as its evidence."""
    text = "\n".join(sentences)
    evidence, start = [], 0
    for sentence in sentences:
        evidence.append(Evidence(0, sentence, (start, start + len(sentence))))
        start += len(sentence) + 1
    page = Chunk("page", "page", 0, text, 0, len(text))
    return check(claim, "", [page], evidence, Thresholds(coverage=coverage)).supported


def balanced(passed: Passed, supported: Passed) -> float:
    """Return the balanced accuracy."""
    return float(passed[supported].mean() + (~passed[~supported]).mean()) / 2


def folded(tables: dict[float, Passed], supported: Passed, seed: int = 0) -> float:
    """Return the balanced accuracy with each fifth measured by the threshold that suits the others."""
    fold = np.random.default_rng(seed).permutation(len(supported)) % FOLDS
    passed = np.zeros(len(supported), bool)
    for number in range(FOLDS):
        own = fold == number
        best = max(tables, key=lambda c: (balanced(tables[c][~own], supported[~own]), -c))
        passed[own] = tables[best][own]
    return balanced(passed, supported)


def main() -> None:
    """Check all claims, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.data.read_text(encoding="utf-8").splitlines()]
    labels = np.array([row["label"] for row in rows])
    shipped = Thresholds().coverage
    tables = {
        coverage: np.array([passes(row["claim"], row["evidence"], coverage) for row in rows])
        for coverage in (*GRID, shipped)
    }
    passed = tables[shipped]
    found = {
        "shares that pass": {
            label: round(float(passed[labels == label].mean()), 3) for label in sorted(set(labels))
        }
    }
    for name, kept in (
        ("supported or not", labels != "partially_supported"),
        ("supported or partly or not", np.full(len(labels), True)),
    ):
        supported = labels[kept] == "supported"
        own = {coverage: table[kept] for coverage, table in tables.items()}
        found[name] = {
            "claims": int(kept.sum()),
            f"balanced accuracy, coverage {shipped}": round(balanced(own[shipped], supported), 3),
            "five folds": round(folded(own, supported), 3),
        }
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for name, values in found.items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in values.items()))


if __name__ == "__main__":
    main()
