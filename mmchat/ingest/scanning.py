"""Find the files of a folder, and what stands in the way of reading them."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mmchat.errors import InputError
from mmchat.ingest.base import SourcePath
from mmchat.ingest.naming import humanise, shared_stem


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the folder, before it is read."""

    source: SourcePath
    problem: str = ""
    """Why it is not to be read, where that is known without opening it."""
    is_folder: bool = False
    """Whether it is a folder that could not be opened."""


def scan(folder: Path, leave_out: Path | None = None) -> Iterator[FoundFile]:
    """Yield the files below `folder` in the order of their names.

    Hidden files and folders are left out. A link is followed only to a file inside the folder: one that
    leads out of it would put into the index what its owner did not mean to show, and one to a folder
    may lead round in a circle.

    Raises:
        InputError: `folder` is not there, cannot be opened, is not a folder, or is an index.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}. Give the path of a folder with documents and pictures.")
    root = folder.resolve()
    if _is_index(root):
        raise InputError(
            f"{folder} is an index. Give the folder with the documents and pictures themselves."
        )
    excluded = leave_out.resolve() if leave_out else None
    # A list of our own, not recursion: folders may lie deeper than Python's stack.
    waiting = [root]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if here == root:
                raise InputError(
                    f"{folder} cannot be opened ({error.strerror}). Check its permissions."
                ) from error
            if isinstance(error, FileNotFoundError):
                continue  # it was removed while we looked
            yield _closed(here, root, error)
            continue
        folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        waiting += reversed(
            [
                path
                for path in (here / entry.name for entry in folders if entry.name[0] != ".")
                if path != excluded and not _is_index(path)
            ]
        )
        inside = {entry.name for entry in folders}
        yield from _files(
            here, root, [e for e in entries if e.name not in inside and not _is_litter(e.name)]
        )


def names_of(relatives: Sequence[str]) -> list[str]:
    """Return what files are called in words.

    Kettle_Iconic.jpg and Kettle_Description.txt in one folder are both of the thing called "Kettle"; a file
    without such a neighbour keeps its whole name.
    """
    paths = [PurePosixPath(relative) for relative in relatives]
    things = [(path.parent, shared_stem(path.stem).casefold()) for path in paths]
    sharing = Counter(things)
    return [
        humanise(shared_stem(path.stem) if sharing[thing] > 1 else path.stem)
        for path, thing in zip(paths, things, strict=True)
    ]


def _files(here: Path, root: Path, entries: Sequence[os.DirEntry[str]]) -> Iterator[FoundFile]:
    found = [_relative(here / entry.name, root) for entry in entries]
    names = names_of([relative for relative, _ in found])
    for entry, (relative, is_utf8), name in zip(entries, found, names, strict=True):
        path = here / entry.name
        problem = _obstacle(entry, path, root, relative) if is_utf8 else _rename(relative)
        yield FoundFile(SourcePath(path, relative, name), problem)


def _obstacle(entry: os.DirEntry[str], path: Path, root: Path, shown: str) -> str:
    if not entry.is_symlink():
        ordinary = entry.is_file(follow_symlinks=False)
        return "" if ordinary else f"{shown} is not an ordinary file (a pipe or device). Remove it."
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a link to itself is a RuntimeError up to Python 3.12
        return f"{shown} is a broken link. Remove it."
    if not target.is_relative_to(root):
        return (
            f"{shown} is a link that leaves the folder. Copy what it names into the folder instead."
        )
    if target.is_dir():
        return f"{shown} is a link to a folder, which is not followed. Copy the folder instead."
    return "" if target.is_file() else f"{shown} is a link to a pipe or device. Remove it."


def _rename(shown: str) -> str:
    return f"{shown}: the file name is not UTF-8. Rename the file."


def _closed(folder: Path, root: Path, error: OSError) -> FoundFile:
    relative, _ = _relative(folder, root)
    problem = f"{relative}: the folder cannot be opened ({error.strerror}). Check its permissions."
    return FoundFile(SourcePath(folder, relative, folder.name), problem, is_folder=True)


def _relative(path: Path, root: Path) -> tuple[str, bool]:
    """Return a path below `root` in a form that any database takes, and whether that is its own."""
    # macOS hands out Hangul and accents in pieces; documents name their pictures in whole letters.
    relative = unicodedata.normalize("NFC", path.relative_to(root).as_posix())
    # Bytes of a file name that are not UTF-8 come as lone surrogates, which no database takes.
    shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
    return shown, shown == relative


def _is_index(folder: Path) -> bool:
    """Tell whether a folder is an index of ours, which is no content."""
    return (folder / "CURRENT").is_file() and any(folder.glob("g??????/manifest.json"))


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in {"thumbs.db", "desktop.ini"}
