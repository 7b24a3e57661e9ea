"""Text files in any encoding, and what their names say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, Section, SourcePath
from mmchat.types import Document


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


def load_plain_text(source: SourcePath, _context: LoadContext) -> Iterator[LoadedPart]:
    """Read plain text; a blank line ends a paragraph, and nothing is a heading."""
    text = read_text(source).strip()
    document = Document(path=source.relative, title=source.name, text=text)
    yield LoadedPart((LoadedDocument(document, (Section(0, len(text), (source.name,)),)),))
