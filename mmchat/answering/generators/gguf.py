"""What a .gguf file says of itself, read without llama.cpp, which takes memory before it finds fault.

The layout is told by ggml's docs/gguf.md: magic, version, counts, and then key, type and value of each entry.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from mmchat.errors import ModelError

_MAGIC = b"GGUF"
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a number, by its type."""
_TEXT, _ARRAY = 8, 9
_MAX_KEY = 1 << 16


def trained_context(path: Path) -> int | None:
    """Return the tokens that the model of a .gguf file was trained to hold; None where it does not say.

    Raises:
        ModelError: there is no such file, it is another kind of file, or its head is cut off.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
            if magic != _MAGIC:
                raise ModelError(
                    f"{path} begins with {magic!r}, expected {_MAGIC!r}: it is not a .gguf file. "
                    "Download it again, or name another answers.generator."
                )
            return _find(file, b".context_length")
    except OSError as error:
        raise ModelError(
            f"Cannot read the model file {path}: {error.strerror}. Expected a .gguf file. "
            "Give its path as answers.generator, or a name that `mmchat models list` shows."
        ) from error
    except (struct.error, ValueError, KeyError, OverflowError) as error:
        raise ModelError(
            f"{path} ({path.stat().st_size:,} bytes) is cut off or damaged in its head. Expected a "
            "whole .gguf file. Compare the size with the publisher's, and download it again."
        ) from error


def _find(file: BinaryIO, ending: bytes) -> int | None:
    _version, _tensors, entries = struct.unpack("<IQQ", file.read(20))
    for _ in range(entries):
        key = file.read(_length(file))
        kind = _number(file, 4)
        if key.endswith(ending) and kind in _WIDTHS:
            return _number(file, _WIDTHS[kind])
        _skip(file, kind)
    return None


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _TEXT:
        file.seek(_number(file, 8), 1)
    elif kind == _ARRAY:
        inner, count = _number(file, 4), _number(file, 8)
        if inner in _WIDTHS:
            file.seek(count * _WIDTHS[inner], 1)
        else:
            for _ in range(count):
                _skip(file, inner)
    else:
        file.seek(_WIDTHS[kind], 1)


def _length(file: BinaryIO) -> int:
    length = _number(file, 8)
    if length > _MAX_KEY:
        raise ValueError(length)
    return length


def _number(file: BinaryIO, width: int) -> int:
    content = file.read(width)
    if len(content) < width:
        raise ValueError(content)
    return int.from_bytes(content, "little")
