"""Cut documents into chunks: whole sentences of one section, up to a number of tokens.

Tokens are counted by the encoder that will embed the chunk, so that none is cut off unread and none
wastes the room that there is.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

from mmchat.config import IngestConfig
from mmchat.ingest.base import LoadedDocument, Section
from mmchat.sentences import sentence_spans
from mmchat.types import Chunk

Span = tuple[int, int]
TokenSpans = Callable[[str], Sequence[Span]]
"""Text to the character spans of its tokens, in order."""


def chunk_document(
    loaded: LoadedDocument, token_spans: TokenSpans, config: IngestConfig
) -> list[Chunk]:
    """Return the chunks of a document, in order."""
    document = loaded.document
    chunks: list[Chunk] = []
    for section in loaded.sections:
        text = document.text[section.start : section.end]
        for start, end in pack(text, token_spans(text), config.chunk_tokens, config.chunk_overlap):
            chunks.append(_chunk(loaded, section, len(chunks), start, end))
    return chunks


def pack(text: str, tokens: Sequence[Span], size: int, overlap: int) -> list[Span]:
    """Pack the sentences of `text` into spans of at most `size` tokens.

    Args:
        text: one section.
        tokens: the spans of its tokens.
        size: tokens in a span, at most. A longer sentence is cut between tokens.
        overlap: tokens that a span repeats of the one before it, at most; whole sentences only.
    """
    ruler = _Ruler(tokens)
    pieces = [piece for sentence in sentence_spans(text) for piece in ruler.split(sentence, size)]
    counts = [ruler.count(piece) for piece in pieces]
    packed = []
    first = 0
    while first < len(pieces):
        last, total = first, counts[first]
        while last + 1 < len(pieces) and total + counts[last + 1] <= size:
            last += 1
            total += counts[last]
        packed.append((pieces[first][0], pieces[last][1]))
        if last + 1 == len(pieces):
            break
        first = _step_back(counts, first, last, overlap, size)
    return packed


def _step_back(counts: Sequence[int], first: int, last: int, overlap: int, size: int) -> int:
    """Return the sentence with which the next span begins, so that it repeats up to `overlap`."""
    following = last + 1
    begin, repeated = following, 0
    while begin - 1 > first and repeated + counts[begin - 1] <= overlap:
        begin -= 1
        repeated += counts[begin]
    # Repeating must leave room for the next sentence, or the span would bring nothing new.
    while begin < following and repeated + counts[following] > size:
        repeated -= counts[begin]
        begin += 1
    return begin


class _Ruler:
    """Measures spans of a text in tokens. A token that a span cuts through counts for both sides."""

    def __init__(self, tokens: Sequence[Span]) -> None:
        self._starts = [start for start, _ in tokens]
        self._ends = [end for _, end in tokens]

    def count(self, span: Span) -> int:
        first, last = self._tokens(span)
        return max(1, last - first)

    def split(self, span: Span, size: int) -> Iterator[Span]:
        """Cut a span between tokens into pieces of at most `size` tokens."""
        start, end = span
        first, last = self._tokens(span)
        while last - first > size:
            cut = self._starts[first + size]
            yield start, cut
            start, first = cut, first + size
        yield start, end

    def _tokens(self, span: Span) -> tuple[int, int]:
        return bisect_right(self._ends, span[0]), bisect_left(self._starts, span[1])


def _chunk(loaded: LoadedDocument, section: Section, ordinal: int, start: int, end: int) -> Chunk:
    document = loaded.document
    start, end = section.start + start, section.start + end
    text = document.text[start:end]
    identity = f"{document.path}\0{ordinal}\0{text}".encode()
    return Chunk(
        id="c" + hashlib.blake2b(identity, digest_size=8).hexdigest(),
        document=document.path,
        ordinal=ordinal,
        text=text,
        start=start,
        end=end,
        breadcrumb=section.breadcrumb,
        page=section.page,
    )
