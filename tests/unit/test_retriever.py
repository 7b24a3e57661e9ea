from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from support import SmallIndex

from mmchat.config import RetrievalConfig
from mmchat.errors import QueryError
from mmchat.retrieval.retriever import MAX_K
from mmchat.types import Channel, Query


@pytest.fixture
def shop(
    small_index: SmallIndex, write: Callable[..., Path], draw: Callable[..., Path]
) -> SmallIndex:
    for colour in ("red", "green", "blue"):
        name = {"red": "kettle", "green": "toaster", "blue": "blender"}[colour]
        folder = write(
            f"{name}.md",
            f"# The {name}\n\n![A {name}](pictures/{name}.png)\nThe {name} weighs two kilos.\n\n"
            f"## Care\n\nClean the {name} with a cloth.\n",
        )
        draw(f"pictures/{name}.png", colour)
    write("delivery.md", "# Delivery\n\nDelivery costs five euros.\n")
    small_index.build(folder)
    return small_index


def test_words_find_the_passage_and_its_picture(shop: SmallIndex):
    hits = shop.retriever().search(Query("How heavy is the toaster, two kilos?", k=4))
    assert hits[0].document == "toaster.md"
    assert hits[0].kind == "chunk"
    assert {Channel.DENSE, Channel.BM25} <= set(hits[0].channels)
    assert hits[0].picture == "pictures/toaster.png"
    assert hits[0].title == "The toaster"
    picture = next(hit for hit in hits if hit.kind == "picture")
    assert picture.document == "pictures/toaster.png"
    assert picture.channels[Channel.LINKED] == 1
    assert picture.text == "A toaster"
    assert picture.picture_path is not None and Image.open(picture.picture_path).size == (64, 48)


def test_colour_words_search_the_image_space(shop: SmallIndex):
    hits = shop.retriever().search(Query("blue", k=10))
    ranks = {hit.document: hit.channels[Channel.IMAGE] for hit in hits if hit.kind == "picture"}
    assert ranks["pictures/blender.png"] == 1


def test_a_photo_finds_the_picture_and_its_passages(shop: SmallIndex):
    photo = Image.new("RGB", (30, 30), (5, 240, 10))
    hits = shop.retriever().search(Query(image=photo, k=2))
    assert {hit.kind for hit in hits} == {"chunk", "picture"}
    assert {hit.document for hit in hits} == {"toaster.md", "pictures/toaster.png"}


def test_a_photo_and_words_choose_the_passage_of_that_product(shop: SmallIndex):
    photo = Image.new("RGB", (30, 30), (5, 10, 240))
    hits = shop.retriever().search(Query("How do I clean it with a cloth?", photo, k=3))
    passages = [hit for hit in hits if hit.kind == "chunk"]
    assert passages[0].text == "Clean the blender with a cloth."


def test_hits_are_ranked_and_scored(shop: SmallIndex):
    hits = shop.retriever().search(Query("kettle", k=100))
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert len({hit.item for hit in hits}) == len(hits)


def test_the_same_query_gives_the_same_items(shop: SmallIndex):
    first, second = (shop.retriever().search(Query("kettle", k=9)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        "the of and",
        "\x00\x01 kettle \x07",
        'NEAR("kettle" AND) OR *',
        "kettle " * 20_000,
        "주전자",
        "🫖",
    ],
)
def test_odd_words_are_only_words(shop: SmallIndex, text: str):
    hits = shop.retriever().search(Query(text, k=3))
    assert len(hits) == 3
    if "kettle" in text:
        assert hits[0].document == "kettle.md"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (Query(""), "empty"),
        (Query(" \n\t "), "empty"),
        (Query("\x00\x01"), "empty"),
        (Query("kettle", k=0), "k = 0"),
        (Query("kettle", k=-1), "k = -1"),
        (Query("kettle", k=MAX_K + 1), str(MAX_K)),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(shop: SmallIndex, query: Query, said: str):
    with pytest.raises(QueryError, match=said):
        shop.retriever().search(query)


def test_a_channel_can_be_switched_off(shop: SmallIndex):
    config = RetrievalConfig(weight_dense=0, weight_image=0)
    hits = shop.retriever(config).search(Query("toaster", k=10))
    assert {hit.document for hit in hits} == {"toaster.md", "pictures/toaster.png"}
    assert all(set(hit.channels) <= {Channel.BM25, Channel.LINKED} for hit in hits)


def test_pictures_alone_and_texts_alone(tmp_path: Path, draw: Callable[..., Path]):
    folder = draw("a.png", "red").parent
    only_pictures = SmallIndex(tmp_path / "pictures")
    only_pictures.build(folder)
    assert [h.document for h in only_pictures.retriever().search(Query("red", k=3))] == ["a.png"]
    (folder / "a.png").unlink()
    (folder / "a.txt").write_text("Red words.")
    only_text = SmallIndex(tmp_path / "text")
    only_text.build(folder)
    assert [h.document for h in only_text.retriever().search(Query("red", k=3))] == ["a.txt"]
    photo = Image.new("RGB", (9, 9))
    assert only_text.retriever().search(Query(image=photo, k=3)) == []
