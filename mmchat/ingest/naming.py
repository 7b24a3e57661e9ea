"""What the names of files say, and where the names in a document lead."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote

from mmchat.visible import visible


def shared_stem(stem: str) -> str:
    """Return what the file names of one thing have in common: without a number or a `_Word` at the end.

    >>> shared_stem("Golden-Delicious_Iconic"), shared_stem("kettle-2"), shared_stem("kettle (3)")
    ('Golden-Delicious', 'kettle', 'kettle')
    """
    shorter = re.sub(r"[\s_-]*\(?\d+\)?$", "", stem)
    shorter = re.sub(r"_[^\W\d_]+$", "", shorter)
    return shorter or stem


def humanise(stem: str) -> str:
    """Turn the stem of a file name into words: `red-kettle_02` becomes `Red kettle 02`."""
    words = re.sub(r"[\s_\-.]+", " ", visible(stem)).strip()
    return words[:1].upper() + words[1:]


def resolve_link(target: str, relative: str) -> str | None:
    """Return where a link of the document `relative` leads inside the folder; None if out of it."""
    return resolve_path(
        unquote(target.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0]), relative
    )


def resolve_path(target: str, relative: str) -> str | None:
    """Return where a path that the document `relative` names leads inside the folder, or None."""
    target = target.strip().replace("\\", "/")
    if not target or "://" in target or target.startswith(("/", "data:", "mailto:", "cid:")):
        return None
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(relative), target))
    return None if joined in {".", ".."} or joined.startswith("../") else joined
