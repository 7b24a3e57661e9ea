"""Generation by llama.cpp from a .gguf file, through xllamacpp."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmchat.answering.generators.base import Emit, Message, TextStream, Turnstile, relay
from mmchat.answering.generators.gguf import trained_context
from mmchat.errors import GenerationError, MissingExtra, ModelError

_log = logging.getLogger(__name__)

_PROMPTS_MIB = 256
"""Memory for what was read of other prompts, so that one in between does not cost the instructions. The
default model takes 12 kB a token: 20,000 tokens."""


class LlamaCppGenerator:
    """A .gguf model in this process, on the processor's cores.

    The model keeps the prompts of its last calls, so that the part which two begin with
    (instructions and worked examples) is read once, not at every question.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 0,
        context_tokens: int = 4096,
        temperature: float = 0.0,
        gpu_layers: int = 0,
    ) -> None:
        """Load the model, in about half a second for 0.5 billion weights.

        Args:
            path: the .gguf file.
            threads: 0 is one for each core that this process may use.
            context_tokens: tokens of prompt and answer together; the model's own limit where
                that is smaller.
            temperature: 0 always writes the same answer to the same prompt.
            gpu_layers: layers on a GPU, where xllamacpp was installed for one.

        Raises:
            ModelError: the file is not there, or is not a whole .gguf file.
            MissingExtra: xllamacpp is not installed.
        """
        trained = trained_context(path)
        self.name = path.stem
        self.context_tokens = min(context_tokens, trained or context_tokens)
        self._temperature = temperature
        self._turnstile = Turnstile()
        parameters = _parameters(path, threads or _cores(), self.context_tokens, gpu_layers)
        self._server: Any = _start(parameters, path)

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
        request = {
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "max_tokens": max_tokens,
            "temperature": self._temperature,
            "cache_prompt": True,
            "stream": True,
        }

        def run(emit: Emit) -> None:
            failures: list[str] = []

            # What is raised in here is lost between C++ and Python, so nothing may raise: a
            # failure is kept for after the call. Returning True stops the model.
            def receive(event: dict[str, Any]) -> bool:
                if "error" in event:
                    failures.append(str(event["error"].get("message", event["error"])))
                    return True
                if read := event.get("timings"):
                    kept, new = read.get("cache_n"), read.get("prompt_n")
                    _log.debug("%s kept %s tokens of the prompt and read %s", self.name, kept, new)
                choices = event.get("choices") or [{}]
                return emit(choices[0].get("delta", {}).get("content") or "")

            self._server.handle_chat_completions(request, receive)
            if failures:
                raise GenerationError(
                    f"{self.name} refused the question: {failures[0]}. Expected at most "
                    f"{self.context_tokens} tokens of prompt and answer. "
                    "Raise answers.context_tokens, or lower answers.passages."
                )

        return relay(self._turnstile, run, stop=stop, time_limit=time_limit, cancel=cancel)

    def close(self) -> None:
        """End what is running and free the memory."""
        self._turnstile.close()
        self._server = None


def _cores() -> int:
    """Cores that this process may use, which in a container is fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parameters(path: Path, threads: int, context_tokens: int, gpu_layers: int) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingExtra(
            "Got a .gguf generator, but xllamacpp is not installed. "
            "Install it with `pip install xllamacpp`, or set answers.generator to `none`."
        ) from error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context_tokens
    parameters.n_gpu_layers = gpu_layers
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    # Fitting the model to a GPU's memory probes the devices, which takes time and has hung.
    parameters.fit_params = False
    parameters.warmup = False
    # 0 is silence. Below it llama.cpp has hung.
    parameters.verbosity = 0
    # One conversation at a time (see Turnstile). By default prompts of the past would be kept in up to
    # 8 GiB of memory.
    parameters.n_parallel = 1
    parameters.cache_ram_mib = _PROMPTS_MIB
    # The library always opens its HTTP server, though we call it in the process. It stays on the
    # loopback address, answers only to a key that nobody knows, and offers no pages.
    parameters.hostnames = ["127.0.0.1"]
    parameters.api_keys = [secrets.token_hex(32)]
    parameters.n_threads_http = 1
    parameters.ui = False
    parameters.endpoint_slots = False
    return parameters


def _start(parameters: Any, path: Path) -> Any:
    import xllamacpp

    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise ModelError(
            f"llama.cpp cannot load {path} ({path.stat().st_size:,} bytes) with a context of "
            f"{parameters.n_ctx:,} tokens: {error} Expected a whole .gguf file of a kind that it knows, "
            "and memory for both. Compare the size with the publisher's and download it again, or "
            "lower answers.context_tokens."
        ) from error
