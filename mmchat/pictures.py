"""Open pictures from outside safely: the size is checked before a pixel is decoded.

A file of a few kilobytes can claim to hold billions of pixels. Pillow reads the header first, so that
a picture is refused for what it would become, and decodes it only then.
"""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.errors import FileRejected, QueryError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

    from mmchat.types import ImageInput

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"})
THUMB_PX = 384
# Pillow keeps its limit in a variable of its module.
_PILLOW_LIMIT = threading.Lock()


def open_image(source: ImageInput, max_megapixels: float = 100.0) -> Image:
    """Open a picture that somebody asks about.

    Args:
        source: a path, the bytes of a file, or a PIL image.
        max_megapixels: a larger picture is refused (millions of pixels).

    Returns:
        an RGB image, upright, on white where it was transparent.

    Raises:
        QueryError: it is not a picture, or too large.
    """
    try:
        return _open(source, max_megapixels, longest=None)
    except FileRejected as error:
        raise QueryError(str(error)) from error


def load_picture(
    source: Path | bytes, max_megapixels: float, longest: int
) -> tuple[Image, tuple[int, int]]:
    """Open a picture of the folder or inside of a document, scaled to `longest` pixels on its longer side.

    Returns:
        the RGB image, upright and scaled; and width and height before scaling, in pixels.

    Raises:
        FileRejected: it is empty, broken, not a picture, or too large.
    """
    image = _open(source, max_megapixels, longest=longest)
    size = image.info["mmchat_size"]
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


def _open(source: ImageInput, max_megapixels: float, longest: int | None) -> Image:
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = _describe(source)
    try:
        image = source if isinstance(source, Image.Image) else _read_header(source)
        size = image.size
        if size[0] * size[1] > max_megapixels * 1e6:
            raise FileRejected(
                f"{name} has {size[0] * size[1] / 1e6:.0f} million pixels; the limit is "
                f"{max_megapixels:.0f} million. Save it smaller, or raise ingest.max_megapixels."
            )
        if longest is not None and image.format == "JPEG":
            # The decoder scales by 2, 4 or 8 on the way, which is several times as fast.
            image.draft("RGB", (longest, longest))
        upright = ImageOps.exif_transpose(image)
        if (upright.width < upright.height) != (size[0] < size[1]):
            size = (size[1], size[0])
        image = _flatten(upright)
    except FileNotFoundError:
        raise FileRejected(f"{name}: there is no such file. Check the path.") from None
    except UnidentifiedImageError:
        raise FileRejected(_not_a_picture(name, source)) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # Pillow reports damage as any of these (a truncated file, a broken chunk, a bad header).
        raise FileRejected(
            f"{name} is damaged ({error}). Open it in a picture viewer and save it again."
        ) from error
    image.info["mmchat_size"] = size
    return image


def _read_header(source: str | Path | bytes) -> ImageFile:
    """Open a picture without decoding it, and without Pillow's own limit: ours can be set."""
    from PIL import Image

    with _PILLOW_LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _flatten(image: Image) -> Image:
    """Return the picture in RGB, on white where it was transparent."""
    from PIL import Image

    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, "white")
        ground.paste(rgba, mask=rgba.getchannel("A"))
        return ground
    if image.mode.startswith("I;16") or image.mode == "I":
        # 16 bits a pixel: Pillow's own conversion would cut off everything above 255.
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    converted = image.convert("RGB")
    return converted.copy() if converted is image else converted


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
    return f"{name} {what}. Expected JPEG, PNG, WebP, GIF, TIFF or BMP."
