"""Generation by llama.cpp from a .gguf file, through xllamacpp."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmchat.answering.generators.base import Emit, Message, TextStream, Turnstile, relay
from mmchat.errors import GenerationError, MissingExtra, ModelError

_MAGIC = b"GGUF"


class LlamaCppGenerator:
    """A .gguf model in this process, on the processor's cores.

    The model keeps the prompt of its last call, so that the part which two prompts begin with
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
            context_tokens: tokens of prompt and answer together.
            temperature: 0 always writes the same answer to the same prompt.
            gpu_layers: layers on a GPU, where xllamacpp was installed for one.

        Raises:
            ModelError: the file is not there, or is not a whole .gguf file.
            MissingExtra: xllamacpp is not installed.
        """
        _require_gguf(path)
        self.name = path.stem
        self.context_tokens = context_tokens
        self._temperature = temperature
        self._turnstile = Turnstile()
        parameters = _parameters(path, threads or _cores(), context_tokens, gpu_layers)
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


def _require_gguf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelError(
            f"Cannot read the model file {path}: {error.strerror}. Expected a .gguf file. "
            "Give its path as answers.generator, or a name that `mmchat models list` shows."
        ) from error
    if magic != _MAGIC:
        raise ModelError(
            f"{path} begins with {magic!r}, expected {_MAGIC!r}: it is not a .gguf file. "
            "Download it again, or name another answers.generator."
        )


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
    # One conversation at a time (see Turnstile), and its prompt is the whole cache: by default
    # prompts of the past would be kept in up to 8 GiB of memory.
    parameters.n_parallel = 1
    parameters.cache_ram_mib = 0
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
            f"llama.cpp cannot load {path} ({path.stat().st_size:,} bytes): {error} Expected a "
            "whole .gguf file of a kind that it knows, and memory for it. "
            "Compare the size with the publisher's, and download it again."
        ) from error
