"""One suite over every generator: what they promise to the assistant, whatever computes the words."""

from __future__ import annotations

import gc
import itertools
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from model_server import ALPHABET, model_server, spells
from PIL import Image
from tiny_models import language_model_folder, vision_language_folder

from mmchat.answering.generators import (
    EndpointGenerator,
    Generator,
    LlamaCppGenerator,
    Message,
    TransformersGenerator,
)
from mmchat.answering.generators.base import Emit, Turnstile, cut_at, relay
from mmchat.answering.generators.llama_cpp import _parameters
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
    return language_model_folder(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def tiny_seeing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision_language_folder(tmp_path_factory.mktemp("seeing") / "model")


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
        "seeing",
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
    elif request.param == "seeing":
        made = TransformersGenerator(
            str(request.getfixturevalue("tiny_seeing")), device="cpu", sees_pictures=True
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


def far_less_than_all(generator: Generator) -> float:
    """Return seconds that 1,500 tokens take several times over, as busy as the machine is now."""
    started = time.monotonic()
    write(generator, 48)
    return 3.0 + 8 * (time.monotonic() - started)


def test_closing_the_iterator_stops_the_model(generator: Generator) -> None:
    stream = generator.stream(MESSAGES, max_tokens=1500)
    next(stream)
    started = time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    # Only one call is computed at a time, so that this one waits for the other's end.
    assert write(generator, 4)
    assert time.monotonic() - started < far_less_than_all(generator)


def test_a_dropped_iterator_stops_the_model(generator: Generator) -> None:
    stream = generator.stream(MESSAGES, max_tokens=1500)
    next(stream)
    started = time.monotonic()
    del stream
    gc.collect()
    assert write(generator, 4)
    assert time.monotonic() - started < far_less_than_all(generator)


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
    assert time.monotonic() - started < far_less_than_all(generator)


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


@pytest.mark.parametrize("make", [Speller, lambda: EndpointGenerator("http://127.0.0.1:1/v1")])
def test_a_closed_generator_refuses(make: Callable[[], Generator]) -> None:
    generator = make()
    generator.close()
    with pytest.raises(GenerationError, match="closed"):
        write(generator)


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


def test_transformers_reads_the_instructions_once(tiny_transformers: Path) -> None:
    """Counted at the model itself: how many tokens it is handed."""
    generator = TransformersGenerator(str(tiny_transformers), device="cpu", dtype="float32")
    read: list[int] = []

    def count(_: Any, given: Any, options: Any) -> None:
        read.append((options.get("input_ids") if "input_ids" in options else given[0]).shape[1])

    def ask(question: str) -> tuple[int, str]:
        read.clear()
        messages = [Message("system", "Answer shortly. " * 20), Message("user", question)]
        text = "".join(generator.stream(messages, max_tokens=8))
        return read[0], text

    generator._parts.model.register_forward_pre_hook(count, with_kwargs=True)
    first, answer = ask("How long does it keep?")
    second, _ = ask("What does it cost?")
    again, same = ask("How long does it keep?")
    assert first > 320
    assert second < 60
    assert again < 60
    assert same == answer, "what was kept is what would have been read"
    generator.close()


def test_a_model_that_sees_is_shown_the_picture(tiny_seeing: Path) -> None:
    generator = TransformersGenerator(
        str(tiny_seeing), device="cpu", dtype="float32", sees_pictures=True
    )

    def describe(*colours: str) -> str:
        pictures = tuple(Image.new("RGB", (64, 48), colour) for colour in colours)
        message = Message("user", "What is this?", pictures)
        return "".join(generator.stream([message], max_tokens=24))

    assert describe("red") == describe("red")
    assert len({describe(), describe("red"), describe("blue"), describe("red", "blue")}) == 4
    generator.close()


def test_a_model_that_sees_need_not_be_shown_pictures(tiny_seeing: Path) -> None:
    generator = TransformersGenerator(str(tiny_seeing), device="cpu", dtype="float32")
    red, blue = (
        Message("user", "What is this?", (Image.new("RGB", (64, 48), colour),))
        for colour in ("red", "blue")
    )
    one, other = ("".join(generator.stream([each], max_tokens=24)) for each in (red, blue))
    assert one == other
    generator.close()


def test_a_model_that_only_reads_cannot_be_asked_to_see(tiny_transformers: Path) -> None:
    with pytest.raises(ModelError, match=r"answers\.sees_pictures.*LlamaConfig.*reads words only"):
        TransformersGenerator(str(tiny_transformers), device="cpu", sees_pictures=True)


@pytest.mark.slow
def test_llama_cpp_reads_the_instructions_once(caplog: pytest.LogCaptureFixture) -> None:
    """By the counts that llama.cpp reports; also where something else was asked in between."""
    caplog.set_level("DEBUG", "mmchat.answering.generators.llama_cpp")
    llama = LlamaCppGenerator(llama_path(), threads=1, context_tokens=1024)

    def ask(system: str, question: str) -> tuple[int, int]:
        caplog.clear()
        messages = [Message("system", system), Message("user", question)]
        assert list(llama.stream(messages, max_tokens=2))
        (record,) = (each for each in caplog.records if "kept" in each.msg)
        _, kept, read = record.args or ()  # type: ignore[misc]
        return kept, read

    try:
        rules = "Answer shortly, from the passage alone. " * 20
        kept, read = ask(rules, "How long does it keep?")
        assert kept < 5
        assert read > 150
        whole = kept + read
        kept, read = ask(rules, "What does it cost?")
        assert kept > whole - 25
        assert read < 25
        ask("Rewrite the question, so that it stands alone. " * 5, "And the black one?")
        kept, read = ask(rules, "Is it blue?")
        assert kept > whole - 25, "another prompt in between does not cost the instructions"
    finally:
        llama.close()


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.999])
def test_a_truncated_gguf_is_named(tmp_path: Path, share: float) -> None:
    whole = llama_path().read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"cut\.gguf.*bytes.*download it again"):
        LlamaCppGenerator(path)


@pytest.mark.slow
def test_a_context_beyond_the_models_own_is_cut_to_it() -> None:
    llama = LlamaCppGenerator(llama_path(), threads=1, context_tokens=10**9)
    try:
        assert 2048 <= llama.context_tokens <= 131_072
        assert write(llama, 4)
    finally:
        llama.close()


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


@pytest.mark.slow
def test_a_real_server_writes_what_the_model_writes() -> None:
    """llama.cpp's own server behind an address, and the same model in the process."""
    import xllamacpp

    parameters = _parameters(llama_path(), 1, 1024, 0)
    parameters.api_keys = ["sk-right"]
    parameters.n_threads_http = 4
    server = xllamacpp.Server(parameters)
    address = f"{server.listening_address}/v1"
    right = EndpointGenerator(address, api_key="sk-right", context_tokens=1024)
    wrong = EndpointGenerator(address, model="any", api_key="sk-wrong")
    inside = LlamaCppGenerator(llama_path(), threads=1, context_tokens=1024)
    try:
        assert write(right) == write(inside)
        with pytest.raises(GenerationError, match=r"401.*Set MMCHAT_API_KEY"):
            write(wrong)
        long = [Message("user", "one two three " * 2000)]
        with pytest.raises(GenerationError, match=r"status 400.*answers\.context_tokens"):
            list(right.stream(long, max_tokens=4))
        stream = right.stream(MESSAGES, max_tokens=900)
        next(stream)
        stream.close()
        assert write(right, 4), "the model was let go, and answers the next one"
    finally:
        for each in (right, wrong, inside):
            each.close()
