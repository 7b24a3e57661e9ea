"""Sentences as a reader wants them, and as they come out of a generator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mmchat.sentences import sentence_spans

_FINISHED = re.compile(r"[.!?。…][\"'”’)\]]*\s*$")
_END = re.compile(r"\s*([.!?。…]*[\"'”’)\]]*)\s*$")
_TABLE_ROW = re.compile(r"[ \t]*\|")


def readable(text: str) -> str:
    """Return a sentence as a reader wants it: one line, the cells of a table row set apart."""
    if _TABLE_ROW.match(text):
        text = ", ".join(
            cell.strip() for cell in text.strip().strip("|").split("|") if cell.strip()
        )
    text = re.sub(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    return " ".join(text.split())


def is_finished(text: str) -> bool:
    """Tell whether a text ends as a sentence does, rather than where it was cut off."""
    return bool(_FINISHED.search(text))


def with_marks(sentence: str, marks: str) -> str:
    """Return a sentence with the marks of its sources before what ends it: `It fits [1].`"""
    end = _END.search(sentence)
    assert end is not None, "every text ends, if with nothing"
    return f"{sentence[: end.start()]} {marks}{end.group(1)}"


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
