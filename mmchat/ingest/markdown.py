"""Read Markdown: it becomes HTML as in a browser, and is read as that.

Thus HTML inside of Markdown is what a reader sees of it, no less and no more. markdown-it-py parses,
python-frontmatter splits off the front matter.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import frontmatter
import yaml
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from selectolax.lexbor import LexborHTMLParser

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath
from mmchat.ingest.decoding import text_lines
from mmchat.ingest.elements import ElementReader
from mmchat.ingest.hidden import first_shown
from mmchat.ingest.html import is_element, parse
from mmchat.ingest.naming import humanise, resolve_path
from mmchat.ingest.writer import PART_CHARS, DocumentWriter, clean
from mmchat.types import MetadataValue

_PICTURE_KEYS = ("image", "images", "picture", "pictures", "photo", "photos")
_TITLE_KEYS = ("title", "name")
# What a site keeps of a page says nothing about its subject: such a passage is near to every question.
_BOOKKEEPING = frozenset(
    (
        "asked created draft lang language lastmod last_modified layout locale modified permalink published "
        "slug template updated url"
    ).split()
)
_TAG = re.compile(r"\s*</?([a-zA-Z][^\s/>]*)")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}\s")


def load_markdown(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a Markdown file with or without front matter; a long one is read piece by piece.

    Raises:
        FileRejected: it is empty, or not text.
    """
    writer: DocumentWriter | None = None
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown.add_render_rule("html_inline", _keep_placeholders)
    markdown.add_render_rule("html_block", _keep_placeholders)
    for piece in _pieces(text_lines(source)):
        fields, body = ({}, piece) if writer else _split(piece)
        page = parse(markdown.render(body), source.relative)
        if writer is None:
            writer = DocumentWriter(source.relative, _title(fields, page) or source.name, fields)
            _write_facts(writer, fields, source.relative)
        if page.body is not None:
            ElementReader(writer, source.relative).read(page.body, around=False)
        yield from writer.finished(context.config)
    if writer is None or writer.is_empty:
        raise FileRejected(f"{source.relative} is empty. Write something into it, or remove it.")
    yield from writer.end(context.config)


def _keep_placeholders(_renderer: object, tokens: Sequence[Token], place: int, *_: object) -> str:
    """Return HTML as it is, but `<your name>` as words: people write it and mean no element."""
    content = tokens[place].content
    match = _TAG.match(content)
    return escapeHtml(content) if match and not is_element(match[1].lower()) else content


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Cut a long text before a heading, or between paragraphs where none comes for long."""
    piece: list[str] = []
    length = 0
    fenced = blank = False
    for line in lines:
        begins = _HEADING.match(line) or (blank and length > 2 * PART_CHARS)
        if (length > PART_CHARS and begins and not fenced) or length > 4 * PART_CHARS:
            yield "".join(piece)
            piece, length = [], 0
        if _FENCE.match(line):
            fenced = not fenced
        blank = not line.strip()
        piece.append(line)
        length += len(line)
    if piece:
        yield "".join(piece)


def _split(text: str) -> tuple[dict[str, MetadataValue], str]:
    """Split front matter from the text below it."""
    try:
        post = frontmatter.loads(text, handler=frontmatter.YAMLHandler())
        fields, body = dict(post.metadata), post.content
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
    ):  # a date that does not exist is a ValueError
        # A rule of dashes at the top, not front matter: the whole file is the text.
        return {}, text
    return {
        clean(str(k)): plain for k, value in fields.items() if (plain := _plain(value)) != ""
    }, body


def _title(fields: Mapping[str, MetadataValue], page: LexborHTMLParser) -> str:
    given = next((str(fields[key]) for key in _TITLE_KEYS if key in fields), "")
    return given or first_shown(page.body, "h1, h2, h3, h4, h5, h6", around=False)


def _write_facts(
    writer: DocumentWriter, fields: Mapping[str, MetadataValue], relative: str
) -> None:
    """Write front matter as lines: a price that stands only there can be asked for too."""
    for key in _PICTURE_KEYS:
        if key in fields:
            for target in re.split("[,;|]", str(fields[key])):
                writer.refer(resolve_path(target, relative), "")
    for key, value in fields.items():
        if key.lower() not in (*_PICTURE_KEYS, *_TITLE_KEYS, *_BOOKKEEPING):
            shown = ("yes" if value else "no") if isinstance(value, bool) else value
            writer.line(f"{humanise(key)}: {shown}")
    writer.end_heading(1)


def _plain(value: object) -> MetadataValue:
    """Turn a YAML value into one that metadata can hold; what cannot be becomes an empty text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, dict):
        return clean(", ".join(str(part) for part in value))
    return ""
