"""Indexes of real folders, built once with the real models, also where several processes run the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock
from support import SAMPLE_SHOP

import mmchat
from mmchat.errors import DownloadError
from mmchat.models import ModelStore

NEEDED = ("multilingual-e5-small", "efficientnet-lite2")


@pytest.fixture(scope="session")
def models() -> ModelStore:
    store = ModelStore()
    try:
        for name in NEEDED:
            store.pull(name)
    except DownloadError as error:
        pytest.skip(f"the models are not here and cannot be fetched: {error}")
    return store


def built(folder: Path, name: str, folders: pytest.TempPathFactory) -> mmchat.Index:
    """Return an index of a folder, which the first process that needs it builds for all."""
    base = folders.getbasetemp()
    # The folder of a worker of pytest-xdist lies in the one of the whole run.
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"index-{name}"
    with FileLock(f"{out}.lock"):
        if not out.exists():
            mmchat.build_index(folder, out, config=mmchat.Config())
    return mmchat.open_index(out, config=mmchat.Config())


@pytest.fixture(scope="session")
def shop(models: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> mmchat.Index:
    return built(SAMPLE_SHOP, "shop", tmp_path_factory)


@pytest.fixture(scope="session")
def grocery_index(
    models: ModelStore, grocery: Path, tmp_path_factory: pytest.TempPathFactory
) -> mmchat.Index:
    return built(grocery / "catalog", "grocery", tmp_path_factory)


@pytest.fixture(scope="session")
def generator_model(models: ModelStore) -> Path:
    try:
        return models.pull(mmchat.Config().answers.generator)
    except DownloadError as error:
        pytest.skip(f"the generator is not here and cannot be fetched: {error}")
