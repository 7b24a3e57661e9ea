"""The documentation is true: its commands run, its links lead somewhere, its tables are complete."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT, SAMPLE_SHOP

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Run by CI and by the tests of the scripts themselves; these two run until they are stopped.
ELSEWHERE = re.compile(r"scripts/(demo|test)\b|mmchat serve\b|--watch\b")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for match in re.finditer(rf"^```{language}\n(.*?)^```", page.read_text(), re.S | re.M):
            yield page.name, match[1]


@pytest.fixture(scope="module")
def workplace(
    tmp_path_factory: pytest.TempPathFactory, models: object, generator_model: Path
) -> Path:
    """A folder as a reader of the README would have it, with an index already there."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(SAMPLE_SHOP, folder / "my-shop")
    shutil.copy(next((SAMPLE_SHOP / "pictures").glob("kettle-red*")), folder / "photo.jpg")
    done = run("mmchat index my-shop --out indexes/my-shop", folder)
    assert done.returncode == 0, done.stderr
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), list(blocks("sh")))
def test_every_command_runs(workplace: Path, page: str, block: str):
    for command in block.strip().splitlines():
        if not ELSEWHERE.search(command):
            done = run(command, workplace)
            assert done.returncode == 0, f"{page}: {command}\n{done.stderr}"
            assert done.stdout.strip(), f"{page}: {command} printed nothing"


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), list(blocks("python")))
def test_every_python_example_runs(workplace: Path, page: str, block: str):
    (workplace / "example.py").write_text(block)
    done = run("python example.py", workplace)
    assert done.returncode == 0, f"{page}\n{done.stderr}"
    assert done.stdout.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    prose = re.sub(r"`[^`\n]*`", "", page.read_text())
    for target in re.findall(r"\]\(([^)#]+)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_page_of_settings_is_up_to_date():
    script = ROOT / "scripts" / "write_settings_doc.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False)
    assert done.returncode == 0, "run scripts/write_settings_doc.py"


def test_every_model_of_the_catalogue_is_documented():
    from mmchat.models import catalogue

    page = (ROOT / "docs" / "models.md").read_text()
    notice = (ROOT / "NOTICE").read_text()
    assert all(f"| {name} |" in page for name in catalogue())
    assert "multilingual-e5-small" in notice and "EfficientNet-Lite2" in notice


def test_every_dependency_earns_its_place():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    reasons = (ROOT / "docs" / "decisions.md").read_text()
    missing = [d for d in listed if f"| {re.split('[>=<]', d)[0]} |" not in reasons]
    assert not missing
