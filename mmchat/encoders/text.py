"""Passages and questions as vectors, through sentence-transformers."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors import SafetensorError

from mmchat.encoders.bert_graph import Unsupported
from mmchat.encoders.fingerprint import files_of_model, fingerprint
from mmchat.encoders.onnx_text import OnnxTransformer
from mmchat.encoders.runtime import (
    Vectors,
    ensure_torchvision,
    pick_device,
    pick_dtype,
    runs_on_cpu,
    unit_rows,
)
from mmchat.errors import ModelError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

# E5 models need their prompts (Wang et al., 2022, section 4.2), and their older folders do not name
# them. The -instruct models are trained with others.
_E5_NAME = re.compile(r"(^|[-_/])e5([-_](?!.*instruct)|$)", re.IGNORECASE)
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# What the hub keeps beside the weights, in other forms that are not read here.
_OTHER_FORMS = ["*.onnx", "*.h5", "*.msgpack", "*.ot", "openvino/*", "onnx/*", "*.gguf"]
_DEFAULT_MAX_TOKENS = 512
_POOLING_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


class Prompts(NamedTuple):
    """What stands before a text when it is encoded; empty where the model was trained without."""

    query: str = ""
    passage: str = ""


class SentenceEncoder:
    """A sentence-transformers model.

    On a processor, in float32, the kin of BERT are computed by ONNX Runtime (`onnx_text`); all else is
    computed by sentence-transformers itself. Vectors agree to four digits (1e-4 in float32, 1e-2 in
    bfloat16), whichever computes them and whatever other texts are encoded beside.

    Nothing is loaded until it is needed: `fingerprint` and `dimension` read the settings, `max_tokens`
    and `token_spans` the tokenizer, and only the first encoding loads the weights.

    Neither the device nor the number type is part of the fingerprint: they leave the ranking as it
    is but for near ties, and so an index opens on another machine.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str = "",
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 32,
    ) -> None:
        """Take a model.

        Args:
            source: a sentence-transformers folder, or a hub id (`organisation/name`), which is
                fetched when it is first used unless it is in the hub's own cache.
            name: what the fingerprint calls it; the folder's own name where not given.
            device: see `runtime.pick_device`.
            dtype: `auto` and `float32` are the same on a processor, but for models that only
                sentence-transformers computes; for those and on a GPU see `runtime.pick_dtype`.
            batch_size: texts that are computed at once, at most; they are sorted by length before.
        """
        self.source = source
        self.name = name or Path(source).name
        self.batch_size = batch_size
        self._device = device
        self._dtype = dtype
        self._lock = threading.Lock()
        self._model: SentenceTransformer | None = None

    @functools.cached_property
    def fingerprint(self) -> str:
        """Name and content of the model, such as `multilingual-e5-small-0a1b2c3d4e5f`."""
        mark = fingerprint(files_of_model(self.folder), *self.prompts, root=self.folder)
        return f"{self.name}-{mark}"

    @functools.cached_property
    def dimension(self) -> int:
        """Numbers in a vector."""
        settings = self._settings("1_Pooling/config.json")
        width = settings.get("embedding_dimension", settings.get("word_embedding_dimension"))
        if width and self.pooling:
            return int(width)
        # More modules may change the width (a Dense layer does): the model itself has to say it.
        return int(self.model.get_embedding_dimension() or 0)

    @functools.cached_property
    def pooling(self) -> str:
        """How tokens become one vector, `mean` or `cls` mostly; empty where there is more to it."""
        modules = [str(module["type"]).rsplit(".", 1)[-1] for module in self._modules]
        if modules not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
            return ""
        settings = self._settings("1_Pooling/config.json")
        # Older folders hold one switch for each way, newer ones a name or a list of names.
        switched = [_POOLING_SWITCHES[key] for key in _POOLING_SWITCHES if settings.get(key)]
        named = settings.get("pooling_mode", switched)
        modes = [named] if isinstance(named, str) else named
        return str(modes[0]) if len(modes) == 1 else ""

    @functools.cached_property
    def max_tokens(self) -> int:
        """Tokens of a text that are read beside the prompt and special tokens; the rest is cut."""
        special = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        return self._limit - special - max(self.count_tokens(prompt) for prompt in self.prompts)

    @functools.cached_property
    def _limit(self) -> int:
        """Tokens that the model reads, with the prompt and special tokens."""
        limits = (
            self._settings("sentence_bert_config.json").get("max_seq_length"),
            self._settings("tokenizer_config.json").get("model_max_length"),
            self._settings("config.json").get("max_position_embeddings"),
        )
        return min((int(value) for value in limits if value), default=_DEFAULT_MAX_TOKENS)

    @functools.cached_property
    def prompts(self) -> Prompts:
        """The prompts that the model's own settings name."""
        named = self._settings("config_sentence_transformers.json").get("prompts") or {}
        passage = next(
            (named[key] for key in ("document", "passage", "corpus") if key in named), ""
        )
        if not any(named.values()) and _E5_NAME.search(self.name):
            return Prompts("query: ", "passage: ")
        return Prompts(named.get("query") or "", passage or "")

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode what people ask. Returns unit vectors of shape (texts, dimension)."""
        return self._encode(texts, self.prompts.query, "query")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode what is searched. Returns unit vectors of shape (texts, dimension)."""
        return self._encode(texts, self.prompts.passage, "document")

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of each token of `text`, half open, without special tokens.

        Starts never go back. A space that a token carries in front is not part of its span, and a
        token that stands for no character of its own has an empty one.
        """
        spans = []
        last = 0
        for start, end in self._tokenizer.encode(text, add_special_tokens=False).offsets:
            # Some tokenizers give the mark of a word's beginning the place of its first letter.
            begin = max(start, last)
            while begin < end and text[begin].isspace():
                begin += 1
            last = max(begin, end)
            spans.append((begin, last))
        return spans

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has, without special tokens and without a prompt."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def letters_per_token(self, text: str) -> float:
        """Return how many letters of `text` a token stands for on average; an unknown one for none."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        unknown = getattr(self._tokenizer.model, "unk_token", None) or "<unk>"
        spans = {
            span
            for span, token in zip(encoded.offsets, encoded.tokens, strict=True)
            if token != unknown
        }
        known = sum(c.isalpha() for start, end in spans for c in text[start:end])
        return known / max(1, len(encoded))

    @property
    def device(self) -> torch.device:
        """Where `model` is, or would be."""
        return pick_device(self._device)

    @property
    def model(self) -> SentenceTransformer:
        """The model of sentence-transformers. The embedded OpenCLIP model takes it as its text tower."""
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model

    @functools.cached_property
    def folder(self) -> Path:
        """The folder of the model; a hub id is fetched, or found in the hub's cache.

        Raises:
            ModelError: there is no such folder, it holds no model, or the hub cannot give it.
        """
        path = Path(self.source)
        if not path.is_dir():
            if isinstance(self.source, Path) or not _HUB_ID.fullmatch(self.source):
                raise ModelError(
                    f"There is no folder {path}. Expected a sentence-transformers folder, a name of "
                    "the catalogue (`mmchat models list`), or a hub id such as organisation/name."
                )
            return _fetch(self.source)
        if not (path / "config.json").is_file() and not (path / "modules.json").is_file():
            raise ModelError(
                f"{path} holds no model: expected config.json or modules.json of "
                "sentence-transformers. Give the folder that SentenceTransformer.save() wrote."
            )
        return path

    def _encode(self, texts: Sequence[str], prompt: str, task: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        if (transformer := self._onnx) is not None:
            prompted = [f"{prompt}{text}" for text in texts]
            return unit_rows(transformer.encode(prompted, batch_size=self.batch_size))
        vectors: Any = self.model.encode(
            list(texts),
            prompt=prompt,
            task=task,
            batch_size=self.batch_size,
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        # Unit length in float32: scaled in bfloat16, a row would be up to 0.4 % off.
        return unit_rows(vectors.float().cpu().numpy())

    @property
    def _onnx(self) -> OnnxTransformer | None:
        """What computes on a processor; None where sentence-transformers has to."""
        with self._lock:
            if "_onnx_or_none" not in self.__dict__:
                self._onnx_or_none = self._load_onnx()
            return self._onnx_or_none

    def _load_onnx(self) -> OnnxTransformer | None:
        if self._dtype == "bfloat16" or not runs_on_cpu(self._device):
            return None
        changes_text = self._settings("sentence_bert_config.json").get("do_lower_case")
        skips_prompt = self._settings("1_Pooling/config.json").get("include_prompt") is False
        try:
            if changes_text or skips_prompt:
                raise Unsupported(
                    "it lowers the case of a text, or leaves its prompt out of the mean"
                )
            return OnnxTransformer(
                self.folder, self._tokenizer, pooling=self.pooling, max_tokens=self._limit
            )
        except Unsupported as reason:
            logger.info("%s is left to sentence-transformers: %s.", self.name, reason)
            return None

    def _load(self) -> SentenceTransformer:
        ensure_torchvision()
        from sentence_transformers import SentenceTransformer

        device = self.device
        dtype = pick_dtype(self._dtype, device)
        try:
            with _quiet_loading():
                return SentenceTransformer(
                    str(self.folder),
                    device=str(device),
                    local_files_only=True,
                    model_kwargs={"dtype": dtype},
                )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"sentence-transformers cannot load {self.folder}: {error}. "
                "Fetch the model anew, or name another one in encoders.text."
            ) from error

    @functools.cached_property
    def _tokenizer(self) -> Tokenizer:
        """The tokenizer, neither cutting nor padding."""
        from tokenizers import Tokenizer

        path = self.folder / "tokenizer.json"
        # A folder of old may hold a vocabulary only, which transformers knows how to read.
        tokenizer = (
            Tokenizer.from_file(str(path)) if path.is_file() else self._converted_tokenizer()
        )
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def _converted_tokenizer(self) -> Tokenizer:
        ensure_torchvision()
        from transformers import AutoTokenizer

        try:
            loaded = AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True)
            backend: Tokenizer = loaded.backend_tokenizer
        except (OSError, ValueError, AttributeError) as error:
            raise ModelError(
                f"{self.folder} has no tokenizer that can be read: {error}. "
                "Expected tokenizer.json, or the vocabulary of a BERT model."
            ) from error
        return backend

    @property
    def _modules(self) -> list[dict[str, Any]]:
        path = self.folder / "modules.json"
        modules: list[dict[str, Any]] = json.loads(path.read_bytes()) if path.is_file() else []
        return modules

    def _settings(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        settings: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
        return settings


@contextlib.contextmanager
def _quiet_loading() -> Iterator[None]:
    """Keep transformers from drawing a progress bar for weights that load in a second."""
    import transformers.utils.logging

    logging: Any = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _fetch(hub_id: str) -> Path:
    """Return the folder of a hub id: from the hub's cache where it is there, else from the hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, local_files_only=True, ignore_patterns=_OTHER_FORMS))
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(snapshot_download(hub_id, ignore_patterns=_OTHER_FORMS))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"{hub_id} is neither a folder here nor to be had from the hub: {error}. Check the name "
            "and the network, or take a model of the catalogue (`mmchat models list`)."
        ) from error
