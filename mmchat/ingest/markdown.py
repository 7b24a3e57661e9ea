"""Read Markdown: headings become sections, tables become statements, pictures become references.

The text of the document is what a reader would see, without the marks: it is quoted in answers, read
by the encoders and pointed into by citations. markdown-it-py parses, python-frontmatter splits off the
front matter; what is ours is only how the tokens become text.
"""

from __future__ import annotations

import datetime
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from urllib.parse import unquote

import frontmatter
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, Section, SourcePath
from mmchat.ingest.text import humanise, read_text
from mmchat.stores.base import Reference
from mmchat.types import Document, MetadataValue

_PICTURE_KEYS = ("image", "picture", "photo")
_TITLE_KEYS = ("title", "name")


def load_markdown(source: SourcePath, _context: LoadContext) -> Iterator[LoadedPart]:
    """Read a Markdown file with or without front matter."""
    raw = read_text(source)
    try:
        post = frontmatter.loads(raw, handler=frontmatter.YAMLHandler())
        fields, body = dict(post.metadata), post.content
    except (yaml.YAMLError, ValueError):  # a date that does not exist is a ValueError
        # A rule of dashes at the top, not front matter: the whole file is the text.
        fields, body = {}, raw
    metadata = {str(key): plain for key, value in fields.items() if (plain := _plain(value)) != ""}
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)
    title = next((str(metadata[key]) for key in _TITLE_KEYS if key in metadata), "")
    title = title or _first_heading(tokens) or source.name
    writer = _TextWriter(source.relative, title)
    writer.write_facts(metadata)
    writer.write(tokens)
    document = Document(path=source.relative, title=title, text=writer.text, metadata=metadata)
    yield LoadedPart((LoadedDocument(document, writer.sections, tuple(writer.references)),))


def resolve(target: str, relative: str) -> str | None:
    """Return where a link of the document `relative` leads inside the folder; None if out of it."""
    target = unquote(target.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0])
    if not target or "://" in target or target.startswith(("/", "data:", "mailto:")):
        return None
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(relative), target))
    return None if joined.startswith("..") else joined


class _TextWriter:
    """Writes the plain text of Markdown tokens and notes where sections and pictures stand."""

    def __init__(self, relative: str, title: str) -> None:
        self._relative = relative
        self._title = title
        self._lines: list[str] = []
        self._length = 0
        self._headings: list[tuple[int, str]] = []
        self._section_start = 0
        self._sections: list[Section] = []
        self.references: list[Reference] = []

    @property
    def text(self) -> str:
        return "".join(self._lines)

    @property
    def sections(self) -> tuple[Section, ...]:
        self._end_section()
        return tuple(self._sections)

    def write_facts(self, metadata: dict[str, MetadataValue]) -> None:
        """Write front matter as lines: a price that stands only there can be asked for too."""
        for key in _PICTURE_KEYS:
            if key in metadata:
                self._refer(str(metadata[key]), "")
        for key, value in metadata.items():
            if key not in (*_PICTURE_KEYS, *_TITLE_KEYS):
                shown = ("yes" if value else "no") if isinstance(value, bool) else value
                self._line(f"{humanise(key)}: {shown}")
        self._end_section()

    def write(self, tokens: Sequence[Token]) -> None:
        items: list[str] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token.type == "heading_open":
                self._heading(int(token.tag[1]), self._inline(tokens[position + 1]))
                position += 2
            elif token.type == "table_open":
                position = self._table(tokens, position)
            elif token.type in {"bullet_list_open", "ordered_list_open"}:
                items.append("-" if token.type.startswith("bullet") else "1")
            elif token.type in {"bullet_list_close", "ordered_list_close"}:
                items.pop()
            elif token.type == "list_item_open" and items:
                items[-1] = f"{token.info}." if token.info else "-"
            elif token.type == "inline":
                mark = f"{items[-1]} " if items and items[-1] else ""
                self._line(mark + self._inline(token))
                if items:
                    items[-1] = ""
            elif token.type in {"fence", "code_block"}:
                self._line(token.content.rstrip())
            elif token.type == "paragraph_close" and not items:
                self._line("")
            position += 1

    def _heading(self, level: int, text: str) -> None:
        self._end_section()
        self._headings = [entry for entry in self._headings if entry[0] < level] + [(level, text)]

    def _end_section(self) -> None:
        start, end = self._section_start, self._length
        self._section_start = end
        if self.text[start:end].strip():
            names = [self._title, *(text for _, text in self._headings)]
            self._sections.append(Section(start, end, tuple(dict.fromkeys(names))))

    def _table(self, tokens: Sequence[Token], position: int) -> int:
        """Write each row as a statement that can be read alone; return where the table ends."""
        header: list[str] = []
        row: list[str] = []
        while tokens[position].type != "table_close":
            token = tokens[position]
            if token.type == "tr_open":
                row = []
            elif token.type == "inline":
                row.append(self._inline(token))
            elif token.type == "tr_close" and not header:
                header = row
            elif token.type == "tr_close":
                self._line(_statement(header, row))
            position += 1
        self._line("")
        return position

    def _inline(self, token: Token) -> str:
        parts = []
        for child in token.children or []:
            if child.type == "image":
                self._refer(str(child.attrs.get("src", "")), child.content)
            elif child.type in {"softbreak", "hardbreak"}:
                parts.append(" " if child.type == "softbreak" else "\n")
            elif child.type != "html_inline":
                parts.append(child.content)
        return "".join(parts).strip()

    def _refer(self, target: str, alt: str) -> None:
        resolved = resolve(target, self._relative)
        if resolved:
            self.references.append(Reference(self._relative, resolved, self._length, alt))

    def _line(self, text: str) -> None:
        text = text.replace("\0", " ")  # SQLite ends a text there
        if text or (self._lines and self._lines[-1] != "\n"):
            self._lines.append(text + "\n")
            self._length += len(text) + 1


def _statement(header: Sequence[str], row: Sequence[str]) -> str:
    """Write a table row: `Capacity: 1.7 l`, or `Country: Korea; Days: 3` in a wider table."""
    if len(row) == 2:
        return f"{row[0]}: {row[1]}"
    pairs = zip(header, row, strict=False)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell)


def _first_heading(tokens: Sequence[Token]) -> str:
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            return following.content
    return ""


def _plain(value: object) -> MetadataValue:
    """Turn a YAML value into one that metadata can hold; what cannot be becomes an empty text."""
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, dict):
        return ", ".join(str(part) for part in value)
    return ""
