"""What `mmchat tune` prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmchat.cli.tuning import print_report
from mmchat.tuning.base import TuningReport, compare


def report(kind: str, *, gain: bool, kept: bool) -> TuningReport:
    before = {"ndcg@10": np.zeros(20)}
    after = {"ndcg@10": np.full(20, 0.5 if gain else 0.0)}
    return TuningReport(
        kind=kind,
        base="base-1",
        kept=Path("models/mine") if kept else None,
        trained=60,
        judged=20,
        among=80,
        changes=compare(before, after),
        left_out={"without a passage": 3},
        seconds=150,
    )


def test_what_is_better_comes_with_the_next_command(capsys: pytest.CaptureFixture[str]):
    print_report(report("text", gain=True, kept=True))
    out, err = capsys.readouterr()
    assert (
        "trained on 60 pairs, judged by 20 held-out questions among 80 passages, in 2.5 min" in out
    )
    assert "+0.500 [+0.500, +0.500]   0.0001" in out
    assert "The tuned model is better: models/mine" in out
    assert "--text-encoder models/mine" in out
    assert "Left out: 3 pairs without a passage." in err


def test_a_head_for_photos_is_named_as_the_setting_takes_it(capsys: pytest.CaptureFixture[str]):
    print_report(report("photos", gain=True, kept=True))
    assert "--image-encoder mmchat-lite@models/mine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kept", "said"), [(False, "was not kept"), (True, "not better by more than chance, but kept")]
)
def test_what_is_no_better_is_told(capsys: pytest.CaptureFixture[str], kept: bool, said: str):
    told = report("text", gain=False, kept=kept)
    print_report(told)
    assert said in capsys.readouterr().out
    values = told.values()
    assert values["better"] is False
    assert (values["kept"] is None) is not kept
    assert values["measures"]["ndcg@10"]["difference"] == 0
