"""The ImageNet labels as texts and as vectors: the words that the image tower knows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from mmchat.encoders.runtime import Vectors, ensure_torchvision, unit_rows

_LABELS = 1000


class TextEncoder(Protocol):
    """What is needed to turn labels into vectors."""

    @property
    def fingerprint(self) -> str:
        """Name and content of the model."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...


def label_texts() -> tuple[list[str], list[str]]:
    """Return the 1,000 labels of ImageNet-1k in the order of its classes, in two forms.

    The names are those that CLIP's authors chose (open_clip carries them), since the first word of a
    WordNet entry often means something else ("crane", "drake"). The second form adds WordNet's
    definition (timm carries it), which says what kind of thing it is: a text encoder may not know
    that a Granny Smith is an apple. Synonyms added nothing to the two.
    """
    ensure_torchvision()
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    described = []
    for index, name in enumerate(IMAGENET_CLASSNAMES):
        lemmas = info.index_to_description(index)
        detailed = info.index_to_description(index, detailed=True)
        described.append(f"{name}{detailed.removeprefix(lemmas)}")
    return list(IMAGENET_CLASSNAMES), described


def label_vectors(encoder: TextEncoder, cache: Path) -> Vectors:
    """Return the vectors of the labels, the mean of both forms: (1000, dimension), of length one.

    They are computed once for an encoder and kept in the folder `cache`. A file that cannot be read is
    made anew.
    """
    path = cache / f"labels-{encoder.fingerprint.replace('/', '-')}-{_edition()}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        kept: Vectors = np.load(path, allow_pickle=False)
        if kept.shape == (_LABELS, encoder.dimension):
            return kept
    names, described = label_texts()
    vectors = unit_rows(encoder.encode_queries(names) + encoder.encode_queries(described))
    _write(path, vectors)
    return vectors


def _edition() -> str:
    """Name the texts of the labels by the versions of what carries them: importing both takes seconds."""
    versions = "-".join(version(package) for package in ("open_clip_torch", "timm"))
    return hashlib.sha256(versions.encode()).hexdigest()[:12]


def _write(path: Path, vectors: Vectors) -> None:
    """Write the file whole or not at all, whatever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            np.save(file, vectors)
            file.close()
            os.replace(file.name, path)  # noqa: PTH105 (the temporary name is a string)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
