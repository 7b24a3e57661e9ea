"""Any PIL image as the RGB picture that a model expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

# Pillow calls this `reducing_gap`, and finds the result of 3 "practically indistinguishable".
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

    The model's own, exact resize follows; without this, most of its time would go into the pixels
    of a large photo that no longer matter.

    Args:
        image: RGB.
        shortest: the length of the shorter side that is needed, in pixels.
    """
    factor = min(image.size) // (shortest * _REDUCING_GAP)
    return image.reduce(factor) if factor > 1 else image


def _high_byte(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Scale grey values of 16 bits, or fractions, to 0…255; Pillow would cut off what is above."""
    top = float(values.max(initial=0.0))
    full = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    scaled: NDArray[np.uint8] = np.clip(values * (255.0 / full), 0, 255).astype(np.uint8)
    return scaled
