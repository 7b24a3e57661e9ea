"""Read plain text: a blank line ends a paragraph, and nothing is a heading."""

from __future__ import annotations

from collections.abc import Iterator

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath
from mmchat.ingest.decoding import text_blocks
from mmchat.ingest.writer import DocumentWriter


def load_plain_text(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a text file of any length, a million characters at a time.

    Raises:
        FileRejected: it is empty, or not text.
    """
    writer = DocumentWriter(source.relative, source.name)
    for block in text_blocks(source):
        for line in block.split("\n"):
            if line.strip():
                writer.line(line)
            else:
                writer.end_paragraph()
        yield from writer.finished(context.config)
    if writer.is_empty:
        raise FileRejected(f"{source.relative} is empty. Write something into it, or remove it.")
    yield from writer.end(context.config)
