"""The map of an index: two spaces, a plane that is the best one, and a query in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_shop import small_shop

import mmchat
from mmchat.app import Atlas
from mmchat.app.mapping import plane_of
from mmchat.errors import QueryError


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mmchat.Index]:
    with small_shop(tmp_path_factory.mktemp("map")) as desk:
        yield desk.assistant.index


def test_every_item_is_on_its_map(index: mmchat.Index):
    atlas = Atlas(index)
    passages, pictures = atlas.draw("chunk"), atlas.draw("picture")
    assert (len(passages.points), passages.total) == (index.manifest.chunks,) * 2
    assert (len(pictures.points), pictures.total) == (index.manifest.pictures,) * 2
    assert passages.query is None
    warranty = next(point for point in passages.points if point.document == "warranty.md")
    assert warranty.title == "Warranty"
    assert "24 months" in warranty.text
    (kettle,) = pictures.points
    assert kettle.thumb_path is not None and Image.open(kettle.thumb_path)
    assert kettle.document == "kettle.png"


def test_the_same_words_as_a_passage_lie_where_it_does(index: mmchat.Index):
    chunk = index.search("warranty", k=1)[0]
    whole = index.retriever().chunk(chunk.item)
    assert whole is not None
    found = Atlas(index).draw("chunk", whole.context_text)
    point = next(point for point in found.points if point.item == chunk.item)
    assert found.query is not None
    assert (found.query.x, found.query.y) == pytest.approx((point.x, point.y), abs=1e-3)
    assert found.query.nearest[0] == chunk.item


def test_a_photo_has_a_place_among_pictures_alone(index: mmchat.Index):
    photo = Image.new("RGB", (40, 40), "red")
    atlas = Atlas(index)
    among = atlas.draw("picture", image=photo)
    assert among.query is not None and len(among.query.nearest) == 1
    assert atlas.draw("picture", "red").query is not None
    assert atlas.draw("chunk", image=photo).query is None
    with pytest.raises(QueryError):
        atlas.draw("picture", image=b"none")


def test_a_sample_has_what_is_nearest(index: mmchat.Index):
    atlas = Atlas(index, most=2)
    sample = atlas.draw("chunk")
    assert len(sample.points) == 2 < sample.total
    found = atlas.draw("chunk", "the warranty of a kettle")
    assert found.query is not None
    assert set(found.query.nearest) <= {point.item for point in found.points}
    assert len({point.item for point in found.points}) == len(found.points)


def test_a_map_follows_the_index(tmp_path: Path):
    with small_shop(tmp_path) as desk:
        index = desk.assistant.index
        atlas = Atlas(index)
        before = len(atlas.draw("chunk").points)
        (tmp_path / "documents" / "hours.md").write_text("# Hours\n\nOpen from nine.\n")
        mmchat.build_index(tmp_path / "documents", index.path, config=index.config)
        assert len(atlas.draw("chunk").points) == before + 1


def test_the_plane_shows_what_differs_most():
    random = np.random.default_rng(0)
    flat = random.normal(size=(200, 2)) * [5.0, 2.0]
    turn, _ = np.linalg.qr(random.normal(size=(8, 8)))
    vectors = (np.pad(flat, ((0, 0), (0, 6))) @ turn + 3.0).astype(np.float32)
    plane = plane_of(vectors)
    assert plane.share == pytest.approx(1.0, abs=1e-5)
    places = plane.places(vectors)
    assert np.linalg.norm(places - places[0], axis=1) == pytest.approx(
        np.linalg.norm(flat - flat[0], axis=1), abs=1e-3
    )
    noisy = vectors + random.normal(size=vectors.shape).astype(np.float32)
    covariance = np.linalg.eigvalsh(np.cov(noisy.T))
    assert plane_of(noisy).share == pytest.approx(
        covariance[-2:].sum() / covariance.sum(), abs=1e-4
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_items_have_places_too(count: int):
    vectors = np.eye(5, dtype=np.float32)[:count]
    plane = plane_of(vectors)
    assert plane.places(vectors).shape == (count, 2)
    assert np.isfinite(plane.places(vectors)).all()
    assert 0.0 <= plane.share <= 1.0
