"""How well something is found, and whether a difference is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

METRICS = ("ndcg@10", "recall@5", "recall@10", "hit@1", "mrr@10")
_TREC = {
    "ndcg@10": "ndcg_cut_10",
    "recall@5": "recall_5",
    "recall@10": "recall_10",
    "hit@1": "success_1",
    "mrr@10": "recip_rank",
}
_SAMPLES = 2000
_FLIPS = 10_000
_BLOCK = 500

Values = NDArray[np.float64]
"""One value for each question."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its 95 % interval."""

    value: float
    low: float
    high: float


def graded(
    relevant: Sequence[Mapping[str, int]], found: Sequence[Sequence[str]]
) -> dict[str, Values]:
    """Return metric to its value for each question.

    Gains are linear, as in trec_eval and BEIR: grade 2 is worth twice as much as grade 1.

    Args:
        relevant: of each question, what answers it: id to grade, above 0.
        found: of each question, the ids that were found, best first, ten at most.
    """
    import pytrec_eval

    names = [str(number) for number in range(len(relevant))]
    evaluator = pytrec_eval.RelevanceEvaluator(
        {name: dict(ids) for name, ids in zip(names, relevant, strict=True)}, set(_TREC.values())
    )
    values = evaluator.evaluate(
        {
            name: {item: float(len(run) - place) for place, item in enumerate(run)}
            for name, run in zip(names, found, strict=True)
        }
    )
    # What found nothing at all is left out by trec_eval.
    return {
        metric: np.array([values.get(name, {}).get(key, 0.0) for name in names])
        for metric, key in _TREC.items()
    }


def estimate(values: Values, *, seed: int = 0) -> Estimate:
    """Return the mean of values, of shape (questions,), with its 95 % interval by bootstrap.

    Efron & Tibshirani, "An introduction to the bootstrap", 1993: the percentiles of the means of samples
    with replacement.
    """
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            values[random.integers(0, len(values), (_BLOCK, len(values)))].mean(1)
            for _ in range(_SAMPLES // _BLOCK)
        ]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return Estimate(float(values.mean()), float(low), float(high))


def share(hits: int, of: int) -> Estimate:
    """Return a share of counted cases with its 95 % interval.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927: it holds for
    few cases and for shares near 0 and 1, where resampling finds no spread.
    """
    from scipy.stats import binomtest

    if not of:
        return Estimate(0.0, 0.0, 1.0)
    interval = binomtest(hits, of).proportion_ci(0.95, method="wilson")
    return Estimate(hits / of, float(interval.low), float(interval.high))


def paired_test(a: Values, b: Values, *, seed: int = 0) -> float:
    """Return the probability that a difference as large as this comes about by chance.

    Fisher's randomisation test, two-sided, on the same questions asked of both: it assumes no
    distribution (Smucker, Allan & Carterette, "A comparison of statistical significance tests for
    information retrieval evaluation", CIKM 2007).
    """
    random = np.random.default_rng(seed)
    differences = b - a
    seen = abs(differences.mean())
    as_large = 0
    for _ in range(_FLIPS // _BLOCK):
        signs = random.choice((-1.0, 1.0), (_BLOCK, len(differences)))
        as_large += int((np.abs((signs * differences).mean(1)) >= seen - 1e-12).sum())
    return (as_large + 1) / (_FLIPS + 1)
