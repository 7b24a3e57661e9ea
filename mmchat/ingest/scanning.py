"""Find the files of a folder, and what stands in the way of reading them."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmchat.errors import InputError
from mmchat.ingest.base import SourcePath
from mmchat.ingest.naming import humanise, shared_stem


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the folder, before it is read."""

    source: SourcePath
    problem: str = ""
    """Why it is not to be read, where that is known from its name alone."""
    is_folder: bool = False
    """Whether it is a folder that could not be opened."""


def scan(folder: Path, leave_out: Path | None = None) -> Iterator[FoundFile]:
    """Yield the files below `folder` in the order of their names.

    Hidden files and folders are left out. A link is followed only to a file inside the folder: one that
    leads out of it would put into the index what its owner did not mean to show.

    Raises:
        InputError: `folder` is not there or not a folder.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}. Give the path of a folder with documents and pictures.")
    root = folder.resolve()
    excluded = leave_out.resolve() if leave_out else None
    closed: list[OSError] = []
    for base, folders, files in os.walk(root, onerror=closed.append, followlinks=False):
        here = Path(base)
        folders[:] = sorted(
            n
            for n in folders
            if not n.startswith(".") and here / n != excluded and not _is_index(here / n)
        )
        paths = [here / name for name in sorted(files) if not _is_litter(name)]
        sharing = Counter(shared_stem(path.stem).casefold() for path in paths)
        for path in paths:
            # Kettle_Iconic.jpg and Kettle_Description.txt are both of the thing called "Kettle".
            stem = shared_stem(path.stem)
            several = sharing[stem.casefold()] > 1
            yield _found(path, root, humanise(stem if several else path.stem))
    for error in closed:
        folder = Path(error.filename)
        relative = os.fsencode(folder.relative_to(root)).decode("utf-8", "backslashreplace")
        problem = (
            f"{relative}: the folder cannot be opened ({error.strerror}). Check its permissions."
        )
        yield FoundFile(SourcePath(folder, relative, folder.name), problem, is_folder=True)


def _is_index(folder: Path) -> bool:
    """Tell whether a folder is an index of ours, which is no content."""
    return (folder / "CURRENT").is_file() and any(folder.glob("g??????/manifest.json"))


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in {"thumbs.db", "desktop.ini"}


def _found(path: Path, root: Path, name: str) -> FoundFile:
    # macOS hands out Hangul and accents in pieces; documents name their pictures in whole letters.
    relative = unicodedata.normalize("NFC", path.relative_to(root).as_posix())
    name = unicodedata.normalize("NFC", name)
    # Bytes of a file name that are not UTF-8 come as lone surrogates, which no database takes.
    shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
    problem = ""
    if shown != relative:
        problem = f"{shown}: the file name is not UTF-8. Rename the file."
    elif path.is_symlink() and not path.resolve().is_relative_to(root):
        problem = (
            f"{shown} is a link that leaves the folder. Copy the file into the folder instead."
        )
    elif not path.is_file():
        problem = f"{shown} is a broken link or not an ordinary file. Remove it."
    return FoundFile(SourcePath(path, shown, name), problem)
