"""A model behind an address: what it is sent, and what every way of failing becomes.

Real sockets on the loopback address; the server is in `model_server`.
"""

from __future__ import annotations

import base64
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from model_server import Behaviour, Exchange, ModelServer, model_server, says
from PIL import Image

from mmchat.answering.generators import EndpointGenerator, Message
from mmchat.answering.generators.endpoint import PICTURE_PX
from mmchat.answering.generators.refusals import Patience
from mmchat.errors import ConfigError, GenerationError

QUESTION = [Message("system", "You help."), Message("user", "How long does it keep?")]
KEY = "sk-very-secret"


@contextmanager
def connected(
    behaviour: Behaviour, models: tuple[str, ...] = ("small",), **options: Any
) -> Iterator[tuple[EndpointGenerator, ModelServer]]:
    with model_server(behaviour, models) as server:
        generator = EndpointGenerator(
            server.address, **{"patience": Patience(1.0, 2.0, pause=0.01), **options}
        )
        try:
            yield generator, server
        finally:
            generator.close()


def write(generator: EndpointGenerator, **options: Any) -> str:
    return "".join(generator.stream(QUESTION, **{"max_tokens": 20, **options}))


def failure(behaviour: Behaviour, **options: Any) -> str:
    with (
        connected(behaviour, **options) as (generator, _),
        pytest.raises(GenerationError) as raised,
    ):
        write(generator)
    return str(raised.value)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Do one after the other, request by request."""
    rest = list(behaviours)

    def behaviour(exchange: Exchange) -> None:
        rest.pop(0)(exchange)

    return behaviour


def refuses(status: int, message: str = "no", **headers: str) -> Behaviour:
    return lambda exchange: exchange.say(status, {"error": {"message": message}}, **headers)


class TestAsking:
    def test_what_the_server_is_sent(self) -> None:
        with connected(says("One ", "week."), model="small", api_key=KEY, temperature=0.3) as (
            generator,
            server,
        ):
            assert write(generator) == "One week."
            assert generator.name == f"small at {server.address}"
        assert server.requests == [
            {
                "model": "small",
                "messages": [
                    {"role": "system", "content": "You help."},
                    {"role": "user", "content": "How long does it keep?"},
                ],
                "stream": True,
                "max_tokens": 20,
                "temperature": 0.3,
            }
        ]
        assert server.keys == [f"Bearer {KEY}"]

    def test_without_a_key_none_is_sent(self) -> None:
        with connected(says("Yes.")) as (generator, server):
            write(generator)
        assert server.keys == [None]

    def test_a_proxy_is_not_asked_for_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with connected(says("Yes.")) as (generator, _):
            assert write(generator) == "Yes."

    def test_the_only_model_needs_no_name(self) -> None:
        with connected(says("Yes."), models=("llama3.2:1b",)) as (generator, server):
            write(generator)
        assert server.requests[0]["model"] == "llama3.2:1b"

    def test_pictures_go_along_scaled_down(self) -> None:
        photo = Image.new("RGB", (3000, 1500), "firebrick")
        message = Message("user", "What is this?", pictures=(photo,))
        with connected(says("A kettle.")) as (generator, server):
            list(generator.stream([message], max_tokens=5))
        shown, asked = server.requests[0]["messages"][0]["content"]
        assert asked == {"type": "text", "text": "What is this?"}
        head, _, data = shown["image_url"]["url"].partition(",")
        assert (shown["type"], head) == ("image_url", "data:image/jpeg;base64")
        sent = Image.open(io.BytesIO(base64.b64decode(data)))
        assert sent.size == (PICTURE_PX, PICTURE_PX // 2)

    def test_korean_and_line_separators_arrive_as_they_are(self) -> None:
        with connected(says("환불은 5일\u2028", "이내에 됩니다.")) as (generator, _):
            assert write(generator) == "환불은 5일\u2028이내에 됩니다."

    def test_comments_and_empty_events_are_passed_over(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.begin()
            exchange.wfile.write(b": keep-alive\n\nevent: message\nid: 7\n\n")
            exchange.event({"choices": []})
            exchange.wfile.write(b'data:{"choices":[{"delta":{"content":"Yes."}}]}\r\n\r\n')
            exchange.event("[DONE]")

        with connected(behaviour) as (generator, _):
            assert write(generator) == "Yes."

    def test_a_server_that_ignores_the_token_limit_is_cut_off(self) -> None:
        with connected(says(*["abcdefgh"] * 50)) as (generator, _):
            assert write(generator, max_tokens=3) == "abcdefgh" * 3

    @pytest.mark.parametrize(
        ("parameter", "code", "left"),
        [
            ("max_tokens", "unsupported_parameter", {"max_completion_tokens", "temperature"}),
            ("temperature", "unsupported_value", {"max_tokens"}),
        ],
    )
    def test_it_learns_what_a_server_does_not_take(
        self, parameter: str, code: str, left: set[str]
    ) -> None:
        refusal = {"error": {"message": "Unsupported.", "param": parameter, "code": code}}
        behaviour = in_turn(lambda e: e.say(400, refusal), says("Yes."), says("No."))
        with connected(behaviour) as (generator, server):
            assert write(generator) == "Yes."
            assert write(generator) == "No."
        for request in server.requests[1:]:
            assert set(request) - {"model", "messages", "stream"} == left


class TestLeaving:
    """A reader who goes away ends the connection, at whatever moment."""

    def stalled(self, exchange: Exchange) -> None:
        exchange.begin()
        exchange.piece("One")
        exchange.wait_for_the_end()

    def test_while_the_server_reads_the_prompt(self) -> None:
        cancel = threading.Event()

        def behaviour(exchange: Exchange) -> None:
            cancel.set()
            exchange.wait_for_the_end()

        with connected(behaviour, patience=Patience(silence=60)) as (generator, server):
            assert write(generator, cancel=cancel) == ""
            assert server.hung_up.wait(5)

    def test_between_two_pieces(self) -> None:
        with connected(self.stalled, patience=Patience(silence=60)) as (generator, server):
            stream = generator.stream(QUESTION, max_tokens=20)
            assert next(stream) == "One"
            stream.close()
            assert server.hung_up.wait(5)

    def test_at_a_stop_string(self) -> None:
        with connected(self.stalled, patience=Patience(silence=60)) as (generator, server):
            assert write(generator, stop=["ne"]) == "O"
            assert server.hung_up.wait(5)

    def test_when_the_generator_is_closed(self) -> None:
        with connected(self.stalled, patience=Patience(silence=60)) as (generator, server):
            stream = generator.stream(QUESTION, max_tokens=20)
            assert next(stream) == "One"
            generator.close()
            assert list(stream) == []
            assert server.hung_up.wait(5)
            with pytest.raises(GenerationError, match="closed"):
                write(generator)

    def test_at_the_time_limit_what_came_stands(self) -> None:
        with connected(self.stalled, patience=Patience(silence=60)) as (generator, server):
            assert write(generator, time_limit=0.5) == "One"
            assert server.hung_up.wait(5)


class TestFailing:
    def test_nobody_listens(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        generator = EndpointGenerator(address, model="small", patience=Patience(pause=0.01))
        with pytest.raises(GenerationError, match=r"small at http.*cannot be reached.*Start it"):
            write(generator)
        generator.close()

    def test_a_connection_is_not_accepted(self) -> None:
        with ExitStack() as stack:
            full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(4):  # what waits to be accepted fills the queue of the listener
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            generator = EndpointGenerator(
                f"http://127.0.0.1:{full.getsockname()[1]}/v1",
                model="small",
                patience=Patience(connect=0.2, pause=0.01),
            )
            with pytest.raises(GenerationError, match=r"did not accept a connection within 0\.2 s"):
                write(generator)
            generator.close()

    def test_silence(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.begin()
            exchange.piece("One")
            exchange.wait_for_the_end()

        with connected(behaviour, patience=Patience(silence=0.3)) as (generator, server):
            stream = generator.stream(QUESTION, max_tokens=20)
            assert next(stream) == "One"
            with pytest.raises(GenerationError, match=r"sent nothing for 0\.3 s.*smaller model"):
                next(stream)
        assert len(server.requests) == 1, "a server that is too slow is not asked again"

    def test_it_stops_half_way(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.begin()
            exchange.piece("One ")
            exchange.piece("we")

        with connected(behaviour) as (generator, server):
            stream = generator.stream(QUESTION, max_tokens=20)
            assert next(stream) + next(stream) == "One we"
            with pytest.raises(
                GenerationError, match="in the middle of its answer, after 6 characters"
            ):
                next(stream)
        assert len(server.requests) == 1, "what was read already cannot be asked for again"

    def test_the_connection_breaks_half_way(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.send_response(200)
            exchange.send_header("content-type", "text/event-stream")
            exchange.send_header("content-length", "5000")
            exchange.end_headers()
            exchange.piece("One")
            exchange.close_connection = True

        message = failure(behaviour)
        assert "broke off in the middle of its answer" in message
        assert "log" in message

    def test_a_kept_connection_that_the_server_closed_is_made_again(self) -> None:
        def hangs_up(exchange: Exchange) -> None:
            exchange.close_connection = True

        with connected(in_turn(hangs_up, says("Yes."))) as (generator, server):
            assert write(generator) == "Yes."
            assert len(server.requests) == 2

    @pytest.mark.parametrize(
        "data",
        [
            "{broken",
            "[]",
            "7",
            '{"choices": 7}',
            '{"choices": [{"delta": {"content": 7}}]}',
            "\x00ÿ",
        ],
    )
    def test_garbage_in_an_event(self, data: str) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.begin()
            exchange.event(data)

        assert "expected a chunk of a chat completion" in failure(behaviour)

    def test_a_line_without_an_end(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.begin()
            while True:
                exchange.wfile.write(b"x" * 65536)

        assert "a line of more than 1,048,576 bytes" in failure(behaviour)

    def test_bytes_that_are_no_http(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.wfile.write(b"\x16\x03\x01 this is no answer\r\n\r\n")
            exchange.close_connection = True

        assert "broke off: RemoteProtocolError" in failure(behaviour)

    def test_a_page_in_place_of_a_stream(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.begin("text/html")
            exchange.wfile.write(b"<html>Welcome</html>")

        message = failure(behaviour)
        assert "answered with text/html, expected text/event-stream" in message
        assert "OpenAI-compatible" in message

    def test_an_error_in_the_middle_of_the_stream(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.begin()
            exchange.piece("One")
            exchange.event({"error": {"message": "CUDA out of memory"}})

        assert "CUDA out of memory" in failure(behaviour)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_wrong_key_is_not_repeated(self, status: int) -> None:
        message = failure(refuses(status, f"Incorrect API key: {KEY}"), api_key=KEY)
        assert str(status) in message
        assert "Set MMCHAT_API_KEY" in message
        assert KEY not in message

    @pytest.mark.parametrize("status", [400, 404])
    def test_a_wrong_model_names_the_nearest(self, status: int) -> None:
        message = failure(
            refuses(status, "model not found"), model="lama3.2:1b", models=("llama3.2:1b", "qwen")
        )
        assert "has no model 'lama3.2:1b': did you mean 'llama3.2:1b'?" in message
        assert "answers.model" in message

    def test_no_name_and_several_models(self) -> None:
        message = failure(says("never"), models=("one", "two"))
        assert "has the models one, two" in message
        assert "Set answers.model" in message

    def test_a_wrong_key_and_no_name(self) -> None:
        def guarded(exchange: Exchange) -> None:
            exchange.say(401, {"error": {"message": "no key"}})

        with connected(says("never")) as (generator, server):
            server.listing = guarded
            with pytest.raises(GenerationError, match=r"401: no key.*Set MMCHAT_API_KEY"):
                write(generator)

    def test_no_name_and_no_list(self) -> None:
        with connected(says("never")) as (generator, server):
            server.listing = refuses(404)
            with pytest.raises(GenerationError, match=r"no list of models.*Set answers\.model"):
                write(generator)

    def test_a_wrong_path(self) -> None:
        message = failure(refuses(404, "404 page not found"), model="small")
        assert "404 page not found" in message
        assert "ends in /v1" in message

    def test_a_prompt_that_is_too_long(self) -> None:
        # Some servers know a model by more names than they list.
        message = failure(
            refuses(400, "this model's maximum context length is 2048 tokens"), model="alias"
        )
        assert "context length is 2048 tokens" in message
        assert "answers.context_tokens" in message

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_what_may_pass_is_tried_three_times(self, status: int) -> None:
        with connected(refuses(status, "busy")) as (generator, server):
            with pytest.raises(GenerationError, match=f"status {status}: busy"):
                write(generator)
            assert len(server.requests) == 3

    @pytest.mark.parametrize("status", [401, 404, 422])
    def test_what_stays_is_tried_once(self, status: int) -> None:
        with connected(refuses(status)) as (generator, server):
            with pytest.raises(GenerationError):
                write(generator)
            assert len(server.requests) == 1

    def test_it_passes(self) -> None:
        behaviour = in_turn(refuses(503), refuses(429, retry_after="0"), says("Yes."))
        with connected(behaviour) as (generator, _):
            assert write(generator) == "Yes."

    def test_a_long_pause_is_not_waited_for(self) -> None:
        with connected(refuses(429, retry_after="3600")) as (generator, server):
            with pytest.raises(GenerationError, match="left alone for 3600 s"):
                write(generator)
            assert len(server.requests) == 1

    def test_pauses_end_with_the_time_limit(self) -> None:
        patience = Patience(pause=60.0)
        with connected(refuses(503), patience=patience) as (generator, server):
            assert write(generator, time_limit=0.3) == ""
            assert len(server.requests) == 1

    def test_bodies_that_are_no_json(self) -> None:
        def behaviour(exchange: Exchange) -> None:
            exchange.say(422, b"\xff<html>\n" * 1000)

        message = failure(behaviour)
        assert len(message) < 700
        assert "\n" not in message


class TestSettings:
    @pytest.mark.parametrize(
        "address",
        [
            "http://",
            "ftp://host/v1",
            "http://user:hidden@host/v1",
            "https://host/v1?key=hidden",
            "http://host/v1#hidden",
            "http://host:99999999/v1",
            "http://[::1/v1",
        ],
    )
    def test_an_address_that_cannot_be_used(self, address: str) -> None:
        with pytest.raises(ConfigError, match="MMCHAT_API_KEY") as raised:
            EndpointGenerator(address)
        assert "hidden" not in str(raised.value)

    @pytest.mark.parametrize("key", ["two words", "키", "a\nb"])
    def test_a_key_that_cannot_be_used(self, key: str) -> None:
        with pytest.raises(ConfigError, match="Copy the key again") as raised:
            EndpointGenerator("http://host/v1", api_key=key)
        assert key not in str(raised.value)

    def test_the_key_is_shown_nowhere(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        with connected(refuses(500, f"bad key {KEY}"), api_key=KEY) as (generator, _):
            with pytest.raises(GenerationError):
                write(generator)
            assert KEY not in repr(generator)
        assert "Trying again" in caplog.text
        assert KEY not in caplog.text
