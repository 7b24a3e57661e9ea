"""Many people who chat at once, as browsers do over HTTP: each with a cookie and a session."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from gradio_client.utils import apply_diff
from shelf_assistant import Script, ShelfIndex

import mmchat
from mmchat.config import AnswerConfig, Config, SessionsConfig
from mmchat.types import Answer, AnswerPiece, ImageInput, Status
from mmchat.web.guard import OWNER_COOKIE

API = "gradio_api"
_PATIENCE = 600.0
"""Seconds that a visitor waits for the next word of the server."""
_NUMBER = re.compile(r"You are number (\d+) in the queue")


class EchoAssistant(mmchat.Assistant):
    """Answers each question with its own words, in two pieces; between them it waits."""

    def __init__(self, config: Config, *, seconds: float = 0.0) -> None:
        """Take the settings, and how long an answer is written, in seconds."""
        super().__init__(ShelfIndex(config), generator=Script())  # type: ignore[arg-type]
        self._seconds = seconds
        self._counting = threading.Lock()
        self.gate = threading.Event()
        """Every second piece waits until it is set (and twenty seconds at most)."""
        self.gate.set()
        self.running = 0
        self.most = 0
        """The most answers that were written at once."""

    def stream(
        self,
        text: str = "",
        image: ImageInput | None = None,
        *,
        history: Sequence[Any] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[AnswerPiece]:
        """Answer."""
        with self._counting:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            yield AnswerPiece("You asked: ")
            time.sleep(self._seconds)
            self.gate.wait(20)
            yield AnswerPiece(text)
            yield AnswerPiece(answer=Answer(f"You asked: {text}", Status.ANSWERED, (), 0.0))
        finally:
            with self._counting:
                self.running -= 1


def echo_desk(folder: Path, *, seconds: float = 0.0) -> mmchat.Desk:
    """Return a desk whose assistant echoes, and keeps its conversations in a folder."""
    config = Config(
        answers=AnswerConfig(quoted_languages=""),
        sessions=SessionsConfig(database=str(folder / "conversations.sqlite")),
    )
    return mmchat.Desk(EchoAssistant(config, seconds=seconds))


@dataclass(frozen=True, slots=True)
class Told:
    """What one visitor asked and was shown."""

    question: str
    owner: str
    """The visitor's cookie."""
    numbers: tuple[int, ...]
    """The numbers in the line that were shown, in this order."""
    messages: tuple[tuple[str, str], ...]
    """What stands in the chat in the end: role and HTML."""
    waited: float
    """Seconds from the question until it was the visitor's turn."""
    seconds: float
    """Seconds from the question until the whole answer was there."""


async def steps_of(address: str) -> tuple[int, int]:
    """Return the numbers of the page's steps that accept a question, and that answer it."""
    async with httpx.AsyncClient(base_url=address, timeout=_PATIENCE) as client:
        steps = (await client.get("config")).json()["dependencies"]
    accept = next(each["id"] for each in steps if each["targets"][0][1] == "submit")
    return accept, next(each["id"] for each in steps if each["trigger_after"] == accept)


async def visit(address: str, question: str, steps: tuple[int, int]) -> Told:
    """Open the page, ask one question, and read until the answer is there.

    Raises:
        httpx.HTTPError, KeyError: the server refused something, or ended the answer.
    """
    accept, answer = steps
    async with httpx.AsyncClient(base_url=address, timeout=_PATIENCE) as client:
        owner = (await client.get("/")).cookies[OWNER_COOKIE]
        whose = {"session_hash": f"s{secrets.token_hex(8)}", "event_data": None}
        begun = time.monotonic()
        box = {"text": question, "files": []}
        asked = {**whose, "fn_index": accept, "data": [box, None]}
        (await client.post(f"{API}/run/predict", json=asked)).raise_for_status()
        joined = {**whose, "fn_index": answer, "data": [None]}
        (await client.post(f"{API}/queue/join", json=joined)).raise_for_status()
        waited, numbers, shown = 0.0, [], None
        async for shown in _shown(client, whose["session_hash"]):
            last = _text(shown[-1])
            if found := _NUMBER.search(last):
                numbers.append(int(found[1]))
            elif not waited:
                waited = time.monotonic() - begun
        seconds = time.monotonic() - begun
    said = tuple((each["role"], _text(each)) for each in shown or ())
    return Told(question, owner, tuple(numbers), said, waited, seconds)


async def visit_all(address: str, questions: Sequence[str]) -> list[Told | BaseException]:
    """Let one visitor ask each question, all at once; an error stands where somebody got no answer."""
    steps = await steps_of(address)
    visits = [visit(address, question, steps) for question in questions]
    return await asyncio.gather(*visits, return_exceptions=True)


async def _shown(client: httpx.AsyncClient, session: str) -> Any:
    """Yield the messages of the chat each time they change."""
    shown: Any = None
    at = {"session_hash": session}
    async with client.stream("GET", f"{API}/queue/data", params=at) as stream:
        async for line in stream.aiter_lines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            if event["msg"] == "process_generating":
                chat = event["output"]["data"][1]
                shown = chat if shown is None else apply_diff(shown, chat)
                yield shown
            elif event["msg"] == "process_completed" and not event["success"]:
                raise KeyError(event["output"])


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else content[0]["text"]
