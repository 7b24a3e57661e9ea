"""mmchat-lite with a head for pictures that was fitted to one's own products (`mmchat tune photos`).

The head changes the visual part of a vector alone: it shrinks the directions in which photos of one product
differ (light, background, angle), so that what is left tells products apart. The visual part of words, what
they are expected to look like, is changed alike.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from mmchat.encoders.fingerprint import fingerprint
from mmchat.encoders.image import ModelSource, OpenClipParts
from mmchat.encoders.runtime import Vectors
from mmchat.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

HEAD = "photo_head.safetensors"
"""The file of a tuned head: `directions` (visual width, r), orthonormal, and `kept` (r,), the share of each
that is left; `base` in its metadata is the fingerprint of the model that it belongs to."""


class TunedModel:
    """The source of a tuned mmchat-lite for `OpenClipEncoder`."""

    def __init__(self, base: ModelSource, folder: Path) -> None:
        """Take the model that was tuned, and the folder that holds the head."""
        self.base = base
        self.folder = folder

    @functools.cached_property
    def fingerprint(self) -> str:
        """Name and content of the model and of the head.

        Raises:
            ModelError: there is no head, or it belongs to another model.
        """
        _ = self._head
        mark = fingerprint([self.folder / HEAD], self.base.fingerprint)
        return f"mmchat-lite@{self.folder.resolve().name}-{mark}"

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.base.dimension

    @property
    def middle(self) -> float | None:
        """How photos that are searched with are looked at again: as the base model does."""
        return self.base.middle

    @property
    def unrelated(self) -> float:
        """Not known: the head changes what pictures have in common."""
        return -1.0

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        """Build the model, and put the head onto its image tower.

        Raises:
            ModelError: there is no head, or it belongs to another model.
        """
        import torch

        directions, kept = self._head
        parts = self.base.load(device, dtype)
        lost = torch.from_numpy(1 - kept).to(device)
        axes = torch.from_numpy(directions).to(device)
        words = self.dimension - len(directions)

        def correct(_module: object, _inputs: object, seen: Tensor) -> Tensor:
            visual = seen[:, words:].float()
            changed = visual - ((visual @ axes) * lost) @ axes.T
            # As long as before: the shares of both parts in a cosine stay.
            changed *= visual.norm(dim=1, keepdim=True) / changed.norm(dim=1, keepdim=True)
            return torch.cat([seen[:, :words], changed.to(seen.dtype)], dim=1)

        visual: Any = parts.model.visual
        visual.register_forward_hook(correct)
        return parts

    def encode_texts(self, texts: Sequence[str]) -> Vectors | None:
        """Return what the base model makes of words, with what they look like changed as pictures are."""
        return self._changed(self.base.encode_texts(texts))

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> Vectors | None:
        """Return the same of words that its text encoder has encoded."""
        return self._changed(self.base.from_query_vectors(encoder, vectors))

    def _changed(self, words: Vectors | None) -> Vectors | None:
        """Change the visual part of words, (texts, dimension), as `load` changes that of pictures."""
        if words is None:
            return None
        directions, kept = self._head
        aligned = self.dimension - len(directions)
        visual = words[:, aligned:]
        changed = visual - ((visual @ directions) * (1 - kept)) @ directions.T
        before, after = (np.linalg.norm(each, axis=1, keepdims=True) for each in (visual, changed))
        changed *= before / np.maximum(after, 1e-9)
        return np.concatenate([words[:, :aligned], changed], axis=1).astype(np.float32)

    @functools.cached_property
    def _head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The directions (visual width, r), and the share (r,) of each that is left."""
        from safetensors import safe_open

        path = self.folder / HEAD
        if not path.is_file():
            raise ModelError(
                f"There is no file {path}. Expected the folder that 'mmchat tune photos' wrote after "
                "mmchat-lite@; make one, or set encoders.image to mmchat-lite."
            )
        try:
            with safe_open(path, framework="numpy") as file:
                base = (file.metadata() or {}).get("base", "")
                directions, kept = file.get_tensor("directions"), file.get_tensor("kept")
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"{path} cannot be read: {error}. Make it anew with 'mmchat tune photos'."
            ) from error
        if base != self.base.fingerprint:
            raise ModelError(
                f"{path} was made for {base}, but the model here is {self.base.fingerprint}. Make it "
                "anew with 'mmchat tune photos'."
            )
        return np.asarray(directions, np.float32), np.asarray(kept, np.float32)
