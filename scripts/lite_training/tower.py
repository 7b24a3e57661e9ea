"""The image tower alone, with the classifier that it was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mmchat.encoders.lite import IMAGE_TOWER, fold_batch_norms, picture_transform, read_tower
from mmchat.encoders.pixels import Preparation, cut_middle
from mmchat.encoders.runtime import Vectors, ensure_torchvision
from mmchat.pictures import to_rgb

_AT_ONCE = 8


class Tower:
    """EfficientNet-Lite2."""

    def __init__(self, weights: Path) -> None:
        """Load the file that `mmchat models path efficientnet-lite2` names."""
        ensure_torchvision()
        import timm

        self._trunk = timm.create_model(IMAGE_TOWER, num_classes=0)
        state, classifier = read_tower(weights, self._trunk.state_dict())
        self._trunk.load_state_dict(state)
        self._trunk.eval()
        fold_batch_norms(self._trunk)
        self._preparation = Preparation(*picture_transform())
        self.weight: Vectors = classifier["weight"].numpy()
        """(labels, features): the classifier."""
        self.bias: Vectors = classifier["bias"].numpy()
        """(labels,)"""

    def features(self, files: Sequence[Path], kept: Path, *, middle: float = 1.0) -> Vectors:
        """Return what it makes of picture files, (files, features).

        Args:
            files: of any mode and size.
            kept: a .npy file that keeps the features; read where it is there.
            middle: the share of their width and height that is looked at.
        """
        if not kept.is_file():
            parts = [
                self._some(files[i : i + _AT_ONCE], middle) for i in range(0, len(files), _AT_ONCE)
            ]
            np.save(kept, np.concatenate(parts))
        found: Vectors = np.load(kept)
        return found

    def _some(self, files: Sequence[Path], middle: float) -> Vectors:
        import torch

        crops = []
        for file in files:
            with Image.open(file) as image:
                crops.append(self._preparation.crop(cut_middle(to_rgb(image), middle)))
        with torch.inference_mode():
            found: Vectors = self._trunk(self._preparation.normalise(crops)).float().numpy()
        return found
