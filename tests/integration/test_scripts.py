"""The two commands that a newcomer types first."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support import ROOT


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_demo_tells_how_it_is_used():
    done = demo("--help")
    assert done.returncode == 0
    assert "scripts/demo FOLDER" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["gone"], "gone is not a folder"), (["--nonsense"], "--nonsense"), (["--ask"], "question")],
)
def test_demo_refuses_what_it_cannot_use(arguments: list[str], said: str):
    done = demo(*arguments)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".venv").is_dir(), reason="the tests do not run in .venv")
def test_demo_answers_one_question_and_exits(generator_model: Path):
    done = demo("--ask", "What does express delivery cost?")
    assert done.returncode == 0, done.stderr
    assert "9.90" in done.stdout
    assert "delivery" in done.stdout or "faq" in done.stdout
