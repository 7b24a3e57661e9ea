"""Text in whichever encoding a file has, piece by piece: no file is in memory whole.

Which encoding it is, is known before the first piece is handed out. UTF-8 is told from everything else
by reading the file through once, which costs a fraction of a second for 500 MB; for the others a sample
around the first bytes that are not UTF-8 is enough.
"""

from __future__ import annotations

import codecs
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from mmchat.errors import FileRejected
from mmchat.ingest.base import SourcePath

_BYTES_AT_ONCE = 1 << 20
_SAMPLE = 1 << 18
_LONGEST_LINE = 8_000_000
_BOMS = (
    # UTF-32's begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Among all encodings there are, a short text fits many. These are the ones that people who write
# English or Korean still meet.
_CANDIDATES = ["utf_16", "utf_32", "cp949", "cp1252"]
# Vowels and final consonants of Hangul in pieces: they join what stands before them.
_JOINING_JAMO = ("\u1160", "\u11ff")


def read_text(source: SourcePath, declared: str = "") -> str:
    """Return the text of a file, with `\\n` at the end of its lines and its letters composed (NFC).

    Args:
        source: the file.
        declared: the encoding that the file says it has; it is tried where the file is not UTF-8.

    Raises:
        FileRejected: it is empty, or not text.
    """
    return "".join(text_blocks(source, declared))


def text_lines(source: SourcePath) -> Iterator[str]:
    """Yield the lines of a file, each with the `\\n` at its end.

    Raises:
        FileRejected: it is empty, not text, or has a line of more than 8 million characters.
    """
    number, begun = 0, ""
    for block in text_blocks(source):
        for line in io.StringIO(begun + block, newline="\n"):
            if line.endswith("\n"):
                number += 1
                begun = ""
                yield line
            elif len(line) > _LONGEST_LINE:
                raise FileRejected(
                    f"{source.relative}, line {number + 1}: it has more than {_LONGEST_LINE:,} "
                    "characters. Put each record on a line of its own."
                )
            else:
                begun = line
    if begun:
        yield begun


def text_blocks(source: SourcePath, declared: str = "") -> Iterator[str]:
    """Yield the text of a file in pieces of about a million characters, cut after a line where possible.

    Raises:
        FileRejected: it is empty, or not text.
    """
    encoding = _encoding(source, declared)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    rest = ""
    with source.path.open("rb") as content:
        while True:
            data = content.read(_BYTES_AT_ONCE)
            try:
                text = rest + decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise _not_text(source) from error
            if "\0" in text:
                raise FileRejected(
                    f"{source.relative} holds binary data, not text. Save it as UTF-8 text."
                )
            cut = _cut(text) if data else len(text)
            # macOS writes Hangul as single jamo; encoders and BM25 know whole syllables.
            if cut:
                yield unicodedata.normalize("NFC", text[:cut])
            rest = text[cut:]
            if not data:
                return


def _cut(text: str) -> int:
    """Return where a piece may end: after a line, or after a character that nothing joins."""
    after_line = text.rfind("\n") + 1
    if after_line or len(text) < _BYTES_AT_ONCE:
        return after_line
    after_word = text.rfind(" ") + 1
    if after_word:
        return after_word
    cut = len(text) - 1
    while cut > 1 and _joins(text[cut]):
        cut -= 1
    return cut


def _joins(character: str) -> bool:
    first, last = _JOINING_JAMO
    return unicodedata.combining(character) != 0 or first <= character <= last


@dataclass(slots=True)
class _Survey:
    """What one reading of the bytes tells."""

    bad: int | None = None
    """Where the first bytes stand that are not UTF-8."""
    blank: bool = True
    head: bytes = b""


def _encoding(source: SourcePath, declared: str) -> str:
    survey = _survey(source)
    if survey.blank:
        raise FileRejected(f"{source.relative} is empty. Write something into it, or remove it.")
    for mark, encoding in _BOMS:
        if survey.head.startswith(mark):
            return encoding
    if survey.bad is None:
        return "utf-8"
    if declared and (known := _known(declared)):
        return known
    return _guess(source, survey)


def _survey(source: SourcePath) -> _Survey:
    survey = _Survey()
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    with source.path.open("rb") as content:
        while True:
            data = content.read(_BYTES_AT_ONCE)
            survey.head = survey.head or data[:4]
            survey.blank = survey.blank and not data.strip().strip(codecs.BOM_UTF8)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                survey.bad = max(0, position - held + error.start)
                survey.blank = False
                return survey
            position += len(data)
            if not data:
                return survey


def _guess(source: SourcePath, survey: _Survey) -> str:
    from charset_normalizer import from_bytes

    with source.path.open("rb") as content:
        start = max(0, (survey.bad or 0) - _SAMPLE // 4)
        content.seek(start)
        sample = content.read(_SAMPLE)
    # Whole lines: a sample must not begin or end within a character.
    if start:
        sample = sample[sample.find(b"\n") + 1 :]
    whole_lines = sample[: sample.rfind(b"\n") + 1] if len(sample) > _SAMPLE // 2 else sample
    best = from_bytes(whole_lines or sample, cp_isolation=_CANDIDATES).best()
    if best is None or (b"\0" in sample and not best.encoding.startswith("utf")):
        raise _not_text(source)
    return best.encoding


def _known(declared: str) -> str:
    """Return Python's name of an encoding that a page declares; browsers read EUC-KR as CP949."""
    aliases = {"euc-kr": "cp949", "ks_c_5601-1987": "cp949", "iso-8859-1": "cp1252"}
    try:
        name = codecs.lookup(aliases.get(declared.lower(), declared)).name
        codecs.getincrementaldecoder(name)
    except LookupError:
        return ""
    return "" if name.startswith(("utf-8", "utf-16", "utf-32")) else name


def _not_text(source: SourcePath) -> FileRejected:
    return FileRejected(f"{source.relative} is not text in a known encoding. Save it as UTF-8.")
