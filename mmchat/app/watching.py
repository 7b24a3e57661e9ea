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
_TICK_SECONDS = 0.3
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
    due, said, first = math.inf, "", True
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
    """Yield from time to time whether anything changed since the last time; nothing is missed meanwhile.

    A folder that goes away and comes back (a disk that is not connected) is another one to the system: it
    is watched anew.
    """
    stop = stop or threading.Event()
    seen: object = True
    while not stop.is_set():
        identity = _identity(folder)
        if identity is None:
            yield seen is not None
            seen = identity
            stop.wait(_TICK_SECONDS)
            continue
        fresh, seen = True, identity
        for changed in _watched(folder.resolve(), index.resolve(), stop):
            yield changed or fresh
            fresh = False
            if _identity(folder) != seen:
                break


def _watched(root: Path, own: Path, stop: threading.Event) -> Iterator[bool]:
    from watchfiles import watch as watch_files

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
        rust_timeout=round(1000 * _TICK_SECONDS),
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=True,
    ):
        yield bool(changes)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
