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
_MARGIN = 0.1
"""The share of a page's height, at its top and at its bottom, where running lines stand."""
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
    """Leave out lines in the margins of a page that most pages have there.

    One number in them may count the pages ("Page 7 of 90"); any other makes them different lines.
    """
    if len([page for page in pages if page]) < _MIN_PAGES:
        return [list(page) for page in pages]
    seen: Counter[str] = Counter()
    for number, page in enumerate(pages):
        seen.update({key for line in _margins(page) for key in _keys(line.text, number)})
    enough = _MOST * len([page for page in pages if page])
    kept = []
    for number, page in enumerate(pages):
        running = {
            id(line)
            for line in _margins(page)
            if any(seen[key] >= enough for key in _keys(line.text, number))
        }
        kept.append([line for line in page if id(line) not in running])
    return kept


def _margins(page: Sequence[Line]) -> list[Line]:
    return [
        line
        for line in page
        if line.box is not None and (line.box.bottom <= _MARGIN or line.box.top >= 1 - _MARGIN)
    ]


def _keys(text: str, page: int) -> set[str]:
    """Return what a line may be on every page: itself, or itself with one number relative to the page."""
    numbers = list(re.finditer(r"\d{1,6}", text))
    return {text} | {
        f"{text[: n.start()]}{int(n[0]) - page:+d}{text[n.end() :]}" for n in numbers[:4]
    }


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
