"""Many people at once: nobody is lost, everybody gets their own, and nobody is answered who is gone."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from many_visitors import EchoAssistant, Told, echo_desk, steps_of, visit_all
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from visits import serving

from mmchat.config import WebConfig
from mmchat.types import AnswerPiece
from mmchat.web.server import listen

PEOPLE = 20


def test_nobody_is_lost_or_mixed_up(tmp_path: Path):
    questions = [f"Question {number} of mine?" for number in range(PEOPLE)]
    page = ScriptedAssistant(ScriptedIndex(tmp_path / "index"))
    with (
        echo_desk(tmp_path) as desk,
        serving(page, WebConfig(port=0, concurrency=2), desk) as address,
    ):
        assert isinstance(desk.assistant, EchoAssistant)
        desk.assistant.gate.clear()
        # Who is first holds the place, until all the others have come.
        threading.Timer(2, desk.assistant.gate.set).start()
        told = asyncio.run(visit_all(address, questions))
        for question, each in zip(questions, told, strict=True):
            assert isinstance(each, Told), each
            (_, asked), (_, answered) = each.messages
            assert asked == question
            assert f"You asked: {question}<" in answered
            (head,) = desk.store.of(each.owner).list()
            (kept,) = desk.store.of(each.owner).get(head.id).turns
            assert (kept.question, kept.answer) == (question, f"You asked: {question}")
            assert list(each.numbers) == sorted(each.numbers, reverse=True)
        assert len({each.owner for each in told if isinstance(each, Told)}) == PEOPLE
        assert desk.assistant.most == 2


class Talker(ScriptedAssistant):
    """Says a word every hundredth of a second, for a minute: who is heard out is heard for long."""

    def _run(self, text: str) -> Iterator[AnswerPiece]:
        try:
            for _ in range(6000):
                yield AnswerPiece("word ")
                time.sleep(0.01)
            self.finished += 1
            yield AnswerPiece(answer=self._answer())
        finally:
            self.closed.set()


def test_a_connection_that_is_cut_ends_the_answer(tmp_path: Path):
    talker = Talker(ScriptedIndex(tmp_path / "index"))
    with serving(talker, WebConfig(port=0)) as address, httpx.Client(base_url=address) as client:
        accept, answer = asyncio.run(steps_of(address))
        for path, step, data in (
            ("run/predict", accept, [{"text": "Talk", "files": []}, None]),
            ("queue/join", answer, [None]),
        ):
            asked = {"session_hash": "cut", "fn_index": step, "data": data}
            client.post(f"gradio_api/{path}", json=asked).raise_for_status()
        port = int(address.rsplit(":")[-1].strip("/"))
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.send(
                b"GET /gradio_api/queue/data?session_hash=cut HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            heard = b""
            while b"word word" not in heard:
                heard += connection.recv(65536)
            # Without a goodbye: the other side learns it by a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert talker.closed.wait(timeout=20)
        assert talker.finished == 0


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux tells how long")
def test_a_connection_that_falls_silent_is_given_up():
    with (
        listen(WebConfig(port=0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
