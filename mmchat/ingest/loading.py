"""Read one file of the folder: its documents, its pictures, and the sections of its text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from mmchat import pictures
from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.stores.base import Reference
from mmchat.types import Box, Document

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document's text under one heading. A chunk never crosses its borders."""

    start: int
    end: int
    breadcrumb: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """A document with its structure."""

    document: Document
    sections: tuple[Section, ...]
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedPicture:
    """A decoded picture, scaled to what the index keeps."""

    document: str
    name: str
    image: Image
    size: tuple[int, int]
    """Width and height of the original, in pixels."""
    caption: str = ""
    page: int | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """What one file holds."""

    documents: tuple[LoadedDocument, ...] = ()
    pictures: tuple[LoadedPicture, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A file of the folder that is to be read."""

    path: Path
    relative: str
    """Its path relative to the indexed folder."""
    name: str
    """What it is called in words, where it does not say so itself."""


Loader: TypeAlias = Callable[[SourcePath, IngestConfig], LoadedFile]


def load_file(source: SourcePath, config: IngestConfig) -> LoadedFile:
    """Read a file within the limits of `config`.

    Raises:
        FileRejected: it cannot be read, or breaks a limit; the message names the way out.
    """
    loader = _loaders().get(source.path.suffix.lower())
    if loader is None:
        raise FileRejected(_unsupported(source.relative))
    size_mb = source.path.stat().st_size / 1e6
    if size_mb > config.max_file_mb:
        raise FileRejected(
            f"{source.relative} has {size_mb:.0f} MB; the limit is {config.max_file_mb:.0f} MB. Split it, or "
            "raise ingest.max_file_mb."
        )
    return loader(source, config)


def supported_suffixes() -> frozenset[str]:
    """Return the endings of the files that can be indexed, in lower case."""
    return frozenset(_loaders())


def _unsupported(relative: str) -> str:
    suffix = PurePosixPath(relative).suffix or "no ending"
    return (
        f"{relative}: files with {suffix} cannot be indexed. "
        f"Expected one of {', '.join(sorted(supported_suffixes()))}."
    )


def read_text(source: SourcePath) -> str:
    """Return the text of a file in whichever encoding it is written.

    Raises:
        FileRejected: it is empty, or not text.
    """
    data, relative = source.path.read_bytes(), source.relative
    if not data.strip():
        raise FileRejected(f"{relative} is empty. Write something into it, or remove it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        # Among all encodings there are, a short text fits many. These are the ones that people who
        # write English or Korean still meet.
        best = from_bytes(data, cp_isolation=["utf_16", "utf_32", "cp949", "cp1252"]).best()
        if best is None or (b"\x00" in data and not best.encoding.startswith("utf")):
            raise FileRejected(
                f"{relative} is not text in a known encoding. Save it as UTF-8."
            ) from None
        text = str(best)
    if "\x00" in text:
        raise FileRejected(f"{relative} holds binary data, not text. Save it as UTF-8 text.")
    # macOS writes Hangul as single jamo; encoders and BM25 know whole syllables.
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")


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
    words = re.sub(r"[\s_\-.]+", " ", stem).strip()
    return words[:1].upper() + words[1:]


def load_plain_text(source: SourcePath, _config: IngestConfig) -> LoadedFile:
    """Read plain text; a blank line ends a paragraph, and nothing is a heading."""
    text = read_text(source).strip()
    document = Document(path=source.relative, title=source.name, text=text)
    return LoadedFile((LoadedDocument(document, (Section(0, len(text), (source.name,)),)),))


def load_image_file(source: SourcePath, config: IngestConfig) -> LoadedFile:
    """Read a picture; of an animation its first frame."""
    image, size = pictures.load_picture(source.path, config.max_megapixels, config.max_media_px)
    document = Document(path=source.relative, title=source.name, text="")
    picture = LoadedPicture(document=source.relative, name=source.relative, image=image, size=size)
    return LoadedFile((LoadedDocument(document, ()),), (picture,))


def _loaders() -> dict[str, Loader]:
    from mmchat.ingest.markdown import load_markdown
    from mmchat.ingest.pdf import load_pdf
    from mmchat.ingest.tables import load_table

    return {
        ".md": load_markdown,
        ".markdown": load_markdown,
        ".txt": load_plain_text,
        ".csv": load_table,
        ".tsv": load_table,
        ".pdf": load_pdf,
        **dict.fromkeys(pictures.SUFFIXES, load_image_file),
    }
