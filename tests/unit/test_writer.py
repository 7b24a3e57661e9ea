import pytest

from mmchat.config import IngestConfig
from mmchat.ingest.writer import DocumentWriter, shorten, statements


def ended(writer: DocumentWriter):
    return [d for part in writer.end(IngestConfig()) for d in part.documents]


def test_a_heading_with_nothing_below_it_is_not_lost():
    writer = DocumentWriter("a.md", "Shop")
    writer.heading(1, "Shop")
    writer.heading(2, "문의: 1588-0000")
    writer.heading(2, "Hours")
    writer.heading(3, "Monday")
    writer.line("9 to 5")
    (loaded,) = ended(writer)
    assert [(s.breadcrumb, loaded.document.text[s.start : s.end]) for s in loaded.sections] == [
        (("Shop", "문의: 1588-0000"), "문의: 1588-0000\n"),
        (("Shop", "Hours", "Monday"), "9 to 5\n"),
    ]


def test_a_title_alone_is_a_text(load):
    (loaded,) = load("returns.md", "# 반품은 30일 이내에 가능합니다\n").documents
    assert loaded.document.text == "반품은 30일 이내에 가능합니다\n"
    assert loaded.sections


def test_a_long_text_becomes_several_documents_under_the_same_headings():
    writer = DocumentWriter("guide.md", "Guide", {"lang": "en"})
    writer.heading(1, "Chapter")
    sentence = "The kettle boils water. " * 40
    for _ in range(2500):
        writer.line(sentence)
    documents = ended(writer)
    assert [d.document.path for d in documents] == [
        "guide.md",
        "guide.md#part-2",
        "guide.md#part-3",
    ]
    assert all(len(d.document.text) < 1_100_000 for d in documents)
    assert {s.breadcrumb for d in documents for s in d.sections} == {("Guide", "Chapter")}
    assert all(d.document.metadata == {"lang": "en"} for d in documents)
    assert sum(d.document.text.count("kettle") for d in documents) == 2500 * 40


def test_a_line_without_end_is_cut_between_words():
    writer = DocumentWriter("a.txt", "A")
    writer.line("물을 끓인다 " * 100_000)
    loaded = ended(writer)[0]
    assert all(s.end - s.start < 100_000 for s in loaded.sections)
    assert "물을 끓인다" in loaded.document.text


def test_text_that_no_database_takes_is_made_fit():
    writer = DocumentWriter("a.json", "A\0B\ud800")
    writer.line("half \ud83d and nul \0 and 한글")
    (loaded,) = ended(writer)
    loaded.document.text.encode()
    loaded.document.title.encode()
    assert "\0" not in loaded.document.text + loaded.document.title
    assert "한글" in loaded.document.text


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        (["Feature", "Value"], ["Capacity", "1.7 l"], ["Capacity: 1.7 l"]),
        (["Feature", "Value"], ["Capacity", ""], ["Feature: Capacity"]),
        (["Land", "Tage", ""], ["한국", "3", "x"], ["Land: 한국; Tage: 3; x"]),
        ([], ["a", "", "c"], ["a; c"]),
        (["A"], ["1", "2", "3"], ["A: 1; 2; 3"]),
    ],
)
def test_a_row_is_a_statement(header: list[str], row: list[str], told: list[str]):
    assert list(statements(header, row)) == told


def test_a_very_wide_row_says_again_whose_it_is():
    header = ["Model", *(f"Property {n}" for n in range(60))]
    told = list(statements(header, ["K1", *map(str, range(60))]))
    assert len(told) > 2
    assert all(line.startswith("Model: K1; ") and len(line) < 500 for line in told)
    assert sum(line.count("Property") for line in told) == 60


def test_shorten():
    assert shorten(" a\n b ") == "a b"
    assert len(shorten("가" * 100_000)) == 160


def test_what_a_picture_shows_can_be_searched_for():
    writer = DocumentWriter("kettle.html", "The kettle in our shop")
    writer.refer("kettle.png", "A red kettle with a black handle")
    writer.describe("A red kettle with a black handle")
    writer.caption("Fig. 1: The kettle")
    writer.refer("logo.png", "Our logo")
    writer.describe("Our logo")
    writer.refer("again.png", "The kettle in our shop")
    writer.describe("The kettle in our shop")
    writer.line("It boils fast.")
    writer.describe("There is no picture just above this")
    (loaded,) = ended(writer)
    assert loaded.document.text == (
        "A red kettle with a black handle\nFig. 1: The kettle\nIt boils fast.\n"
    )
    # A caption that stands below a picture describes it better than its alternative text.
    assert [r.alt for r in loaded.references] == [
        "Fig. 1: The kettle",
        "Our logo",
        "The kettle in our shop",
    ]
