"""The text of PDF pages as lines: cleaned, mended, and without what repeats on every page."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmchat.types import Box

# PDFium writes one of these where a word was broken at the end of a line.
_BROKEN_WORD = ("\ufffe", "\x02", "\u00ad")
_CONTROL = dict.fromkeys([*range(9), *range(14, 32), 0xFFFE, 0xFFFF, 0xAD])
# Pages of which most carry a line before it counts as a running header or footer.
_MIN_PAGES = 5
_MOST = 0.6
_EDGE_LINES = 2
"""Lines from the top and from the bottom of a page that may be running ones."""
_HYPHENATED = re.compile(r"[^\W\d_]+-[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page."""

    text: str
    box: Box | None = None
    """Where it stands; None where nobody needs to know."""


def clean(raw: str) -> str:
    """Return the text of one line as a reader sees it; a broken word keeps a hyphen."""
    raw = raw.rstrip()
    if raw.endswith(_BROKEN_WORD):
        raw = raw[:-1] + "-"
    return unicodedata.normalize("NFC", raw.translate(_CONTROL)).strip()


def mend(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return the lines of all pages without running headers and footers, and with whole words."""
    pages = without_running_lines(pages)
    known = {
        word.lower() for page in pages for line in page for word in _HYPHENATED.findall(line.text)
    }
    return [_whole_words(page, known) for page in pages]


def without_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Leave out lines at the top or bottom of a page that most pages have there.

    A number in them may count the pages ("Page 7 of 90"); any other number makes them different lines.
    """
    if len([page for page in pages if page]) < _MIN_PAGES:
        return [list(page) for page in pages]
    seen: Counter[str] = Counter()
    for number, page in enumerate(pages):
        seen.update({key for line in _edges(page) for key in _keys(line.text, number)})
    enough = _MOST * len([page for page in pages if page])
    kept = []
    for number, page in enumerate(pages):
        running = {
            id(line)
            for line in _edges(page)
            if any(seen[key] >= enough for key in _keys(line.text, number))
        }
        kept.append([line for line in page if id(line) not in running])
    return kept


def _edges(page: Sequence[Line]) -> list[Line]:
    if len(page) <= 2 * _EDGE_LINES:
        return list(page)
    return [*page[:_EDGE_LINES], *page[-_EDGE_LINES:]]


def _keys(text: str, page: int) -> set[str]:
    """Return what a line is on every page: itself, and itself with numbers relative to the page."""
    counted = re.sub(r"\d{1,6}", lambda match: f"{int(match[0]) - page:+d}", text)
    return {text, counted}


def _whole_words(page: Sequence[Line], known: set[str]) -> list[Line]:
    """Put words together that were broken at the end of a line; `known` ones have a hyphen anyway."""
    mended = list(page)
    for at in range(len(mended) - 1):
        first, _, rest = mended[at + 1].text.partition(" ")
        head = re.search(r"([^\W\d_]+)-$", mended[at].text)
        if head is None or not first[:1].islower():
            continue
        text = mended[at].text
        whole = re.match(r"[^\W\d_]+", first)
        if whole is None or f"{head[1]}-{whole[0]}".lower() not in known:
            text = text[:-1]
        mended[at] = replace(mended[at], text=text + first)
        mended[at + 1] = replace(mended[at + 1], text=rest)
    return [line for line in mended if line.text]
