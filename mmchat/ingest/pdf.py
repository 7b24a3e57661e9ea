"""Read the text layer of PDF files, page by page."""

from __future__ import annotations

from collections.abc import Iterator

import pypdfium2

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, Section, SourcePath
from mmchat.types import Document


def load_pdf(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a PDF file; each page is a section, so that a citation can name its page.

    Raises:
        FileRejected: it is damaged, needs a password, has too many pages, or holds no text.
    """
    try:
        pdf = pypdfium2.PdfDocument(source.path)
    except pypdfium2.PdfiumError as error:
        raise FileRejected(
            f"{source.relative} cannot be opened as a PDF ({error}). If it asks for a password, save a copy "
            "without one; otherwise print it to a new PDF."
        ) from error
    limit = context.config.max_pages
    try:
        if len(pdf) > limit:
            raise FileRejected(
                f"{source.relative} has {len(pdf)} pages; the limit is {limit}. "
                "Split it, or raise ingest.max_pages."
            )
        title = (pdf.get_metadata_dict().get("Title") or "").strip() or source.name
        text, sections = _read_pages(pdf, title)
    except pypdfium2.PdfiumError as error:
        raise FileRejected(
            f"{source.relative} has a page that cannot be read ({error}). Print it to a new PDF."
        ) from error
    finally:
        pdf.close()
    if not text.strip():
        raise FileRejected(
            f"{source.relative} holds no text, only pictures of pages. Run it through a text recognition "
            "program and save the result as a PDF with text."
        )
    document = Document(path=source.relative, title=title, text=text)
    yield LoadedPart((LoadedDocument(document, sections),))


def _read_pages(pdf: pypdfium2.PdfDocument, title: str) -> tuple[str, tuple[Section, ...]]:
    parts: list[str] = []
    sections = []
    length = 0
    for number, page in enumerate(pdf, start=1):
        content = (
            page.get_textpage().get_text_bounded().replace("\r\n", "\n").replace("\0", " ").strip()
            + "\n\n"
        )
        if content.strip():
            sections.append(Section(length, length + len(content), (title,), number))
            parts.append(content)
            length += len(content)
    return "".join(parts), tuple(sections)
