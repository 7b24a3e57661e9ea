"""The documentation is true: its commands run, its links lead somewhere, its tables are complete."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
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
    write_examples(folder)
    done = run("mmchat index my-shop --out indexes/my-shop", folder)
    assert done.returncode == 0, done.stderr
    return folder


def write_examples(folder: Path) -> None:
    """Write what a reader of the pages would bring: questions, pairs.csv, photos of a dozen products."""
    write_questions(folder / "my-questions")
    rows = []
    for page in sorted((SAMPLE_SHOP / "products").glob("*.md")):
        sections = re.findall(r"^## (.+)\n\n(.+)", page.read_text(), re.M)
        rows += [(f"{page.stem}: {head}?", text) for head, text in sections if "|" not in text]
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("question", "answer"), *rows[:80]])
    for picture in sorted((SAMPLE_SHOP / "pictures").glob("*.webp"))[:12]:
        (folder / "photos" / picture.stem).mkdir(parents=True)
        with Image.open(picture) as image:
            for number in range(3):
                shot = image.convert("RGB").rotate(number * 8, fillcolor="white")
                shot.save(folder / "photos" / picture.stem / f"{number}.jpg")


def write_questions(folder: Path) -> None:
    """Write a dataset over the sample shop: answers in two languages, and one that is not there."""
    queries = [
        {"_id": "1", "text": "How much does express delivery cost?", "answers": ["9.90 euro"]},
        {"_id": "2", "text": "반품은 며칠 안에 해야 하나요?", "answers": ["30일"]},
        {"_id": "3", "text": "Which bank finances a house on the moon?", "answers": []},
    ]
    folder.mkdir()
    lines = [json.dumps(query, ensure_ascii=False) for query in queries]
    (folder / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text("1\tfaq.md\t1\n2\tko/\t1\n", encoding="utf-8")


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
    extras = project["optional-dependencies"].values()
    listed = [*project["dependencies"], *(each for extra in extras for each in extra)]
    reasons = (ROOT / "docs" / "decisions.md").read_text()
    # What is in brackets is an extra, of a package or (mmchat[…]) of our own.
    names = {re.split(r"[\[>=<]", dependency)[0] for dependency in listed} - {"mmchat"}
    missing = [name for name in names if not re.search(rf"^\| {name} [|(]", reasons, re.M)]
    assert not missing
