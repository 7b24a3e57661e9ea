"""The encoder of text on a processor: ONNX Runtime on small batches, one for each core.

More passages a second than sentence-transformers computes, from the same weights and with the same vectors
(docs/figures.md). What makes the difference:

- Batches are small enough that a layer stays in the processor's cache, sorted by their number of tokens so
  that next to nothing is padding, and each is computed by one thread: cores never wait for each other.
- Memory is reused from layer to layer; torch gets it anew from the system for every large array.
- The table of the tokens stays on disk, where the system caches it: half a gigabyte for a hundred languages,
  of which a text touches some rows. Neither torch nor transformers is imported.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmchat.encoders.bert_graph import BertGraph, Unsupported
from mmchat.encoders.tensors import map_tensors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

# Tokens that are computed at once, padding included. With a width of 384, 256 and 512 are equally fast,
# 1024 is slower by an eighth and 2048 by a third.
_TOKENS_AT_ONCE = 512
_LEAST_AT_ONCE = 64
_POOLINGS = ("mean", "cls")
_SPECIAL_TOKENS = 2

Ids = NDArray[np.int32]
Batch = list[int]
"""The places of its texts."""


class OnnxTransformer:
    """A BERT-like model with its pooling. It may be called from several threads."""

    def __init__(
        self, folder: Path, tokenizer: Tokenizer, *, pooling: str, max_tokens: int
    ) -> None:
        """Read the model.

        Args:
            folder: of sentence-transformers, with model.safetensors.
            tokenizer: of the model; it neither cuts nor pads.
            pooling: how tokens become one vector, `mean` or `cls`.
            max_tokens: of a text, special ones included; the rest is cut.

        Raises:
            Unsupported: the model is not one that can be computed here.
        """
        if pooling not in _POOLINGS:
            raise Unsupported(f"it pools its tokens by {pooling or 'more than one way'}")
        if len(tokenizer.encode("").ids) != _SPECIAL_TOKENS:
            raise Unsupported(
                "its tokenizer does not put one token before a text and one behind it"
            )
        try:
            config = json.loads((folder / "config.json").read_bytes())
            graph = BertGraph(config, map_tensors(folder / "model.safetensors"))
            self._words, self._positions = graph.words, graph.positions
            self._session = _session(graph)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unsupported(f"its files cannot be read here ({error})") from error
        self._tokenizer = tokenizer
        self._pooling = pooling
        self._max_tokens = min(max_tokens, len(self._positions))

    def encode(self, texts: Sequence[str], *, batch_size: int) -> NDArray[np.float32]:
        """Encode texts.

        Args:
            texts: with their prompts.
            batch_size: texts that are computed at once, at most.

        Returns:
            (texts, width), not scaled to any length.
        """
        ids = [self._cut(e.ids) for e in self._tokenizer.encode_batch_fast(list(texts))]
        pooled = np.empty((len(ids), self._words.shape[1]), np.float32)

        def compute(batch: Batch) -> None:
            pooled[batch] = self._compute([ids[place] for place in batch])

        workers = _cores()
        batches = list(_batches([len(each) for each in ids], batch_size, workers))
        if min(workers, len(batches)) == 1:
            for batch in batches:
                compute(batch)
            return pooled
        with ThreadPoolExecutor(min(workers, len(batches)), "encode-texts") as pool:
            for _ in pool.map(compute, batches):
                pass
        return pooled

    def _cut(self, ids: list[int]) -> Ids:
        """Cut a text at the limit, as its own tokenizer would: the special token at its end stays."""
        kept = ids if len(ids) <= self._max_tokens else [*ids[: self._max_tokens - 1], ids[-1]]
        return np.asarray(kept, np.int32)

    def _compute(self, ids: Sequence[Ids]) -> NDArray[np.float32]:
        lengths = np.array([len(each) for each in ids], np.int32)
        longest = int(lengths.max())
        words = np.zeros((len(ids), longest, self._words.shape[1]), np.float32)
        for row, each in zip(words, ids, strict=True):
            row[: len(each)] = self._words[each]
        words += self._positions[:longest]
        (tokens,) = self._session.run(["tokens"], {"words": words, "lengths": lengths})
        seen: NDArray[np.float32] = np.asarray(tokens)
        if self._pooling == "cls":
            return seen[:, 0]
        means = [row[:length].mean(axis=0) for row, length in zip(seen, lengths, strict=True)]
        return np.stack(means)


def _batches(lengths: Sequence[int], batch_size: int, workers: int) -> Iterator[Batch]:
    """Yield the places of texts of like length, the longest first, so that no core ends late."""
    # With few texts and many cores, each gets some of them.
    share = -(-sum(lengths) // workers)
    tokens = min(_TOKENS_AT_ONCE, max(share, _LEAST_AT_ONCE))
    batch: Batch = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        full = (len(batch) + 1) * lengths[batch[0]] > tokens if batch else False
        if full or len(batch) == batch_size:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _session(graph: BertGraph) -> InferenceSession:
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    # Each batch is the work of one thread; there are as many batches at a time as there are cores.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    values = map(onnxruntime.OrtValue.ortvalue_from_numpy, graph.constants.values())
    options.add_external_initializers(list(graph.constants), list(values))
    return onnxruntime.InferenceSession(
        graph.serialised(), options, providers=["CPUExecutionProvider"]
    )


def _cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
