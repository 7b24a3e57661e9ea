"""Twenty people chat at once, with two places: nobody is lost, and everybody gets their own."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from many_visitors import EchoAssistant, Told, echo_desk, visit_all
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from visits import serving

from mmchat.config import WebConfig

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
