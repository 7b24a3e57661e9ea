import datetime
import io
import json

import openpyxl
import pytest

from mmchat.config import ColumnsConfig
from mmchat.errors import FileRejected
from mmchat.ingest.columns import find_roles, unique_names


def book(**sheets: list[list[object]]) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return saved(workbook)


def saved(workbook: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["SKU", "Product Name", "Image URLs", "Link"],
         "id = SKU, title = Product Name, picture = Image URLs, url = Link"),
        (["상품 코드", "상품명", "대표 이미지", "추가이미지1", "가격"],
         "id = 상품 코드, title = 상품명, picture = 대표 이미지 + 추가이미지1"),
        (["번호", "질문", "답변"], "id = 번호, question = 질문, answer = 답변"),
        (["Questions", "Answers"], "question = Questions, answer = Answers"),
        (["name", "question"], "title = name"),
        (["images.1.file", "images.1.colour", "_id"], "id = _id, picture = images.1.file"),
        (["x", "y"], "no column is known by its name; say in [columns] of mmchat.toml what they are"),
    ],
)  # fmt: skip
def test_what_columns_are_is_guessed_from_their_names(header: list[str], told: str):
    assert find_roles(header, ColumnsConfig()).describe(header) == told


def test_the_settings_say_what_columns_are():
    config = ColumnsConfig(id="artikel_nr, EAN", title="Bezeichnung", picture="Foto, Bild")
    header = ["Artikel Nr", "bezeichnung", "Bild", "foto", "name"]
    told = find_roles(header, config).describe(header)
    assert told == "id = Artikel Nr, title = bezeichnung, picture = foto + Bild"
    none = find_roles(["id", "name"], ColumnsConfig(id="none"))
    assert none.id is None and none.title == 1


def test_every_column_has_a_name_of_its_own():
    assert unique_names(["image", "", " a  b ", "image"]) == ["image", "column 2", "a b", "image 2"]


FAQ = [
    ["Question", "Answer"],
    ["배송은 얼마나 걸리나요?", "이틀 걸립니다."],
    ["Can I pay later?", "No."],
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("faq.csv", "\n".join(",".join(row) for row in FAQ)),
        ("faq.tsv", "\n".join("\t".join(row) for row in FAQ)),
        ("faq.xlsx", book(FAQ=FAQ)),
        ("faq.jsonl", "\n".join(json.dumps(dict(zip(*pair, strict=True)))
                                for pair in ((FAQ[0], FAQ[1]), (FAQ[0], FAQ[2])))),
        ("faq.json", json.dumps({"faq": [dict(zip(FAQ[0], row, strict=True)) for row in FAQ[1:]]})),
    ],
)  # fmt: skip
def test_a_question_and_its_answer_are_one_document(load, name: str, content: str | bytes):
    loaded = load(name, content)
    assert [(d.document.title, d.document.text) for d in loaded.documents] == [
        ("배송은 얼마나 걸리나요?", "배송은 얼마나 걸리나요?\n이틀 걸립니다.\n"),
        ("Can I pay later?", "Can I pay later?\nNo.\n"),
    ]
    assert loaded.notes == (f"{name}: question = Question, answer = Answer",)


def test_a_column_that_is_called_text_is_read_without_its_name(load):
    rows = b"id,Text,colour\n1,The kettle holds 1.7 litres.,red\n"
    (document,) = load("rows.csv", rows).documents
    assert document.document.text == "Id: 1\nThe kettle holds 1.7 litres.\nColour: red\n"


def test_columns_are_metadata_that_filters_can_compare(load):
    content = (
        "id;Name;Preis;Lager;EAN;Seit;Verkauf\n"
        "K1;Kettle;39,90;-3;0012345678905;2024-05-01;no\n"
        "K2;nan;1_000;1e5;12345678901234567890;inf;TRUE\n"
    )
    first, second = (d.document.metadata for d in load("preise.csv", content).documents)
    assert first == {
        "id": "K1", "Name": "Kettle", "Preis": 39.9, "Lager": -3, "EAN": "0012345678905",
        "Seit": "2024-05-01", "Verkauf": False,
    }  # fmt: skip
    assert second == {
        "id": "K2", "Name": "nan", "Preis": "1_000", "Lager": "1e5",
        "EAN": "12345678901234567890", "Seit": "inf", "Verkauf": True,
    }  # fmt: skip


def test_a_cell_may_name_several_pictures(load):
    content = (
        "sku,image,gallery\n"
        'K,"a.jpg; sub/b.PNG|c.webp",https://shop.example/media/k/e/d.jpg?w=300\n'
        "T,none,/media/e.jpg\n"
    )
    first, second = load("data/shop.csv", content).documents
    assert [r.target for r in first.references] == [
        "data/a.jpg", "data/sub/b.PNG", "data/c.webp", "data/d.jpg",
    ]  # fmt: skip
    assert [r.target for r in second.references] == ["data/e.jpg"]
    assert "a.jpg" not in first.document.text
    assert "Image: none" in second.document.text


def test_html_in_a_cell_is_read(load):
    cell = "<p>Soft &amp; warm.</p><h3>Care</h3><ul><li>Wash at 30</li></ul>"
    content = f'id,description\n1,"{cell}"\n2,A &bull; B\n'
    first, second = load("a.csv", content).documents
    assert first.document.text == "Id: 1\nDescription: Soft & warm.\nCare\n- Wash at 30\n"
    assert "A • B" in second.document.text


def test_a_workbook_with_a_title_dates_and_percentages(load):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "가격"
    for row in (
        ["Price list 2024"], [], ["코드", "상품명", "가격", "출시일", "할인"],
        [42, "주전자", 39000.0, datetime.datetime(2024, 5, 1), 0.15],
        [43, None, 1.5, datetime.datetime(2024, 5, 1, 10, 30), None],
    ):  # fmt: skip
        sheet.append(row)
    sheet["A4"].number_format = "00000"
    sheet["E4"].number_format = "0%"
    secret = workbook.create_sheet("secret")
    secret.append(["a", "b"])
    secret.append(["hidden", "words"])
    secret.sheet_state = "hidden"
    loaded = load("book.xlsx", saved(workbook))
    assert [d.document.path for d in loaded.documents] == ["book.xlsx#00042", "book.xlsx#43"]
    first, second = loaded.documents
    assert (
        first.document.text
        == "코드: 00042\n상품명: 주전자\n가격: 39000\n출시일: 2024-05-01\n할인: 15%\n"
    )
    assert second.document.metadata["출시일"] == "2024-05-01T10:30:00"
    assert loaded.notes[1] == "book.xlsx: hidden sheets are left out (secret)"


def test_sheets_of_a_workbook_are_tables_of_their_own(load):
    content = book(Tea=[["id", "name"], [1, "Green"]], Empty=[], Notes=[["Just a note"]],
                   Mugs=[["id", "name"], [1, "Red"]])  # fmt: skip
    loaded = load("book.xlsx", content)
    assert [d.document.path for d in loaded.documents] == ["book.xlsx#Tea/1", "book.xlsx#Mugs/1"]
    assert loaded.notes == (
        "book.xlsx (Tea): id = id, title = name", "book.xlsx (Mugs): id = id, title = name",
    )  # fmt: skip


def test_objects_inside_of_objects(load):
    line = {"id": 7, "specs": {"weight": {"kg": 2.5}}, "tags": ["a", "b"], "hot": True,
            "images": [{"file": "a.jpg"}, {"file": "b.jpg"}], "none": None}  # fmt: skip
    later = {"id": 8, "surprise": "later key"}
    content = "\n".join([json.dumps(line)] * 1 + ["", json.dumps(later)])
    first, second = load("a.jsonl", content).documents
    assert first.document.text == "Id: 7\nSpecs weight kg: 2.5\nTags: a, b\nHot: yes\n"
    assert first.document.metadata["hot"] is True
    assert [r.target for r in first.references] == ["a.jpg", "b.jpg"]
    assert second.document.metadata == {"id": 8, "surprise": "later key"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("wide.csv", "a,b\n1,2\n1,2,3\n", "line 3: the row has 3 cells, the header names 2"),
        ("quote.csv", 'id,b\n1,2\n3,"open\n4,x\n5,y\n', "lines 3 to 5: a quote is not closed"),
        ("inner.csv", 'id,b\n1,"5" wide"\n', "line 2: a quote is not closed, or"),
        ("swallow.csv", 'id,b\n1,"open\n2,"Next"\n3,z\n', "lines 2 to 3: a quote"),
        ("twice.csv", "id,b\nA,1\n\nA,2\n", "line 4: another row has the id 'A'"),
        ("nameless.csv", ",,\n1,2,3\n", "line 1: expected a header"),
        ("header.tsv", "a\tb\n \t\n", "no rows"),
        ("sep.csv", "sep=;\n", "expected a header"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', "line 2: it is not valid JSON"),
        ("list.jsonl", "[1]\n", "line 1: expected an object"),
        ("deep.jsonl", '{"a": ' + "[" * 100_000, "line 1: it is not valid JSON"),
        ("twice.jsonl", '{"id": 1}\n{"id": 1}\n', "line 2: another row has the id '1'"),
        ("empty.jsonl", "{}\n{}\n", "only empty objects"),
        ("big.jsonl", '{"a": ' + "9" * 5000 + "}", "line 1"),
        ("a.json", '{"a": 1}', "no list of objects"),
        ("b.json", "[1, 2]", "no list of objects"),
        ("c.json", "{", "not valid JSON"),
        ("a.xlsx", book(A=[["id", "b"]]), "no sheet with a header and rows"),
        ("b.xlsx", book(A=[["id", "b"], [1, 2], [1, 3]]), "row 3: another row has the id '1'"),
        ("c.xlsx", book(A=[["id", "b"], [1, 2, 3]]), "row 2: the row has 3 cells"),
    ],
)  # fmt: skip
def test_a_bad_table_is_refused_and_the_line_named(load, name, content, said: str):
    with pytest.raises(FileRejected) as caught:
        load(name, content)
    assert name in str(caught.value)
    assert said in str(caught.value)


def test_the_way_out_of_ids_that_repeat_is_open(load):
    content = "id,b\nA,1\nA,2\n"
    loaded = load("a.csv", content, ColumnsConfig(id="none"))
    assert [d.document.path for d in loaded.documents] == ["a.csv#row-2", "a.csv#row-3"]
    assert "Id: A" in loaded.documents[1].document.text


def test_long_cells_and_many_columns(load):
    header = ",".join(f"c{n}" for n in range(10_000))
    row = ",".join(str(n) for n in range(10_000))
    (document,) = load("wide.csv", f"{header}\n{row}\n").documents
    assert document.document.metadata["c9999"] == 9999
    (document,) = load("long.csv", f'id,text\n1,"{"long words " * 30_000}"\n').documents
    assert "text" not in document.document.metadata
    assert len(document.document.text) > 300_000
    with pytest.raises(FileRejected, match="line 2"):
        load("longer.csv", f'id,text\n1,"{"x" * 2_000_000}"\n')


def test_a_file_in_other_encodings_and_with_a_separator_line(load):
    korean = "상품코드;상품명\n1;빨간 주전자\n2;하얀 토스터\n"
    for content in (korean.encode("cp949"), korean.encode("utf-8-sig"), korean.encode("utf-16"),
                    b"sep=;\r\n" + korean.replace("\n", "\r\n").encode()):  # fmt: skip
        loaded = load("a.csv", content)
        assert [d.document.title for d in loaded.documents] == ["빨간 주전자", "하얀 토스터"]


def test_cells_with_line_breaks_and_rows_with_missing_cells(load):
    content = 'id,name,text\n1,"Two\nlines",a\n2,Short\n\n'
    first, second = load("a.csv", content).documents
    assert first.document.title == "Two lines"
    assert second.document.text == "Id: 2\nName: Short\n"
