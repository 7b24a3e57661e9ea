from pathlib import Path

import pytest
from support import SmallIndex
from tiny_models import cross_encoder_folder

from mmchat.config import RetrievalConfig
from mmchat.errors import ModelError
from mmchat.retrieval.rerank import CrossEncoderReranker
from mmchat.retrieval.retriever import Retriever
from mmchat.types import Query


class ByLength:
    """A reranker that prefers long passages."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def scores(self, question, passages):
        self.asked.append((question, len(passages)))
        return [len(passage) for passage in passages]


def retriever(shop: SmallIndex, reranker, **settings: int) -> Retriever:
    config = RetrievalConfig(**settings)
    return Retriever(shop.reader(), shop.text, shop.images, config, reranker=reranker)


@pytest.fixture
def shop(small_index: SmallIndex, write) -> SmallIndex:
    for name in ("kettle", "toaster", "blender"):
        folder = write(f"{name}.md", f"The {name} is warm." + f" More of the {name}." * len(name))
    small_index.build(folder)
    return small_index


def test_the_reranker_orders_the_best_passages(shop: SmallIndex):
    plain = retriever(shop, None).search(Query("a warm kettle", k=3))
    assert plain[0].document == "kettle.md"
    reranker = ByLength()
    hits = retriever(shop, reranker).search(Query("a warm kettle", k=3))
    assert [len(h.text) for h in hits] == sorted((len(h.text) for h in hits), reverse=True)
    assert [h.score for h in hits] == pytest.approx([h.score for h in plain], abs=1e-3)
    assert ("a warm kettle", 3) in reranker.asked


def test_no_more_than_the_depth_is_read(shop: SmallIndex):
    reranker = ByLength()
    retriever(shop, reranker, rerank_depth=1).search(Query("a warm kettle", k=3))
    assert {count for _, count in reranker.asked} == {1}


def test_a_cross_encoder_of_sentence_transformers(tmp_path: Path):
    reranker = CrossEncoderReranker(str(cross_encoder_folder(tmp_path / "cross")))
    scores = reranker.scores("how do i return it", ["return it", "a red kettle"])
    assert len(scores) == 2 and scores[0] != scores[1]
    assert reranker.scores("a", []) == []


def test_a_model_that_is_none_is_named(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"retrieval\.reranker"):
        CrossEncoderReranker(str(tmp_path / "empty")).scores("a", ["b"])


def test_a_cross_encoder_with_several_outputs_is_refused(tmp_path: Path):
    folder = cross_encoder_folder(tmp_path / "three", outputs=3)
    with pytest.raises(ModelError, match="3 numbers"):
        CrossEncoderReranker(str(folder)).scores("a", ["b"])
