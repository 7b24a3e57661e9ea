"""Generation by a causal language model of the transformers library."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from mmchat.answering.generators.base import Emit, Message, TextStream, Turnstile, relay
from mmchat.errors import GenerationError, MissingExtra, ModelError


class TransformersGenerator:
    """A transformers model, from a folder or by its hub id, on the processor or a GPU."""

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        context_tokens: int = 4096,
        temperature: float = 0.0,
    ) -> None:
        """Load the model and its tokenizer.

        Args:
            model: a folder with config, weights and tokenizer, or a hub id.
            device: `auto` (a GPU where there is one), `cpu`, `cuda`, `cuda:1`, `mps`.
            dtype: `auto` (what the weights were saved in), `float32` or `bfloat16`.
            context_tokens: tokens of prompt and answer together; the model's own limit where
                that is smaller.
            temperature: 0 always writes the same answer to the same prompt.

        Raises:
            ModelError: there is no such model, or its files cannot be used.
            MissingExtra: transformers or torch is not installed.
        """
        self._tokenizer, self._model = _load(model, _device(device), dtype)
        own_limit = getattr(self._model.config, "max_position_embeddings", None) or context_tokens
        self.name = model.rstrip("/").rsplit("/", 1)[-1]
        self.context_tokens = min(context_tokens, own_limit)
        self._temperature = temperature
        self._turnstile = Turnstile()

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
        self._model = None

    def _encode(self, messages: Sequence[Message], max_tokens: int) -> Any:
        """Return input_ids and attention_mask, each of shape (1, tokens), on the model's device."""
        if self._tokenizer.chat_template:
            turns = [{"role": each.role, "content": each.content} for each in messages]
            encoded = self._tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, return_dict=True, return_tensors="pt"
            )
        else:
            # A base model knows no turns; a transcript is what it has most likely read.
            turns_text = [f"{each.role.capitalize()}: {each.content}" for each in messages]
            encoded = self._tokenizer("\n\n".join([*turns_text, "Assistant:"]), return_tensors="pt")
        tokens = encoded["input_ids"].shape[1]
        if tokens + max_tokens > self.context_tokens:
            raise GenerationError(
                f"{self.name} got a prompt of {tokens} tokens and is to write {max_tokens}, "
                f"expected at most {self.context_tokens} together. "
                "Lower answers.passages or answers.max_tokens."
            )
        return encoded.to(self._model.device)

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
        pad = self._tokenizer.pad_token_id
        with torch.inference_mode():
            self._model.generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                max_new_tokens=max_tokens,
                pad_token_id=self._tokenizer.eos_token_id if pad is None else pad,
                streamer=Streamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True),
                stopping_criteria=[criterion],
                **sampling,
            )


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


def _load(model: str, device: str, dtype: str) -> tuple[Any, Any]:
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise _missing() from error
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(model)
        loaded: Any = AutoModelForCausalLM.from_pretrained(model, dtype=dtype)
        return tokenizer, loaded.eval().to(device)
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
