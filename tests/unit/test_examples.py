"""Searching by example, with plus and minus, and what a hit tells of itself."""

import pytest
from support import SmallIndex

from mmchat.errors import QueryError
from mmchat.types import Channel, Query


def test_more_like_an_item_does_not_find_the_item(shop: SmallIndex):
    retriever = shop.retriever()
    kettle = next(
        h for h in retriever.search(Query("kettle weighs kilos", k=9)) if h.kind == "chunk"
    )
    hits = retriever.search(Query(like=kettle.item, k=20))
    assert kettle.item not in {hit.item for hit in hits}
    nearest = next(hit for hit in hits if hit.kind == "chunk")
    assert nearest.document == "kettle.md" or "kilos" in nearest.text
    picture = next(h for h in hits if h.document == "pictures/toaster.png")
    like_it = retriever.search(Query(like=picture.item, k=20))
    assert picture.item not in {hit.item for hit in like_it}
    assert "toaster.md" in {hit.document for hit in like_it if hit.kind == "chunk"}


def test_like_with_plus_and_minus(shop: SmallIndex):
    retriever = shop.retriever()
    green = next(
        h for h in retriever.search(Query("green", k=9)) if h.document == "pictures/toaster.png"
    )

    def pictures(**words: tuple[str, ...]) -> list[str]:
        hits = retriever.search(Query(like=green.item, k=20, **words))
        return [hit.document for hit in hits if hit.kind == "picture"]

    assert pictures(plus=("blue",))[0] == "pictures/blender.png"
    assert pictures(plus=("red",))[0] == "pictures/kettle.png"
    assert pictures(plus=("white",), minus=("blue",))[0] == "pictures/kettle.png"


def test_words_with_minus(shop: SmallIndex):
    hits = shop.retriever().search(Query("clean with a cloth", minus=("kettle",), k=20))
    order = [hit.document for hit in hits if hit.kind == "chunk" and "Clean" in hit.text]
    assert order[-1] == "kettle.md"
    assert shop.retriever().search(Query(plus=("kettle",), k=1))[0].document == "kettle.md"


def test_an_item_that_is_not_there_is_named(shop: SmallIndex):
    with pytest.raises(QueryError, match="nowhere"):
        shop.retriever().search(Query(like="nowhere"))


def test_a_hit_explains_itself(shop: SmallIndex):
    query = Query("How do I clean kettles with water?", k=1, explain=True)
    (hit,) = shop.retriever().search(query)
    assert hit.words == ("clean", "kettles")
    assert hit.channels[Channel.BM25] == 1
    assert not shop.retriever().search(Query("clean the kettle", k=1))[0].words
