"""Image files: photos, scans and drawings."""

from __future__ import annotations

from collections.abc import Iterator

from mmchat import pictures
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, LoadedPicture, SourcePath
from mmchat.types import Document


def load_image_file(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a picture; of an animation its first frame."""
    config = context.config
    image, size = pictures.load_picture(source.path, config.max_megapixels, config.max_media_px)
    document = Document(path=source.relative, title=source.name, text="")
    picture = LoadedPicture(document=source.relative, name=source.relative, image=image, size=size)
    yield LoadedPart((LoadedDocument(document, ()),), (picture,))
