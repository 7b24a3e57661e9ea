"""The text of PDF pages as lines: cleaned, mended, and without what repeats on every page."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmchat.types import Box
from mmchat.visible import visible

# PDFium writes one of these in place of a hyphen at the end of a line, and the next line right after it.
_BREAK = "\u00ad"
_CONTROL = dict.fromkeys([*range(9), *range(14, 32), 0xFFFF]) | {0xFFFE: _BREAK, 2: _BREAK}
# Pages of which most carry a line before it counts as a running header or footer.
_MIN_PAGES = 5
_MOST = 0.6
_MARGIN = 0.08
"""The share of a page's height, at its top and at its bottom, where running lines stand."""
_BROKEN = re.compile(rf"([^\W\d_]+){_BREAK}([^\W\d_]+)")
_HYPHENATED = re.compile(r"[^\W\d_]+-[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page."""

    text: str
    box: Box | None = None
    """Where it stands; None where nobody needs to know."""


def clean(raw: str) -> str:
    """Return the text of one line as a reader sees it, with a soft hyphen where a word is broken."""
    return unicodedata.normalize("NFC", visible(raw.translate(_CONTROL))).strip()


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
    """Put broken words together; those that are `known` to have a hyphen anyway keep it."""

    def join(match: re.Match[str]) -> str:
        return match[1] + ("-" if f"{match[1]}-{match[2]}".lower() in known else "") + match[2]

    mended = [replace(line, text=_BROKEN.sub(join, line.text)) for line in page]
    return [replace(line, text=line.text.replace(_BREAK, "-")) for line in mended]
