"""How sure what belongs to a hit is, against the hit."""

from collections.abc import Sequence

import pytest

from mmchat.conditions import Filter
from mmchat.retrieval.belonging import Belonging
from mmchat.retrieval.fusion import Fused
from mmchat.types import Channel


class Links:
    """The links of a store, and nothing else of it."""

    def __init__(self, of_chunks: dict[str, Sequence[str]], open_to: set[str] | None = None):
        self._of_chunks = of_chunks
        self._open_to = open_to or set()

    def pictures_of(self, chunks: Sequence[str]) -> dict[str, Sequence[str]]:
        return {c: self._of_chunks[c] for c in chunks if c in self._of_chunks}

    def chunks_of(self, pictures: Sequence[str]) -> dict[str, Sequence[str]]:
        return {p: [c for c, of in self._of_chunks.items() if p in of] for p in pictures}

    def passing(self, items: Sequence[str], where: Filter) -> set[str]:
        return {item for item in items if item in self._open_to}


def said(**scores: float) -> list[Fused]:
    return [Fused(item, score, {Channel.DENSE: 1}) for item, score in scores.items()]


def seen(**scores: float) -> dict[str, Fused]:
    return {item: Fused(item, score, {Channel.IMAGE: 1}) for item, score in scores.items()}


def score(links: Links, chunks: list[Fused], pictures: dict[str, Fused]) -> float:
    return Belonging(links, None).with_pictures_of(chunks, pictures)["p"].score  # type: ignore[arg-type]


def test_a_picture_stands_behind_its_passage():
    assert score(Links({"a": ["p"]}), said(a=4.0), {}) == pytest.approx(3.5)


def test_more_of_its_passages_make_a_picture_surer():
    links = Links({"a": ["p"], "b": ["p"], "c": ["q"]})
    one, two = score(links, said(a=4.0, c=3.9), {}), score(links, said(a=4.0, b=3.9), {})
    assert one < two < 4.0


@pytest.mark.parametrize("look", [-3.0, 0.0, 2.0, 3.9])
def test_a_look_that_fits_makes_a_picture_surer_but_not_surer_than_its_passage(look: float):
    links = Links({"a": ["p"]})
    without, less = score(links, said(a=4.0), {}), score(links, said(a=4.0), seen(p=look - 0.1))
    assert without < less < score(links, said(a=4.0), seen(p=look)) < 4.0


def test_a_look_that_says_more_counts_by_itself():
    assert score(Links({"a": ["p"]}), said(a=1.0), seen(p=5.0)) == 5.0


def test_a_look_does_not_choose_among_passages():
    links = Links({"a": ["p"], "b": ["p"], "c": ["p"]})
    joined = Belonging(links, None).with_chunks_of(  # type: ignore[arg-type]
        [*seen(p=4.0).values()], {f.item: f for f in said(b=1.0)}
    )
    assert joined["b"].score > joined["a"].score == pytest.approx(3.5)
    assert "c" not in joined, "the first two describe the product, all others are its manual"
    assert joined["b"].ranks == {Channel.DENSE: 1, Channel.LINKED: 2}


def test_what_a_filter_leaves_out_is_not_brought_up_by_a_link():
    links = Links({"a": ["p", "q"]}, open_to={"q"})
    where = Filter  # any filter: the store is asked
    joined = Belonging(links, where).with_pictures_of(said(a=4.0), {})  # type: ignore[arg-type]
    assert set(joined) == {"q"}
