"""Progress bars on stderr, for the command line and the scripts."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class BuildProgress:
    """How far a build is: files, items a second, time left, errors."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("Indexing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("files, {task.fields[items]} items ({task.fields[rate]:.0f}/s)"),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None
        self._items = 0
        self._failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._bar.stop()

    def start(self, files: int) -> None:
        """Begin with so many files. Only now is the bar drawn: downloads have bars of their own."""
        self._task = self._bar.add_task("", total=files, items=0, rate=0.0, failed="")
        self._bar.start()

    def embedded(self, items: int) -> None:
        """So many more items are encoded."""
        assert self._task is not None, "start() comes first"
        self._items += items
        elapsed = self._bar.tasks[self._task].elapsed or 1e-9
        self._bar.update(self._task, items=self._items, rate=self._items / elapsed)

    def advance(self, failed: bool) -> None:
        """One file is read, or failed."""
        assert self._task is not None, "start() comes first"
        self._failed += failed
        note = f"{self._failed} not readable" if self._failed else ""
        self._bar.update(self._task, advance=1, failed=note)


class StepProgress:
    """A bar for each step of something that takes several: how much is done, and the time left."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def start(self, description: str, total: int, /) -> None:
        """A step of so many parts begins."""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(description, total=total)
        self._bar.start()

    def advance(self, count: int, /) -> None:
        """`count` more parts are done."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def finish(self) -> None:
        """The step ended, well or not."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class DownloadProgress:
    """A bar for each model that is fetched. Nothing is drawn where there is nothing to fetch."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def start(self, description: str, total_bytes: int) -> None:
        """A task begins; a total of 0 means that its length is not known."""
        columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
        if total_bytes:
            columns += [DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()]
        self._bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
        self._task = self._bar.add_task(description, total=total_bytes or None)
        self._bar.start()

    def advance(self, count: int) -> None:
        """`count` more bytes are done."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def finish(self) -> None:
        """The task ended, well or not."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
