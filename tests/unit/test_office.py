import io
import struct
import zipfile
from collections.abc import Callable

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from office_files import MAKERS, deck, manual, saved
from support import drawing, sections

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadedPart
from mmchat.types import Box

Load = Callable[..., LoadedPart]


def test_a_word_file_keeps_its_structure(load: Load):
    loaded = load("guides/manual.docx", manual())
    (document,) = loaded.documents
    assert document.document.title == "주전자 설명서"
    assert sections(loaded) == {
        "Cleaning": "Use citric acid.\n\n1. Fill it\n2. Boil it\n\nFigure 1: the kettle from above",
        "배송": "Country: 한국; Days: 3; Price: ₩3,000\nCountry: Japan; Days: 5; Price: ¥500\n\n"
        "Two more colours:",
    }
    assert document.sections[1].breadcrumb == ("주전자 설명서", "Cleaning", "배송")
    red, blue = loaded.pictures
    assert (red.name, red.document) == ("guides/manual.docx#figure-1", "guides/manual.docx")
    assert (red.caption, blue.caption) == ("Figure 1: the kettle from above", "")
    assert red.image.getpixel((5, 5)) == (255, 0, 0)
    text = document.document.text
    assert text[red.offset :].startswith("Figure 1")
    assert text[: blue.offset + 1].endswith("Two more colours:")


def test_changes_in_a_word_file_count_as_accepted(load: Load):
    word = docx.Document()
    kind = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" w:id="1" w:author="A"'
    paragraph = word.add_paragraph("Delivery takes ")
    for change, tag, text in (("del", "delText", "nine"), ("ins", "t", "two")):
        paragraph._p.append(
            parse_xml(f"<w:{change} {kind}><w:r><w:{tag}>{text}</w:{tag}></w:r></w:{change}>")
        )
    paragraph.add_run(" days.")
    word.add_comment(paragraph.runs, "Is this right?", author="B")
    text = load("a.docx", saved(word)).documents[0].document.text
    assert text == "Delivery takes two days.\n\n"


def test_each_slide_is_a_page(load: Load):
    loaded = load("deck.pptx", deck())
    (document,) = loaded.documents
    told = [
        (s.page, s.breadcrumb[-1], document.document.text[s.start : s.end].strip())
        for s in document.sections
    ]
    assert told == [
        (1, "배송 안내", "Korea: 3 days\n  - not on islands\n\nWeekends do not count."),
        (3, "Models", "In a group\n\nModel: K1; Watt: 2200; Price: 39\n\n2023; Sales: 1.5\n2024; Sales: 2"),
    ]  # fmt: skip
    (picture,) = loaded.pictures
    assert (picture.page, picture.caption) == (3, "A green kettle")
    assert picture.box == Box(0.25, 0.25, 0.75, 0.75)
    with pytest.raises(FileRejected, match="max_pages"):
        load("deck.pptx", deck(), max_pages=2)


def test_a_figure_is_linked_to_the_passages_beside_it(small_index, write):
    word = docx.Document()
    for chapter in range(6):
        word.add_heading(f"Chapter {chapter}", 1)
        word.add_paragraph(f"Words of chapter {chapter}.")
        if chapter == 3:
            word.add_picture(drawing("red"))
            word.add_paragraph("The red valve", "Caption")
    small_index.build(write("manual.docx", saved(word)))
    reader = small_index.reader()
    (found,) = reader.search_images(small_index.images.encode_texts(["red"])[0], 1)
    assert reader.pictures([found.item])[found.item].caption == "The red valve"
    ids = reader.chunks_of([found.item])[found.item]
    chunks = reader.chunks(ids)
    assert [chunks[i].breadcrumb[-1] for i in ids][:3] == ["Chapter 3", "Chapter 4", "Chapter 2"]


def rewritten(content: bytes, **changed: bytes) -> bytes:
    """Return an archive with other contents in some of its entries; `__` stands for `/` in their names."""
    buffer = io.BytesIO()
    names = {name.replace("__", "/"): data for name, data in changed.items()}
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, names.pop(entry.filename, old.read(entry)))
        for name, data in names.items():
            new.writestr(name, data)
    return buffer.getvalue()


def lying(content: bytes, name: str, size: int) -> bytes:
    """Return an archive whose list says that an entry unpacks to `size` bytes."""
    data = bytearray(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.start_dir
    place = data.index(name.encode(), start) - 46
    struct.pack_into("<I", data, place + 24, size)
    return bytes(data)


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (c, *[c - 1] * 9)
        for c in b"bcdefghi"
    )
    + b"]><a>&i;</a>"
)
FETCH = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
MAIN = {"docx": "word__document.xml", "pptx": "ppt__presentation.xml", "xlsx": "xl__workbook.xml"}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_zip_bomb_is_refused_before_it_is_unpacked(load: Load, kind: str):
    folder = MAIN[kind].split("__", maxsplit=1)[0]
    bomb = rewritten(MAKERS[kind](), **{f"{folder}__media__bomb.bin": bytes(30_000_000)})
    with pytest.raises(FileRejected, match="zip bomb"):
        load(f"bomb.{kind}", bomb)
    with pytest.raises(FileRejected, match=r"unpacks to 3\d MB.*ingest.max_unpacked_mb"):
        load(f"large.{kind}", bomb, max_unpacked_mb=20)
    with pytest.raises(FileRejected, match="damaged"):
        load(f"lying.{kind}", lying(bomb, f"{folder}/media/bomb.bin", 100))


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("xml", [LAUGHS, FETCH, LAUGHS.decode().encode("utf-16")])
def test_xml_with_entities_is_refused(load: Load, kind: str, xml: bytes):
    with pytest.raises(FileRejected, match="DTD"):
        load(f"laughs.{kind}", rewritten(MAKERS[kind](), **{MAIN[kind]: xml}))


@pytest.mark.parametrize("kind", MAKERS)
def test_a_file_that_is_not_what_its_name_says(load: Load, kind: str):
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
    for content, said in (
        (b"", "damaged"),
        (b"PK\x03\x04 not a zip", "damaged"),
        (MAKERS[kind]()[:-200], "damaged"),
        (MAKERS["xlsx" if kind != "xlsx" else "docx"](), "is a zip archive, but not"),
        (ole, f"save it as .{kind}"),
        (ole + "EncryptedPackage".encode("utf-16-le"), "protected with a password"),
        (rewritten(MAKERS[kind](), **{MAIN[kind]: b"<a"}), "cannot be read"),
        (rewritten(MAKERS[kind](), **{MAIN[kind]: b"<a/>"}), None),
    ):
        with pytest.raises(FileRejected, match=said) as caught:
            load(f"odd.{kind}", content)
        assert f"odd.{kind}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "instead"),
    [("a.doc", ".docx"), ("a.XLS", ".xlsx"), ("a.ppt", ".pptx"), ("설명서.hwp", ".docx"), ("a.odt", ".docx")],
)  # fmt: skip
def test_older_and_other_formats_name_the_one_to_save_as(load: Load, name: str, instead: str):
    with pytest.raises(FileRejected, match=f"save it as {instead}"):
        load(name, b"x")


def test_a_cell_far_away_does_not_fill_the_memory(load: Load):
    workbook = openpyxl.Workbook()
    workbook.active.append(["id", "name"])
    workbook.active.append([1, "Kettle"])
    workbook.active["XFD1048576"] = "far"
    with pytest.raises(FileRejected, match="row 1048576"):
        load("far.xlsx", saved(workbook))


def test_a_damaged_picture_in_a_word_file_costs_only_itself(load: Load):
    content = manual()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(n for n in archive.namelist() if n.startswith("word/media/"))
    loaded = load("manual.docx", rewritten(content, **{name.replace("/", "__"): b"\x89PNG no"}))
    assert len(loaded.pictures) == 1
    assert "Use citric acid." in loaded.documents[0].document.text
    assert loaded.notes == (
        "manual.docx: 1 of the pictures in it cannot be read; the rest is indexed.",
    )
