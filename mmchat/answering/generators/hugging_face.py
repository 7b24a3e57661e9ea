"""Generation by a model of the transformers library: one that reads, or one that sees as well."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mmchat.answering.generators.base import Emit, Message, TextStream, Turnstile, relay
from mmchat.errors import GenerationError, MissingExtra, ModelError

_log = logging.getLogger(__name__)


class TransformersGenerator:
    """A transformers model, from a folder or by its hub id, on the processor or a GPU.

    It keeps what it read last, so that what two prompts begin with is read once.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        context_tokens: int = 4096,
        temperature: float = 0.0,
        sees_pictures: bool = False,
    ) -> None:
        """Load the model and its tokenizer or processor.

        Args:
            model: a folder with config, weights and tokenizer, or a hub id.
            device: `auto` (a GPU where there is one), `cpu`, `cuda`, `cuda:1`, `mps`.
            dtype: `auto` (what the weights were saved in), `float32` or `bfloat16`.
            context_tokens: tokens of prompt and answer together; the model's own limit where
                that is smaller.
            temperature: 0 always writes the same answer to the same prompt.
            sees_pictures: whether the pictures of messages are shown to it.

        Raises:
            ModelError: there is no such model, its files cannot be used, or it should see and cannot.
            MissingExtra: transformers or torch is not installed.
        """
        self.name = model.rstrip("/").rsplit("/", 1)[-1]
        self._parts = _load(model, _device(device), dtype, sees_pictures=sees_pictures)
        text_config = self._parts.model.config.get_text_config()
        own_limit = getattr(text_config, "max_position_embeddings", None) or context_tokens
        self.context_tokens = min(context_tokens, own_limit)
        self._sees_pictures = sees_pictures
        self._temperature = temperature
        self._turnstile = Turnstile()
        self._memory = _Memory()

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        time_limit: float | None = None,
        cancel: threading.Event | None = None,
    ) -> TextStream:
        """Yield the pieces of the answer; see `Generator.stream`."""

        def run(emit: Emit) -> None:
            self._generate(self._encode(messages, max_tokens), max_tokens, emit)

        return relay(self._turnstile, run, stop=stop, time_limit=time_limit, cancel=cancel)

    def close(self) -> None:
        """End what is running and free the memory."""
        self._turnstile.close()
        self._parts.model = None
        self._memory = _Memory()

    def _encode(self, messages: Sequence[Message], max_tokens: int) -> Any:
        """Return what the model takes, on its device: input_ids and attention_mask of shape (1, tokens),
        and the pixels of the pictures in the form that the model wants."""
        reader = self._parts.reader
        if reader.chat_template:
            turns = [{"role": each.role, "content": self._content(each)} for each in messages]
            encoded = reader.apply_chat_template(
                turns,
                tokenize=True,
                add_generation_prompt=True,
                return_dict=True,
                return_tensors="pt",
            )
        else:
            # A base model knows no turns; a transcript is what it has most likely read.
            turns_text = [f"{each.role.capitalize()}: {each.content}" for each in messages]
            text = "\n\n".join([*turns_text, "Assistant:"])
            encoded = self._parts.tokenizer(text, return_tensors="pt")
        tokens = encoded["input_ids"].shape[1]
        if tokens + max_tokens > self.context_tokens:
            raise GenerationError(
                f"{self.name} got a prompt of {tokens} tokens and is to write {max_tokens}, "
                f"expected at most {self.context_tokens} together. "
                "Lower answers.passages or answers.max_tokens."
            )
        model = self._parts.model
        return (
            encoded.to(model.device, dtype=model.dtype)
            if self._parts.sees
            else encoded.to(model.device)
        )

    def _content(self, message: Message) -> str | list[dict[str, object]]:
        if not self._parts.sees:
            return message.content
        shown = message.pictures if self._sees_pictures else ()
        pictures: list[dict[str, object]] = [{"type": "image", "image": each} for each in shown]
        return [*pictures, {"type": "text", "text": message.content}]

    def _generate(self, encoded: Any, max_tokens: int, emit: Emit) -> None:
        import torch
        from transformers import TextStreamer

        stopped = threading.Event()

        class Streamer(TextStreamer):  # type: ignore[misc,unused-ignore]
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                if emit(text):
                    stopped.set()

        def criterion(input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full(
                (input_ids.shape[0],), stopped.is_set(), dtype=torch.bool, device=input_ids.device
            )

        sampling = (
            {"do_sample": True, "temperature": self._temperature}
            if self._temperature > 0
            else {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        )
        tokenizer, model = self._parts.tokenizer, self._parts.model
        pad = tokenizer.pad_token_id
        ids = encoded["input_ids"][0].tolist()
        memory, self._memory = self._memory, _Memory()  # nothing is kept of what fails half-way
        # Of a prompt with pictures the ids alone do not tell what was read.
        cache = None if self._parts.sees else memory.for_prompt(ids, model, self.name)
        with torch.inference_mode():
            model.generate(
                **encoded,
                cache=cache,
                max_new_tokens=max_tokens,
                pad_token_id=tokenizer.eos_token_id if pad is None else pad,
                streamer=Streamer(tokenizer, skip_prompt=True, skip_special_tokens=True),
                stopping_criteria=[criterion],
                **sampling,
            )
        if cache is not None:
            self._memory = _Memory(ids, cache)


@dataclass(slots=True)
class _Memory:
    """The keys and values of the last prompt, by token."""

    ids: list[int] = field(default_factory=list)
    cache: Any = None

    def for_prompt(self, ids: list[int], model: Any, name: str) -> Any:
        """Return the cache with what this prompt begins with; None where a model's cache cannot be cut."""
        from transformers.cache_utils import DynamicCache, DynamicLayer

        cache = self.cache or DynamicCache(config=model.config)
        if any(type(layer) is not DynamicLayer for layer in cache.layers):
            return None
        # The last token is always read anew: its output is what the answer begins with.
        pairs = zip(self.ids, ids[:-1], strict=False)
        kept = next((n for n, (old, new) in enumerate(pairs) if old != new), None)
        kept = min(len(self.ids), len(ids) - 1) if kept is None else kept
        if (more := cache.get_seq_length() - kept) > 0:
            cache.crop(-more)
        _log.debug("%s kept %d tokens of the prompt and reads %d", name, kept, len(ids) - kept)
        return cache


@dataclass(slots=True)
class _Parts:
    """A model, and what turns messages into its input."""

    reader: Any
    """A tokenizer, or the processor of a model that sees."""
    model: Any
    sees: bool

    @property
    def tokenizer(self) -> Any:
        return self.reader.tokenizer if self.sees else self.reader


def _device(device: str) -> str:
    if device != "auto":
        return device
    try:
        import torch
    except ImportError as error:
        raise _missing() from error
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _load(model: str, device: str, dtype: str, *, sees_pictures: bool) -> _Parts:
    try:
        import transformers
    except ImportError as error:
        raise _missing() from error
    try:
        kind = type(transformers.AutoConfig.from_pretrained(model))
        can_see = kind in transformers.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
        if sees_pictures and not can_see:
            raise ModelError(
                f"Got answers.sees_pictures with '{model}' ({kind.__name__}), which reads words only. "
                "Expected a vision-language model. Name one, or set answers.sees_pictures to false."
            )
        sees = can_see and (sees_pictures or kind not in transformers.MODEL_FOR_CAUSAL_LM_MAPPING)
        readers: Any = transformers.AutoProcessor if sees else transformers.AutoTokenizer
        models: Any = (
            transformers.AutoModelForImageTextToText if sees else transformers.AutoModelForCausalLM
        )
        reader = readers.from_pretrained(model)
        loaded = models.from_pretrained(model, dtype=dtype)
        return _Parts(reader, loaded.eval().to(device), sees)
    except ModelError:
        raise
    # Bad files surface as any of these, and an error of safetensors that has no public name.
    except Exception as error:
        raise ModelError(
            f"transformers cannot load '{model}': {type(error).__name__}: {error}. Expected a "
            "folder with config.json, weights and tokenizer, or a hub id. "
            "Check answers.generator, and encoders.device where a GPU was asked for."
        ) from error


def _missing() -> MissingExtra:
    return MissingExtra(
        "Got a transformers generator, but transformers or torch is not installed. "
        "Install them with `pip install transformers torch`, or set answers.generator to `none`."
    )
