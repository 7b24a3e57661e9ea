"""Cutting English and Korean text into sentences, with the characters where each one stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

Span = tuple[int, int]
"""Characters of a text, half open."""

# After these a full stop does not end a sentence.
_ABBREVIATIONS = frozenset(
    re.split(
        r"\s+",
        """mr mrs ms dr prof st vs e.g i.e cf approx appr ca dept est fig figs inc ltd co corp ext
        max min tel incl excl ref vol jan feb mar apr jun jul aug sep sept oct nov dec""",
    )
)
# After these it does not when a number follows: "No. 5".
_BEFORE_NUMBERS = frozenset({"no", "nos", "nr", "p", "pp", "ch"})
# What closes a quotation or bracket still belongs to the sentence. A Korean sentence may follow
# the one before it without a space.
_END = re.compile(
    r"(?:[.!?…]+|(?<=[^\d])[。！？]+)[\"'”’)\]]*(?=\s|$|(?<=[다요죠까음함임][.!?])[가-힣])"
)
_LAST_WORD = re.compile(r"([^\W\d_](?:[\w.]*[^\W_])?)\.$")
# Heading, list item, quotation or numbered step: never joined to the line above.
_MARKER = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+|[-*+•·][ \t]+|>[ \t]?|\(?\d{1,3}[.)][ \t]+|[①-⑳][ \t]*)"
)
_TABLE_ROW = re.compile(r"[ \t]*\|")
_TABLE_RULE = re.compile(r"[ \t|:+=*_-]*$")
_ENDS_SENTENCE = re.compile(r"[.!?。:：;]['\"”’)\]*_]*\s*$")
_WRAPPED_AT = 40
"""A line of at least so many characters may be a line of a paragraph that goes on below."""


def sentence_spans(text: str) -> list[Span]:
    """Return where the sentences of `text` stand, in order, without the white space around them.

    A heading, a list item (without its marker) and a row of a table count as a sentence. Nothing
    but markers, rules and white space is left out.
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
    if not _TABLE_ROW.match(text, start):
        begin = start
        for match in _END.finditer(text, start, end):
            if not _is_abbreviation(text, begin, match):
                yield _trim(text, begin, match.end())
                begin = match.end()
        start = begin
    yield _trim(text, start, end)


def _is_abbreviation(text: str, begin: int, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return False
    before = _LAST_WORD.search(text, max(begin, match.start() - 12), match.end())
    if before is None:
        return False
    word = before.group(1).lower()
    following = text[match.end() :].lstrip()[:1]
    # A single letter is an initial ("J. Smith"), but "vitamin C." ends a sentence.
    initial = len(word) == 1 and before.start() == begin
    return initial or word in _ABBREVIATIONS or (word in _BEFORE_NUMBERS and following.isdigit())


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def readable(text: str) -> str:
    """Return a sentence as a reader wants it: one line, the cells of a table row set apart."""
    if _TABLE_ROW.match(text):
        text = ", ".join(
            cell.strip() for cell in text.strip().strip("|").split("|") if cell.strip()
        )
    text = re.sub(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    return " ".join(text.split())


def split_stream(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of a text that arrives in pieces, each as soon as it is complete.

    A sentence is complete when the next one begins, or the text ends: only then is it known that
    the full stop of "approx. 3.5 kg" was none.
    """
    held = ""
    for piece in pieces:
        held += piece
        spans = sentence_spans(held)
        if len(spans) > 1:
            for start, end in spans[:-1]:
                yield readable(held[start:end])
            held = held[spans[-1][0] :]
    for start, end in sentence_spans(held):
        yield readable(held[start:end])
