"""Choose how far words are trusted, and say how well that carries over to what it was not chosen on.

    python scripts/bench/train_fusion.py [--work FOLDER] [--encoder multilingual-e5-small]

Two numbers are chosen: `retrieval.weight_bm25` and the exponent of the length of passages. For each pair of a
grid every set is ranked by the fusion that mmchat uses, from lists that were searched once. The best pair has
the lowest product of errors, error = 1 - nDCG@10: a hundredth counts more where little is left to win.

Three estimates are printed: on all questions; with each set left out of the choice and measured by the choice
of the others; and with five folds of the questions, each measured by the choice of the other four.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from text_sets import DATA, SETS, Bench, dataset

from mmchat.dataset import Question
from mmchat.retrieval import fusion
from mmchat.retrieval.fusion import TextFindings

WEIGHTS = tuple(round(0.5 * 1.15**i, 3) for i in range(26))
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
FOLDS = 5
DEPTH = 50

Pair = tuple[float, float]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Searched:
    """A set whose questions were searched."""

    name: str
    questions: Sequence[Question]
    found: Sequence[TextFindings]
    documents: dict[str, str]

    def ndcg(self, pair: Pair) -> Values:
        """Return nDCG@10 of each question, with linear gains."""
        weight, exponent = pair
        values = []
        for question, found in zip(self.questions, self.found, strict=True):
            order = (self.documents[f.item] for f in fusion.blend(found, 1.0, weight, exponent))
            ranking = list(dict.fromkeys(order))[:10]
            gains = [question.relevant.get(document, 0) for document in ranking]
            ideal = sorted(question.relevant.values(), reverse=True)[:10]
            values.append(_dcg(gains) / _dcg(ideal))
        return np.array(values)


def _dcg(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def search(name: str, work: Path, data: Path, encoder: str) -> Searched:
    bench = Bench(dataset(name, work, data), work, encoder)
    retriever = bench.retriever(bench.index.config.retrieval)
    vectors = bench.encoder.encode_queries([q.text for q in bench.questions])
    found = [
        retriever.passages.findings(question.text, vector, DEPTH)
        for question, vector in zip(bench.questions, vectors, strict=True)
    ]
    items = {s.item for f in found for s in (*f.dense, *f.words)}
    chunks = bench.reader.chunks(list(items))
    return Searched(name, bench.questions, found, {i: c.document for i, c in chunks.items()})


def best(tables: Sequence[dict[Pair, Values]]) -> Pair:
    """Return the pair with the lowest product of errors over sets."""
    return min(
        tables[0], key=lambda pair: sum(math.log(1 - min(t[pair].mean(), 0.9999)) for t in tables)
    )


def left_out(tables: Sequence[dict[Pair, Values]], place: int) -> tuple[Pair, float]:
    pair = best([t for i, t in enumerate(tables) if i != place])
    return pair, float(tables[place][pair].mean())


def folded(tables: Sequence[dict[Pair, Values]], seed: int = 0) -> list[float]:
    random = np.random.default_rng(seed)
    folds = [random.permutation(len(next(iter(t.values())))) % FOLDS for t in tables]
    scores: list[list[Values]] = [[] for _ in tables]
    for fold in range(FOLDS):
        kept = [
            {pair: values[own != fold] for pair, values in table.items()}
            for table, own in zip(tables, folds, strict=True)
        ]
        pair = best(kept)
        for score, table, own in zip(scores, tables, folds, strict=True):
            score.append(table[pair][own == fold])
    return [float(np.concatenate(score).mean()) for score in scores]


def main() -> None:
    """Choose, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, help="keep datasets and indexes here")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--encoder", default="multilingual-e5-small")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        sets = [search(name, work, arguments.data, arguments.encoder) for name in arguments.sets]
    for each in sets:
        first = each.found[0]
        print(
            f"{each.name}: spread {first.spread:.4f}, {first.words_per_chunk:.1f} words a passage"
        )
    grid = [(weight, exponent) for exponent in EXPONENTS for weight in WEIGHTS]
    tables = [{pair: each.ndcg(pair) for pair in grid} for each in sets]
    for exponents in ((0.0,), EXPONENTS):
        kept = [{p: v for p, v in t.items() if p[1] in exponents} for t in tables]
        pair = best(kept)
        print(f"\nexponents {exponents}: weight {pair[0]}, exponent {pair[1]}")
        others = [
            left_out(kept, i) if len(sets) > 1 else (pair, math.nan) for i in range(len(sets))
        ]
        for each, table, (chosen, value), fold in zip(
            sets, kept, others, folded(kept), strict=True
        ):
            print(
                f"{each.name:12} all {table[pair].mean():.4f}   set left out {value:.4f} "
                f"(weight {chosen[0]}, exponent {chosen[1]})   five folds {fold:.4f}"
            )


if __name__ == "__main__":
    main()
