"""Read HTML: web pages, and what Markdown and Word files become on their way here.

Lexbor parses as a browser does (through selectolax); what is ours is only how elements become lines of
text. Markdown and Word come through here too, so that a heading or a table means the same in all three.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath
from mmchat.ingest.decoding import read_text
from mmchat.ingest.elements import ElementReader
from mmchat.ingest.hidden import first_shown
from mmchat.ingest.writer import DocumentWriter, clean
from mmchat.types import MetadataValue

# A browser stops at 512. Far below, the time that parsing takes grows with the square of the depth.
_MAX_DEPTH = 5_000
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
# Elements that have no end tag, or need none: they do not nest.
_FLAT = frozenset(
    "area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead "
    "tbody tfoot option optgroup colgroup rp rt html head body".split()
)
# Lexbor numbers the elements that it knows; the number of any other one is an address.
_FIRST_UNKNOWN_TAG = 1_000
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)


def load_html(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a web page that was saved as a file.

    Raises:
        FileRejected: it is not text, is nested as no page is, or holds nothing that a reader would see.
    """
    with source.path.open("rb") as content:
        declared = _CHARSET.search(content.read(4096))
    markup = read_text(source, declared[1].decode("ascii") if declared else "")
    page = parse(markup, source.relative)
    metadata = _metadata(page)
    title = str(metadata.get("title", "")) or first_shown(page.body, "h1", around=True)
    writer = DocumentWriter(source.relative, title or source.name, metadata)
    description = str(metadata.get("description", ""))
    if description:
        writer.line(description)
        writer.end_paragraph()
    if page.body is not None:
        ElementReader(writer, source.relative).read(page.body, around=True)
    if writer.is_empty:
        raise FileRejected(
            f"{source.relative} shows no text: its content may be loaded by a script. Open the page in a "
            "browser and save it as a complete page or as PDF."
        )
    yield from writer.end(context.config)


def parse(markup: str, relative: str) -> LexborHTMLParser:
    """Parse HTML as a browser does.

    Raises:
        FileRejected: elements are nested so deeply that parsing would take minutes.
    """
    depth = 0
    for match in _TAG.finditer(markup):
        if match[2].lower() in _FLAT:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > _MAX_DEPTH:
            raise FileRejected(
                f"{relative} nests more than {_MAX_DEPTH:,} elements in each other, which no page for "
                "people does. Save its text as a plain text file."
            )
    return LexborHTMLParser(markup)


@lru_cache(maxsize=1024)
def is_element(name: str) -> bool:
    """Tell whether a name (in small letters) is one of HTML's elements, or of those that pages define."""
    if "-" in name or name in _FLAT:
        return True
    found = LexborHTMLParser(f"<{name}>").css_first(f"body {name}") if name.isalnum() else None
    return found is None or found.tag_id < _FIRST_UNKNOWN_TAG


def _metadata(page: LexborHTMLParser) -> dict[str, MetadataValue]:
    found: dict[str, MetadataValue] = {}
    title = page.css_first("head > title")
    if title is not None:
        found["title"] = title.text(deep=True)
    language = page.root.attributes.get("lang") if page.root else None
    found["lang"] = language or ""
    description = page.css_first("meta[name='description' i], meta[property='og:description' i]")
    if description is not None:
        found["description"] = description.attributes.get("content") or ""
    return {
        key: text for key, value in found.items() if (text := " ".join(clean(str(value)).split()))
    }
