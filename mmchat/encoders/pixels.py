"""Any PIL image as the pixels that a model expects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmchat.pictures import to_rgb

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

# Pillow calls this `reducing_gap`. With 2 a vector keeps a cosine of 0.9995 or more.
_REDUCING_GAP = 2


class Preparation:
    """What a model does to a picture before it looks at it, in two halves.

    open_clip hands over one function that makes a tensor of a picture. Its first half, which scales
    and crops, is Pillow's and can run in several threads; its second half is arithmetic that torch
    does for a whole batch in a fraction of the time.
    """

    def __init__(self, preprocess: Any, settings: Mapping[str, Any]) -> None:
        """Take open_clip's function, and the settings it was made from (`visual.preprocess_cfg`)."""
        import torch
        from torchvision.transforms import Compose, Normalize, ToTensor

        steps = [s for s in preprocess.transforms if not isinstance(s, (ToTensor, Normalize))]
        self._geometry = Compose(steps)
        self._mean = torch.tensor(settings["mean"]).view(3, 1, 1)
        self._std = torch.tensor(settings["std"]).view(3, 1, 1)
        size = settings["size"]
        self._shortest = max(size) if isinstance(size, (tuple, list)) else int(size)

    def crop(self, image: Image) -> NDArray[np.uint8]:
        """Turn a picture of any mode and size into (height, width, 3), as the model wants it."""
        return np.asarray(self._geometry(shrink(to_rgb(image), self._shortest)))

    def normalise(self, crops: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Stack crops into (crops, 3, height, width), float32, channels last in memory."""
        import torch

        pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
        return pixels.div_(255).sub_(self._mean).div_(self._std)


def shrink(image: Image, shortest: int) -> Image:
    """Return the picture averaged down by a whole factor, still twice as large as is needed.

    The model's own, exact resize follows; without this, most of its time would go into the pixels
    of a large photo that no longer matter.

    Args:
        image: RGB.
        shortest: the length of the shorter side that is needed, in pixels.
    """
    factor = min(image.size) // (shortest * _REDUCING_GAP)
    return image.reduce(factor) if factor > 1 else image


def cut_middle(image: Image, share: float) -> Image:
    """Return the middle of the picture, of that share of its width and of its height."""
    width, height = image.size
    across, down = width * (1 - share) / 2, height * (1 - share) / 2
    return image.crop((int(across), int(down), math.ceil(width - across), math.ceil(height - down)))
