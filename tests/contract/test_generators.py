"""One suite over every generator: what they promise to the assistant, whatever computes the words."""

from __future__ import annotations

import gc
import itertools
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_server import ALPHABET, model_server, spells

from mmchat.answering.generators import (
    EndpointGenerator,
    Generator,
    LlamaCppGenerator,
    Message,
    TransformersGenerator,
)
from mmchat.answering.generators.base import Emit, Turnstile, cut_at, relay
from mmchat.errors import GenerationError, ModelError
from mmchat.models import ModelStore

MESSAGES = [Message("system", "You tell stories."), Message("user", "Tell a very long story.")]


class Speller:
    """An honest small generator: pushes the letters of the alphabet, over and over, as a model does."""

    name = "speller"
    context_tokens = 4096

    def __init__(self) -> None:
        self.written = 0
        self._turnstile = Turnstile()

    def stream(self, messages: Any, *, max_tokens: int, **options: Any) -> Iterator[str]:
        def run(emit: Emit) -> None:
            if sum(len(each.content) for each in messages) > self.context_tokens:
                raise GenerationError("Got a prompt that is too long, expected a shorter one.")
            for letter in itertools.islice(itertools.cycle(ALPHABET), max_tokens):
                time.sleep(0.002)
                self.written += 1
                if emit(letter):
                    return

        return relay(self._turnstile, run, **options)

    def close(self) -> None:
        self._turnstile.close()


@pytest.fixture(scope="module")
def tiny_transformers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama with random weights and a tokenizer of single characters, written to a folder."""
    from mmchat.encoders.runtime import ensure_torchvision

    ensure_torchvision()
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    fast.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        eos_token_id=fast.eos_token_id,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def llama_path() -> Path:
    for name in ("smollm2-135m", "qwen2.5-coder-0.5b"):
        path = ModelStore().path(name)
        if path is not None:
            return path
    pytest.skip("no .gguf model is in the cache; `mmchat models pull smollm2-135m` gets one")


@pytest.fixture(
    scope="module",
    params=[
        "speller",
        "endpoint",
        "transformers",
        pytest.param("llama.cpp", marks=pytest.mark.slow),
    ],
)
def generator(request: pytest.FixtureRequest) -> Iterator[Generator]:
    made: Generator
    if request.param == "endpoint":
        with model_server(spells) as server:
            made = EndpointGenerator(server.address)
            yield made
            made.close()
        return
    if request.param == "speller":
        made = Speller()
    elif request.param == "transformers":
        made = TransformersGenerator(
            str(request.getfixturevalue("tiny_transformers")), device="cpu", dtype="float32"
        )
    else:
        made = LlamaCppGenerator(llama_path(), threads=2, context_tokens=2048)
    yield made
    made.close()


def write(generator: Generator, max_tokens: int = 24, **options: Any) -> str:
    return "".join(generator.stream(MESSAGES, max_tokens=max_tokens, **options))


def test_it_says_what_it_is(generator: Generator) -> None:
    assert generator.name
    assert generator.context_tokens >= 512


def test_it_writes_the_same_twice(generator: Generator) -> None:
    first = write(generator)
    assert first
    assert write(generator) == first


def test_it_comes_in_pieces_and_ends_at_the_limit(generator: Generator) -> None:
    pieces = list(generator.stream(MESSAGES, max_tokens=24))
    assert len(pieces) > 1
    assert len(write(generator, 6)) < len("".join(pieces))


def test_it_ends_before_a_stop_string(generator: Generator) -> None:
    whole = write(generator)
    stop = whole[len(whole) // 2 :][:3]
    assert write(generator, stop=[stop, "never written"]) == whole[: whole.index(stop)]


def test_closing_the_iterator_stops_the_model(generator: Generator) -> None:
    stream = generator.stream(MESSAGES, max_tokens=1500)
    next(stream)
    started = time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    # Only one call is computed at a time, so that this one waits for the other's end.
    assert write(generator, 4)
    assert time.monotonic() - started < 3.0


def test_a_dropped_iterator_stops_the_model(generator: Generator) -> None:
    stream = generator.stream(MESSAGES, max_tokens=1500)
    next(stream)
    started = time.monotonic()
    del stream
    gc.collect()
    assert write(generator, 4)
    assert time.monotonic() - started < 3.0


def test_cancel_ends_the_stream(generator: Generator) -> None:
    cancel = threading.Event()
    stream = generator.stream(MESSAGES, max_tokens=1500, cancel=cancel)
    next(stream)
    cancel.set()
    assert len(list(stream)) < 50


def test_cancelled_before_it_began_writes_nothing(generator: Generator) -> None:
    cancel = threading.Event()
    cancel.set()
    assert write(generator, cancel=cancel) == ""


def test_the_time_limit_ends_the_stream(generator: Generator) -> None:
    started = time.monotonic()
    write(generator, 1500, time_limit=0.3)
    assert time.monotonic() - started < 3.0


def test_calls_from_threads_do_not_mix(generator: Generator) -> None:
    alone = write(generator)
    together: list[str] = []
    threads = [threading.Thread(target=lambda: together.append(write(generator))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 3


def test_a_prompt_that_is_too_long_is_refused(generator: Generator) -> None:
    long = [Message("user", "one two three " * 4000)]
    with pytest.raises(GenerationError, match=r"[Ee]xpected"):
        list(generator.stream(long, max_tokens=4))
    assert write(generator, 4), "the generator works again afterwards"


def test_a_closed_generator_refuses() -> None:
    speller = Speller()
    speller.close()
    with pytest.raises(GenerationError, match="closed"):
        write(speller)


def test_an_error_in_the_model_comes_out_after_what_was_written() -> None:
    def run(emit: Emit) -> None:
        emit("so far")
        raise RuntimeError("no memory")

    stream = relay(Turnstile(), run)
    assert next(stream) == "so far"
    with pytest.raises(GenerationError, match=r"RuntimeError: no memory.*Ask again"):
        next(stream)


def test_closing_stops_the_model_at_its_next_token() -> None:
    speller = Speller()
    stream = speller.stream(MESSAGES, max_tokens=10_000)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    write(speller, 1)
    assert speller.written < 500


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        (["one END two"], ["END"], "one "),
        (["one E", "N", "D two"], ["END"], "one "),
        (["one E", "N", "T two"], ["END"], "one ENT two"),
        (["one EN"], ["END"], "one EN"),
        (["a b c"], ["c", "b"], "a "),
        (["a b c"], [], "a b c"),
    ],
)
def test_cut_at(pieces: list[str], stop: list[str], expected: str) -> None:
    assert "".join(cut_at(iter(pieces), stop)) == expected


@pytest.mark.parametrize(
    "content", [None, b"", b"<html>not found</html>", b"GGUF\x03\x00truncated"]
)
def test_a_bad_gguf_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.gguf.*(Download|download|Give)"):
        LlamaCppGenerator(path)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    from mmchat.encoders.runtime import ensure_torchvision

    ensure_torchvision()
    with pytest.raises(ModelError, match=r"config\.json"):
        TransformersGenerator(str(tmp_path), device="cpu")


@pytest.mark.slow
def test_llama_cpp_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its HTTP server cannot be turned off: it is on the loopback address, and wants a secret key."""
    llama = LlamaCppGenerator(llama_path(), threads=1, context_tokens=512)
    try:
        address = llama._server.listening_address
        host, port = address.removeprefix("http://").split(":")
        assert host == "127.0.0.1"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{address}/v1/models", timeout=5)
        own = socket.gethostbyname(socket.gethostname())
        if own != "127.0.0.1":
            with pytest.raises(OSError):
                socket.create_connection((own, int(port)), timeout=2)
    finally:
        llama.close()
