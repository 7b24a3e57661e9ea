"""Read PowerPoint files: each slide is a page with its title, text, tables, pictures and notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pptx

from mmchat.errors import FileRejected
from mmchat.ingest.archives import check_archive, damage_told
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath
from mmchat.ingest.word import clean_alt
from mmchat.ingest.writer import DocumentWriter
from mmchat.types import Box

_MAX_XML_MB = 64
_MAX_GROUPS = 20
_MAX_LEVEL = 8


def load_slides(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a presentation; slides that are hidden are left out.

    Raises:
        FileRejected: it is damaged, protected, too large unpacked, has too many slides, or no content.
    """
    check_archive(source, context.config, main="ppt/", max_main_mb=_MAX_XML_MB)
    with damage_told(source, "PowerPoint"):
        deck = pptx.Presentation(str(source.path))
        title = (deck.core_properties.title or "").strip()
        slides = list(deck.slides)
        reader = _SlideReader(deck.slide_width or 1, deck.slide_height or 1)
    # PowerPoint's own name for a presentation that nobody named.
    title = "" if title.lower() == "powerpoint presentation" else title
    writer = DocumentWriter(source.relative, title or source.name)
    limit = context.config.max_pages
    if len(slides) > limit:
        raise FileRejected(
            f"{source.relative} has {len(slides)} slides; the limit is {limit}. Split it, or raise "
            "ingest.max_pages."
        )
    for number, slide in enumerate(slides, start=1):
        with damage_told(source, "PowerPoint"):
            if slide._element.get("show") not in {"0", "false"}:
                reader.read(number, slide, writer)
        yield from writer.finished(context.config)
    if writer.is_empty:
        raise FileRejected(
            f"{source.relative} holds no text and no pictures. Add some, or remove it."
        )
    yield from writer.end(context.config)


class _SlideReader:
    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height

    def read(self, number: int, slide: Any, writer: DocumentWriter) -> None:
        writer.start_page(number)
        title = slide.shapes.title
        if title is not None and title.has_text_frame:
            writer.heading(1, title.text_frame.text)
        known = title.shape_id if title is not None else None
        shapes = [shape for shape in _flat(slide.shapes) if shape.shape_id != known]
        for shape in sorted(shapes, key=_reading_order):
            self._write(shape, writer)
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        for paragraph in notes.paragraphs if notes is not None else ():
            writer.line(_text(paragraph))
        writer.end_paragraph()

    def _write(self, shape: Any, writer: DocumentWriter) -> None:
        if getattr(shape, "has_table", False) and shape.has_table:
            _write_table(shape.table, writer)
        elif getattr(shape, "has_chart", False) and shape.has_chart:
            _write_chart(shape.chart, writer)
        elif shape.has_text_frame:
            for paragraph in shape.text_frame.paragraphs:
                text, level = _text(paragraph), min(paragraph.level, _MAX_LEVEL)
                writer.line(f"{'  ' * level}- {text}" if text and level else text)
            writer.end_paragraph()
        content = _picture(shape)
        if content:
            described = clean_alt(_description(shape))
            writer.figure(content, described, self._box(shape))
            writer.describe(described)

    def _box(self, shape: Any) -> Box | None:
        sides = (shape.left, shape.top, shape.width, shape.height)
        if any(side is None for side in sides):
            return None
        left, top, width, height = sides
        edges = (
            left / self._width,
            top / self._height,
            (left + width) / self._width,
            (top + height) / self._height,
        )
        return Box(*(min(1.0, max(0.0, edge)) for edge in edges))


def _write_table(table: Any, writer: DocumentWriter) -> None:
    rows = [[" ".join(cell.text.split()) for cell in row.cells] for row in table.rows]
    header = rows[0] if table.first_row and len(rows) > 1 else []
    for row in rows[1:] if header else rows:
        writer.row(header, row)
    writer.end_paragraph()


def _write_chart(chart: Any, writer: DocumentWriter) -> None:
    if chart.has_title and chart.chart_title.has_text_frame:
        writer.line(chart.chart_title.text_frame.text)
    for plot in chart.plots:
        names = [series.name or "" for series in plot.series]
        values = [list(series.values) for series in plot.series]
        for place, category in enumerate(plot.categories):
            told = [
                f"{name}: {numbers[place]:g}"
                for name, numbers in zip(names, values, strict=True)
                if place < len(numbers) and numbers[place] is not None
            ]
            writer.line("; ".join([str(category), *told]))
    writer.end_paragraph()


def _flat(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """Yield shapes, and in place of a group those in it."""
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < _MAX_GROUPS:
            yield from _flat(shape.shapes, depth + 1)
        else:
            yield shape


def _reading_order(shape: Any) -> tuple[int, int]:
    return (shape.top or 0, shape.left or 0)


def _text(paragraph: Any) -> str:
    return str(paragraph.text).replace("\v", "\n").strip()


def _picture(shape: Any) -> bytes:
    """Return the bytes of a picture's file, or nothing: a picture may also only be linked to."""
    try:
        return bytes(shape.image.blob)
    except (AttributeError, KeyError, ValueError):
        return b""


def _description(shape: Any) -> str:
    for element in shape._element.iter():
        if isinstance(element.tag, str) and element.tag.endswith("}cNvPr"):
            return str(element.get("descr") or "")
    return ""
