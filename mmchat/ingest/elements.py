"""Turn the elements of a page into headings, lines, rows of tables and pictures."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from selectolax.lexbor import LexborNode

from mmchat.ingest.grids import Grid, is_layout, read_grid
from mmchat.ingest.hidden import left_out
from mmchat.ingest.naming import resolve_link
from mmchat.ingest.writer import DocumentWriter
from mmchat.visible import visible

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SUMMARY_LEVEL = 7
_ONE_LINE = frozenset({"summary", "dt", "figcaption", *_HEADINGS})
_LISTS = frozenset({"ul", "ol", "menu"})
_PARAGRAPHS = frozenset({"p", "pre", "blockquote", "dl", "figure", "details", "table", *_LISTS})
_BLOCKS = _PARAGRAPHS | frozenset(
    "address article aside body button caption center dd div dt fieldset figcaption footer form header "
    "hgroup hr label legend li main nav section summary tbody td tfoot th thead tr".split()
)
_SPACE = re.compile(r"[ \t\n\r\f\u00a0]+")
# It says where a word may be broken, and is no part of it.
_SOFT_HYPHEN = "\u00ad"
_LAZY_SOURCES = ("data-src", "data-original", "data-lazy-src")
_DATA_URI = re.compile(r"data:image/[\w.+-]+((?:;[\w=.-]+)*),", re.I)


class ElementReader:
    """Walks through a page from its first element to its last and writes what a reader sees.

    Args:
        writer: what is written to.
        relative: the file's path, from which the addresses of pictures lead on.
        embedded: addresses of pictures that are parts of the file, to the bytes of their files.
    """

    def __init__(
        self, writer: DocumentWriter, relative: str, embedded: Mapping[str, bytes] | None = None
    ) -> None:
        self._writer = writer
        self._relative = relative
        self._embedded = embedded or {}
        self._skipped: set[int] = set()
        self._inline: list[str] = []
        self._pictures: list[LexborNode] = []
        self._lists: list[int | None] = []
        self._mark = ""
        self._term = ""
        self._caption: str | None = None
        self._one_line_of = 0
        """The id of a heading or a term that is being read: nothing in it begins a line."""

    def read(self, root: LexborNode, *, around: bool) -> None:
        """Write the content of `root`.

        Args:
            root: an element; what comes after it is not read.
            around: whether navigation, header and footer are left out.
        """
        self._skipped = left_out(root, around=around)
        # Not recursive: a page may be nested more deeply than Python calls functions.
        above: list[LexborNode] = []
        node: LexborNode | None = root
        while node is not None:
            if self._enter(node):
                child = node.first_child
                if child is not None:
                    above.append(node)
                    node = child
                    continue
                self._leave(node)
            while node is not None and above and node.next is None:
                node = above.pop()
                self._leave(node)
            node = node.next if above and node is not None else None
        self._flush()

    def _enter(self, node: LexborNode) -> bool:
        """Write the beginning of a node; return whether its children are to be visited."""
        if node.is_text_node:
            self._inline.append(_SPACE.sub(" ", node.text_content or ""))
            return False
        tag = node.tag or ""
        if not node.is_element_node or node.mem_id in self._skipped:
            return False
        if tag == "img":
            self._pictures.append(node)
        elif tag == "br":
            self._inline.append("\n")
        elif self._one_line_of:
            self._inline.append(" " if tag in _BLOCKS else "")
        elif tag in _BLOCKS or tag in _HEADINGS:
            return self._enter_block(node, tag)
        return True

    def _enter_block(self, node: LexborNode, tag: str) -> bool:
        self._flush()
        if tag in _ONE_LINE:
            self._one_line_of = node.mem_id
        if tag == "pre":
            self._writer.line(node.text(deep=True, separator="").rstrip())
            self._writer.end_paragraph()
            return False
        if tag == "table" and not is_layout(node):
            self._write_table(node)
            return False
        if tag in _LISTS:
            self._write_term()
            self._lists.append(_start(node) if tag == "ol" else None)
        elif tag == "li":
            self._write_term()
            self._mark = self._next_mark()
        elif tag == "figure":
            caption = node.css_first("figcaption")
            self._caption = _one_line(caption.text(deep=True)) if caption else None
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if self._one_line_of:
            if node.mem_id == self._one_line_of:
                self._one_line_of = 0
                self._leave_line(tag)
        elif tag in _BLOCKS:
            self._leave_block(tag)

    def _leave_line(self, tag: str) -> None:
        text, pictures = self._take_inline()
        if tag == "dt":
            self._place(pictures)
            self._write_term()
            self._term = text
        elif tag == "figcaption":
            self._place(pictures)
            self._writer.caption(text)
        else:
            self._writer.heading(_HEADINGS.get(tag, _SUMMARY_LEVEL), text)
            self._place(pictures)

    def _leave_block(self, tag: str) -> None:
        self._flush()
        if tag in _LISTS and self._lists:
            self._lists.pop()
        elif tag == "li":
            self._mark = ""
        elif tag == "dl":
            self._write_term()
        elif tag == "figure":
            self._caption = None
        elif tag == "details":
            self._writer.end_heading(_SUMMARY_LEVEL)
        if tag in _PARAGRAPHS and not self._lists:
            self._writer.end_paragraph()

    def _flush(self) -> None:
        text, pictures = self._take_inline()
        self._place(pictures)
        if text:
            self._writer.line(self._prefix() + text)

    def _take_inline(self) -> tuple[str, list[LexborNode]]:
        text, pictures = "".join(self._inline), self._pictures
        self._inline, self._pictures = [], []
        lines = (_SPACE.sub(" ", line).strip() for line in text.split("\n"))
        text = "\n".join(line for line in lines if line)
        return visible(text).replace(_SOFT_HYPHEN, ""), pictures

    def _prefix(self) -> str:
        mark, self._mark = self._mark, ""
        term, self._term = self._term, ""
        if not term:
            return mark
        return f"{mark}{term}{' ' if term[-1] in '?!.:' else ': '}"

    def _write_term(self) -> None:
        """Write a term whose definition does not follow in the same line."""
        term, self._term = self._term, ""
        if term:
            self._writer.line(term)

    def _next_mark(self) -> str:
        indent = "  " * max(0, len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _write_table(self, table: LexborNode) -> None:
        grid: Grid = read_grid(table, self._skipped)
        self._place(grid.pictures)
        self._write_term()
        if grid.caption:
            self._writer.line(grid.caption)
        for row in grid.rows:
            self._writer.row(grid.header, row)
        self._writer.end_paragraph()

    def _place(self, pictures: list[LexborNode]) -> None:
        for node in pictures:
            attributes = node.attributes
            alt = self._caption or attributes.get("alt") or attributes.get("title") or ""
            address = _address(attributes)
            content = self._embedded.get(address) or _content(address)
            if content:
                self._writer.figure(content, _one_line(alt))
            elif not address.startswith("data:"):
                self._writer.refer(resolve_link(address, self._relative), _one_line(alt))
            if not self._caption:  # which is written by itself
                self._writer.describe(_one_line(alt))


def _start(node: LexborNode) -> int:
    start = node.attributes.get("start") or ""
    return int(start) if re.fullmatch(r"\d{1,6}", start) else 1


def _one_line(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _address(attributes: Mapping[str, str | None]) -> str:
    """Return the address of a picture, also of one that a script would load when it scrolls into view."""
    source = (attributes.get("src") or "").strip()
    if not source or source.startswith("data:"):
        lazy = next((value for name in _LAZY_SOURCES if (value := attributes.get(name))), "")
        choices = (attributes.get("srcset") or attributes.get("data-srcset") or "").strip()
        source = lazy or source or choices.split(" ")[0].rstrip(",")
    return source.strip()


def _content(address: str) -> bytes:
    """Return the bytes of a picture that is written into the page itself (`data:image/png;base64,…`)."""
    match = _DATA_URI.match(address)
    if not match:
        return b""
    data = unquote_to_bytes(address[match.end() :])
    if "base64" not in match[1].lower():
        return data
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError):
        return b""
