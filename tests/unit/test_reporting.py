"""What the owner should write next: unanswered questions that are alike come together."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from shelf_assistant import ShelfIndex

import mmchat
from mmchat.app import report
from mmchat.app.reporting import grouped
from mmchat.config import Config
from mmchat.sessions import SessionStore
from mmchat.types import Answer, Status


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    opened = SessionStore.open(str(tmp_path / "conversations.sqlite"))
    yield opened
    opened.close()


def asked(store: SessionStore, question: str, status: Status = Status.ABSTAINED) -> int:
    own = store.of(mmchat.new_owner())
    turn = own.begin_turn(own.start(), question)
    own.end_turn(turn, Answer("…", status, (), 0.1, asked=question))
    return turn


def test_alike_questions_come_together_the_most_frequent_first(store: SessionStore):
    for question in (
        "Do you sell lawn mowers?",
        "do you  sell LAWN mowers?",
        "Sell you lawn mowers?",
    ):
        asked(store, question)
    asked(store, "잔디깎이를 판매하나요?")
    disliked = asked(store, "How long does asparagus keep?", Status.ANSWERED)
    store.everything().rate(disliked, useful=False, reason="too vague")
    asked(store, "Can I return shoes?", Status.ANSWERED)
    mowers, asparagus, korean = report(ShelfIndex(Config()), store)
    assert (mowers.count, mowers.abstained, mowers.disliked) == (3, 3, 0)
    assert len(mowers.questions) == 2, "the same words are one question"
    assert len(mowers.conversations) == 3
    assert (asparagus.disliked, asparagus.reasons) == (1, ("too vague",))
    assert asparagus.nearest is not None
    assert asparagus.nearest.document == "asparagus.md"
    assert korean.questions == ("잔디깎이를 판매하나요?",)


def test_only_what_is_recent(store: SessionStore):
    asked(store, "Do you sell lawn mowers?")
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    assert report(ShelfIndex(Config()), store, since=later) == []


def test_an_empty_index_has_nothing_near(store: SessionStore):
    asked(store, "Do you sell lawn mowers?")
    index = ShelfIndex(Config())
    index.manifest.chunks = 0
    (gap,) = report(index, store)
    assert gap.nearest is None


def test_groups_are_those_of_average_linkage():
    angles = np.radians([0, 10, 20, 90, 95, 180])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert grouped(vectors, 0.9) == [[0, 1, 2], [3, 4], [5]]
    assert grouped(vectors[:1]) == [[0]]
    assert grouped(vectors[[0, 0]]) == [[0, 1]]
