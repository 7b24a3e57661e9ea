"""Makes the files that tests read: pictures with something on them, and PDF files, whole and odd."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

KOREAN_FONT = Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf")
needs_korean = pytest.mark.skipif(
    not KOREAN_FONT.is_file(), reason="there is no Korean font (Debian: fonts-nanum)"
)


def photo(colour: str = "red", size: tuple[int, int] = (400, 300), seed: int = 0) -> Image.Image:
    """Draw a picture that has shapes and no two of which are alike but with the same seed."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = int(chance.integers(size[0])), int(chance.integers(size[1]))
        w, h = int(chance.integers(20, 160)), int(chance.integers(20, 160))
        grey = int(chance.integers(256))
        draw.ellipse((x, y, x + w, y + h), fill=(grey, grey, grey))
    return image


def printed(lines: list[str], size: tuple[int, int] = (800, 400), *, font: int = 26) -> Image.Image:
    """Print lines black on white."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    korean = any("가" <= c <= "힣" for line in lines for c in line)
    type_ = ImageFont.truetype(KOREAN_FONT, font) if korean else ImageFont.load_default(font)
    for number, line in enumerate(lines):
        draw.text((30, 30 + number * font * 2), line, font=type_, fill="black")
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def raw_pdf(objects: Mapping[int, str | bytes], version: str = "1.7") -> bytes:
    """Write a PDF of these objects; the first is the catalog."""
    body, offsets = f"%PDF-{version}\n".encode(), {}
    for number, content in objects.items():
        offsets[number] = len(body)
        data = content.encode("latin-1") if isinstance(content, str) else content
        body += f"{number} 0 obj\n".encode() + data + b"\nendobj\n"
    size = max(objects) + 1
    rows = [
        f"{offsets.get(n, 0):010d} 00000 {'n' if n in offsets else 'f'} \n" for n in range(1, size)
    ]
    table = f"xref\n0 {size}\n0000000000 65535 f \n" + "".join(rows)
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + table.encode() + trailer.encode()


def stream(content: str | bytes, entries: str = "") -> bytes:
    data = content.encode("latin-1") if isinstance(content, str) else content
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def image_object(image: Image.Image, entries: str = "") -> bytes:
    """An image XObject that holds a JPEG."""
    space = {"RGB": "DeviceRGB", "CMYK": "DeviceCMYK", "L": "DeviceGray"}[image.mode]
    head = (
        f"/Type /XObject /Subtype /Image /Width {image.width} /Height {image.height} "
        f"/ColorSpace /{space} /BitsPerComponent 8 /Filter /DCTDecode {entries}"
    )
    return stream(encoded(image, "JPEG", quality=95), head)


def one_page_pdf(
    content: str,
    resources: str = "",
    more: Mapping[int, str | bytes] | None = None,
    page: str = "/MediaBox [0 0 600 800]",
    catalog: str = "",
) -> bytes:
    """A PDF of one page; objects 1 to 5 are taken, `more` brings the others."""
    return raw_pdf(
        {
            1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
            2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: f"<< /Type /Page /Parent 2 0 R {page} /Contents 4 0 R "
            f"/Resources << /Font << /F1 5 0 R >> {resources} >> >>",
            4: stream(content),
            5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            **(more or {}),
        }
    )
