"""Any PIL image as the RGB picture that a model expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

# Pillow calls this factor `reducing_gap` and finds the result of 3 "indistinguishable" from one step.
_REDUCING_GAP = 3


def to_rgb(image: Image) -> Image:
    """Return the picture in RGB, upright, and on white where it was transparent.

    Models are trained on photos, and product pictures that were cut out are meant for a white page;
    Pillow's own conversion would uncover whatever colour lies under the transparent part.
    """
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in {"RGBA", "RGBa", "LA", "La", "PA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, "white")
        ground.paste(rgba, mask=rgba.getchannel("A"))
        return ground
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_high_byte(np.asarray(image, dtype=np.float32))).convert("RGB")
    return image.convert("RGB")


def shrink(image: Image, shortest: int) -> Image:
    """Return the picture averaged down by a whole factor, still three times as large as is needed.

    The exact resize that follows is the model's own; most of its time would go into pixels of a large
    photo that no longer matter.

    Args:
        image: RGB.
        shortest: the length of the shorter side that is needed, in pixels.
    """
    factor = min(image.size) // (shortest * _REDUCING_GAP)
    return image.reduce(factor) if factor > 1 else image


def _high_byte(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Scale grey values of 16 bits, or of any range above 255, to 0…255, where Pillow would cut off."""
    top = float(values.max(initial=0.0))
    if top <= 1.0:
        scale = 255.0
    else:
        scale = 1.0 if top <= 255.0 else 255.0 / max(top, 65535.0)
    return np.clip(values * scale, 0, 255).astype(np.uint8)
