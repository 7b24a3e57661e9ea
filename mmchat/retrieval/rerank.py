"""A cross-encoder that the user names: it reads a question together with each passage.

Nogueira & Cho, "Passage re-ranking with BERT", 2019. None is built in: the ones that are good weigh more
than everything else together and take a second for twenty passages on two cores.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers. It is loaded when it is first used."""

    def __init__(self, name: str, *, device: str | None = None) -> None:
        """Take a model.

        Args:
            name: a folder that `CrossEncoder.save_pretrained` wrote, or a hub id.
            device: as torch names it; None is what sentence-transformers chooses.
        """
        self.name = name
        self._device = device
        self._lock = threading.Lock()
        self._model: CrossEncoder | None = None

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return how well each passage answers the question; higher is better.

        Raises:
            ModelError: the model cannot be had, or gives more than one number for a pair.
        """
        if not passages:
            return []
        found = self._loaded().predict(
            [(question, passage) for passage in passages], show_progress_bar=False
        )
        if getattr(found, "ndim", 1) != 1:
            raise ModelError(
                f"retrieval.reranker = '{self.name}': it gives {found.shape[-1]} numbers for a pair. "
                "Expected a cross-encoder with one output, such as those trained on MS MARCO."
            )
        return [float(score) for score in found]

    def _loaded(self) -> CrossEncoder:
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model

    def _load(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder

        here = Path(self.name).is_dir()
        try:
            return CrossEncoder(self.name, device=self._device, local_files_only=here)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"retrieval.reranker = '{self.name}' cannot be loaded: {error}. Expected a folder of a "
                "sentence-transformers CrossEncoder or its hub id; leave it empty for none."
            ) from error
