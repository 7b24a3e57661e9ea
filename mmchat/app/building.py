"""Build an index, and bring it in step with its folder."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.app.encoders import Encoders, as_built
from mmchat.config import ColumnsConfig, Config, load_config
from mmchat.errors import ConfigError, InputError, StoreError
from mmchat.ingest.pipeline import Pipeline
from mmchat.ingest.process import ProcessReading
from mmchat.ingest.reading import ReadSettings
from mmchat.models import ModelStore
from mmchat.stores.local import LocalReader, read_manifest
from mmchat.stores.manifest import Manifest, check_encoder
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
        rebuild: keep nothing of an earlier index but what was added and deleted by hand.
        progress: is told how far the build is.
        download_progress: is told how far the fetching of a missing model is.

    Raises:
        InputError: there is nothing in the folder that can be indexed, or the index there is of another
            folder; an earlier index stays as it was.
        IndexLocked: another process is writing the index.
        ModelError: an encoder cannot be had.
    """
    folder, out = Path(folder), Path(out)
    if not rebuild:
        _refuse_other_folder(folder, out)
    config = config or load_config()
    models = ModelStore(progress=download_progress)
    return Builder(out, config, models, progress).bring_in_step(folder, rebuild=rebuild)


def sync(
    index: str | Path,
    *,
    folder: str | Path | None = None,
    config: Config | None = None,
    progress: BuildProgress | None = None,
    download_progress: DownloadProgress | None = None,
) -> IndexReport:
    """Bring an index in step with the folder that it was built from, with the settings of then.

    Args:
        index: the index.
        folder: where the folder is now, if it has moved.
        config: the settings, of which the limits count; see `build_index`.
        progress: is told how far it is.
        download_progress: is told how far the fetching of a missing model is.

    Raises:
        IndexNotFound: there is no index.
        IndexMismatch: it was built with other encoders than the settings name.
        InputError: the folder is gone, or holds nothing; the index stays as it was.
        IndexLocked: another process is writing the index.
    """
    models = ModelStore(progress=download_progress)
    builder = Builder.of_index(Path(index), config or load_config(), models, progress)
    return builder.bring_in_step(Path(folder) if folder else source_folder(Path(index)))


class Builder:
    """Writes one index, as often as wanted: its encoders are loaded once."""

    def __init__(
        self,
        out: Path,
        config: Config,
        models: ModelStore,
        progress: BuildProgress | None = None,
        encoders: Encoders | None = None,
    ) -> None:
        self.out = out
        self._config = config
        self._encoders = encoders or Encoders(as_built(config.encoders, out), models)
        self._progress = progress

    @classmethod
    def of_index(
        cls,
        index: Path,
        config: Config,
        models: ModelStore,
        progress: BuildProgress | None = None,
        encoders: Encoders | None = None,
    ) -> Builder:
        """Return what goes on writing an index as it was built; encoders that are loaded are used again.

        Raises:
            IndexNotFound: there is none.
            IndexMismatch: it is damaged, or was built with other encoders than the settings name.
        """
        manifest = LocalReader(index).manifest
        builder = cls(index, _shaped_as(config, manifest), models, progress, encoders)
        text, image = builder._encoders.records()
        check_encoder("text", manifest.text_encoder, text, manifest.source)
        check_encoder("image", manifest.image_encoder, image, manifest.source)
        return builder

    def bring_in_step(self, folder: Path, *, rebuild: bool = False) -> IndexReport:
        """Index what is new or changed in `folder`, and forget what is gone; see `build_index`."""
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            raise InputError(
                f"{folder} {what}. Give the path of a folder with documents and pictures."
            )
        if self.out.resolve() == folder.resolve():
            raise InputError(
                f"{self.out} is the folder itself. Give the index an --out of its own."
            )
        if folder.resolve().is_relative_to(self.out.resolve()):
            raise InputError(
                f"{folder} lies inside of {self.out}. Give the index an --out of its own."
            )
        with self.writer(folder, rebuild=rebuild) as writer:
            return self.pipeline().run(folder, writer, leave_out=self.out)

    def writer(self, folder: Path | None, *, rebuild: bool = False) -> LocalWriter:
        """Return what writes the index of `folder`; of the same as before where none is given."""
        text, image = self._encoders.records()
        if folder is None:
            before = read_manifest(self.out)
            source, path = before.source, before.source_path
        else:
            source, path = folder.resolve().name, _seen_from(self.out, folder)
        ingest = {**asdict(self._config.ingest), "columns": asdict(self._config.columns)}
        manifest = Manifest(text, image, ingest, source=source, source_path=path)
        return LocalWriter(self.out, manifest, rebuild=rebuild)

    def pipeline(self) -> Pipeline:
        """Return what reads files into the index, in a process of its own."""
        ingest = self._config.ingest
        if ingest.chunk_tokens > self._encoders.text.max_tokens:
            raise ConfigError(
                f"ingest.chunk_tokens = {ingest.chunk_tokens}: the text encoder reads "
                f"{self._encoders.text.max_tokens} tokens of a passage, at most. "
                "Set it to that or less."
            )
        return Pipeline(
            self._encoders.text,
            self._encoders.image,
            ingest,
            self._progress,
            ProcessReading(ReadSettings(ingest, self._config.columns)),
            self._encoders.tagger(self._config.tags),
        )


def source_folder(index: Path) -> Path:
    """Return the folder that an index was built from.

    Raises:
        IndexNotFound: there is no index.
        InputError: it does not say, or the folder is gone.
    """
    manifest = read_manifest(index)
    way_out = f"If it has moved, say where it is: 'mmchat sync --index {index} --folder FOLDER'."
    if not manifest.source_path:
        raise InputError(f"{index} does not say which folder it was built from. {way_out}")
    folder = _seen(index, manifest.source_path)
    if not folder.is_dir():
        raise InputError(
            f"{index} was built from the folder {folder}, which is not there. If its disk is not "
            f"connected, connect it. {way_out}"
        )
    return folder


def _refuse_other_folder(folder: Path, out: Path) -> None:
    """Refuse to replace the index of one folder by that of another, which may only share its name.

    Raises:
        InputError: the index at `out` was built from another folder.
    """
    try:
        before = read_manifest(out).source_path
    except StoreError:
        return
    if before and folder.is_dir() and _seen(out, before) != folder.resolve():
        raise InputError(
            f"{out} is the index of {_seen(out, before)}, not of {folder}. Name another one with --out. If "
            f"the folder has moved, use 'mmchat sync --index {out} --folder {folder}'; to replace the "
            "index, add --rebuild."
        )


def _seen_from(index: Path, folder: Path) -> str:
    try:
        relative = os.path.relpath(folder.resolve(), index.resolve())
    except ValueError:
        return folder.resolve().as_posix()  # on another drive
    return Path(relative).as_posix()


def _seen(index: Path, source_path: str) -> Path:
    return (index.resolve() / source_path).resolve()


def _shaped_as(config: Config, manifest: Manifest) -> Config:
    """Return the settings with those that shape the items as they were when the index was built."""
    shape = config.ingest.shape()
    before = {name: manifest.ingest[name] for name in shape if name in manifest.ingest}
    columns = ColumnsConfig(**manifest.ingest.get("columns", {}))
    return replace(config, ingest=replace(config.ingest, **before), columns=columns)
