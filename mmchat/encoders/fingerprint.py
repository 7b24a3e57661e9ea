"""A short mark of the files that make a model, so that an index can tell when they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

# Up to this size a file is read in full (bytes).
_FULL_BYTES = 8 << 20
# Of a larger one, this much is read (bytes) at each of the places that lie `_STRIDE` bytes apart.
_BLOCK = 4 << 10
_STRIDE = 256 << 10

_WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".pth", ".npz"})
_SETTINGS = frozenset({".json", ".txt", ".model"})


def files_of_model(folder: Path) -> list[Path]:
    """Return the files of a folder that decide what its model computes.

    Those are weights, settings and tokenizer. Where the weights are there as safetensors, their other
    copies are left out, as the loaders do.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    safetensors = any(path.suffix == ".safetensors" for path in files)
    weights = {".safetensors"} if safetensors else _WEIGHTS
    return [path for path in files if path.suffix in weights | _SETTINGS]


def fingerprint(files: Iterable[Path], *extra: str, root: Path | None = None) -> str:
    """Return 12 hexadecimal digits that stand for the content of the files and for `extra`.

    Reading half a gigabyte in full would cost every start a quarter of a second. Of files above
    8 MiB, 4 KiB of every 256 KiB are read, with the size and the end of the file: 20 ms, and still
    no step of training goes unseen, since one moves the weights of all layers. This guards an index
    against the wrong model, not against a forged one; downloads are checked in full.

    Args:
        files: read in this order.
        extra: whatever else decides the vectors (a prompt, a setting).
        root: where given, the names of the files below it count as well.
    """
    digest = hashlib.sha256()
    for text in extra:
        digest.update(f"{text}\0".encode())
    for path in files:
        if root is not None:
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        size = path.stat().st_size
        digest.update(f"{size}\0".encode())
        with path.open("rb") as file:
            if size <= _FULL_BYTES:
                digest.update(file.read())
                continue
            for place in [*range(0, size, _STRIDE), size - _BLOCK]:
                file.seek(place)
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()[:12]
