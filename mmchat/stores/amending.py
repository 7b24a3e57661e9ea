"""What was added and deleted by hand, in a generation of a local index.

It is a file of its own beside the catalog: it outlives a catalog that is built anew for other settings,
or because it is damaged, and a person can read it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from mmchat.errors import StoreError
from mmchat.stores.base import Amendments
from mmchat.stores.layout import AMENDMENTS, ORIGINAL, ORIGINALS, flush


def read_amendments(generation: Path) -> Amendments:
    """Read what was added and deleted by hand; a generation without the file has nothing of it.

    Raises:
        StoreError: the file is damaged.
    """
    path = generation / AMENDMENTS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Amendments(dict(values["added"]), dict(values["deleted"]))
    except FileNotFoundError:
        return Amendments()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"{path} cannot be read ({error}): it lists the documents that were added with 'mmchat add'. "
            "Take it from a copy of the index, or remove the file to go on without them."
        ) from error


def write_amendments(generation: Path, amendments: Amendments) -> None:
    """Write what was added and deleted by hand."""
    text = json.dumps(asdict(amendments), indent=2, ensure_ascii=False)
    (generation / AMENDMENTS).write_text(text, encoding="utf-8")


def keep_original(folder: Path, path: Path) -> str:
    """Copy a file into an index, where it is named by the hash of its content; return that name.

    Raises:
        OSError: it cannot be read, or the disk is full.
    """
    suffix = PurePosixPath(path.name).suffix.lower()
    suffix = suffix if re.fullmatch(r"\.[a-z0-9]{1,16}", suffix) else ""
    (folder / ORIGINALS).mkdir(exist_ok=True)
    # The hash is that of the copy: the file itself may change at any moment.
    partial = folder / ORIGINALS / f"{'0' * 32}.partial"
    shutil.copyfile(path, partial)
    with partial.open("rb") as content:
        mark = hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    flush(partial)
    name = f"{ORIGINALS}/{mark}{suffix}"
    partial.replace(folder / name)
    return name


def sweep_originals(folder: Path, generations: list[Path]) -> None:
    """Remove the originals that none of these generations lists."""
    needed = {
        original
        for generation in generations
        for original in read_amendments(generation).added.values()
    }
    for path in (folder / ORIGINALS).glob("*"):
        if ORIGINAL.fullmatch(path.name) and path.relative_to(folder).as_posix() not in needed:
            path.unlink(missing_ok=True)
