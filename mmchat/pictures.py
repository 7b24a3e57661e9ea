"""Open pictures from outside safely: the size is checked before a pixel is decoded.

A file of a few kilobytes can claim to hold billions of pixels. Pillow reads the header first, so that
a picture is refused for what it would become, and decodes it only then.
"""

from __future__ import annotations

import io
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.errors import FileRejected, QueryError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

    from mmchat.types import ImageInput

# Name of a format to what Pillow calls it, and to the endings of its files. Pillow knows many more, some
# of which start other programs (EPS) or are seldom tested: what is not listed is never tried.
_FORMATS = {
    "JPEG": ("JPEG", (".jpg", ".jpeg")),
    "PNG": ("PNG", (".png",)),
    "WebP": ("WEBP", (".webp",)),
    "GIF": ("GIF", (".gif",)),
    "TIFF": ("TIFF", (".tif", ".tiff")),
    "BMP": ("BMP", (".bmp",)),
    "HEIC": ("HEIF", (".heic", ".heif")),
}
PHOTO_SUFFIXES = frozenset(suffix for _, suffixes in _FORMATS.values() for suffix in suffixes)
DRAWING_SUFFIXES = frozenset({".svg"})
SUFFIXES = PHOTO_SUFFIXES | DRAWING_SUFFIXES
THUMB_PX = 384
# Pillow keeps its limit in a variable of its module.
_PILLOW_LIMIT = threading.Lock()
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})


def open_image(source: ImageInput, max_megapixels: float = 100.0) -> Image:
    """Open a picture that somebody asks about.

    Args:
        source: a path, the bytes of a file, or a PIL image. A drawing (SVG) is refused: it comes from
            anyone, and drawing it can take any time.
        max_megapixels: a larger picture is refused (millions of pixels).

    Returns:
        an RGB image, upright, on white where it was transparent.

    Raises:
        QueryError: it is not a picture, or too large.
    """
    try:
        return _open(source, max_megapixels, longest=None)[0]
    except FileRejected as error:
        raise QueryError(str(error)) from error


def load_picture(
    source: Path | bytes, max_megapixels: float, longest: int, name: str = ""
) -> tuple[Image, tuple[int, int]]:
    """Open a picture of the folder, scaled down to `longest` pixels on its longer side.

    Args:
        source: its file, or the bytes of a figure inside of a document.
        max_megapixels: a larger picture is refused (millions of pixels).
        longest: pixels of the longer side, at most; a drawing (SVG) is drawn no larger than this.
        name: what messages call it, where it has no file of its own.

    Returns:
        the RGB image, upright and scaled; and width and height before scaling, in pixels.

    Raises:
        FileRejected: it is empty, broken, not a picture, or too large.
    """
    name = name or _describe(source)
    drawing = _drawing(source)
    if drawing is not None:
        from mmchat.drawings import draw

        return draw(drawing, name, longest, max_megapixels)
    image, size = _open(source, max_megapixels, longest=longest, name=name)
    image.thumbnail((longest, longest), reducing_gap=2.0)
    return image, size


def to_jpeg(image: Image, longest: int | None = None) -> bytes:
    """Return the bytes of a JPEG file, scaled down to `longest` pixels on its longer side."""
    image = image.copy()
    image.info = {}  # a comment of the original would be written again
    if longest is not None:
        image.thumbnail((longest, longest), reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88, optimize=True)
    return buffer.getvalue()


def to_rgb(image: Image) -> Image:
    """Return a picture of any mode in RGB, upright, and on white where it was transparent.

    Models are trained on photos, and product pictures that were cut out are meant for a white page;
    Pillow's own conversion would uncover whatever colour lies under the transparent part.
    """
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode in {"RGBA", "RGBa", "LA", "La", "PA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, "white")
        ground.paste(rgba, mask=rgba.getchannel("A"))
        return ground
    if image.mode == "F" or image.mode.startswith("I"):
        return _high_byte(image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _high_byte(image: Image) -> Image:
    """Scale grey values of 16 bits, or fractions, to 0…255; Pillow would cut off what is above."""
    import numpy as np
    from PIL import Image

    values = np.asarray(image, dtype=np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    full = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    if image.mode != "F":
        full = max(full, 65535.0 if image.mode.startswith("I;16") else 255.0)
    return Image.fromarray(np.clip(values * (255.0 / full), 0, 255).astype(np.uint8))


def _open(
    source: ImageInput, max_megapixels: float, *, longest: int | None, name: str = ""
) -> tuple[Image, tuple[int, int]]:
    """Return the RGB image and the size that it had upright, before a decoder scaled it."""
    from PIL import Image, UnidentifiedImageError

    name = name or _describe(source)
    try:
        image = source if isinstance(source, Image.Image) else _read_header(source)
        size = image.size
        refuse_huge(name, size, max_megapixels)
        if longest is not None and image.format == "JPEG":
            # The decoder scales by 2, 4 or 8 on the way, which is several times as fast.
            image.draft("RGB", (longest, longest))
        rgb = to_rgb(image)
    except FileNotFoundError:
        raise FileRejected(f"{name}: there is no such file. Check the path.") from None
    except UnidentifiedImageError:
        raise FileRejected(_not_a_picture(name, source)) from None
    except FileRejected:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, zlib.error, MemoryError) as error:
        raise FileRejected(damaged(name, error)) from error
    except Exception as error:
        # What Pillow's readers raise on damage is listed nowhere: struct.error, TypeError, KeyError,
        # RuntimeError, and whatever a format that is new will add.
        raise FileRejected(damaged(name, error)) from error
    if (rgb.width < rgb.height) != (size[0] < size[1]):
        size = (size[1], size[0])
    return (rgb.copy() if rgb is source else rgb), size


def refuse_huge(name: str, size: tuple[int, int], max_megapixels: float) -> None:
    """Refuse a picture for its number of pixels.

    Raises:
        FileRejected: `size` (width and height) is more than `max_megapixels`, or nothing.
    """
    if size[0] * size[1] > max_megapixels * 1e6:
        raise FileRejected(
            f"{name} has {size[0] * size[1] / 1e6:.0f} million pixels; the limit is "
            f"{max_megapixels:.0f} million. Save it smaller, or raise ingest.max_megapixels."
        )
    if min(size) < 1:
        raise FileRejected(f"{name} is {size[0]} x {size[1]} pixels large. Save it again.")


def damaged(name: str, error: Exception) -> str:
    """Say that a picture is damaged, and what to do about it."""
    return f"{name} is damaged ({error}). Open it in a picture viewer and save it again."


def _read_header(source: str | Path | bytes) -> ImageFile:
    """Open a picture without decoding it, and without Pillow's own limit: ours can be set."""
    from PIL import Image

    head = _head(source)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        import pi_heif

        pi_heif.register_heif_opener(thumbnails=False)
    # The reader of HEIF is there only once it was needed.
    formats = [name for name, _ in _FORMATS.values() if name != "HEIF" or name in Image.OPEN]
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with _PILLOW_LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(stream, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _head(source: str | Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:1024]
    with Path(source).open("rb") as file:
        return file.read(1024)


def _drawing(source: Path | bytes) -> bytes | None:
    """Return the bytes of a drawing; None of anything else. Its name may say otherwise."""
    if isinstance(source, Path) and not source.is_file():
        return None
    named = isinstance(source, Path) and source.suffix.lower() in DRAWING_SUFFIXES
    head = _head(source).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head or not (
        named or head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in head)
    ):
        return None
    return source if isinstance(source, bytes) else source.read_bytes()


def _describe(source: object) -> str:
    if isinstance(source, (str, Path)):
        return str(source)
    return "The picture"


def _not_a_picture(name: str, source: object) -> str:
    empty = source == b"" or (
        isinstance(source, (str, Path))
        and Path(source).is_file()
        and not Path(source).stat().st_size
    )
    what = "is empty (0 bytes)" if empty else "is not a picture that can be read"
    *others, last = _FORMATS
    return f"{name} {what}. Expected {', '.join(others)} or {last}."
