from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from documents import needs_korean, photo, printed
from PIL import Image

from mmchat.config import IngestConfig
from mmchat.errors import ConfigError
from mmchat.ingest.base import (
    LoadContext,
    LoadedDocument,
    LoadedPart,
    LoadedPicture,
    TextLine,
)
from mmchat.ingest.ocr import RapidTextRecogniser, text_recogniser, with_text
from mmchat.ingest.reading_order import join_lines
from mmchat.types import Box, Document

SCREEN = ["Error E42: the water tank is empty.", "Fill it and press Start."]


class ScriptedReader:
    """Reads what it is told to in every picture that looks as if it held text."""

    def __init__(self, text: str, *, looks_like_text: bool = True) -> None:
        self._lines = [TextLine(text, 0.99, Box(0, 0, 1, 0.1))]
        self._looks_like_text = looks_like_text
        self.read_count = 0

    def may_hold_text(self, image: Image.Image) -> bool:
        return self._looks_like_text

    def read(self, image: Image.Image) -> Sequence[TextLine]:
        self.read_count += 1
        return self._lines


def part_of(picture: LoadedPicture, title: str = "Manual") -> LoadedPart:
    return LoadedPart((LoadedDocument(Document(picture.document, title, ""), ()),), (picture,))


def picture(document: str = "photo.jpg", name: str = "", **more: object) -> LoadedPicture:
    image = photo()
    return LoadedPicture(document, name or document, image, image.size, **more)


def read(part: LoadedPart, reader: ScriptedReader, ocr: str = "auto") -> LoadedPart:
    (done,) = with_text([part], LoadContext(IngestConfig(ocr=ocr), reader))
    return done


def test_the_text_in_an_image_file_is_the_text_of_its_document():
    (loaded,) = read(part_of(picture(), "Photo"), ScriptedReader("Serial 12345")).documents
    assert loaded.document == Document("photo.jpg", "Photo", "Serial 12345")
    assert [(s.start, s.end, s.breadcrumb) for s in loaded.sections] == [(0, 12, ("Photo",))]


def test_the_text_in_a_figure_is_a_document_named_as_the_figure_is():
    figure = picture("m.pdf", "m.pdf#p3-1", page=3, caption="Figure 2: The display")
    manual, loaded = read(part_of(figure), ScriptedReader("Error E42")).documents
    assert manual.document.text == ""
    assert loaded.document == Document("m.pdf#p3-1", "Figure 2: The display", "Error E42")
    assert loaded.sections[0].breadcrumb == ("Manual", "Figure 2: The display")
    assert loaded.sections[0].page == 3


def test_a_figure_in_a_later_part_than_its_document_knows_its_title():
    figure = picture("m.pdf", "m.pdf#p3-1", page=3)
    first = LoadedPart((LoadedDocument(Document("m.pdf", "Kettle", "Words"), ()),))
    parts = [first, LoadedPart(pictures=(figure,))]
    _, second = with_text(parts, LoadContext(IngestConfig(), ScriptedReader("Error E42")))
    assert second.documents[0].document.title == "Kettle, p. 3"


def test_what_is_read_when():
    silent = ScriptedReader("Words.", looks_like_text=False)
    assert read(part_of(picture()), silent).documents[0].document.text == ""
    assert silent.read_count == 0
    assert read(part_of(picture()), silent, "on").documents[0].document.text == "Words."
    scanned = picture("m.pdf", "m.pdf#p1", text_is_read=True)
    assert len(read(part_of(scanned), ScriptedReader("Words."), "on").documents) == 1
    (part,) = with_text([part_of(picture())], LoadContext(IngestConfig(), None))
    assert part.documents[0].document.text == ""
    assert text_recogniser(IngestConfig(ocr="off")) is None


@pytest.mark.parametrize("noise", ["", "12", "39,900", "a1", "7 7 7"])
def test_what_says_nothing_is_no_text(noise: str):
    assert read(part_of(picture()), ScriptedReader(noise)).documents[0].document.text == ""


@pytest.mark.parametrize(
    "image",
    [
        printed(SCREEN),
        printed(SCREEN, (1280, 720), font=18),
        printed(SCREEN, (400, 900), font=18),
        Image.fromarray(255 - np.asarray(printed(SCREEN))),
        printed([f"Line {n} of a receipt 3.90" for n in range(12)], (420, 900), font=18).rotate(
            2, fillcolor="grey", expand=True
        ),
    ],
    ids=["label", "screenshot", "tall", "white on black", "receipt askew"],
)
def test_a_glance_sees_print(image: Image.Image):
    assert RapidTextRecogniser().may_hold_text(image)


@needs_korean
def test_a_glance_sees_korean_print():
    lines = ["오류 E42: 물통이 비어 있습니다.", "물을 채우고 시작을 누르세요."]
    assert RapidTextRecogniser().may_hold_text(printed(lines))


@pytest.mark.parametrize(
    "image",
    [
        photo(),
        Image.new("RGB", (800, 600), "white"),
        Image.effect_noise((800, 600), 60).convert("RGB"),
        Image.linear_gradient("L").resize((800, 600)).convert("RGB"),
        Image.new("RGB", (5, 5)),
        Image.new("RGB", (4000, 3)),
    ],
)
def test_a_glance_passes_over_what_is_no_print(image: Image.Image):
    assert not RapidTextRecogniser().may_hold_text(image)


def test_few_product_photos_are_worth_reading(grocery: Path):
    """The setting `auto` must cost photos next to nothing."""
    paths = sorted(grocery.glob("photos/**/*.jpg"))[::8]
    reader = RapidTextRecogniser()
    taken = sum(reader.may_hold_text(Image.open(path).convert("RGB")) for path in paths)
    assert taken <= 0.15 * len(paths)


@pytest.fixture(scope="module")
def reader() -> RapidTextRecogniser:
    return RapidTextRecogniser()


def test_reading_a_screenshot(reader: RapidTextRecogniser):
    lines = reader.read(printed(SCREEN))
    assert join_lines(lines).split("\n") == SCREEN
    assert all(line.confidence > 0.9 for line in lines)
    first = lines[0].box
    assert first.left < 0.1
    assert 0.5 < first.right <= 1
    assert first.bottom < lines[1].box.top


def test_goods_stay_beside_their_prices(reader: RapidTextRecogniser):
    receipt = printed(["Kettle", "Toaster", "Sum total"], (700, 300))
    prices = printed(["29.90", "39.00", "68.90"], (200, 300))
    receipt.paste(prices, (500, 0))
    assert join_lines(reader.read(receipt)).split("\n") == [
        "Kettle 29.90",
        "Toaster 39.00",
        "Sum total 68.90",
    ]


@needs_korean
def test_korean_print_is_not_turned_into_other_words(reader: RapidTextRecogniser):
    """The model that comes with rapidocr reads no Hangul; it must not invent what is not there."""
    text = join_lines(reader.read(printed(["물통을 비우고 다시 켜세요", "전원 버튼을 누르세요"])))
    assert sum(c.isalpha() for c in text) < 3


@pytest.mark.parametrize("size", [(30, 30), (2000, 24), (24, 2000)])
def test_odd_shapes_hold_nothing(reader: RapidTextRecogniser, size: tuple[int, int]):
    assert not reader.read(Image.effect_noise(size, 20).convert("RGB"))


def test_a_reader_can_be_handed_to_another_process():
    import pickle

    assert pickle.loads(pickle.dumps(text_recogniser(IngestConfig()))).may_hold_text(
        printed(SCREEN)
    )


def test_another_model_is_checked_before_it_is_used(tmp_path: Path):
    with pytest.raises(ConfigError, match="there is no such file"):
        text_recogniser(IngestConfig(ocr_model=str(tmp_path / "korean.onnx")))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ConfigError, match=r"broken\.onnx.*no model"):
        RapidTextRecogniser(str(broken)).read(printed(SCREEN))


def test_another_model_is_used(tmp_path: Path):
    """rapidocr's own model under another path: what a Korean one would be."""
    import shutil

    import rapidocr

    own = next((Path(rapidocr.__file__).parent / "models").glob("*_rec_*.onnx"))
    copied = tmp_path / "other.onnx"
    shutil.copy(own, copied)
    assert join_lines(text_recogniser(IngestConfig(ocr_model=str(copied))).read(printed(SCREEN)))


def lines_at(*places: tuple[str, float, float, float]) -> list[TextLine]:
    """Lines by text, left, top and right."""
    return [
        TextLine(text, 0.9, Box(left, top, right, top + 0.03)) for text, left, top, right in places
    ]


def test_two_columns_are_read_one_after_the_other():
    left = [(f"The left column, line {n} of it.", 0.05, 0.2 + n * 0.05, 0.47) for n in range(6)]
    right = [(f"The right column, line {n} of it.", 0.53, 0.2 + n * 0.05, 0.95) for n in range(6)]
    heading = ("A heading across the whole page", 0.05, 0.05, 0.95)
    note = ("A note below both of the columns", 0.05, 0.9, 0.95)
    mixed = [line for pair in zip(left, right, strict=True) for line in pair]
    text = join_lines(lines_at(*mixed, note, heading))
    expected = [heading[0], *(line[0] for line in left), *(line[0] for line in right), note[0]]
    assert text.split("\n") == expected


def test_no_lines_are_no_text():
    assert join_lines([]) == ""


def test_the_index_points_text_back_at_its_picture(
    small_index, write: Callable[..., Path], tmp_path: Path
):
    folder = write("manual.md", "# Kettle\n\nAbout the kettle.")
    write("other.md", "# Other\n\nWords.")
    printed(SCREEN).save(folder / "display.png")
    small_index.ingest = replace(small_index.ingest, ocr="auto")
    assert small_index.build(folder).chunks == 3
    reader = small_index.reader()
    (hit,) = reader.search_words("tank empty", 1)
    (shown,) = reader.pictures_of([hit.item])[hit.item]
    assert reader.pictures([shown])[shown].name == "display.png"
    assert reader.chunks([hit.item])[hit.item].document == "display.png"
