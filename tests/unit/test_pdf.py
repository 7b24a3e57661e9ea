import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from documents import (
    KOREAN_FONT,
    encoded,
    image_object,
    needs_korean,
    one_page_pdf,
    photo,
    printed,
    raw_pdf,
    stream,
)
from fpdf import FPDF
from PIL import Image, ImageChops

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath, TextLine
from mmchat.ingest.loading import load_file
from mmchat.types import Box

Load = Callable[..., list[LoadedPart]]


class ScriptedReader:
    """Reads the same lines in every picture, and remembers which it was shown."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        self.shown: list[tuple[int, int]] = []

    def read(self, image: Image.Image) -> list[TextLine]:
        self.shown.append(image.size)
        return [
            TextLine(text, 0.99, Box(0.1, 0.1 * n, 0.9, 0.1 * n + 0.05))
            for n, text in enumerate(self.lines, start=1)
        ]

    def may_hold_text(self, image: Image.Image) -> bool:
        return False


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def _load(content: bytes | FPDF, reader: object = None, **settings: object) -> list[LoadedPart]:
        path = tmp_path / "manual.pdf"
        path.write_bytes(bytes(content.output()) if isinstance(content, FPDF) else content)
        context = LoadContext(IngestConfig(**settings), reader)
        return list(load_file(SourcePath(path, "manual.pdf", "Manual"), context))

    return _load


def document(parts: list[LoadedPart]):
    (loaded,) = [d for part in parts for d in part.documents if d.document.path == "manual.pdf"]
    return loaded


def told(parts: list[LoadedPart]) -> list[tuple[int | None, tuple[str, ...], str]]:
    loaded = document(parts)
    text = loaded.document.text
    return [(s.page, s.breadcrumb, text[s.start : s.end].strip()) for s in loaded.sections]


def pictures(parts: list[LoadedPart]):
    return [picture for part in parts for picture in part.pictures]


def written(*pages: list[str], size: int = 12) -> FPDF:
    pdf = FPDF()
    pdf.set_font("Helvetica", size=size)
    for lines in pages:
        pdf.add_page()
        for line in lines:
            pdf.cell(0, 8, line, new_x="LMARGIN", new_y="NEXT")
    return pdf


def close_to(
    image: Image.Image, colour: tuple[int, int, int], at: tuple[float, float] = (0.5, 0.5)
):
    pixel = image.getpixel((int(image.width * at[0]), int(image.height * at[1])))
    return max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 40


def test_bookmarks_are_the_headings_of_the_pages_that_they_begin(load: Load):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    for heading, level, text in [
        ("Safety", 0, "Keep it dry."),
        ("Care", 0, "Wipe it."),
        ("Descaling", 1, "Use citric acid."),
        (None, 0, "Rinse it twice."),
    ]:
        pdf.add_page()
        if heading:
            pdf.start_section(heading, level=level)
            pdf.cell(0, 8, heading, new_x="LMARGIN", new_y="NEXT")
        pdf.cell(0, 8, text)
    assert told(load(pdf)) == [
        (1, ("Manual", "Safety"), "Safety\nKeep it dry."),
        (2, ("Manual", "Care"), "Care\nWipe it."),
        (3, ("Manual", "Care", "Descaling"), "Descaling\nUse citric acid."),
        (4, ("Manual", "Care", "Descaling"), "Rinse it twice."),
    ]


def test_two_bookmarks_of_one_page_divide_it(load: Load):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.cell(0, 8, "Before them.", new_x="LMARGIN", new_y="NEXT")
    for heading in ("Cleaning", "Storage"):
        pdf.start_section(heading)
        pdf.cell(0, 8, f"1.2 {heading}", new_x="LMARGIN", new_y="NEXT")
        pdf.cell(0, 8, f"All about {heading.lower()}.", new_x="LMARGIN", new_y="NEXT")
    assert told(load(pdf)) == [
        (1, ("Manual",), "Before them."),
        (1, ("Manual", "Cleaning"), "1.2 Cleaning\nAll about cleaning."),
        (1, ("Manual", "Storage"), "1.2 Storage\nAll about storage."),
    ]


def test_a_bookmark_whose_words_stand_nowhere_begins_at_its_place(load: Load):
    outline = {
        6: "<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
        7: "<< /Title (Chapter two) /Parent 6 0 R /Dest [3 0 R /XYZ 0 500 0] >>",
    }
    content = "BT /F1 12 Tf 50 700 Td (First words.) Tj 0 -220 Td (Second words.) Tj ET"
    parts = load(one_page_pdf(content, more=outline, catalog="/Outlines 6 0 R"))
    assert told(parts) == [
        (1, ("Manual",), "First words."),
        (1, ("Manual", "Chapter two"), "Second words."),
    ]


def test_bookmarks_that_go_round_in_circles(load: Load):
    outline = {
        6: "<< /Type /Outlines /First 7 0 R /Last 8 0 R /Count 2 >>",
        7: "<< /Title (A) /Parent 6 0 R /Next 8 0 R /First 7 0 R /Dest [3 0 R /Fit] >>",
        8: "<< /Title (B) /Parent 6 0 R /Next 7 0 R /Dest [3 0 R /Fit] >>",
    }
    content = "BT /F1 12 Tf 50 700 Td (Words.) Tj ET"
    parts = load(one_page_pdf(content, more=outline, catalog="/Outlines 6 0 R"))
    assert document(parts).document.text.strip() == "Words."


def test_running_headers_and_footers_are_left_out_and_words_are_whole_again(load: Load):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    for number in range(1, 7):
        pdf.add_page()
        pdf.text(20, 10, "Ember Kettle, user manual")
        pdf.text(90, 290, f"Page {number} of 6")
        pdf.set_xy(20, 40)
        pdf.multi_cell(
            150, 8, f"Step {number}. Unplug it before clean-\ning the self-\nstanding lid."
        )
    pdf.set_xy(20, 80)
    pdf.cell(0, 8, "A self-standing lid.")
    texts = [text for _, _, text in told(load(pdf))]
    assert texts[0] == "Step 1. Unplug it before cleaning the self-standing lid."
    assert not any("user manual" in text or "of 6" in text for text in texts)


def test_what_differs_from_page_to_page_is_no_running_line(load: Load):
    pages = [[f"Chapter {3 * n}", f"All about {5 * n}."] for n in range(1, 8)]
    texts = [text for _, _, text in told(load(written(*pages)))]
    assert texts == [f"Chapter {3 * n}\nAll about {5 * n}." for n in range(1, 8)]


def test_figures_know_their_page_their_place_and_their_caption(load: Load):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.text(20, 20, "Nothing to see here.")
    pdf.add_page()
    pdf.text(20, 20, "Open the lid like this.")
    pdf.image(photo("red"), x=20, y=30, w=80)
    pdf.text(20, 97, "Figure 1: The lid, open")
    pdf.text(20, 150, "Then fill in water.")
    pdf.image(photo("blue", (300, 300), seed=1), x=20, y=160, w=60)
    pdf.text(20, 240, "See Figure 1 for the lid.")
    parts = load(pdf)
    first, second = pictures(parts)
    assert (first.name, first.page, first.caption) == (
        "manual.pdf#p2-1",
        2,
        "Figure 1: The lid, open",
    )
    assert (second.name, second.caption) == ("manual.pdf#p2-2", "")
    box = first.box
    expected = (20 / 210, 30 / 297, 100 / 210, 90 / 297)
    assert np.allclose((box.left, box.top, box.right, box.bottom), expected, atol=0.005)
    assert first.size == (400, 300)
    assert abs(first.image.width - 400) <= 2
    text = document(parts).document.text
    assert text[first.offset :].startswith("Open the lid")
    assert text[second.offset :].startswith("Then fill")
    assert parts[0].documents, "the document comes before its figures"


@needs_korean
def test_a_korean_manual(load: Load):
    pdf = FPDF()
    pdf.add_font("nanum", "", KOREAN_FONT)
    pdf.set_font("nanum", size=12)
    pdf.add_page()
    pdf.start_section("청소하기")
    pdf.text(20, 20, "청소하기")
    pdf.text(20, 30, "물통을 비우고 부드러운 천으로 닦으세요.")
    pdf.image(photo("green"), x=20, y=40, w=80)
    pdf.text(20, 106, "그림 3. 물통을 여는 방법")
    parts = load(pdf)
    assert told(parts)[0][:2] == (1, ("Manual", "청소하기"))
    assert "물통을 비우고 부드러운 천으로 닦으세요." in document(parts).document.text
    (figure,) = pictures(parts)
    assert figure.caption == "그림 3. 물통을 여는 방법"


@pytest.mark.parametrize(
    ("line", "is_caption"),
    [
        ("Figure 3: The lid", True),
        ("FIG. 2-1 Exploded view", True),
        ("Table 4. Error codes", True),
        ("<그림 2> 조립 순서", True),
        ("[그림 3-1] 필터", True),
        ("표 2. 사양", True),
        ("사진 1 제품 전면", True),
        ("Figures show what they show", False),
        ("Tables and chairs", False),
        ("표면을 닦으세요", False),
        ("그림을 보세요", False),
    ],
)
def test_what_a_caption_looks_like(line: str, is_caption: bool):
    from mmchat.ingest.pdf.captions import caption_of
    from mmchat.ingest.pdf.lines import Line

    lines = [Line(line, Box(0.1, 0.51, 0.5, 0.53))]
    assert caption_of(Box(0.1, 0.2, 0.6, 0.5), lines) == (line if is_caption else "")


DRAW = "q 200 0 0 150 100 500 cm /I Do Q"


def with_image(image: bytes, content: str = DRAW, **more: object) -> bytes:
    objects = {6: image, **more.pop("more", {})}
    text = "BT /F1 12 Tf 50 700 Td (Some words that stand above the picture, for the text layer.) Tj ET "
    return one_page_pdf(text + content, "/XObject << /I 6 0 R >>", objects, **more)


def test_colours_of_print(load: Load):
    cyan = Image.new("CMYK", (200, 150), (255, 0, 0, 0))
    cyan.paste((0, 255, 0, 0), (0, 0, 100, 150))
    # Adobe's programs write CMYK inverted, and so does Pillow.
    (figure,) = pictures(load(with_image(image_object(cyan, "/Decode [1 0 1 0 1 0 1 0]"))))
    left, right = (figure.image.getpixel((figure.image.width * n // 4, 50)) for n in (1, 3))
    assert left[0] - left[1] > 60
    assert right[0] < 100 < right[1]


def test_a_mask_shows_what_is_behind_it(load: Load):
    mask = Image.new("L", (400, 300), 0)
    mask.paste(255, (0, 0, 200, 300))
    more = {7: image_object(mask)}
    (figure,) = pictures(load(with_image(image_object(photo("red"), "/SMask 7 0 R"), more=more)))
    assert close_to(figure.image, (255, 255, 255), (0.9, 0.5))
    assert (
        ImageChops.difference(
            figure.image.crop((0, 0, 190, 300)),
            photo("red").crop((0, 0, 190, 300)).resize((190, 300)),
        ).getextrema()[1][0]
        < 255
    )


def test_a_turned_page_and_a_turned_picture(load: Load):
    half = Image.new("RGB", (400, 300), "red")
    half.paste("blue", (0, 0, 400, 150))
    quarter = "q 0 200 -150 0 300 500 cm /I Do Q"  # a quarter turn to the left
    (figure,) = pictures(load(with_image(image_object(half), quarter)))
    assert figure.image.width < figure.image.height
    assert figure.size == (300, 400)
    assert close_to(figure.image, (0, 0, 255), (0.2, 0.5))
    page = "/MediaBox [0 0 600 800] /Rotate 90"
    (figure,) = pictures(load(with_image(image_object(half), page=page)))
    assert close_to(figure.image, (0, 0, 255), (0.8, 0.5))
    assert figure.box.left > 0.5, "what was at the top is at the right of a page that is turned"


def test_a_page_that_shows_a_part_of_its_sheet(load: Load):
    page = "/MediaBox [-100 -100 900 1100] /CropBox [50 450 650 850]"
    (figure,) = pictures(load(with_image(image_object(photo("red")), page=page)))
    box = figure.box
    assert np.allclose(
        (box.left, box.top, box.right, box.bottom), (50 / 600, 0.5, 250 / 600, 350 / 400), atol=0.01
    )


def test_a_picture_inside_of_forms_is_where_they_put_it(load: Load):
    more = {
        7: image_object(photo("green")),
        6: stream(
            "q 100 0 0 100 0 0 cm /I Do Q",
            "/Type /XObject /Subtype /Form /BBox [0 0 200 200] /Matrix [2 0 0 2 10 20] "
            "/Resources << /XObject << /I 7 0 R >> >>",
        ),
    }
    text = "BT /F1 12 Tf 50 700 Td (Words.) Tj ET "
    content = text + "q 1 0 0 1 100 200 cm /I Do Q"
    (figure,) = pictures(load(one_page_pdf(content, "/XObject << /I 6 0 R >>", more)))
    box = figure.box
    assert np.allclose(
        (box.left, box.bottom, box.right, box.top),
        (110 / 600, 1 - 220 / 800, 310 / 600, 1 - 420 / 800),
        atol=0.01,
    )


def test_strips_are_one_picture(load: Load):
    whole = photo("red", (400, 320))
    more = {10 + n: image_object(whole.crop((0, 40 * n, 400, 40 * n + 40))) for n in range(8)}
    names = " ".join(f"/S{n} {10 + n} 0 R" for n in range(8))
    draw = " ".join(f"q 200 0 0 20 100 {640 - 20 * n} cm /S{n} Do Q" for n in range(8))
    text = "BT /F1 12 Tf 50 700 Td (Words.) Tj ET "
    (figure,) = pictures(load(one_page_pdf(text + draw, f"/XObject << {names} >>", more)))
    assert figure.size == (400, 320)


def test_icons_lines_and_blanks_are_counted_and_left_out(load: Load):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.text(20, 20, "Words.")
    pdf.image(photo("red", (40, 40)), x=20, y=30, w=10)
    pdf.image(Image.new("RGB", (600, 2), "black"), x=20, y=50, w=100)
    pdf.image(Image.new("RGB", (300, 300), "#eeeeee"), x=20, y=60, w=50)
    pdf.image(photo("blue"), x=20, y=150, w=80)
    parts = load(pdf)
    assert len(pictures(parts)) == 1
    assert sum(part.dropped for part in parts) == 3


def test_pictures_come_few_at_a_time(load: Load):
    pdf = FPDF()
    for number in range(10):
        pdf.add_page()
        pdf.image(photo("red", seed=number), x=20, y=30, w=80)
    parts = load(pdf)
    assert len(pictures(parts)) == 10
    assert max(len(part.pictures) for part in parts) <= 4


def scan(*pages: Image.Image) -> bytes:
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:], resolution=100)
    return buffer.getvalue()


def test_a_scanned_page_is_read_and_points_back_at_its_picture(load: Load):
    reader = ScriptedReader("Error E42", "Empty the tank.")
    pages = [printed(["x"], (827, 1169)), printed(["y"], (827, 1169))]
    parts = load(scan(*pages), reader)
    assert told(parts) == [
        (1, ("Manual",), "Error E42\nEmpty the tank."),
        (2, ("Manual",), "Error E42\nEmpty the tank."),
    ]
    first, second = pictures(parts)
    assert (first.name, second.name) == ("manual.pdf#p1", "manual.pdf#p2")
    assert (first.page, first.box) == (1, Box(0, 0, 1, 1))
    assert len(reader.shown) == 2, "what is in the document is not read again"


def test_a_scan_that_nobody_reads_is_a_picture(load: Load):
    parts = load(scan(photo("red", (827, 1169))), None)
    assert [p.name for p in pictures(parts)] == ["manual.pdf#p1"]
    assert document(parts).document.text == ""


def test_a_page_number_on_a_scan_is_no_text_layer(load: Load):
    more = {6: image_object(printed(["x"], (600, 800)))}
    content = "q 600 0 0 800 0 0 cm /I Do Q BT /F1 12 Tf 50 20 Td (17) Tj ET"
    parts = load(one_page_pdf(content, "/XObject << /I 6 0 R >>", more), ScriptedReader("Read it."))
    assert told(parts) == [(1, ("Manual",), "Read it.")]


def test_the_ground_of_a_printed_page_is_a_picture_without_the_print(load: Load):
    words = (
        "These words are printed over a photo that covers the whole of the page, as in a brochure."
    )
    content = f"q 600 0 0 800 0 0 cm /I Do Q BT /F1 14 Tf 20 400 Td ({words}) Tj ET"
    more = {6: image_object(Image.new("RGB", (600, 800), "red"))}
    ground = photo("red", (600, 800))
    more = {6: image_object(ground)}
    reader = ScriptedReader("never asked for")
    parts = load(one_page_pdf(content, "/XObject << /I 6 0 R >>", more), reader)
    (figure,) = pictures(parts)
    difference = np.asarray(ImageChops.difference(figure.image.resize((600, 800)), ground))
    assert difference.mean() < 5
    assert told(parts)[0][2].startswith("These words")
    assert not reader.shown


def encrypted(user: str | None) -> FPDF:
    pdf = written(["Secret words."])
    pdf.set_encryption(owner_password="owner", user_password=user)
    return pdf


def test_a_password_that_only_forbids_printing_is_no_hindrance(load: Load):
    assert told(load(encrypted(None)))[0][2] == "Secret words."


def test_a_password_for_reading_is_named(load: Load):
    with pytest.raises(FileRejected, match=r"manual\.pdf is protected with a password"):
        load(encrypted("secret"))


def test_a_broken_cross_reference_is_mended(load: Load):
    whole = bytes(written(["Words to save."]).output())
    broken = whole.replace(b"startxref", b"startxxxx")
    assert told(load(broken))[0][2] == "Words to save."
    start = whole.rindex(b"startxref")
    assert told(load(whole[:start] + b"startxref\n999999\n%%EOF"))[0][2] == "Words to save."


def test_ten_thousand_pages(load: Load):
    pages = {
        10 + n: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] >>" for n in range(10_000)
    }
    kids = " ".join(f"{n} 0 R" for n in pages)
    pdf = raw_pdf(
        {
            1: "<< /Type /Catalog /Pages 2 0 R >>",
            2: f"<< /Type /Pages /Kids [{kids}] /Count 10000 >>",
            **pages,
        }
    )
    with pytest.raises(FileRejected, match=r"has 10000 pages; the limit is 2000.*max_pages"):
        load(pdf)


def test_a_count_of_pages_that_is_a_lie(load: Load):
    pdf = one_page_pdf("BT /F1 12 Tf 50 700 Td (Words.) Tj ET")
    assert told(load(pdf.replace(b"/Count 1 ", b"/Count 99999999 ")))[0][2] == "Words."


def test_scripts_of_a_pdf_never_run(load: Load, tmp_path: Path):
    script = "app.alert\\(1\\); this.exportDataObject\\({cName: 'x'}\\);"
    more = {6: f"<< /Type /Action /S /JavaScript /JS ({script}) >>"}
    action = "<< /Type /Action /S /Launch /F (/bin/touch) /Win << /F (calc.exe) >> >>"
    pdf = one_page_pdf(
        "BT /F1 12 Tf 50 700 Td (Words.) Tj ET",
        more={**more, 7: action},
        catalog="/OpenAction 6 0 R /AA << /WC 7 0 R >> /Names << /JavaScript << /Names [(a) 6 0 R] >> >>",
    )
    assert told(load(pdf)) == [(1, ("Manual",), "Words.")]
    assert [path.name for path in tmp_path.iterdir()] == ["manual.pdf"]


@pytest.mark.parametrize("side", [1_000_000, 10**12, 0, -600])
def test_a_page_of_an_absurd_size_takes_no_memory(load: Load, side: int):
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    more = {6: image_object(photo("red"))}
    content = f"q {side} 0 0 {side} 0 0 cm /I Do Q"
    page = f"/MediaBox [0 0 {side} {side}]"
    try:
        load(
            one_page_pdf(content, "/XObject << /I 6 0 R >>", more, page=page),
            ScriptedReader("Read."),
        )
    except FileRejected as error:
        assert "manual.pdf" in str(error)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 300


def test_a_picture_that_claims_to_be_huge_costs_the_picture_alone(load: Load):
    lying = image_object(photo("red")).replace(
        b"/Width 400 /Height 300", b"/Width 60000 /Height 60000"
    )
    parts = load(with_image(lying))
    assert told(parts)[0][2].startswith("Some words")
    assert not pictures(parts)


def test_titles_that_say_nothing_are_not_taken(load: Load):
    for given, taken in [("Microsoft Word - v3.doc", "Manual"), ("Ember Kettle", "Ember Kettle")]:
        pdf = written(["Words."])
        pdf.set_title(given)
        assert document(load(pdf)).document.title == taken


def test_an_empty_pdf_says_so(load: Load):
    pdf = FPDF()
    pdf.add_page()
    with pytest.raises(FileRejected, match="neither text nor pictures"):
        load(pdf)


def test_damage_anywhere_gives_a_result_or_a_reason(load: Load):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.start_section("One")
    pdf.text(20, 20, "Words before.")
    pdf.image(io.BytesIO(encoded(photo("red", (80, 80)))), x=20, y=30, w=80)
    whole = bytes(pdf.output())
    chance = random.Random(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            load(bytes(damaged[: chance.randint(len(damaged) // 2, len(damaged))]))
        except FileRejected as error:
            assert "manual.pdf" in str(error)
