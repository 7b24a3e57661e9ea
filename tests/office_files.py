"""Word, PowerPoint and Excel files for the tests, small and with one of everything."""

from __future__ import annotations

import io
from typing import Any

import docx
import openpyxl
import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from support import drawing


def saved(document: Any) -> bytes:
    """Return the bytes that a document is saved as."""
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def manual() -> bytes:
    word = docx.Document()
    word.core_properties.title = "Word Document"
    word.add_paragraph("주전자 설명서", "Title")
    word.sections[0].header.paragraphs[0].text = "confidential header"
    word.sections[0].footer.paragraphs[0].text = "page footer"
    word.add_heading("Cleaning", 1)
    word.add_paragraph("Use citric acid.")
    for step in ("Fill it", "Boil it"):
        word.add_paragraph(step, "List Number")
    word.add_picture(drawing("red"))
    word.inline_shapes[0]._inline.docPr.set("descr", "A red kettle")
    word.add_paragraph("Figure 1: the kettle from above", "Caption")
    word.add_heading("배송", 2)
    table = word.add_table(3, 3)
    for row, cells in enumerate(
        [("Country", "Days", "Price"), ("한국", "3", "₩3,000"), ("Japan", "5", "¥500")]
    ):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    word.add_paragraph("Two more colours:")
    word.add_picture(drawing("blue"))
    word.inline_shapes[1]._inline.docPr.set("descr", "blue.png")
    return saved(word)


def deck() -> bytes:
    slides = pptx.Presentation()
    first = slides.slides.add_slide(slides.slide_layouts[1])
    first.shapes.title.text = "배송 안내"
    body = first.placeholders[1].text_frame
    body.text = "Korea: 3 days"
    nested = body.add_paragraph()
    nested.text, nested.level = "not on islands", 1
    first.notes_slide.notes_text_frame.text = "Weekends do not count."
    hidden = slides.slides.add_slide(slides.slide_layouts[1])
    hidden.shapes.title.text = "Internal"
    hidden._element.set("show", "0")
    third = slides.slides.add_slide(slides.slide_layouts[5])
    third.shapes.title.text = "Models"
    width, height = slides.slide_width, slides.slide_height
    picture = third.shapes.add_picture(
        drawing("green"), width // 4, height // 4, width // 2, height // 2
    )
    picture._element.nvPicPr.cNvPr.set(
        "descr", "A green kettle\n\nDescription automatically generated"
    )
    group = third.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 100, 100).text_frame.text = "In a group"
    table = third.shapes.add_table(2, 3, 0, height // 2, width, height // 3).table
    for row, cells in enumerate([("Model", "Watt", "Price"), ("K1", "2200", "39")]):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    data = CategoryChartData()
    data.categories = ["2023", "2024"]
    data.add_series("Sales", (1.5, 2))
    third.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, height, width, height, data)
    return saved(slides)


def sheet() -> bytes:
    workbook = openpyxl.Workbook()
    workbook.active.append(["id", "name"])
    workbook.active.append([1, "Kettle"])
    return saved(workbook)


MAKERS = {"docx": manual, "pptx": deck, "xlsx": sheet}
