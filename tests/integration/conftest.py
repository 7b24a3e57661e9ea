"""Indexes of real folders, built once with the real models."""

from __future__ import annotations

from pathlib import Path

import pytest
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


def built(folder: Path, out: Path) -> mmchat.Index:
    mmchat.build_index(folder, out, config=mmchat.Config())
    return mmchat.open_index(out, config=mmchat.Config())


@pytest.fixture(scope="session")
def shop(models: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> mmchat.Index:
    return built(SAMPLE_SHOP, tmp_path_factory.mktemp("indexes") / "shop")


@pytest.fixture(scope="session")
def grocery_index(
    models: ModelStore, grocery: Path, tmp_path_factory: pytest.TempPathFactory
) -> mmchat.Index:
    return built(grocery / "catalog", tmp_path_factory.mktemp("indexes") / "grocery")


@pytest.fixture(scope="session")
def generator_model(models: ModelStore) -> Path:
    try:
        return models.pull(mmchat.Config().answers.generator)
    except DownloadError as error:
        pytest.skip(f"the generator is not here and cannot be fetched: {error}")
