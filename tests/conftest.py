"""Fixtures that the tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from support import SHARED_DATA, SmallIndex, whole

from mmchat.config import ColumnsConfig, IngestConfig
from mmchat.ingest.base import LoadedPart, SourcePath
from mmchat.ingest.naming import humanise

# No test may reach a model hub, and none may depend on the settings of whoever runs it.
os.environ["HF_HUB_OFFLINE"] = "1"

# Where two processes share the tests, each has a core of its own: threads of both that spin while they
# wait for each other would take the time of those that work. What the tests start keeps to the same core.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and hasattr(os, "sched_setaffinity"):
    _cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {_cores[int(_worker.removeprefix("gw")) % len(_cores)]})

# A page that ends deletes its copies of pictures; those of another process of the tests must stay.
_pages = tempfile.TemporaryDirectory(prefix="mmchat-pages-")
os.environ["GRADIO_TEMP_DIR"] = _pages.name


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("MMCHAT_") and name != "MMCHAT_HOME":
            monkeypatch.delenv(name)


@pytest.fixture
def small_index(tmp_path: Path) -> SmallIndex:
    return SmallIndex(tmp_path / "index")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file below `folder` and return the folder."""
    folder = tmp_path / "folder"
    folder.mkdir()

    def _write(name: str, content: str | bytes) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return _write


@pytest.fixture
def load(write: Callable[[str, str | bytes], Path]) -> Callable[..., LoadedPart]:
    """Write a file and read it; keywords are settings of `[ingest]`, `columns` those of `[columns]`."""

    def _load(
        name: str, content: str | bytes, columns: ColumnsConfig | None = None, **settings: object
    ) -> LoadedPart:
        path = write(name, content) / name
        source = SourcePath(path, name, humanise(path.stem))
        return whole(source, IngestConfig(**settings), columns)

    return _load


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Save a picture of one colour below `folder` and return its path."""

    def _draw(
        name: str, colour: str | tuple[int, ...] = "red", size: tuple[int, int] = (64, 48)
    ) -> Path:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
        return path

    return _draw


@pytest.fixture(scope="session")
def grocery() -> Iterator[Path]:
    path = SHARED_DATA / "grocery"
    if not path.is_dir():
        pytest.skip("the grocery data is not beside the project (../shared/data/grocery)")
    yield path


@pytest.fixture
def shop(
    small_index: SmallIndex, write: Callable[..., Path], draw: Callable[..., Path]
) -> SmallIndex:
    for colour in ("red", "green", "blue"):
        name = {"red": "kettle", "green": "toaster", "blue": "blender"}[colour]
        folder = write(
            f"{name}.md",
            f"# The {name}\n\n![A {name}](pictures/{name}.png)\nThe {name} weighs two kilos.\n\n"
            f"## Care\n\nClean the {name} with a cloth.\n",
        )
        draw(f"pictures/{name}.png", colour)
    write("delivery.md", "# Delivery\n\nDelivery costs five euros.\n")
    small_index.build(folder)
    return small_index
