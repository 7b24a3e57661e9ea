"""Read one file of the folder with the loader of its format."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import PurePosixPath

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedPart, Loader, SourcePath
from mmchat.ingest.images import without_boilerplate
from mmchat.ingest.ocr import with_text
from mmchat.pictures import SUFFIXES as IMAGE_SUFFIXES

# Ending of a file name to the module and function that read it: a format costs its imports only where
# a folder holds it.
_LOADERS = {
    ".md": "markdown:load_markdown",
    ".markdown": "markdown:load_markdown",
    ".txt": "text:load_plain_text",
    ".csv": "tables:load_table",
    ".tsv": "tables:load_table",
    ".pdf": "pdf:load_pdf",
    **dict.fromkeys(IMAGE_SUFFIXES, "images:load_image_file"),
}


def load_file(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a file, part by part, within the limits of the settings.

    Raises:
        FileRejected: it cannot be read, or breaks a limit; the message names the way out. Parts that
            came before do not count then.
    """
    loader = _loader(source)
    size_mb = source.path.stat().st_size / 1e6
    limit = context.config.max_file_mb
    if size_mb > limit:
        raise FileRejected(
            f"{source.relative} has {size_mb:.0f} MB; the limit is {limit:.0f} MB. Split it, or "
            "raise ingest.max_file_mb."
        )
    yield from with_text(without_boilerplate(loader(source, context)), context)


def supported_suffixes() -> frozenset[str]:
    """Return the endings of the files that can be indexed, in lower case."""
    return frozenset(_LOADERS)


def _loader(source: SourcePath) -> Loader:
    name = _LOADERS.get(source.path.suffix.lower())
    if name is None:
        suffix = PurePosixPath(source.relative).suffix or "no ending"
        raise FileRejected(
            f"{source.relative}: files with {suffix} cannot be indexed. "
            f"Expected one of {', '.join(sorted(supported_suffixes()))}."
        )
    module, _, function = name.partition(":")
    loader: Loader = getattr(import_module(f"mmchat.ingest.{module}"), function)
    return loader
