"""The heads of mmchat-lite: what turns the outputs of its two towers into one space.

A vector has two parts. The aligned part is shared by words and pictures; the visual part holds what
the image tower sees, and is zero for words. So words find a picture through the first alone, and
another picture finds it through both, whose shares of the cosine are `ALIGNED_SHARE` and the rest.

Everything is computed in float32, whatever the towers compute in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

ALIGNED_SHARE = 0.01
"""The aligned part's share of the cosine of two pictures.

How words find pictures does not depend on it, since it scales the scores of all pictures alike. But
pictures find each other far better by the visual part: the catalogue picture that is nearest to a
photo shows the right kind of product in 49 % with the visual part alone, 45 % at a share of 0.1, and
32 % with the aligned part alone. So the share is as small as is safe in vectors of 16 bits.
"""


class TextHead(nn.Module):
    """Centre the vectors of a sentence encoder, and leave the visual part empty.

    Sentence encoders put all texts into a narrow cone. Once its centre is taken away, a cosine tells
    what the texts differ in (Mu and Viswanath, "All-but-the-Top", ICLR 2018; taking away the largest
    components as well, as they do, or whitening brought nothing here).
    """

    centre: Tensor

    def __init__(self, centre: Tensor, visual_width: int) -> None:
        """Take the mean of the label vectors (width,), and the width of the visual part."""
        super().__init__()
        self.register_buffer("centre", centre)
        self.visual_width = visual_width

    def forward(self, pooled: Tensor) -> Tensor:
        """Turn (n, width) into (n, width + visual width), of length one."""
        aligned = normalize(normalize(pooled.float()) - self.centre)
        return torch.cat([aligned, aligned.new_zeros(len(aligned), self.visual_width)], dim=1)


class LabelMixture(nn.Module):
    """The aligned part of a picture without any training on pairs of pictures and words.

    The mean of the label vectors, each weighted by the probability that the classifier gives its
    label; a picture of something that has no label lands between the labels that it resembles
    (Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings", 2013).

    Nothing in it was fitted: all labels take part, with the probabilities as the classifier gives
    them. Temperatures of 1.5 and 2 or the ten best labels gained on some of the sets that were tried
    and lost on others, by 1 to 4 points; a linear map fitted to the classifier's weights lost on all.
    """

    labels: Tensor

    def __init__(self, classifier: nn.Linear, labels: Tensor) -> None:
        """Take the classifier of the image tower and the vector of each label (labels, width)."""
        super().__init__()
        self.classifier = classifier
        self.register_buffer("labels", labels)

    def forward(self, features: Tensor) -> Tensor:
        """Turn features (n, features) into (n, width)."""
        probabilities = torch.softmax(self.classifier(features), dim=1)
        mixture: Tensor = probabilities @ self.labels
        return mixture


class ImageHead(nn.Module):
    """Put the aligned and the visual part of pictures side by side.

    The visual part is the features as they are: a random orthonormal projection to 512 numbers would
    save half of the memory and cost 3 to 4 points in finding the product of a photo.
    """

    def __init__(self, aligned: nn.Module) -> None:
        """Take what computes the aligned part (n, width) from the features."""
        super().__init__()
        self.aligned = aligned

    def forward(self, features: Tensor) -> Tensor:
        """Turn pooled features (n, features) into (n, width + features), of length one."""
        features = features.float()
        aligned = math.sqrt(ALIGNED_SHARE) * normalize(self.aligned(features))
        visual = math.sqrt(1.0 - ALIGNED_SHARE) * normalize(features)
        return torch.cat([aligned, visual], dim=1)


class SharedTransformer(nn.Module):
    """A transformer that belongs to somebody else, and is loaded when it is first called."""

    def __init__(self, load: Callable[[], nn.Module]) -> None:
        """Take what returns the transformer; its weights do not become weights of this module."""
        super().__init__()
        self._load = load

    @property
    def shared(self) -> nn.Module:
        """The transformer."""
        return self._load()

    def forward(self, *arguments: Any, **named: Any) -> Any:
        """Call the transformer."""
        return self.shared(*arguments, **named)
