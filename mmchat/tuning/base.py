"""What tuning a text encoder and tuning the head for pictures have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mmchat.measures import Estimate, Values, estimate, paired_test

RECORD = "tuning.json"
"""What a tuned model keeps of how it was made and judged, beside its weights."""

_CHANCE = 0.05


class Progress(Protocol):
    """Is told how far each step of tuning is."""

    def start(self, description: str, total: int, /) -> None:
        """A step of so many parts begins."""
        ...

    def advance(self, count: int, /) -> None:
        """`count` more parts are done."""
        ...

    def finish(self) -> None:
        """The step ended, well or not."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One measure of the base and of the tuned model, over the same questions or photos."""

    measure: str
    base: Estimate
    tuned: Estimate
    difference: Estimate
    """Tuned above base, question by question."""
    p: float
    """The probability that a difference as large comes about by chance."""

    @property
    def is_gain(self) -> bool:
        """Whether the tuned model is above the base by more than chance (p < 0.05)."""
        return self.difference.value > 0 and self.p < _CHANCE

    def values(self) -> dict[str, float | list[float]]:
        """Return the change as JSON values."""
        return {
            "base": round(self.base.value, 4),
            "tuned": round(self.tuned.value, 4),
            "difference": round(self.difference.value, 4),
            "interval": [round(self.difference.low, 4), round(self.difference.high, 4)],
            "p": round(self.p, 4),
        }


@dataclass(frozen=True, slots=True)
class TuningReport:
    """What came out of tuning."""

    kind: str
    """`text` or `photos`."""
    base: str
    """The base model's fingerprint."""
    kept: Path | None
    """Where the tuned model is; None where it is no better, and was not to be kept all the same."""
    trained: int
    """Pairs, or photos, that were trained on."""
    judged: int
    """Held-out questions, or photos, that decided."""
    among: int
    """Passages, or products, that were searched for each of them."""
    changes: Sequence[Change]
    """The first one decides."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason to how many pairs or photos were not used."""
    seconds: float = 0.0
    """What all of it took."""

    @property
    def is_better(self) -> bool:
        """Whether the tuned model finds more of what is held out, by more than chance."""
        return self.changes[0].is_gain

    def values(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "kind": self.kind,
            "base": self.base,
            "kept": None if self.kept is None else str(self.kept),
            "better": self.is_better,
            "trained": self.trained,
            "judged": self.judged,
            "among": self.among,
            "left_out": dict(self.left_out),
            "measures": {change.measure: change.values() for change in self.changes},
            "seconds": round(self.seconds, 1),
        }


def compare(base: Mapping[str, Values], tuned: Mapping[str, Values]) -> tuple[Change, ...]:
    """Return how the measures changed, in the order of `base`. Values are those of the same questions."""
    return tuple(
        Change(
            name,
            estimate(before),
            estimate(tuned[name]),
            estimate(tuned[name] - before),
            paired_test(before, tuned[name]),
        )
        for name, before in base.items()
    )
