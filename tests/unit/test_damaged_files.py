"""Whatever happened to a file, it gives a result or a reason, and never anything else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from documents import encoded, photo
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, SourcePath
from mmchat.ingest.loading import load_file

LIMITS = IngestConfig(max_megapixels=2, max_media_px=384, max_pages=20)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60" viewBox="0 0 90 60"><defs>'
    '<linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs>'
    '<rect id="r" width="50" height="20" fill="url(#g)"/><use href="#r" x="5"/><path d="M0 0 L9 9 z"/>'
    '<image href="data:image/png;base64,{}" width="9" height="9"/></svg>'
)


def _pdf() -> bytes:
    pdf = FPDF()
    pdf.set_compression(False)
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.start_section("One")
    pdf.text(20, 20, "Figure 1: words beside a picture")
    pdf.image(photo(size=(80, 80)), x=20, y=30, w=80)
    return bytes(pdf.output())


@cache
def whole_files() -> dict[str, bytes]:
    image = photo(size=(80, 70))
    frames = {"save_all": True, "append_images": [photo("blue", (80, 70))]}
    small = base64.b64encode(encoded(Image.new("RGB", (8, 8), "red"))).decode()
    return {
        "a.jpg": encoded(image, "JPEG"),
        "b.jpg": encoded(image, "JPEG", progressive=True, exif=Image.Exif()),
        "a.png": encoded(image.convert("RGBA")),
        "b.png": encoded(image.quantize(8)),
        "a.webp": encoded(image, "WEBP"),
        "b.webp": encoded(image, "WEBP", **frames),
        "a.gif": encoded(image, "GIF", **frames),
        "a.tif": encoded(image, "TIFF", compression="tiff_lzw"),
        "b.tif": encoded(image, "TIFF", compression="jpeg"),
        "a.bmp": encoded(image, "BMP"),
        "a.svg": SVG.format(small).encode(),
        "a.pdf": _pdf(),
    }


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file that was cut off, overwritten in places, or had a piece taken out or put in."""
    name = draw(st.sampled_from(sorted(whole_files())))
    data = bytearray(whole_files()[name])
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(st.binary(min_size=0, max_size=8))
        length = draw(st.integers(0, 16))
        data[at : at + length] = piece
        if not data:
            break
    end = draw(st.integers(0, len(data))) if draw(st.booleans()) else len(data)
    return name, bytes(data[:end])


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damaged())
def test_a_damaged_file_gives_a_result_or_a_reason(tmp_path: Path, file: tuple[str, bytes]):
    name, content = file
    path = tmp_path / name
    path.write_bytes(content)
    try:
        for part in load_file(SourcePath(path, name, "Name"), LoadContext(LIMITS)):
            for picture in part.pictures:
                assert picture.image.mode == "RGB"
                assert max(picture.image.size) <= 384
    except FileRejected as error:
        assert name in str(error)


@pytest.mark.parametrize("name", sorted(whole_files()))
def test_the_files_are_whole_before_they_are_damaged(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_bytes(whole_files()[name])
    parts = list(load_file(SourcePath(path, name, "Name"), LoadContext(LIMITS)))
    assert sum(len(part.pictures) for part in parts) == 1


@pytest.mark.parametrize("name", sorted(whole_files()))
@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff" * 5000, b"%PDF-", b"<svg", b"\x89PNG\r\n\x1a\n"]
)
def test_what_was_never_such_a_file(tmp_path: Path, name: str, content: bytes):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileRejected, match=name):
        list(load_file(SourcePath(path, name, "Name"), LoadContext(LIMITS)))


def test_bad_files_cost_nothing_but_themselves(small_index, write: Callable[..., Path]):
    folder = write("good.md", "Good words.")
    photo().save(folder / "good.jpg")
    for name, content in whole_files().items():
        write(f"bad-{name}", content[: len(content) // 40])
        write(f"empty-{name}", b"")
    report = small_index.build(folder)
    assert (report.chunks, report.pictures) == (1, 1)
    assert report.errors == 2 * len(whole_files())
    assert all(problem.document in problem.reason for problem in report.problems)
    assert small_index.build(folder).embedded == 0
