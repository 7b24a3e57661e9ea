"""Sentences with the characters where they stand, for English and Korean.

Chunks are packed from sentences and answers are checked sentence by sentence: both must agree on where
one ends, so both come here. Where a sentence ends within a paragraph is `sentencex`'s to say; what a
paragraph is (a wrapped line goes on, a heading, a list item and a row of a table stand alone) is told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]
"""Characters of a text, half open."""

_HANGUL = re.compile(r"[\uac00-\ud7a3]")
# sentencex ends a sentence after these, which stand before a number or an example in product pages.
_ABBREVIATION = re.compile(
    r"\b(?:approx|appr|ca|max|min|incl|excl|e\.g|i\.e|cf|tel|ref)\.\s*$", re.I
)
_BEFORE_NUMBER = re.compile(r"\b(?:nos?|nr|pp?|ch|figs?|vol|art)\.\s*$", re.I)
# A Korean sentence may follow the one before it without a space.
_KOREAN_JOIN = re.compile(r"(?<=[다요죠까음함임][.!?])(?=[가-힣])")
# Heading, list item, quotation or numbered step: never joined to the line above.
_MARKER = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+|[-*+•·][ \t]+|>[ \t]?|\(?\d{1,3}[.)][ \t]+|[①-⑳][ \t]*)"
)
_TABLE_ROW = re.compile(r"[ \t]*\|")
_TABLE_RULE = re.compile(r"[ \t|:+=*_-]*$")
_ENDS_SENTENCE = re.compile(r"[.!?。:：;]['\"”’)\]*_]*\s*$")
_WRAPPED_AT = 40
"""A line of at least so many characters may be a line of a paragraph that goes on below."""


def is_korean(text: str) -> bool:
    """Tell whether a text is written in Korean: a fifth or more of its letters are Hangul."""
    letters = sum(character.isalpha() for character in text)
    return letters > 0 and len(_HANGUL.findall(text)) >= letters / 5


def sentence_spans(text: str) -> list[Span]:
    """Return where the sentences of `text` stand, in order, without the white space around them.

    A heading, a list item (without its marker) and a row of a table count as a sentence. Nothing but
    markers, rules and white space is left out.
    """
    return [
        span
        for start, end in _blocks(text)
        for span in _cut_block(text, start, end)
        if span[0] < span[1]
    ]


def _blocks(text: str) -> Iterator[Span]:
    """Yield stretches of text in which a line break means nothing."""
    start: int | None = None
    previous = ""
    end = at = 0
    for line in text.splitlines(keepends=True):
        if start is not None and _begins_block(previous, line):
            yield start, end
            start = None
        if start is None and not _TABLE_RULE.match(line.rstrip()):
            marker = _MARKER.match(line)
            start = at + (marker.end() if marker else 0)
        at += len(line)
        end, previous = at, line
    if start is not None:
        yield start, end


def _begins_block(previous: str, line: str) -> bool:
    stripped = line.strip()
    return bool(
        _TABLE_RULE.match(stripped)
        or _MARKER.match(line)
        or _TABLE_ROW.match(line)
        or _TABLE_ROW.match(previous)
        or previous.lstrip().startswith("#")
        or _ENDS_SENTENCE.search(previous)
        or (len(previous.rstrip()) < _WRAPPED_AT and not stripped[0].islower())
    )


def _cut_block(text: str, start: int, end: int) -> Iterator[Span]:
    begin = start
    if not _TABLE_ROW.match(text, start):
        # Inside a block a line break means nothing, but sentencex would end a sentence there.
        for cut in _boundaries(text[start:end].replace("\n", " ")):
            yield _trim(text, begin, start + cut)
            begin = start + cut
    yield _trim(text, begin, end)


def _boundaries(block: str) -> list[int]:
    """Return where in a block a sentence ends and another begins."""
    import sentencex

    language = "ko" if is_korean(block) else "en"
    ends = {b["end_index"] for b in sentencex.get_sentence_boundaries(language, block)}
    ends |= {match.start() for match in _KOREAN_JOIN.finditer(block)}
    return [end for end in sorted(ends) if not _goes_on(block, end)]


def _goes_on(block: str, end: int) -> bool:
    """Tell whether the full stop before `end` belongs to an abbreviation."""
    before, following = block[max(0, end - 12) : end], block[end:].lstrip()[:1]
    return bool(
        _ABBREVIATION.search(before) or (following.isdigit() and _BEFORE_NUMBER.search(before))
    )


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
