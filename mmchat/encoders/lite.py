"""mmchat-lite: an OpenCLIP model made of parts that a Python package index carries.

It is open_clip's own CustomTextCLIP: a timm image tower (EfficientNet-Lite2 with its ImageNet weights), a
Hugging Face text tower (the default text encoder's transformer, the same object in memory), and the
heads of `heads.py`. It runs through the same `OpenClipEncoder` as ViT-B-32.
"""

from __future__ import annotations

import functools
import json
import math
import os
import pickle
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmchat.encoders.fingerprint import fingerprint
from mmchat.encoders.image import OpenClipParts
from mmchat.encoders.runtime import Vectors, ensure_torchvision, unit_rows
from mmchat.encoders.text import SentenceEncoder
from mmchat.errors import ModelError

if TYPE_CHECKING:
    import torch
    from open_clip import CustomTextCLIP

IMAGE_TOWER = "tf_efficientnet_lite2"
FEATURES = 1280
"""Numbers that the image tower gives for a picture."""
PIXELS = 260
"""Width and height of what the image tower looks at; it was trained with this size."""
# Names of pictured things are short; a whole paragraph as a query would only be slow.
_MAX_TEXT_TOKENS = 64
# Raise it when `heads.py` computes something else, so that old indexes ask to be rebuilt.
_REVISION = 1


class LiteModel:
    """The source of mmchat-lite for `OpenClipEncoder`."""

    def __init__(self, image_weights: Path, text: SentenceEncoder, *, cache: Path) -> None:
        """Take the parts.

        Args:
            image_weights: the .pth file of efficientnet-lite2.
            text: the encoder whose transformer is the text tower. Give the one that encodes
                passages, and its weights are in memory once.
            cache: a folder for the vectors of the labels, which take some seconds to compute.
        """
        self.image_weights = image_weights
        self.text = text
        self.cache = cache

    @functools.cached_property
    def fingerprint(self) -> str:
        """Name and content of both towers, and the revision of the heads."""
        if not self.image_weights.is_file():
            raise ModelError(
                f"There is no file {self.image_weights}, expected the weights of the image tower. "
                "Fetch them with `mmchat models pull efficientnet-lite2`."
            )
        mark = fingerprint([self.image_weights], self.text.fingerprint, str(_REVISION))
        return f"mmchat-lite-{mark}"

    @functools.cached_property
    def dimension(self) -> int:
        """Numbers in a vector: the aligned part and the visual part."""
        return self.text.dimension + FEATURES

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        """Build the model. The text tower stays where its encoder put it.

        Raises:
            ModelError: a tower is not the one that it should be.
        """
        ensure_torchvision()
        from open_clip.transform import PreprocessCfg, image_transform_v2

        model = self._towers()
        self._attach_heads(model)
        model.eval()
        model.visual.to(device, memory_format=_channels_last())
        model.visual.trunk.to(dtype)
        preprocess = image_transform_v2(PreprocessCfg(**model.visual.preprocess_cfg), is_train=False)
        return OpenClipParts(model, preprocess, _tokenizer(self.text))

    def _towers(self) -> CustomTextCLIP:
        """Build the two towers. Each is made without memory of its own, then given its weights."""
        import open_clip
        import torch

        transformer = self.text.model.transformers_model
        with torch.device("meta"):
            model = open_clip.CustomTextCLIP(
                embed_dim=self.dimension,
                vision_cfg={
                    "timm_model_name": IMAGE_TOWER,
                    "timm_pool": "avg",
                    "timm_proj": "none",
                    "image_size": PIXELS,
                },
                text_cfg={
                    "hf_model_name": str(self.text.folder),
                    "hf_model_pretrained": False,
                    "hf_pooler_type": _pooler(self.text),
                    "hf_proj_type": "linear",
                },
            )
        model.text.transformer = transformer
        model.visual.trunk.load_state_dict(self._image_state(model), assign=True)
        model.logit_scale = torch.nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        # As the tower was trained: pixels from -1 to 1, cut to the middle square.
        open_clip.set_model_preprocess_cfg(
            model,
            {
                "size": PIXELS,
                "mode": "RGB",
                "mean": (0.5, 0.5, 0.5),
                "std": (0.5, 0.5, 0.5),
                "interpolation": "bicubic",
                "resize_mode": "shortest",
                "fill_color": 255,
            },
        )
        return model

    def _attach_heads(self, model: CustomTextCLIP) -> None:
        """Put the training-free heads onto the towers."""
        import torch

        from mmchat.encoders.heads import ImageHead, LabelMixture, TextHead

        vectors = torch.from_numpy(self._label_vectors())
        centre = vectors.mean(dim=0)
        state = self._raw_image_state
        classifier = torch.nn.Linear(FEATURES, len(vectors))
        classifier.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
        labels = torch.nn.functional.normalize(vectors - centre)
        model.visual.head = ImageHead(LabelMixture(classifier, labels))
        model.text.proj = TextHead(centre, FEATURES).to(self.text.model.device)
