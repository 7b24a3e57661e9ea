"""mmchat-lite: an OpenCLIP model made of parts that a Python package index carries.

It is open_clip's own CustomTextCLIP: a timm image tower (EfficientNet-Lite2 with its ImageNet
weights), a Hugging Face text tower (the transformer of the default text encoder), and the heads of
`heads.py`. `OpenClipEncoder` runs its pictures as it runs those of ViT-B-32. Words go through the text
encoder itself and a head in NumPy: the same vectors, and torch need not be imported to search. So the
text tower is loaded only when `encode_text` of the model is called.
"""

from __future__ import annotations

import functools
import math
import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmchat.encoders.fingerprint import fingerprint
from mmchat.encoders.heads import (
    SHIPPED,
    Heads,
    image_head,
    read_heads,
    shared_transformer,
    text_head,
)
from mmchat.encoders.image import OpenClipParts
from mmchat.encoders.runtime import Vectors, ensure_torchvision
from mmchat.encoders.text import SentenceEncoder
from mmchat.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from torch import Tensor, nn

IMAGE_TOWER = "tf_efficientnet_lite2"
FEATURES = 1280
"""Numbers that the image tower gives for a picture."""

# As the tower was trained and is evaluated: 260 pixels, from -1 to 1, the middle square.
_PREPROCESSING = {
    "size": 260,
    "mode": "RGB",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
# open_clip's name for each way in which sentence-transformers makes one vector out of many.
_POOLERS = {"mean": "mean_pooler", "cls": "cls_last_hidden_state_pooler"}
# Raised whenever the same weights begin to give other vectors: old indexes then ask to be rebuilt.
_REVISION = 2


class LiteModel:
    """The source of mmchat-lite for `OpenClipEncoder`.

    The text tower is multilingual-e5-small: Korean words find pictures with it, and its weights are
    shared with the encoder of the passages.
    """

    middle = 0.7
    """A photo that is searched with is looked at twice, whole and its middle: what somebody took a
    photo of is in the middle of it."""
    unrelated = 0.12
    """Photos of what is in the collection have 0.49 and more with their best picture (outdoor), or 0.13 and
    more (60 of grocery); photos of groceries stay below it in 97 % with the pictures of outdoor, and in 87 %
    with those of outfitter."""

    def __init__(
        self, image_weights: Path, text: SentenceEncoder, *, heads: Path = SHIPPED
    ) -> None:
        """Take the parts.

        Args:
            image_weights: the .pth file of efficientnet-lite2.
            text: the encoder whose transformer is the text tower. Give the one that encodes the
                passages, and its weights are in memory once.
            heads: what scripts/train_lite.py wrote for these two towers.
        """
        self.image_weights = image_weights
        self.text = text
        self.heads_file = heads

    @functools.cached_property
    def fingerprint(self) -> str:
        """Name and content of both towers and of the heads.

        Raises:
            ModelError: the file of the image tower is not there.
        """
        if not self.image_weights.is_file():
            raise ModelError(
                f"There is no file {self.image_weights}, expected the weights of the image tower. "
                "Fetch them with `mmchat models pull efficientnet-lite2`."
            )
        files = [self.image_weights, self.heads_file]
        mark = fingerprint(files, self.text.fingerprint, str(_REVISION))
        return f"mmchat-lite-{mark}"

    @functools.cached_property
    def dimension(self) -> int:
        """Numbers in a vector: those of the aligned part and those of the visual part."""
        return self.heads.aligned_width + FEATURES

    @functools.cached_property
    def heads(self) -> Heads:
        """What was fitted.

        Raises:
            ModelError: the file cannot be read, or belongs to another text tower.
        """
        heads = read_heads(self.heads_file)
        if heads.words_centre.shape != (self.text.dimension,):
            raise ModelError(
                f"{self.heads_file} is made for a text tower of {len(heads.words_centre)} numbers, but "
                f"{self.text.name} gives {self.text.dimension}. Use multilingual-e5-small, or train "
                "heads for the other one with scripts/train_lite.py."
            )
        return heads

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        """Build the model.

        Args:
            device: where the image tower runs; the text tower's encoder must run there as well.
            dtype: not used. The text tower keeps its encoder's, and the image tower is computed in
                float32: bfloat16 is half as fast again, but finds other pictures (overlap@10 0.96).

        Raises:
            ModelError: a tower is not of the kind that it should be.
            ConfigError: the two towers are to run on different devices.
        """
        ensure_torchvision()
        import open_clip
        import torch

        where = self.text.device
        if where.type != device.type:
            raise ConfigError(
                f"mmchat-lite: its text tower runs on {where}, its image tower on {device}. "
                "Give both encoders the same device."
            )
        # On the "meta" device a model is made without memory; it then takes over what is there.
        with torch.device("meta"):
            model = open_clip.CustomTextCLIP(self.dimension, *self._tower_settings())
        trunk, classifier = read_tower(self.image_weights, model.visual.trunk.state_dict())
        model.visual.trunk.load_state_dict(trunk, assign=True)
        model.text.transformer = shared_transformer(lambda: self.text.model.transformers_model)
        model.logit_scale = torch.nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        open_clip.set_model_preprocess_cfg(model, _PREPROCESSING)
        self._attach_heads(model, classifier)
        model.eval()
        fold_batch_norms(model.visual.trunk)
        model.visual.to(device, memory_format=torch.channels_last)
        preprocess, _ = picture_transform()
        return OpenClipParts(model, preprocess, _tokenizer(self.text), torch.float32)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return what the model makes of words, (texts, dimension), by way of the text encoder."""
        return self.heads.encode_words(self.text.encode_queries(texts))

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> Vectors | None:
        """Return what the model makes of words that its text encoder has encoded as queries."""
        return self.heads.encode_words(vectors) if encoder is self.text else None

    def _tower_settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Describe the image tower and the text tower in open_clip's terms."""
        pooling = self.text.pooling
        if pooling not in _POOLERS:
            raise ModelError(
                f"{self.text.folder} pools its tokens by {pooling!r}; as the text tower of "
                f"mmchat-lite a model is expected that pools by {' or '.join(_POOLERS)}. "
                "Leave the text tower at multilingual-e5-small."
            )
        image = {
            "timm_model_name": IMAGE_TOWER,
            "timm_pool": "avg",
            "timm_proj": "none",
            "image_size": _PREPROCESSING["size"],
        }
        text = {
            "hf_model_name": str(self.text.folder),
            "hf_model_pretrained": False,
            "hf_pooler_type": _POOLERS[pooling],
            "hf_proj_type": "linear",
        }
        return image, text

    def _attach_heads(self, model: nn.Module, classifier: Mapping[str, Tensor]) -> None:
        """Put the heads onto the two towers of `model`."""
        import torch

        layer = torch.nn.Linear(FEATURES, len(self.heads.labels))
        layer.load_state_dict(classifier)
        visual: Any = model.visual
        visual.head = image_head(self.heads, layer)
        text: Any = model.text
        text.proj = text_head(self.heads)


def fold_batch_norms(module: nn.Module) -> None:
    """Fold each batch norm into the convolution before it, in place; a third faster on a processor.

    A batch norm at rest only scales and shifts each channel, which the convolution can do itself.
    """
    from timm.layers import BatchNormAct2d
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    before: tuple[str, nn.Conv2d] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d):
            before = (name, child)
        elif isinstance(child, BatchNormAct2d) and before is not None:
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, child.act)
            before = None
        else:
            fold_batch_norms(child)


def picture_transform() -> tuple[Callable[[Image], Tensor], dict[str, Any]]:
    """Return what makes a tensor of a picture as the image tower wants it, and its settings."""
    ensure_torchvision()
    from open_clip.transform import PreprocessCfg, image_transform_v2

    transform = image_transform_v2(PreprocessCfg(**_PREPROCESSING), is_train=False)
    return transform, _PREPROCESSING


def read_tower(
    path: Path, expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Read the weights of timm's trunk and of the classifier on it.

    Args:
        path: the .pth file of efficientnet-lite2.
        expected: the trunk's own state, in order; only names and shapes count.

    Raises:
        ModelError: the file is not what it should be.
    """
    return _split(_read(path), expected)


def _read(path: Path) -> dict[str, Tensor]:
    """Read a state dict; nothing in the file is executed."""
    import torch

    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{path} is not a state dict of torch: {error}. Expected the weights of the image "
            "tower; fetch them anew with `mmchat models pull efficientnet-lite2`."
        ) from error
    return state


def _split(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split the weights of an image classifier into those of timm's trunk and its last layer.

    The file names its weights as another implementation of the same network does. Both define their
    layers in the same order, so that place and shape tell which is which.

    Args:
        state: the file's weights, in order.
        expected: the trunk's own, in order; only names and shapes count.
    """
    *body, weight, bias = state.values()
    shapes = [tuple(tensor.shape) for tensor in expected.values()]
    if [tuple(tensor.shape) for tensor in body] != shapes or weight.shape[1:] != (FEATURES,):
        raise ModelError(
            f"The weights of the image tower are {len(state)} arrays that do not fit {IMAGE_TOWER} "
            f"({len(shapes) + 2} arrays). Give the file of `mmchat models path efficientnet-lite2`."
        )
    return dict(zip(expected, body, strict=True)), {"weight": weight, "bias": bias}


def _tokenizer(text: SentenceEncoder) -> Callable[[list[str]], Tensor]:
    """Return the tokenizer of the text tower: the encoder's own, with the prompt of its queries.

    open_clip's HFTokenizer would fill every text up to the longest that the model can read.
    """

    def tokenize(texts: list[str]) -> Tensor:
        prompted = [text.prompts.query + one for one in texts]
        # Taken when it is needed: it comes with the text tower. It cuts where that cuts.
        tokenizer = text.model.tokenizer
        ids: Tensor = tokenizer(
            prompted, padding=True, truncation=True, return_tensors="pt"
        ).input_ids
        return ids

    return tokenize
