"""Sentences with their character spans, for English and Korean.

Chunks are packed from sentences and answers are checked sentence by sentence: both must agree on
where one ends, so both come here. The rules are those of `sentencex`; on top of it a line break ends
a sentence (list items, table rows and catalogue fields are statements of their own).
"""

from __future__ import annotations

import re

_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_LINE = re.compile(r"[^\n]+")


def is_korean(text: str) -> bool:
    """Tell whether a text is written in Korean: a fifth or more of its letters are Hangul."""
    letters = sum(character.isalpha() for character in text)
    return letters > 0 and len(_HANGUL.findall(text)) >= letters / 5


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of `text` in order, without the white space around them."""
    import sentencex

    language = "ko" if is_korean(text) else "en"
    spans = []
    for line in _LINE.finditer(text):
        for boundary in sentencex.get_sentence_boundaries(language, line.group()):
            start, end = _strip(
                text, line.start() + boundary["start_index"], line.start() + boundary["end_index"]
            )
            if start < end:
                spans.append((start, end))
    return spans


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
