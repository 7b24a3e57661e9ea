"""A server of chat completions on a loopback socket that does what a test tells it to."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
STREAM = "text/event-stream; charset=utf-8"


class Exchange(BaseHTTPRequestHandler):
    """One request, and the means to answer it well or badly."""

    server: ModelServer
    timeout = 10
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(json.loads(body))
        self.server.keys.append(self.headers.get("authorization"))
        self._answer(self.server.behaviour)

    def do_GET(self) -> None:
        self._answer(self.server.listing)

    def _answer(self, behaviour: Callable[[Exchange], None]) -> None:
        try:
            behaviour(self)
        except OSError:
            self.close_connection = True
            self.server.hung_up.set()

    def begin(self, kind: str = STREAM, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def say(self, status: int, body: object, **headers: str) -> None:
        """Answer with a whole body: JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def event(self, data: object) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(f"data: {text}\n\n".encode())

    def piece(self, text: str | None, finish: str | None = None) -> None:
        self.event({"choices": [{"delta": {"content": text}, "finish_reason": finish}]})

    def wait_for_the_end(self) -> None:
        """Send nothing until the other side hangs up."""
        self.connection.settimeout(10)
        if self.connection.recv(1) == b"":
            self.server.hung_up.set()

    def log_message(self, *_: Any) -> None:
        pass


Behaviour = Callable[[Exchange], None]


def lists(*names: str) -> Behaviour:
    """Say which models there are."""
    return lambda exchange: exchange.say(200, {"data": [{"id": name} for name in names]})


class ModelServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behaviour: Behaviour, models: tuple[str, ...]) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.behaviour = behaviour
        self.listing: Behaviour = lists(*models)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.hung_up = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def model_server(
    behaviour: Behaviour, models: tuple[str, ...] = ("small",)
) -> Iterator[ModelServer]:
    with ModelServer(behaviour, models) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


def says(*pieces: str) -> Behaviour:
    """Answer as a server does: the role, the pieces, the reason of the end, [DONE]."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event({"choices": [{"delta": {"role": "assistant", "content": None}}]})
        for piece in pieces:
            exchange.piece(piece)
        exchange.piece(None, "stop")
        exchange.event({"choices": [], "usage": {"completion_tokens": len(pieces)}})
        exchange.event("[DONE]")

    return behaviour


def spells(exchange: Exchange) -> None:
    """Write the letters of the alphabet, over and over, and refuse a prompt that is too long."""
    request = exchange.server.requests[-1]
    if sum(len(each["content"]) for each in request["messages"]) > 4096:
        message = "This model's maximum context length is 4096 tokens."
        exchange.say(400, {"error": {"message": message, "code": "context_length_exceeded"}})
        return
    exchange.begin()
    for letter in itertools.islice(itertools.cycle(ALPHABET), request["max_tokens"]):
        time.sleep(0.002)
        exchange.piece(letter)
    exchange.piece(None, "length")
    exchange.event("[DONE]")
