from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image
from support import ColoursEncoder, SmallIndex

from mmchat.conditions import AllOf, Equals, In, Range
from mmchat.config import RetrievalConfig
from mmchat.errors import QueryError
from mmchat.retrieval.queries import MAX_K
from mmchat.types import Channel, Query


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


@pytest.fixture
def catalogue(
    small_index: SmallIndex, write: Callable[..., Path], draw: Callable[..., Path]
) -> SmallIndex:
    rows = ["sku,name,price,colour,image"]
    for number in range(120):
        colour = ("red", "green", "blue")[number % 3]
        rows.append(f"k{number},Kettle {number},{number},{colour},k{number}.png")
        if number < 12:
            # Of pictures that look the same one would stand for all.
            shade = 255 - 30 * (number // 3)
            draw(
                f"k{number}.png",
                tuple(shade if c == colour else 0 for c in ("red", "green", "blue")),
            )
    small_index.build(write("kettles.csv", "\n".join(rows) + "\n"))
    return small_index


def test_a_filter_that_leaves_three_returns_those_three(catalogue: SmallIndex):
    where = AllOf((Range("price", low=117), Equals("kind", "chunk")))
    hits = catalogue.retriever().search(Query("a kettle", k=10, where=where))
    assert {hit.document for hit in hits} == {f"kettles.csv#k{n}" for n in (117, 118, 119)}


def test_a_picture_has_the_facts_of_the_row_that_names_it(catalogue: SmallIndex):
    where = AllOf((Range("price", high=5), Equals("colour", "blue")))
    hits = catalogue.retriever().search(Query("kettle", k=10, where=where))
    assert {(hit.kind, hit.picture) for hit in hits} == {
        (kind, f"k{n}.png") for kind in ("chunk", "picture") for n in (2, 5)
    }


def test_pictures_alone_are_found_by_their_passages_too(catalogue: SmallIndex):
    query = Query("Kettle 7", k=20, where=Equals("kind", "picture"))
    hits = catalogue.retriever().search(query)
    assert {hit.kind for hit in hits} == {"picture"}
    assert len(hits) == 12
    linked = {hit.picture: hit.channels.get(Channel.LINKED) for hit in hits}
    assert linked["k7.png"] == 1


def test_a_photo_searches_under_a_filter(catalogue: SmallIndex):
    photo = Image.new("RGB", (30, 30), (240, 10, 5))
    query = Query(image=photo, k=20, where=In("colour", ("green", "blue")))
    hits = catalogue.retriever().search(query)
    assert {hit.kind for hit in hits} == {"chunk", "picture"}
    assert not {hit.picture for hit in hits} & {f"k{n}.png" for n in range(0, 12, 3)}


def test_nothing_passes(catalogue: SmallIndex):
    where = Range("price", low=1000)
    assert catalogue.retriever().search(Query("kettle", k=5, where=where)) == []


def test_an_unknown_field_is_refused_with_the_nearest_that_is_known(catalogue: SmallIndex):
    for query in (
        Query("kettle", where=Equals("prise", 3)),
        Query("the", where=Equals("prise", 3)),
    ):
        with pytest.raises(QueryError, match="did you mean 'price'"):
            catalogue.retriever().search(query)


def test_words_are_encoded_once_and_only_where_there_are_pictures(
    small_index: SmallIndex, write: Callable[..., Path], draw: Callable[..., Path]
):
    class Shared(ColoursEncoder):
        def encode_texts(self, texts: Sequence[str]) -> NoReturn:
            raise AssertionError("the words were encoded again")

        def from_query_vectors(self, encoder: object, vectors: np.ndarray) -> np.ndarray:
            assert encoder is small_index.text
            return self._unit([np.array(self.names["blue"])] * len(vectors))

    small_index.images = Shared()
    folder = write("a.txt", "A kettle.")
    small_index.build(folder)
    assert [h.kind for h in small_index.retriever().search(Query("any"))] == ["chunk"]
    draw("blue.png", "blue")
    draw("red.png", "red")
    small_index.build(folder)
    hits = small_index.retriever().search(Query("any"))
    assert [h.document for h in hits if h.kind == "picture"] == ["blue.png", "red.png"]


def test_searches_from_several_threads_agree(catalogue: SmallIndex):
    retriever = catalogue.retriever()
    queries = [
        Query(f"kettle {number}", k=7, where=Range("price", low=number)) for number in range(40)
    ]
    expected = [retriever.search(query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(catalogue.retriever().search, queries * 3)) == expected * 3


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


def test_a_photo_of_nothing_in_the_collection_finds_nothing(
    small_index: SmallIndex, draw: Callable[..., Path]
):
    class Doubting(ColoursEncoder):
        unrelated = 0.5

    small_index.images = Doubting()
    small_index.build(draw("red.png", "red").parent)
    retriever = small_index.retriever()
    red, green = (Image.new("RGB", (9, 9), colour) for colour in ("red", "green"))
    assert [hit.document for hit in retriever.search(Query(image=red))] == ["red.png"]
    assert retriever.search(Query(image=green)) == []
    nearest = retriever.search(Query(image=green, where=Equals("kind", "picture")))
    assert nearest == [], "a kind is no choice among things"
    chosen = retriever.search(Query(image=green, where=Equals("document", "red.png")))
    assert [hit.document for hit in chosen] == ["red.png"]
    assert retriever.search(Query(image=green, minus=("green",), plus=("red",))) != []
