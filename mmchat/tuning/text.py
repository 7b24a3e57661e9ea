"""Tune a text encoder on pairs, and judge it by questions whose passages it has not seen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from mmchat.errors import InputError
from mmchat.measures import Values, graded
from mmchat.tuning.base import RECORD, Progress, TuningReport, compare
from mmchat.tuning.pairs import Pairs, Passage, Split, passages_of, split
from mmchat.tuning.training import Base, Training, TrainingPair, require_trainer, train

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_MEASURES = ("ndcg@10", "recall@5", "recall@10", "hit@1")
_FOUND = 10
_AT_ONCE = 128

Vectors = NDArray[np.float32]


class TextEncoder(Protocol):
    """An encoder of questions and passages."""

    @property
    def fingerprint(self) -> str:
        """Name and content of the model."""
        ...

    @property
    def prompts(self) -> tuple[str, str]:
        """What stands before a question, and before a passage."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...


@dataclass(frozen=True, slots=True)
class Models:
    """The base model, and how models are loaded."""

    base: TextEncoder
    trainable: Callable[[], SentenceTransformer]
    """Gives the base model anew, in float32, to be trained."""
    open: Callable[[Path], TextEncoder]
    """Opens a folder as an index would."""


def tune_pairs(
    pairs: Pairs,
    models: Models,
    out: Path,
    *,
    training: Training,
    keep: bool,
    progress: Progress,
) -> TuningReport:
    """Tune the base model, and keep it in `out` where it became better by more than chance.

    Args:
        pairs: questions and passages.
        models: the base model.
        out: the folder of sentence-transformers that is written, whole or not at all.
        training: how.
        keep: keep it even where it is not better.
        progress: is told how far it is.

    Raises:
        InputError: there are too few pairs.
        MissingExtra: the trainer is not installed.
    """
    require_trainer()
    parts = split(pairs, seed=training.seed)
    work, made = out.with_name(f"{out.name}.tuning"), out.with_name(f"{out.name}.part")
    before = judge(models.base, parts, progress)
    chosen = _training_pairs(models.base, pairs, parts, progress)
    if not chosen:
        raise InputError(
            "Every passage to train on also stands among the held-out ones. Give pairs that lead to more "
            "different passages."
        )
    shutil.rmtree(made, ignore_errors=True)
    base = Base(models.trainable, models.base.fingerprint, models.base.prompts)
    train(base, chosen, made, work=work, training=training, progress=progress)
    changes = compare(before, judge(models.open(made), parts, progress))
    kept = out if changes[0].is_gain or keep else None
    report = TuningReport(
        kind="text",
        base=models.base.fingerprint,
        kept=kept,
        trained=len(chosen),
        judged=len(parts.held_out),
        among=len(parts.pool),
        changes=changes,
        left_out=pairs.left_out,
    )
    if kept:
        _write_record(made, report, training)
        made.replace(out)
    shutil.rmtree(made, ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)
    return report


def _write_record(folder: Path, report: TuningReport, training: Training) -> None:
    """Note beside the model how it was made; without times, which would change its fingerprint."""
    values = report.values()
    told = {name: values[name] for name in ("kind", "base", "trained", "judged", "measures")}
    text = json.dumps({**told, "training": asdict(training)}, indent=2)
    (folder / RECORD).write_text(f"{text}\n", encoding="utf-8")


def judge(encoder: TextEncoder, parts: Split, progress: Progress) -> Mapping[str, Values]:
    """Return how well an encoder finds the units that answer the held-out questions, by measure.

    A unit is as near to a question as the nearest of its passages.
    """
    units = [passage.unit for passage in parts.pool]
    passages = _encode(encoder.encode_passages, [p.text for p in parts.pool], "Measuring", progress)
    questions = encoder.encode_queries([asked.text for asked in parts.held_out])
    found = [_nearest(scores, units) for scores in questions @ passages.T]
    values = graded([asked.relevant for asked in parts.held_out], found)
    return {name: values[name] for name in _MEASURES}


def _nearest(scores: Vectors, units: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for place in np.argsort(-scores, kind="stable"):
        found.setdefault(units[place])
        if len(found) == _FOUND:
            break
    return list(found)


def _training_pairs(
    encoder: TextEncoder, pairs: Pairs, parts: Split, progress: Progress
) -> list[TrainingPair]:
    """Choose a passage for each question: of several, the one which the base model finds nearest."""
    texts = passages_of(pairs.passages)
    unseen = {passage for asked in parts.held_out for u in asked.relevant for passage in texts[u]}
    several = {unit for asked in parts.train for unit in asked.relevant if len(texts[unit]) > 1}
    candidates = [Passage(unit, text) for unit in sorted(several) for text in texts[unit]]
    vectors = _encode(
        encoder.encode_passages, [c.text for c in candidates], "Choosing passages", progress
    )
    places: dict[str, list[int]] = {}
    for place, candidate in enumerate(candidates):
        places.setdefault(candidate.unit, []).append(place)
    questions = encoder.encode_queries([asked.text for asked in parts.train])
    chosen = []
    for asked, vector in zip(parts.train, questions, strict=True):
        for unit in asked.relevant:
            best = int(np.argmax(vectors[places[unit]] @ vector)) if unit in places else 0
            # A sentence that stands on many pages may be part of a unit that is held out.
            if texts[unit][best] not in unseen:
                chosen.append(TrainingPair(asked.text, texts[unit][best]))
    return chosen


def _encode(
    encode: Callable[[Sequence[str]], Vectors],
    texts: Sequence[str],
    step: str,
    progress: Progress,
) -> Vectors:
    if not texts:
        return encode([])
    progress.start(step, len(texts))
    try:
        rows = []
        for start in range(0, len(texts), _AT_ONCE):
            rows.append(encode(texts[start : start + _AT_ONCE]))
            progress.advance(len(rows[-1]))
    finally:
        progress.finish()
    return np.concatenate(rows)
