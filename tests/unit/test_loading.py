from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from support import whole

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import SourcePath
from mmchat.ingest.naming import humanise, shared_stem
from mmchat.stores.base import Reference

Write = Callable[[str, str | bytes], Path]


KETTLE = """---
title: Ember Kettle
price: 39.9
in_stock: true
image: ../pictures/kettle.webp
tags: [red, fast]
---
# The kettle

![A red kettle](../pictures/kettle.webp)
It **boils** [fast](https://example.com).

## Specifications

| Feature | Value |
| --- | --- |
| Capacity | 1.7 l |
| Power | 2200 W |

## Cleaning

1. Fill with water.
2. Add *citric acid*.

<script>alert(1)</script>
"""


def test_markdown_becomes_the_text_that_a_reader_sees(load):
    loaded = load("products/kettle.md", KETTLE).documents[0]
    text = loaded.document.text
    assert loaded.document.title == "Ember Kettle"
    assert loaded.document.metadata == {
        "title": "Ember Kettle",
        "price": 39.9,
        "in_stock": True,
        "image": "../pictures/kettle.webp",
        "tags": "red, fast",
    }
    sections = {s.breadcrumb[-1]: text[s.start : s.end].strip() for s in loaded.sections}
    assert sections == {
        "Ember Kettle": "Price: 39.9\nIn stock: yes\nTags: red, fast",
        "The kettle": "It boils fast.",
        "Specifications": "Capacity: 1.7 l\nPower: 2200 W",
        "Cleaning": "1. Fill with water.\n2. Add citric acid.",
    }
    assert loaded.sections[2].breadcrumb == ("Ember Kettle", "The kettle", "Specifications")


def test_what_a_site_keeps_of_a_page_is_no_passage(load):
    page = "---\ntitle: Privacy\nUpdated: 2026-03-16\nlang: en\nprice: 3\n---\n\nWe keep little.\n"
    document = load("privacy.md", page).documents[0].document
    assert document.text.split("\n")[:2] == ["Price: 3", "We keep little."]
    assert document.metadata["Updated"] == "2026-03-16"


def test_markdown_pictures_are_references_inside_the_folder(load):
    references = load("products/kettle.md", KETTLE).documents[0].references
    assert {(r.target, r.alt) for r in references} == {
        ("pictures/kettle.webp", ""),
        ("pictures/kettle.webp", "A red kettle"),
    }
    escaping = "![a](../../secret.png) ![b](https://example.com/x.png) ![c](/etc/x.png)"
    assert load("products/x.md", escaping + " text").documents[0].references == ()


def test_a_wide_table_repeats_its_header_in_each_row(load):
    table = "| Part | Price | Days |\n| --- | --- | --- |\n| Lid | 4 | 2 |\n| Filter | 9 |  |\n"
    text = load("parts.md", table).documents[0].document.text
    assert text.split("\n")[:2] == ["Part: Lid; Price: 4; Days: 2", "Part: Filter; Price: 9"]


def test_dashes_that_are_no_front_matter_are_text(load):
    text = load("x.md", "---\nkey: [unclosed\n---\nBody.\n").documents[0].document.text
    assert "Body." in text


def test_each_row_of_a_table_is_a_document(load):
    content = (
        "sku,name,price_eur,image\nK1,Kettle,39.90,pictures/k.webp\nT1,Toaster,29,\n,Fan,007,\n"
    )
    documents = load("prices.csv", content).documents
    assert [d.document.path for d in documents] == [
        "prices.csv#K1",
        "prices.csv#T1",
        "prices.csv#row-4",
    ]
    assert documents[0].document.text == "Sku: K1\nName: Kettle\nPrice eur: 39.90\n"
    assert documents[0].document.metadata["price_eur"] == 39.9
    assert documents[2].document.metadata["price_eur"] == "007"
    assert documents[0].references == (Reference("prices.csv#K1", "pictures/k.webp", 0, "Kettle"),)


def test_a_semicolon_and_quotes(load):
    content = 'id;name\n1;"Kettle; red ""XL"""\n2;Twin\n'
    documents = load("rows.csv", content).documents
    assert [d.document.title for d in documents] == ['Kettle; red "XL"', "Twin"]
    assert len({d.document.path for d in documents}) == 2


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "배송은 이틀 걸립니다. 반품은 30일 이내에 가능합니다."),
        ("utf-8-sig", "Café"),
        ("cp949", "배송은 이틀 걸립니다. 반품은 30일 이내에 가능합니다. 감사합니다."),
        ("cp1252", "The café on Müllerstraße opens at nine – the crème brûlée is naïve."),
        ("utf-16", "Plain words in sixteen bits."),
    ],
)
def test_text_in_other_encodings_is_read(load, encoding: str, text: str):
    assert load("note.txt", text.encode(encoding)).documents[0].document.text.strip() == text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.md", b"  \n\n", "empty"),
        ("binary.txt", bytes(range(256)) * 8, "Save it as UTF-8"),
        ("zero.jpg", b"", "0 bytes"),
        ("fake.png", b"this is not a picture", "not a picture"),
        ("cut.jpg", None, "damaged"),
        ("broken.pdf", b"%PDF-1.7 nothing", "PDF"),
        ("header.csv", b"sku,name\n", "no rows"),
        ("program.exe", b"MZ", ".exe"),
        ("noending", b"x", "no ending"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_way_out(
    load, tmp_path: Path, name: str, content: bytes | None, said: str
):
    if content is None:
        whole = tmp_path / "whole.jpg"
        Image.effect_noise((200, 200), 50).save(whole)
        content = whole.read_bytes()[:2000]
    with pytest.raises(FileRejected) as caught:
        load(name, content)
    assert name in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "setting"), [("long.txt", "max_text_mb"), ("long.html", "max_file_mb")]
)
def test_limits(load, name: str, setting: str):
    assert load(name, "word " * 1000).documents
    with pytest.raises(FileRejected, match=f"ingest.{setting}"):
        load(name, "word " * 1000, **{setting: 0.001})


def test_a_picture_of_200_megapixels_is_refused_before_it_is_decoded(write: Write):
    folder = write("readme.txt", "x")
    huge = folder / "huge.png"
    Image.new("1", (20_000, 10_000)).save(huge)
    with pytest.raises(FileRejected, match=r"huge\.png has 200 million pixels.*max_megapixels"):
        whole(SourcePath(huge, "huge.png", "Huge"), IngestConfig())
    # The way out that the message names is open.
    raised = IngestConfig(max_megapixels=250)
    assert whole(SourcePath(huge, "huge.png", "Huge"), raised).pictures[0].size == (
        20_000,
        10_000,
    )


def test_a_pdf_knows_its_pages(write: Write):
    folder = write("x.txt", "x")
    page = "BT /F1 12 Tf 72 700 Td (Page %d says hello.) Tj ET"
    (folder / "two.pdf").write_bytes(small_pdf([page % 1, page % 2]))
    loaded = whole(SourcePath(folder / "two.pdf", "two.pdf", "Two"), IngestConfig())
    document = loaded.documents[0]
    told = [(s.page, document.document.text[s.start : s.end].strip()) for s in document.sections]
    assert told == [(1, "Page 1 says hello."), (2, "Page 2 says hello.")]
    with pytest.raises(FileRejected, match="max_pages"):
        whole(SourcePath(folder / "two.pdf", "two.pdf", "Two"), IngestConfig(max_pages=1))


def small_pdf(pages: list[str]) -> bytes:
    """Write a PDF by hand: a catalog, a font, and for each page its content."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, content in enumerate(pages):
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * n} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    body, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    )
    return body + trailer.encode() + f"startxref\n{len(body)}\n%%EOF\n".encode()


@pytest.mark.parametrize(
    ("stem", "shared", "words"),
    [
        ("Golden-Delicious_Iconic", "Golden-Delicious", "Golden Delicious Iconic"),
        ("kettle-2", "kettle", "Kettle 2"),
        ("kettle (3)", "kettle", "Kettle (3)"),
        ("0", "0", "0"),
        ("제품_사진", "제품", "제품 사진"),
    ],
)
def test_names_of_files(stem: str, shared: str, words: str):
    assert shared_stem(stem) == shared
    assert humanise(stem) == words
