"""Image files, and which pictures are worth keeping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from mmchat import pictures
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, LoadedPicture, SourcePath
from mmchat.types import Document

MIN_FIGURE_PX = 64
"""A figure inside of a document with a shorter side is an icon or a line."""
_MIN_FILE_PX = 16
"""Nobody keeps a file with a shorter side to show what is in it."""
_BLANK_SHARE = 0.995
_BLANK_STEPS = 8


def load_image_file(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a picture; of an animation its first frame."""
    config = context.config
    image, size = pictures.load_picture(source.path, config.max_megapixels, config.max_media_px)
    document = Document(path=source.relative, title=source.name, text="")
    picture = LoadedPicture(document=source.relative, name=source.relative, image=image, size=size)
    yield LoadedPart((LoadedDocument(document, ()),), (picture,))


def without_boilerplate(parts: Iterable[LoadedPart]) -> Iterator[LoadedPart]:
    """Leave out the pictures that show nothing, and count them."""
    for part in parts:
        kept = tuple(picture for picture in part.pictures if not _shows_nothing(picture))
        dropped = len(part.pictures) - len(kept)
        yield replace(part, pictures=kept, dropped=part.dropped + dropped)


def _shows_nothing(picture: LoadedPicture) -> bool:
    # A drawing has no pixels of its own: its size says how large it is meant to be shown.
    if picture.is_figure:
        holds_text = picture.text_is_read and picture.offset is not None
        return min(picture.size) < MIN_FIGURE_PX or (_is_blank(picture) and not holds_text)
    return max(picture.size) < MIN_FIGURE_PX or min(picture.size) < _MIN_FILE_PX


def _is_blank(picture: LoadedPicture) -> bool:
    small = picture.image.reduce(max(1, min(picture.image.size) // 128))
    pixels = np.asarray(small, dtype=np.int16).reshape(-1, 3)
    ground = np.median(pixels, axis=0)
    same = (np.abs(pixels - ground) <= _BLANK_STEPS).all(axis=1)
    return bool(same.mean() >= _BLANK_SHARE)
