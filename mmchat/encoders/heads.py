"""The heads of mmchat-lite: what turns the outputs of its two towers into one space.

A vector has two parts. The aligned part holds what a thing is called, the visual part what it looks
like. Pictures have both from what the image tower sees; words have both from what they are known to
mean: the labels of ImageNet that are nearest in meaning, and what pictures of those look like.

scripts/train_lite.py fits the arrays of `Heads`; docs/model-card.md tells from what. Everything is
computed in float32, whatever the towers compute in.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from mmchat.encoders.runtime import Vectors, unit_rows
from mmchat.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

SHIPPED = Path(__file__).with_name("lite.safetensors")
"""The heads that belong to multilingual-e5-small and efficientnet-lite2."""

ALIGNED_SHARE = 0.01
"""The aligned part's share of the cosine of two pictures.

Pictures find each other far better by the visual part. How words find pictures depends on
`Heads.look_share` as well, which is fitted for this share.
"""
FREQUENCIES = 1024
"""Waves that a word's vector is described by, beside itself."""
SHARPNESS = 0.07
"""How near to the nearest label (as a difference of cosines) another one must be to count beside it."""


@dataclass(frozen=True, slots=True)
class Heads:
    """What was fitted. All arrays are float32; `features` is the width of the image tower (1280)."""

    gate: Vectors
    """(features + 1,): a logistic regression that tells a picture cut out on a plain ground from a
    scene; the last number is its bias."""
    means: Vectors
    """(2, features): the mean of unit features over scenes, and over cut-outs."""
    common: Vectors
    """(features,): the mean that is put back before the classifier reads the features."""
    scale: Vectors
    """(1,): the usual length of features before they are made unit vectors."""
    basis: Vectors
    """(directions, features): orthonormal; where photos of one thing differ most from each other."""
    gains: Vectors
    """(directions,): what is added of each direction, from -1 (nothing is left of it) to 0."""
    labels: Vectors
    """(labels, aligned): unit vectors, the meaning of each label of the classifier."""
    looks: Vectors
    """(labels, features): unit vectors, what pictures of each label look like in the visual part."""
    words_centre: Vectors
    """(text,): the mean of the text encoder's vectors of words."""
    frequencies: Vectors
    """(FREQUENCIES, text): see `wave_inputs`."""
    phases: Vectors
    """(FREQUENCIES,): see `wave_inputs`."""
    words_map: Vectors
    """(text + FREQUENCIES, aligned): from what `wave_inputs` makes of words to their meaning."""
    look_share: Vectors
    """(1,): the visual part's share of the square of a word's vector."""

    @property
    def aligned_width(self) -> int:
        """Numbers in the aligned part."""
        return int(self.labels.shape[1])

    def encode_words(self, vectors: Vectors) -> Vectors:
        """Turn what the text encoder made of words, (n, text), into (n, aligned + features)."""
        waves = wave_inputs(vectors, self.words_centre, self.frequencies, self.phases)
        meaning = unit_rows(waves @ self.words_map)
        look = expected_look(meaning, self.labels, self.looks)
        share = float(self.look_share[0])
        both = [math.sqrt(1 - share) * meaning, math.sqrt(share) * look]
        return np.concatenate(both, axis=1).astype(np.float32)


def wave_inputs(
    vectors: Vectors, centre: Vectors, frequencies: Vectors, phases: Vectors
) -> Vectors:
    """Return (n, text + FREQUENCIES): the centred unit vectors of words (n, text), and waves of them."""
    centred = unit_rows(vectors - centre)
    waves = np.cos(centred @ frequencies.T + phases) * math.sqrt(2 / FREQUENCIES)
    return np.concatenate([centred, waves], axis=1)


def expected_look(meaning: Vectors, labels: Vectors, looks: Vectors) -> Vectors:
    """Return what a picture of something looks like, (n, features), from its meaning (n, aligned).

    It is the mean of the looks of the labels that are nearest in meaning.
    """
    nearness = meaning @ labels.T
    weights = np.exp((nearness - nearness.max(axis=1, keepdims=True)) / SHARPNESS)
    return unit_rows(weights @ looks)


def write_heads(heads: Heads, path: Path) -> None:
    """Write the heads: matrices in 16 bits, the rest in 32."""
    from safetensors.numpy import save_file

    arrays: dict[str, NDArray[Any]] = {}
    for field in fields(heads):
        array = np.ascontiguousarray(getattr(heads, field.name))
        arrays[field.name] = array.astype(np.float16 if array.ndim > 1 else np.float32)
    save_file(arrays, path)


@functools.cache
def read_heads(path: Path) -> Heads:
    """Read heads that `write_heads` wrote.

    Raises:
        ModelError: there is no such file, or it holds other arrays.
    """
    from safetensors.numpy import load_file

    expected = sorted(field.name for field in fields(Heads))
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path} holds no heads of mmchat-lite: {error}. Expected what scripts/train_lite.py "
            "writes; install mmchat anew to have the shipped ones back."
        ) from error
    if sorted(arrays) != expected:
        raise ModelError(
            f"{path} holds {', '.join(sorted(arrays))}; expected {', '.join(expected)}. "
            "Make the file anew with scripts/train_lite.py."
        )
    return Heads(**{name: np.asarray(array, np.float32) for name, array in arrays.items()})


def image_head(heads: Heads, classifier: nn.Linear) -> nn.Module:
    """Return what turns pooled features (n, features) into (n, aligned + features), of length one.

    The features are centred on the mean of their kind of picture, since a photo of a shelf and a
    picture cut out on white differ in that more than in what they show. Then the directions in which
    photos of one thing differ are shrunk (within-class covariance normalisation: Hatch, Kajarekar and
    Stolcke, Interspeech 2006). That is the visual part. The aligned part is the mean of the labels'
    vectors, each weighted by the probability that the classifier gives its label (Norouzi et al.,
    "Zero-Shot Learning by Convex Combination of Semantic Embeddings", 2013).
    """
    import torch
    from torch import nn
    from torch.nn.functional import normalize

    class ImageHead(nn.Module):
        gate: Tensor
        means: Tensor
        common: Tensor
        scale: Tensor
        basis: Tensor
        gains: Tensor
        labels: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.classifier = classifier
            for name in ("gate", "means", "common", "scale", "basis", "gains", "labels"):
                self.register_buffer(name, torch.from_numpy(getattr(heads, name)))

        def forward(self, features: Tensor) -> Tensor:
            unit = normalize(features.float())
            cut_out = torch.sigmoid(unit @ self.gate[:-1] + self.gate[-1])[:, None]
            centred = unit - torch.lerp(self.means[0], self.means[1], cut_out)
            visual = centred + ((centred @ self.basis.T) * self.gains) @ self.basis
            logits = self.classifier((centred + self.common) * self.scale)
            aligned = torch.softmax(logits, dim=1) @ self.labels
            parts = [
                math.sqrt(ALIGNED_SHARE) * normalize(aligned),
                math.sqrt(1.0 - ALIGNED_SHARE) * normalize(visual),
            ]
            return torch.cat(parts, dim=1)

    return ImageHead()


def text_head(heads: Heads) -> nn.Module:
    """Return what turns pooled vectors of words (n, text) into what `Heads.encode_words` makes of them."""
    import torch
    from torch import nn
    from torch.nn.functional import normalize

    class TextHead(nn.Module):
        def forward(self, pooled: Tensor) -> Tensor:
            unit = normalize(pooled.float())
            return torch.from_numpy(heads.encode_words(unit.cpu().numpy())).to(unit.device)

    return TextHead()


def shared_transformer(load: Callable[[], nn.Module]) -> nn.Module:
    """Return a transformer that belongs to somebody else, and is loaded when it is first called."""
    from torch import nn

    class SharedTransformer(nn.Module):
        @property
        def shared(self) -> nn.Module:
            return load()

        def forward(self, *arguments: Any, **named: Any) -> Any:
            return self.shared(*arguments, **named)

    return SharedTransformer()
