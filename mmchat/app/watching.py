"""Follow the folder of an index."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.app.building import Builder, source_folder
from mmchat.config import Config, load_config
from mmchat.errors import MmchatError
from mmchat.models import ModelStore
from mmchat.types import FileProblem, IndexReport

if TYPE_CHECKING:
    from mmchat.ingest.pipeline import Progress as BuildProgress
    from mmchat.models import Progress as DownloadProgress

# A file is often written in steps: changes are taken in when none has come for so long, or after all.
_SETTLE_MILLISECONDS = 300
_AT_LAST_MILLISECONDS = 3000
_TICK_MILLISECONDS = 300
# What failed is tried again after this time, even if nothing changes: a lock is let go, a disk comes back.
_RETRY_SECONDS = 10.0


def watch(
    index: str | Path,
    *,
    folder: str | Path | None = None,
    config: Config | None = None,
    progress: BuildProgress | None = None,
    download_progress: DownloadProgress | None = None,
    on_error: Callable[[Exception], None] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[IndexReport]:
    """Keep an index in step with its folder, and yield a report each time something changed.

    The first report comes at once; then it waits for changes, until `stop` is set or the process is
    interrupted. A round that fails does not end it.

    Args:
        index: the index.
        folder: where its folder is now, if it has moved; see `sync`.
        config: the settings; see `sync`.
        progress: is told how far a round is.
        download_progress: is told how far the fetching of a missing model is.
        on_error: is told why a round failed.
        stop: ends it when it is set.

    Raises:
        IndexNotFound, IndexMismatch, InputError: as `sync`, before anything is watched.
    """
    index = Path(index)
    models = ModelStore(progress=download_progress)
    builder = Builder.of_index(index, config or load_config(), models, progress)
    folder = Path(folder) if folder else source_folder(index)
    due, said, first = time.monotonic(), "", True
    problems: tuple[FileProblem, ...] = ()
    for changed in _changes(folder, index, stop):
        if not changed and time.monotonic() < due:
            continue
        try:
            report = builder.bring_in_step(folder)
        except (MmchatError, OSError) as error:
            due = time.monotonic() + _RETRY_SECONDS
            if on_error is not None and str(error) != said:
                on_error(error)
            said = str(error)
            continue
        due, said = math.inf, ""
        if first or report.embedded or report.removed or report.problems != problems:
            yield report
        first, problems = False, report.problems


def _changes(folder: Path, index: Path, stop: threading.Event | None) -> Iterator[bool]:
    """Yield whether anything changed, from time to time; what happens meanwhile is not missed."""
    from watchfiles import watch as watch_files

    root, own = folder.resolve(), index.resolve()

    def counts(_kind: object, path: str) -> bool:
        where = Path(path)
        if where.is_relative_to(own) or not where.is_relative_to(root):
            return False
        return not any(part.startswith(".") for part in where.relative_to(root).parts)

    for changes in watch_files(
        root,
        watch_filter=counts,
        step=_SETTLE_MILLISECONDS,
        debounce=_AT_LAST_MILLISECONDS,
        rust_timeout=_TICK_MILLISECONDS,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=True,
    ):
        yield bool(changes)
