"""Read Word files: mammoth makes HTML of the content, which is read as any other HTML.

mammoth keeps what was inserted and leaves out what was deleted, and leaves out comments, headers and
footers, as in a document whose changes are accepted.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any

import mammoth

from mmchat.errors import FileRejected
from mmchat.ingest.archives import check_archive, damage_told
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath
from mmchat.ingest.elements import ElementReader
from mmchat.ingest.hidden import first_shown
from mmchat.ingest.html import parse
from mmchat.ingest.word_hidden import shown_part
from mmchat.ingest.writer import DocumentWriter, clean
from mmchat.types import MetadataValue

# mammoth holds the XML as objects, which take some thirty times the room; a book of a thousand pages has
# about 10 MB of it.
_MAX_XML_MB = 32
_KOREAN_HEADINGS = "\n".join(f"p[style-name='제목 {n}'] => h{n}:fresh" for n in range(1, 7))
_STYLES = f"""
p[style-name='Title'] => h1.title:fresh
p[style-name='제목'] => h1.title:fresh
{_KOREAN_HEADINGS}
p[style-name='Heading 7'] => h6:fresh
p[style-name='Heading 8'] => h6:fresh
p[style-name='Heading 9'] => h6:fresh
p[style-name='caption'] => figcaption:fresh
p[style-name='캡션'] => figcaption:fresh
p[style-name='toc 1'] => nav:fresh
p[style-name='toc 2'] => nav:fresh
p[style-name='toc 3'] => nav:fresh
"""
# What Word writes below a description that it made up itself.
_MADE_UP = re.compile(
    r"\s*(?:Description automatically generated|자동 생성된 설명).*$", re.I | re.S
)
_FILE_NAME = re.compile(r"[\w .()-]+\.(?:png|jpe?g|gif|bmp|tiff?|webp|emf|wmf|svg)", re.I)
# The numbers in the text that point at footnotes, and the arrows that lead back.
_FOOTNOTE_MARKS = re.compile(
    r'<sup><a href="#(?:foot|end)note-\d+"[^>]*>\[\d+\]</a></sup>'
    r'|\s*<a href="#(?:foot|end)note-ref-\d+">↑</a>'
)


def load_word(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a Word file with its headings, lists, tables and pictures.

    Raises:
        FileRejected: it is damaged, protected, too large unpacked, or empty.
    """
    check_archive(source, context.config, main="word/", max_main_mb=_MAX_XML_MB)
    embedded: dict[str, bytes] = {}
    markup = _FOOTNOTE_MARKS.sub("", _to_html(source, embedded))
    page = parse(markup, source.relative)
    metadata = _properties(source)
    title = first_shown(page.body, "h1.title", around=True) or str(metadata.get("title", ""))
    title = title or first_shown(page.body, "h1, h2, h3", around=True) or source.name
    writer = DocumentWriter(source.relative, title, metadata)
    if page.body is not None:
        ElementReader(writer, source.relative, embedded).read(page.body, around=True)
    if writer.is_empty:
        raise FileRejected(
            f"{source.relative} holds no text and no pictures. Add some, or remove it."
        )
    yield from writer.end(context.config)


def clean_alt(text: str) -> str:
    """Return the description of a picture, but not one that only repeats a file name."""
    text = " ".join(_MADE_UP.sub("", text).split())
    return "" if _FILE_NAME.fullmatch(text) else text


def _to_html(source: SourcePath, embedded: dict[str, bytes]) -> str:
    def keep(image: Any) -> dict[str, str]:
        with image.open() as content:
            data: bytes = content.read()
        address = f"figure:{len(embedded) + 1}"
        embedded[address] = data
        return {"src": address, "alt": clean_alt(image.alt_text or "")}

    with damage_told(source, "Word"), shown_part(source.path) as content:
        converted = mammoth.convert_to_html(
            content,
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(keep),
            include_embedded_style_map=False,
        )
    return str(converted.value)


def _properties(source: SourcePath) -> dict[str, MetadataValue]:
    """Return what the file says of itself."""
    from lxml import etree

    found: dict[str, MetadataValue] = {}
    try:
        with zipfile.ZipFile(source.path) as archive:
            root = etree.fromstring(
                archive.read("docProps/core.xml"), etree.XMLParser(resolve_entities=False)
            )
    except (KeyError, etree.XMLSyntaxError):
        return found
    for element in root:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        text = " ".join(clean(element.text or "").split())
        if name in {"title", "subject", "keywords", "language", "modified"} and text:
            found[name] = text
    return found
