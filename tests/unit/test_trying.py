"""The test bench of searches: the same hits as everybody's, what other settings move, and refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_shop import small_shop

import mmchat
from mmchat.app import Bench, Move, Placed, Trial
from mmchat.conditions import Equals
from mmchat.errors import ConfigError, QueryError
from mmchat.types import Channel


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mmchat.Index]:
    with small_shop(tmp_path_factory.mktemp("trying")) as desk:
        yield desk.assistant.index


KETTLE = Trial("How long is the warranty of a red kettle?", k=4)


def test_the_first_list_is_everybodys(index: mmchat.Index):
    hits = Bench(index).search(KETTLE)
    assert [hit.item for hit in hits] == [hit.item for hit in index.search(KETTLE.text, k=4)]
    best = next(hit for hit in hits if hit.kind == "chunk")
    assert set(best.scores) == {Channel.DENSE, Channel.BM25}
    assert all(0 < score <= 1 for score in best.scores.values())
    assert "warranty" in best.words
    same = index.with_retrieval(index.config.retrieval).search(KETTLE.text, k=4)
    assert [hit.item for hit in same] == [hit.item for hit in hits]


def test_a_photo_is_scored_in_its_own_space(index: mmchat.Index):
    photo = next(p for p in index.path.glob("media/*"))
    hits = Bench(index).search(Trial(image=photo, k=3))
    picture = next(hit for hit in hits if hit.kind == "picture")
    assert picture.channels[Channel.IMAGE] == 1
    assert picture.scores[Channel.IMAGE] > 0.99
    assert all(hit.scores == {} for hit in hits if hit.kind == "chunk"), "linked, not measured"


def test_the_same_settings_move_nothing_and_load_nothing(index: mmchat.Index):
    found = Bench(index).compare(KETTLE, {})
    assert {each.move for each in (*found.first, *found.second)} == {Move.STAYS}
    assert index.with_retrieval(index.config.retrieval).encoders is index.encoders


def test_other_settings_say_what_moved(index: mmchat.Index):
    bench = Bench(index)
    found = bench.compare(Trial("thirty kettle warranty return", k=2), {"k": 4})
    assert (len(found.first), len(found.second)) == (2, 4)
    assert {each.move for each in found.second[2:]} == {Move.NEW}
    ranks = {each.hit.item: each.hit.rank for each in found.second}
    assert [each.other_rank for each in found.first] == [ranks[e.hit.item] for e in found.first]


def test_a_channel_that_is_switched_off_finds_nothing(index: mmchat.Index):
    found = Bench(index).compare(KETTLE, {"weight_bm25": 0, "weight_linked": 0, "weight_image": 0})
    assert {Channel.BM25} & {c for each in found.first for c in each.hit.channels}
    assert {c for each in found.second for c in each.hit.channels} == {Channel.DENSE}
    assert found.settings.weight_bm25 == 0
    assert index.config.retrieval.weight_bm25 > 0
    gone = [each for each in found.first if each.move is Move.GONE]
    assert {each.hit.kind for each in gone} >= {"picture"}


@pytest.mark.parametrize(
    ("first", "second", "moves"),
    [
        ("abc", "abc", [("stays", "stays"), ("stays", "stays"), ("stays", "stays")]),
        ("ab", "ba", [("down", "up"), ("up", "down")]),
        ("ab", "cb", [("gone", "new"), ("stays", "stays")]),
    ],
)
def test_moves(first: str, second: str, moves: list[tuple[str, str]], monkeypatch, index):
    from mmchat.app import trying
    from mmchat.types import Hit

    def hits(items: str) -> list[Hit]:
        return [
            Hit(rank, 0.5, "chunk", item, "d.md", None, "", None, {})
            for rank, item in enumerate(items, start=1)
        ]

    lists = [hits(first), hits(second)]
    monkeypatch.setattr(trying, "_searched", lambda *_: lists.pop(0))
    found = Bench(index).compare(Trial("x"), {})

    def told(placed: tuple[Placed, ...]) -> list[str]:
        return [each.move.value for each in placed]

    assert list(zip(told(found.first), told(found.second), strict=True)) == moves


@pytest.mark.parametrize(
    ("trial", "changes", "error", "said"),
    [
        (Trial(), {}, QueryError, "The query is empty"),
        (Trial("a", conditions=("prise<5",)), {}, QueryError, "price"),
        (Trial("a", conditions=("nonsense",)), {}, QueryError, "cannot be read"),
        (Trial("a", k=0), {}, QueryError, "k = 0"),
        (Trial("a"), {"weight_bm25": -1}, ConfigError, "retrieval.weight_bm25 = -1"),
        (Trial("a"), {"depth": 2.5}, ConfigError, "a whole number"),
        (Trial("a"), {"weight_bm": 1}, ConfigError, "did you mean 'retrieval.weight_bm25'"),
        (Trial("a", image=b"none"), {}, QueryError, "not a picture"),
    ],
)
def test_refusals(index: mmchat.Index, trial: Trial, changes, error, said: str):
    with pytest.raises(error, match=said.replace("(", r"\(")):
        Bench(index).compare(trial, changes)


def test_a_filter_holds_for_both_lists(index: mmchat.Index):
    found = Bench(index).compare(
        Trial("kettle", conditions=("price>=10", "price<35")), {"weight_dense": 3}
    )
    both = (*found.first, *found.second)
    assert {each.hit.document for each in both} == {"prices.csv#A1"}
    assert index.search("kettle", where=Equals("sku", "A1"))
