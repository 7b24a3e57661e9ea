"""Pictures and words in one space, through open_clip.

`OpenClipEncoder` runs any OpenCLIP model. How a model is found and loaded is what differs; that is a
`ModelSource`: `NamedModel` for what open_clip knows by name or file, `lite.LiteModel` for the
embedded one.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from mmchat.config import nearest
from mmchat.encoders.fingerprint import files_of_model, fingerprint
from mmchat.encoders.pixels import Preparation, cut_middle
from mmchat.encoders.runtime import Vectors, ensure_torchvision, pick_device, pick_dtype, unit_rows
from mmchat.errors import ModelError
from mmchat.pictures import to_rgb

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

# What open_clip, torch and safetensors raise for a model that cannot be had or read.
_FAILURES = (
    RuntimeError,
    OSError,
    ValueError,
    KeyError,
    pickle.UnpicklingError,
    SafetensorError,
)
# A processor computes pictures fastest a few at a time, as long as their activations fit its cache:
# mmchat-lite sees 64 in a second by 8 and 41 by 32 (2 cores).
_CPU_BATCH = 8
# Pillow lets go of the interpreter while it resizes, so threads do help; past four, the model itself
# is what one waits for.
_PREPARING_THREADS = min(4, os.cpu_count() or 1)
_LOCAL_DIR = "local-dir:"
_HF_HUB = "hf-hub:"


@dataclass(frozen=True, slots=True)
class OpenClipParts:
    """What open_clip makes of a model."""

    model: Any
    """A CLIP or CustomTextCLIP in evaluation mode, with encode_image and encode_text."""
    preprocess: Callable[[Image], torch.Tensor]
    """A picture to (3, height, width), as the model was trained."""
    tokenizer: Callable[[list[str]], torch.Tensor]
    """n texts to token ids (n, tokens)."""
    dtype: torch.dtype
    """What the image tower takes."""


class ModelSource(Protocol):
    """Where an OpenCLIP model comes from."""

    @property
    def fingerprint(self) -> str:
        """Name and content of the model."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def middle(self) -> float | None:
        """The share of a photo's width and height at which it is looked at again when it is searched
        with; None where once is enough."""
        ...

    @property
    def unrelated(self) -> float:
        """The cosine below which a photo shows nothing of a collection's best picture; -1 where not known."""
        ...

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        """Build the model. Called once, when something is encoded for the first time."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors | None:
        """Return what the model makes of texts, where that needs no `load`; otherwise None."""
        ...

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> Vectors | None:
        """Return what the model makes of texts that `encoder` has encoded; None where it cannot."""
        ...


class OpenClipEncoder:
    """An OpenCLIP model as an encoder of pictures and of words about them.

    A picture gives the same vector whichever others are encoded beside it, up to rounding (1e-4 in
    float32, 1e-2 in bfloat16).
    """

    def __init__(
        self,
        source: str | ModelSource,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 32,
    ) -> None:
        """Take a model.

        Args:
            source: a name as `NamedModel` reads it, or another source.
            device: see `runtime.pick_device`.
            dtype: see `runtime.pick_dtype`.
            batch_size: pictures or texts that are computed at once.
        """
        self.source = NamedModel(source) if isinstance(source, str) else source
        self.batch_size = batch_size
        self._device = device
        self._dtype = dtype
        self._lock = threading.Lock()
        self._parts: OpenClipParts | None = None

    @functools.cached_property
    def fingerprint(self) -> str:
        """Name and content of the model; not the device or number type, which leave the ranking."""
        return self.source.fingerprint

    @functools.cached_property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.source.dimension

    @property
    def unrelated(self) -> float:
        """The cosine below which a photo shows nothing of a collection's best picture; -1 where not known."""
        return self.source.unrelated

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Encode pictures of any mode and size.

        Returns:
            unit vectors of shape (images, dimension).
        """
        import torch

        parts = self.parts
        device, _ = self._placement
        at_once = min(self.batch_size, _CPU_BATCH) if device.type == "cpu" else self.batch_size
        preparation = Preparation(parts.preprocess, parts.model.visual.preprocess_cfg)
        rows = []
        with torch.inference_mode():
            for crops in self._cropped(images, preparation):
                for start in range(0, len(crops), at_once):
                    pixels = preparation.normalise(crops[start : start + at_once])
                    seen = parts.model.encode_image(pixels.to(device, parts.dtype))
                    rows.append(seen.float().cpu().numpy())
        return self._stack(rows)

    def encode_image_queries(self, images: Sequence[Image]) -> Vectors:
        """Encode pictures that are searched with: as `encode_images`, or with a second, closer look.

        Returns:
            unit vectors of shape (images, dimension).
        """
        middle = self.source.middle
        if middle is None:
            return self.encode_images(images)
        upright = [to_rgb(image) for image in images]
        closer = [cut_middle(image, middle) for image in upright]
        return unit_rows(self.encode_images(upright) + self.encode_images(closer))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Encode words that describe pictures.

        Returns:
            unit vectors of shape (texts, dimension).
        """
        if (vectors := self.source.encode_texts(texts)) is not None:
            return vectors
        import torch

        parts = self.parts
        device, _ = self._placement
        rows = []
        with torch.inference_mode():
            for start in range(0, len(texts), self.batch_size):
                tokens = parts.tokenizer(list(texts[start : start + self.batch_size])).to(device)
                rows.append(parts.model.encode_text(tokens).float().cpu().numpy())
        return self._stack(rows)

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> Vectors | None:
        """Turn what a text encoder made of words into vectors of this space, without encoding them again.

        Args:
            encoder: what made `vectors` with its `encode_queries`.
            vectors: (texts, dimension of that encoder).

        Returns:
            unit vectors of shape (texts, dimension), or None where `encoder` is not the text tower.
        """
        return self.source.from_query_vectors(encoder, vectors)

    @property
    def parts(self) -> OpenClipParts:
        """The loaded model with what belongs to it."""
        with self._lock:
            if self._parts is None:
                ensure_torchvision()
                self._parts = self.source.load(*self._placement)
            return self._parts

    @functools.cached_property
    def _placement(self) -> tuple[torch.device, torch.dtype]:
        device = pick_device(self._device)
        return device, pick_dtype(self._dtype, device)

    def _cropped(
        self, images: Sequence[Image], preparation: Preparation
    ) -> Iterator[list[NDArray[np.uint8]]]:
        """Yield the crops of up to `batch_size` pictures; the next ones are made meanwhile."""
        with ThreadPoolExecutor(_PREPARING_THREADS, "prepare-pictures") as pool:
            waiting: list[Future[NDArray[np.uint8]]] = []
            for start in range(0, len(images), self.batch_size):
                ready = waiting
                batch = images[start : start + self.batch_size]
                waiting = [pool.submit(preparation.crop, image) for image in batch]
                if ready:
                    yield [future.result() for future in ready]
            if waiting:
                yield [future.result() for future in waiting]

    def _stack(self, rows: Sequence[Any]) -> Vectors:
        if not rows:
            return np.zeros((0, self.dimension), np.float32)
        return unit_rows(np.concatenate(rows))


class NamedModel:
    """A model that open_clip finds by name.

    - `ViT-B-32/laion2b_s34b_b79k`: an architecture and published weights, fetched by open_clip.
    - `ViT-B-32@/models/mine.safetensors`: an architecture and a checkpoint file.
    - `hf-hub:organisation/name`: a model of the hub.
    - `local-dir:/models/mine`: a folder with open_clip_config.json and weights.
    """

    middle = None
    unrelated = -1.0

    def __init__(self, name: str) -> None:
        """Take a name.

        Raises:
            ModelError: it has none of the four forms.
        """
        self.name = name
        self._model_name, self._weights = name, ""
        if name.startswith((_HF_HUB, _LOCAL_DIR)):
            return
        for mark in "@/":
            architecture, found, weights = name.partition(mark)
            if found and architecture and weights:
                self._model_name, self._weights = architecture, weights
                return
        raise ModelError(
            f"{name!r} names no OpenCLIP model. Expected architecture/weights "
            "(ViT-B-32/laion2b_s34b_b79k), architecture@checkpoint-file, hf-hub:organisation/name, "
            "local-dir:folder, or mmchat-lite."
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """Name of the model and content of its weights, which are fetched for that if need be."""
        settings = json.dumps(self._config, sort_keys=True)
        # A checkpoint is named by its file alone, so that it may be moved.
        label = f"{self._model_name}@{Path(self._weights).name}" if "@" in self.name else self.name
        return f"{label}-{fingerprint(self._files, self._model_name, settings)}"

    @functools.cached_property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self._config["embed_dim"])

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        """Build the model with its weights.

        Raises:
            ModelError: open_clip cannot load it.
        """
        import open_clip
        import torch

        self._require_known()
        with self._translated():
            model, _, preprocess = open_clip.create_model_and_transforms(
                self._model_name,
                pretrained=str(self._files[0]) if "@" in self.name else self._weights or None,
                # "bf16" keeps the layer norms in float32, as open_clip does in training.
                precision="bf16" if dtype == torch.bfloat16 else "fp32",
                device=device,
                force_quick_gelu=bool(self._tag.get("quick_gelu")),
                # The checkpoint brings all weights: nothing more is to be fetched for the text.
                pretrained_text=False,
                weights_only=True,
            )
            tokenizer = open_clip.get_tokenizer(self._model_name)
        model.eval()
        model.visual.to(memory_format=torch.channels_last)
        return OpenClipParts(model, preprocess, tokenizer, dtype)

    def encode_texts(self, texts: Sequence[str]) -> None:
        """Leave it to the model: open_clip brings its own text tower."""

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> None:
        """Leave it to the model: no other encoder is its text tower."""

    def _require_known(self) -> None:
        """Refuse an unknown architecture or weights in words of our own, before open_clip does."""
        _ = self._config, self._tag

    @functools.cached_property
    def _config(self) -> dict[str, Any]:
        """open_clip's description of the architecture."""
        ensure_torchvision()
        import open_clip

        with self._translated():
            config: dict[str, Any] | None = open_clip.get_model_config(self._model_name)
        if config is None:
            raise ModelError(
                f"open_clip knows no architecture {self._model_name!r}: "
                f"{nearest(self._model_name, open_clip.list_models())}"
            )
        return config

    @functools.cached_property
    def _tag(self) -> dict[str, Any]:
        """open_clip's entry of published weights; empty where the name is of another form."""
        import open_clip

        if not self._weights or "@" in self.name:
            return {}
        entry: dict[str, Any] = open_clip.get_pretrained_cfg(self._model_name, self._weights)
        if not entry:
            known = open_clip.list_pretrained_tags_by_model(self._model_name)
            raise ModelError(
                f"open_clip knows no weights {self._weights!r} of {self._model_name}: "
                f"{nearest(self._weights, known)}. For a file, write {self._model_name}@path."
            )
        return entry

    @functools.cached_property
    def _files(self) -> list[Path]:
        """The files of the weights, on this machine."""
        self._require_known()
        if self.name.startswith(_LOCAL_DIR):
            return files_of_model(Path(self.name.removeprefix(_LOCAL_DIR)))
        if "@" in self.name:
            path = Path(self._weights).expanduser()
            if not path.is_file():
                raise ModelError(
                    f"There is no checkpoint file {path}. Check the path after the @ in "
                    f"{self.name!r}."
                )
            return [path]
        from open_clip.pretrained import download_pretrained, download_pretrained_from_hf

        with self._translated():
            if self.name.startswith(_HF_HUB):
                return [Path(download_pretrained_from_hf(self.name.removeprefix(_HF_HUB)))]
            return [Path(download_pretrained(self._tag))]

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the errors of other libraries into a ModelError."""
        try:
            yield
        except _FAILURES as error:
            raise ModelError(
                f"open_clip cannot load {self.name}: {error}. Expected weights of this "
                "architecture as a state dict (.safetensors or .pt). A name needs the network when "
                "it is first used."
            ) from error
