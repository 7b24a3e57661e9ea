from mmchat.retrieval.fusion import RankedList, fuse
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
