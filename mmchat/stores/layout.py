"""The files of a local index, and who may change them."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from mmchat.errors import IndexMismatch, IndexNotFound, StoreError

POINTER = "CURRENT"
CATALOG, MANIFEST = "catalog.sqlite", "manifest.json"
TEXT, IMAGE = "text", "image"
"""The two spaces of vectors; each has files of its own, see `mmchat.stores.vectors`."""
GENERATION = re.compile(r"g(\d{6})")
AMENDMENTS, ORIGINALS = "amendments.json", "originals"
ORIGINAL = re.compile(r"[0-9a-f]{32}(\.[a-z0-9]{1,16})?(\.partial)?")
MEDIA = re.compile(r"[0-9a-f]{24}\.jpg(\.partial)?")
_KEPT_EMPTY = frozenset({"README.md", ".gitkeep"})
_UNFINISHED = frozenset({f"{POINTER}.partial", "lock", "writer.json", "media", "thumbs", ORIGINALS})


def current_generation(folder: Path) -> Path:
    """Return the folder of the generation that readers use.

    Raises:
        IndexNotFound: there is no index in `folder`.
        IndexMismatch: there is one, but its files are not what this version of mmchat writes.
    """
    try:
        name = (folder / POINTER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise IndexNotFound(
            f"No index at {folder}. Make one with 'mmchat index FOLDER --out {folder}', or give the "
            "path of another."
        ) from None
    generation = folder / name
    if not GENERATION.fullmatch(name) or not (generation / MANIFEST).is_file():
        raise IndexMismatch(
            f"{folder / POINTER} names the generation {name!r}, which is not there. Copy the whole "
            f"folder again, or build it with 'mmchat index FOLDER --out {folder} --rebuild'."
        )
    return generation


def refuse_foreign_folder(folder: Path) -> None:
    """Refuse to write an index among files that are not of one.

    What a writer may change or sweep away must be its own: a folder with a CURRENT that names a
    generation, or what a first build left that was killed (it always leaves its lock).

    Raises:
        StoreError: the folder holds something else, or is a file.
    """
    if folder.is_file():
        raise StoreError(f"{folder} is a file; an index is a folder. Give another --out.")
    if not folder.is_dir() or _names_a_generation(folder):
        return
    names = {path.name for path in folder.iterdir()} - _KEPT_EMPTY
    unfinished = _UNFINISHED if "lock" in names else frozenset()
    foreign = sorted(
        n for n in names - unfinished if "lock" not in names or not GENERATION.fullmatch(n)
    )
    if foreign:
        raise StoreError(
            f"{folder} holds files that are not of an index ({foreign[0]!r}). "
            "Give an --out that is empty or does not exist yet."
        )


def _names_a_generation(folder: Path) -> bool:
    try:
        name = (folder / POINTER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return False
    return GENERATION.fullmatch(name) is not None


def note_writer(folder: Path) -> None:
    """Leave word of who writes, for whoever comes second."""
    note = {
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "host": platform.node(),
    }
    (folder / "writer.json").write_text(json.dumps(note), encoding="utf-8")


def who_writes(folder: Path) -> str:
    """Say who writes, and what to do about it."""
    try:
        note = json.loads((folder / "writer.json").read_text(encoding="utf-8"))
        who = f"process {note['pid']} on {note['host']} ({note['command']}) since {note['since']}"
    except (OSError, ValueError, KeyError):
        who = "another process"
    return (
        f"The index {folder} is being written by {who}. Wait until it has finished and run the "
        "command again; searching goes on working meanwhile."
    )


def generations(folder: Path) -> dict[int, Path]:
    """Return the generations that lie in an index, finished or not, by their number."""
    return {
        int(match[1]): path
        for path in folder.iterdir()
        if (match := GENERATION.fullmatch(path.name))
    }


def keep_file(target: Path, content: bytes) -> None:
    """Write a file that is named by its content, unless it is there: in whole or not at all."""
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    partial.write_bytes(content)
    flush(partial)
    partial.replace(target)


def flush(path: Path) -> None:
    """Force a file or folder to disk: a rename must not overtake the content that it publishes."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
