"""Read one file of the folder with the loader of its format."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import PurePosixPath

from mmchat.config import IngestConfig
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
    ".html": "html:load_html",
    ".htm": "html:load_html",
    ".xhtml": "html:load_html",
    ".txt": "text:load_plain_text",
    ".csv": "delimited:load_table",
    ".tsv": "delimited:load_table",
    ".jsonl": "records:load_json_lines",
    ".ndjson": "records:load_json_lines",
    ".json": "records:load_json",
    ".xlsx": "workbook:load_workbook",
    ".xlsm": "workbook:load_workbook",
    ".docx": "word:load_word",
    ".docm": "word:load_word",
    ".pptx": "slides:load_slides",
    ".pptm": "slides:load_slides",
    ".pdf": "pdf:load_pdf",
    **dict.fromkeys(IMAGE_SUFFIXES, "images:load_image_file"),
}
# These are read piece by piece, so that a long one costs no memory.
_STREAMED = frozenset({".md", ".markdown", ".txt", ".csv", ".tsv", ".jsonl", ".ndjson"})
# What people have beside these, and the format to save it in.
_SAVE_AS = {
    **dict.fromkeys((".doc", ".rtf", ".odt", ".pages", ".wps"), ".docx or .pdf"),
    **dict.fromkeys((".hwp", ".hwpx"), ".docx or .pdf"),
    **dict.fromkeys((".xls", ".ods", ".numbers", ".xlsb"), ".xlsx or .csv"),
    **dict.fromkeys((".ppt", ".odp", ".key"), ".pptx or .pdf"),
    **dict.fromkeys((".mht", ".mhtml"), ".html"),
}


def load_file(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a file, part by part, within the limits of the settings.

    Raises:
        FileRejected: it cannot be read, or breaks a limit; the message names the way out. Parts that
            came before do not count then.
    """
    loader = _loader(source)
    refuse_large(source, context.config)
    yield from with_text(without_boilerplate(loader(source, context)), context)


def refuse_large(source: SourcePath, config: IngestConfig) -> None:
    """Refuse a file that is larger than the settings allow.

    Raises:
        FileRejected: it is.
    """
    size_mb = source.path.stat().st_size / 1e6
    streamed = source.path.suffix.lower() in _STREAMED
    setting = "max_text_mb" if streamed else "max_file_mb"
    limit: float = getattr(config, setting)
    if size_mb > limit:
        raise FileRejected(
            f"{source.relative} has {size_mb:,.0f} MB; the limit is {limit:,.0f} MB. Split it, or "
            f"raise ingest.{setting}."
        )


def supported_suffixes() -> frozenset[str]:
    """Return the endings of the files that can be indexed, in lower case."""
    return frozenset(_LOADERS)


def _loader(source: SourcePath) -> Loader:
    name = _LOADERS.get(source.path.suffix.lower())
    if name is None:
        suffix = PurePosixPath(source.relative).suffix or "no ending"
        if save_as := _SAVE_AS.get(suffix.lower()):
            raise FileRejected(
                f"{source.relative}: files with {suffix} cannot be indexed. Open it in the program that it "
                f"is from, and save it as {save_as}."
            )
        raise FileRejected(
            f"{source.relative}: files with {suffix} cannot be indexed. "
            f"Expected one of {', '.join(sorted(supported_suffixes()))}."
        )
    module, _, function = name.partition(":")
    loader: Loader = getattr(import_module(f"mmchat.ingest.{module}"), function)
    return loader
