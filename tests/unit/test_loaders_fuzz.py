"""Whatever a file holds: it is read or refused with a reason, and what is read fits together."""

import io
import json
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_files import MAKERS
from support import whole

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadedPart, SourcePath

WORDS = st.sampled_from(
    [*"ab가나 \n\t,;|\"'#<>&*-_`[](){}=:!", "\r\n", "\0", "\ufeff", "\u1112\u1161", "\U0001f600", "\ud7a3"]
)  # fmt: skip
PIECES = {
    ".html": st.sampled_from(
        "<p> </p> <div hidden> </div> <h1> </h1> <h3> <table> <tr> <td colspan=3> <td rowspan=9> <th> "
        "</table> <ul> <ol start=7> <li> </ul> <dl> <dt> <dd> <pre> </pre> <img> <br> <figure> "
        "<img\xa0src='a.png'\xa0alt=x> <figcaption> </figure> <details> <summary> </details> <script> "
        "</script> <svg> <math> <select> <template> <!-- --> <style> <p\xa0style='color:#fff'> <a> <b> "
        "&amp; &#0; &#xd800; words 한국어 <button> <body> </html> <frameset> <plaintext>".split(" ")
    ).map(lambda piece: piece.replace("\xa0", " ")),
    ".md": st.sampled_from(
        ["# a\n", "## 나\n", "---\n", "a: b\n", "- x\n", "  1. y\n", "| a | b |\n|---|---|\n| 1 | 2 |\n",
         "```\n", "~~~\n", "> q\n", "![x](a.png)", "[l]: b\n", "<div hidden>\n", "</div>\n", "\n",
         "    code\n", "words ", "image: [1, {}]\n", "<x y>", "&copy;"]
    ),
    ".csv": st.sampled_from(
        ["id", "name", "a", "1", "007", ",", ";", "\t", '"', '""', "\n", "\r\n", " ", "1,5", "x.jpg",
         "<p>y</p>", "sep=;\n", "가격"]
    ),
    ".jsonl": st.sampled_from(
        ['{"id": 1}', '{"a": [1, {"b": null}]}', "\n", "{", "}", '"a"', ":", "[", "]", "NaN", "1e999",
         "\\ud800", '{"a": "\\ud800"}', '{"": ""}', ","]
    ),
    ".txt": WORDS,
}  # fmt: skip


def check(loaded: LoadedPart) -> None:
    paths = [document.document.path for document in loaded.documents]
    assert len(set(paths)) == len(paths)
    for document in loaded.documents:
        text = document.document.text
        at = 0
        for section in document.sections:
            assert at <= section.start < section.end <= len(text)
            assert text[section.start : section.end].strip()
            at = section.end
        assert not text[at:].strip(), "all text stands in a section"
        assert all(0 <= reference.offset <= len(text) for reference in document.references)
        assert all(r.document == document.document.path for r in document.references)
        assert "\0" not in text + document.document.title
        told = [text, document.document.title, *(r.target + r.alt for r in document.references)]
        json.dumps(dict(document.document.metadata), allow_nan=False).encode()
        "".join(told).encode()
    assert {picture.document for picture in loaded.pictures} <= set(paths)


def read(name: str, content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            loaded = whole(SourcePath(path, f"docs/{name}", "A file"), IngestConfig())
        except FileRejected as refused:
            assert name in str(refused)
        else:
            check(loaded)
            assert loaded.documents


@pytest.mark.parametrize("suffix", [*PIECES, ".tsv", ".json"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_text_is_read_or_refused(suffix: str, data: st.DataObject):
    pieces = {".tsv": ".csv", ".json": ".jsonl"}.get(suffix, suffix)
    text = "".join(data.draw(st.lists(st.one_of(PIECES[pieces], WORDS), max_size=60)))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp949", "cp1252"]))
    read(f"any{suffix}", text.encode(encoding, "ignore"))


@pytest.mark.parametrize("suffix", [*PIECES, ".json", ".docx", ".pptx", ".xlsx"])
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(suffix: str, content: bytes):
    read(f"any{suffix}", content)


@cache
def sound(kind: str) -> bytes:
    return MAKERS[kind]()


@cache
def entries(kind: str) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(sound(kind))) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_office_file_is_read_or_refused(kind: str, data: st.DataObject):
    content = bytearray(sound(kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    read(f"any.{kind}", bytes(content))


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_an_office_file_with_odd_xml_is_read_or_refused(kind: str, data: st.DataObject):
    """The archive is sound, what is in it is not: the libraries themselves meet the damage."""
    names = [name for name, _ in entries(kind) if name.endswith((".xml", ".rels"))]
    chosen = data.draw(st.sampled_from(names))
    place = data.draw(st.floats(0, 1))
    length = data.draw(st.integers(0, 200))
    instead = data.draw(st.sampled_from([b"", b"9", b"<a/>", b"-1", b'"']))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, xml in entries(kind):
            start = int(place * len(xml))
            odd = xml[:start] + instead + xml[start + length :]
            archive.writestr(name, odd if name == chosen else xml)
    read(f"any.{kind}", buffer.getvalue())
