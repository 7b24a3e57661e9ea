"""A handoff reaches a webhook: signed, retried, after a restart too, and nobody waits for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from shelf_assistant import shelf_desk

import mmchat
from mmchat.sessions import Courier, Delivery, HandoffRecord
from mmchat.types import HandoffReason

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes ....").decode()
OWNER = mmchat.new_owner()


class Receiver:
    """A webhook that answers as it is told to, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        """Status codes, one a request; 204 when there are no more."""
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.gate = threading.Event()
        self.gate.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append((self.path, headers, body))
                receiver.gate.wait(timeout=10)
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                if status == 307:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmchat.sessions.delivery._FIRST_WAIT", 0.02)
    monkeypatch.setattr("mmchat.sessions.delivery._LONGEST_WAIT", 0.05)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def only(desk: mmchat.Desk) -> HandoffRecord:
    (record,) = desk.store.queue.all()
    return record


def photo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "yellow").save(buffer, "PNG")
    return buffer.getvalue()


def test_it_is_told_with_transcript_and_pictures_and_signed(tmp_path: Path, receiver: Receiver):
    with shelf_desk(tmp_path, webhook=receiver.url, secret=SECRET) as desk:
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, image=photo())
        desk.ask(OWNER, talk, "상담원 연결해 주세요")
        until(lambda: only(desk).delivery == Delivery.DELIVERED)
    ((path, headers, body),) = receiver.requests
    assert path == "/hook"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(b"a secret of 24 bytes ....", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    told = json.loads(body)
    assert (told["type"], told["conversation"], told["reason"]) == ("handoff", talk, "request")
    first, second = told["transcript"]
    assert first["answer"].startswith("This looks like Banana [1].")
    assert first["sources"][0]["document"] == "banana.md"
    assert second["question"] == "상담원 연결해 주세요"
    (picture,) = told["pictures"]
    assert picture["id"] == first["picture"]
    assert Image.open(io.BytesIO(base64.b64decode(picture["data"]))).size == (32, 32)


def test_it_is_tried_again(tmp_path: Path, receiver: Receiver):
    receiver.answers = [503, 429, 500]
    with shelf_desk(tmp_path, webhook=receiver.url) as desk:
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, "talk to a person")
        until(lambda: only(desk).delivery == Delivery.DELIVERED)
        assert only(desk).attempts == 4
    assert len({body for _, _, body in receiver.requests}) == 1
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1
    assert "webhook-signature" not in receiver.requests[0][1], "no secret, no signature"


@pytest.mark.parametrize(("status", "delivery"), [(410, Delivery.REFUSED), (307, Delivery.PENDING)])
def test_a_refusal_is_final_and_a_redirect_is_not_followed(
    tmp_path: Path, receiver: Receiver, status: int, delivery: Delivery
):
    receiver.answers = [status] * 20
    with shelf_desk(tmp_path, webhook=receiver.url) as desk:
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, "talk to a person")
        until(lambda: only(desk).attempts >= 1)
        until(lambda: only(desk).attempts == (1 if status == 410 else 6))
        assert only(desk).delivery == delivery
        assert f"answered {status}" in only(desk).error
    assert {path for path, _, _ in receiver.requests} == {"/hook"}


def test_the_chat_does_not_wait_for_it(tmp_path: Path, receiver: Receiver):
    receiver.gate.clear()
    with shelf_desk(tmp_path, webhook=receiver.url) as desk:
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, "talk to a person")
        until(lambda: len(receiver.requests) == 1)
        assert desk.ask(OWNER, talk, "Can I return shoes?").answer
        assert only(desk).delivery == Delivery.PENDING, "the receiver has not answered yet"
        receiver.gate.set()
        until(lambda: only(desk).delivery == Delivery.DELIVERED)


def test_after_a_restart_it_goes_on(tmp_path: Path, receiver: Receiver):
    nobody = "http://127.0.0.1:9/hook"
    with shelf_desk(tmp_path, webhook=nobody) as desk:
        talk = desk.start(OWNER)
        pieces = list(desk.stream(OWNER, talk, "talk to a person"))
        assert [p.handoff.reason for p in pieces if p.handoff] == [HandoffReason.REQUEST]
        until(lambda: only(desk).attempts >= 1)
    with shelf_desk(tmp_path, webhook=receiver.url) as desk:
        desk.store.queue.rest(talk, 0)
        until(lambda: only(desk).delivery == Delivery.DELIVERED)
    assert len(receiver.requests) == 1


def test_two_couriers_deliver_once(tmp_path: Path, receiver: Receiver):
    with shelf_desk(tmp_path, webhook=receiver.url) as desk:
        other = Courier(desk.store.queue, receiver.url).start()
        for _ in range(5):
            talk = desk.start(OWNER)
            desk.ask(OWNER, talk, "talk to a person")
            other.notify()
        until(lambda: all(r.delivery == Delivery.DELIVERED for r in desk.store.queue.all()))
        other.close()
    assert len(receiver.requests) == 5
    assert len({json.loads(body)["conversation"] for _, _, body in receiver.requests}) == 5


def test_a_deleted_conversation_is_told_to_nobody(tmp_path: Path, receiver: Receiver):
    with shelf_desk(tmp_path, webhook="http://127.0.0.1:9/hook") as desk:
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, "talk to a person")
        desk.store.of(OWNER).delete(talk)
    with shelf_desk(tmp_path, webhook=receiver.url) as desk:
        assert desk.store.queue.all() == []
        assert desk.store.queue.claim(1) is None
    assert receiver.requests == []
