from dataclasses import replace

import pytest

from mmchat.retrieval.fusion import RankedList, TextFindings, blend, fuse
from mmchat.stores.base import Scored
from mmchat.types import Channel


def test_first_everywhere_scores_one_and_two_channels_beat_one():
    lists = [
        RankedList.of(Channel.DENSE, ["a", "b", "c"], 1.0),
        RankedList.of(Channel.BM25, ["a", "c"], 0.5),
    ]
    fused = fuse(lists, rrf_k=60)
    assert [f.item for f in fused] == ["a", "c", "b"]
    assert fused[0].score == 1.0
    assert fused[0].ranks == {Channel.DENSE: 1, Channel.BM25: 1}


def test_the_formula():
    lists = [
        RankedList.of(Channel.DENSE, ["x", "a"], 2.0),
        RankedList.of(Channel.BM25, ["y", "z", "a"], 1.0),
    ]
    score = next(f.score for f in fuse(lists, rrf_k=10) if f.item == "a")
    assert abs(score - (2 * 11 / 12 + 1 * 11 / 13) / 3) < 1e-12


def test_a_channel_that_found_nothing_has_no_say():
    alone = fuse([RankedList.of(Channel.DENSE, ["a"], 1.0)], 60)
    assert (
        fuse([*[RankedList.of(Channel.DENSE, ["a"], 1.0)], RankedList(Channel.BM25, {}, 1.0)], 60)
        == alone
    )
    assert fuse([], 60) == []
    assert fuse([RankedList.of(Channel.DENSE, ["a"], 0.0)], 60) == []


def test_equal_scores_are_ordered_by_id():
    lists = [RankedList(Channel.LINKED, {"b": 1, "a": 1}, 1.0)]
    assert [f.item for f in fuse(lists, 60)] == ["a", "b"]


def findings(
    dense: list[tuple[str, float]], words: list[tuple[str, float]], **changed: float
) -> TextFindings:
    values = {"depth": 3, "background": 0.7, "spread": 0.05, "words_per_chunk": 80.0, **changed}
    return TextFindings(
        [Scored(*pair) for pair in dense],
        [Scored(*pair) for pair in words],
        depth=int(values["depth"]),
        background=values["background"],
        spread=values["spread"],
        words_per_chunk=values["words_per_chunk"],
    )


def test_blend_adds_deviations_and_the_share_of_words():
    found = findings([("a", 0.9), ("b", 0.8)], [("b", 1.0), ("a", 0.5)])
    scores = {f.item: f.score for f in blend(found, 1.0, 4.0)}
    assert scores == {"a": pytest.approx(4 + 2), "b": pytest.approx(2 + 4)}
    assert [f.ranks for f in blend(found, 1.0, 4.0) if f.item == "a"] == [
        {Channel.DENSE: 1, Channel.BM25: 2}
    ]


def test_what_a_channel_did_not_find_counts_as_the_last_of_its_list():
    found = findings(
        [("a", 0.9), ("b", 0.85), ("c", 0.8)], [("d", 0.9), ("a", 0.4)], words_per_chunk=80
    )
    scores = {f.item: f.score for f in blend(found, 1.0, 4.0)}
    assert scores["d"] == pytest.approx((0.8 - 0.7) / 0.05 + 4 * 0.9)
    # The list of words was not cut off: what is not in it has none of the words.
    assert scores["b"] == pytest.approx((0.85 - 0.7) / 0.05)


def test_what_cannot_have_the_words_counts_as_what_is_assumed_of_it():
    found = findings([("a", 0.9), ("b", 0.85)], [("a", 0.5)])
    found = replace(found, assumed_words={"a": 0.1, "b": 0.25})
    scores = {f.item: f.score for f in blend(found, 1.0, 4.0)}
    assert scores == {"a": pytest.approx(4 + 2), "b": pytest.approx(3 + 1)}


def test_the_scale_of_an_encoder_does_not_matter():
    narrow = findings([("a", 0.90), ("b", 0.88)], [("b", 0.6), ("a", 0.5)])
    wide = findings([("a", 0.9), ("b", 0.7)], [("b", 0.6), ("a", 0.5)], background=-1.1, spread=0.5)
    assert [f.score for f in blend(narrow, 1, 4)] == pytest.approx(
        [f.score for f in blend(wide, 1, 4)]
    )


def test_words_say_more_of_longer_passages():
    found = [("a", 0.9), ("b", 0.75)], [("b", 1.0)]
    assert blend(findings(*found, words_per_chunk=15), 1, 3.8)[0].item == "a"
    assert blend(findings(*found, words_per_chunk=150), 1, 3.8)[0].item == "b"


def test_a_channel_of_weight_zero_brings_nothing():
    found = findings([("a", 0.9)], [("b", 0.5)])
    assert [f.item for f in blend(found, 0, 4)] == ["b"]
    assert [f.item for f in blend(found, 1, 0)] == ["a"]
    assert blend(findings([], []), 1, 4) == []
