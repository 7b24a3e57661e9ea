"""Build an index, or bring it up to date."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.app.encoders import Encoders, as_built
from mmchat.config import Config, load_config
from mmchat.errors import ConfigError, InputError
from mmchat.ingest.pipeline import Pipeline
from mmchat.models import ModelStore
from mmchat.stores.manifest import Manifest
from mmchat.stores.writing import LocalWriter
from mmchat.types import IndexReport

if TYPE_CHECKING:
    from mmchat.ingest.pipeline import Progress as BuildProgress
    from mmchat.models import Progress as DownloadProgress


def build_index(
    folder: str | Path,
    out: str | Path,
    *,
    config: Config | None = None,
    rebuild: bool = False,
    progress: BuildProgress | None = None,
    download_progress: DownloadProgress | None = None,
) -> IndexReport:
    """Build the index of a folder, or bring it up to date; only what changed is read again.

    Args:
        folder: documents and pictures, with all folders below it.
        out: where the index is kept; it may lie inside of `folder`.
        config: the settings; `mmchat.toml`, the environment and defaults where not given.
        rebuild: keep nothing of an earlier index.
        progress: is told how far the build is.
        download_progress: is told how far the fetching of a missing model is.

    Raises:
        InputError: there is nothing in the folder that can be indexed; an earlier index stays as it was.
        IndexLocked: another process is writing the index.
        ModelError: an encoder cannot be had.
    """
    folder, out = Path(folder), Path(out)
    config = config or load_config()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}. Give the path of a folder with documents and pictures.")
    if out.resolve() == folder.resolve():
        raise InputError(f"{out} is the folder itself. Give an --out of its own for the index.")
    if folder.resolve().is_relative_to(out.resolve()):
        raise InputError(f"{folder} lies inside of {out}. Give an --out of its own for the index.")
    models = ModelStore(progress=download_progress)
    encoders = Encoders(as_built(config.encoders, out), models)
    text, image = encoders.records()
    if config.ingest.chunk_tokens > encoders.text.max_tokens:
        raise ConfigError(
            f"ingest.chunk_tokens = {config.ingest.chunk_tokens}: the text encoder reads "
            f"{encoders.text.max_tokens} tokens of a passage, at most. Set it to that or less."
        )
    manifest = Manifest(text, image, asdict(config.ingest), source=folder.resolve().name)
    pipeline = Pipeline(encoders.text, encoders.image, config.ingest, progress)
    with LocalWriter(out, manifest, rebuild=rebuild) as writer:
        return pipeline.run(folder, writer, leave_out=out)
