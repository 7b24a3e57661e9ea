"""Filters, and every channel under them, against an oracle that looks at each item in turn."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmchat.conditions import AllOf, AnyOf, Contains, Equals, Filter, In, Not, Range
from mmchat.errors import QueryError
from mmchat.stores.base import SourcePart
from mmchat.stores.local import LocalReader, read_manifest
from mmchat.stores.manifest import EncoderRecord, Manifest
from mmchat.stores.vectors_writing import VectorPolicy
from mmchat.stores.words import WordSplitter
from mmchat.stores.writing import LocalWriter
from mmchat.types import Chunk, Document, Link, Metadata, Picture

DIMENSION = 16
MANIFEST = Manifest(EncoderRecord("t", "t-1", DIMENSION), EncoderRecord("i", "i-1", DIMENSION), {})
DOCUMENTS, CHUNKS_EACH, PICTURES = 160, 3, 80
COLOURS = ("Red", "blue", "dark green", "빨강")
VOCABULARY = [f"word{i}" for i in range(40)]
KINDS = {
    "flat": (VectorPolicy(flat_up_to=10_000), 512),
    "flat, filters through the index": (VectorPolicy(flat_up_to=10_000), 0),
    "inverted": (VectorPolicy(flat_up_to=50), 20),
    "inverted, filters through the index": (VectorPolicy(flat_up_to=50), 0),
}


@dataclass
class Item:
    id: str
    kind: str
    page: int | None
    vector: np.ndarray
    text: str
    documents: tuple[str, ...]
    """Its own document, and those that a picture is linked to."""


@dataclass(repr=False)
class Shop:
    reader: LocalReader
    items: list[Item]
    metadata: dict[str, Metadata]
    exact: bool

    def passing(self, where: Filter | None, kind: str) -> list[Item]:
        items = [item for item in self.items if item.kind == kind]
        return [item for item in items if where is None or self.lets_through(where, item)]

    def lets_through(self, where: Filter, item: Item) -> bool:
        match where:
            case AllOf(filters):
                return all(self.lets_through(part, item) for part in filters)
            case AnyOf(filters):
                return any(self.lets_through(part, item) for part in filters)
            case Not(inner):
                return not self.lets_through(inner, item)
        return any(fits(where, value) for value in self.values(where.field, item))

    def values(self, field: str, item: Item) -> list[object]:
        if field == "kind":
            return [item.kind]
        if field == "page":
            return [item.page] if item.page is not None else []
        if field == "document":
            return [v for path in item.documents for v in {path, path.split("#")[0]}]
        if field == "folder":
            return [f for path in item.documents for f in (path.split("/")[0], ".")]
        if field == "title":
            return [f"Title of {path}" for path in item.documents]
        known = (self.metadata[path] for path in item.documents)
        return [facts[field] for facts in known if field in facts]


def fits(where: Filter, value: object) -> bool:
    def same(wanted: object) -> bool:
        if isinstance(wanted, str) or isinstance(value, str):
            return str(wanted).casefold() == str(value).casefold()
        return wanted == value

    match where:
        case Equals(_, wanted):
            return same(wanted)
        case In(_, values):
            return any(same(wanted) for wanted in values)
        case Contains(_, text):
            return text.casefold() in str(value).casefold()
        case Range():
            low, high = where.low, where.high
            if low is None and high is None:
                return True
            if isinstance(low if low is not None else high, str) != isinstance(value, str):
                return False
            above = low is None or (value > low if not where.low_included else value >= low)
            below = high is None or (value < high if not where.high_included else value <= high)
            return above and below
    raise AssertionError(where)


def unit(random: np.random.Generator, rows: int) -> np.ndarray:
    # A few dense regions, as texts have them; rounded as the store does, so that scores are equal.
    centres = np.random.default_rng(0).normal(size=(12, DIMENSION))
    vectors = centres[random.integers(0, 12, rows)] + 0.7 * random.normal(size=(rows, DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)


def metadata_of(number: int, random: np.random.Generator) -> Metadata:
    facts: dict[str, str | int | float | bool] = {
        "colour": COLOURS[number % len(COLOURS)],
        "price": round(float(random.integers(1, 200)) / 2, 1),
        "made": f"2026-{number % 12 + 1:02d}-15",
        "stock": number % 3 == 0,
    }
    if number % 5 == 0:
        del facts["price"]
    if number == 77:
        facts["rare"] = "yes"
    return facts


def parts(random: np.random.Generator) -> tuple[list[SourcePart], list[Item], dict[str, Metadata]]:
    made, items, metadata = [], [], {}
    for number in range(DOCUMENTS):
        file = f"{'ab'[number % 2]}/rows{number}.csv"
        path = f"{file}#{number}"
        metadata[path] = metadata_of(number, random)
        texts = [" ".join(random.choice(VOCABULARY, 12)) for _ in range(CHUNKS_EACH)]
        chunks = [
            Chunk(f"c{number}-{n}", path, n, text, 0, len(text), page=n + 1 if number % 2 else None)
            for n, text in enumerate(texts)
        ]
        vectors = unit(random, len(chunks))
        items += [
            Item(c.id, "chunk", c.page, v, c.text, (path,))
            for c, v in zip(chunks, vectors, strict=True)
        ]
        document = Document(path, f"Title of {path}", " ".join(texts), metadata[path])
        made.append(SourcePart(file, f"hash {number}", (document,), tuple(chunks)))
    for number in range(PICTURES):
        path = f"photos/{number}.jpg"
        metadata[path] = {}
        picture = Picture(f"p{number}", path, path, "media/x", "thumbs/x", 4, 3)
        linked = made[number * 2].documents[0].path
        items.append(Item(picture.id, "picture", None, unit(random, 1)[0], "", (path, linked)))
        document = Document(path, f"Title of {path}", "")
        made.append(SourcePart(path, f"hash {path}", (document,), pictures=(picture,)))
    return made, items, metadata


@pytest.fixture(scope="module", params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """An index that was built in two runs, the second of which took a tenth out again."""
    policy, few = KINDS[request.param]
    made, items, metadata = parts(np.random.default_rng(1))
    path = tmp_path_factory.mktemp("shop") / "index"
    vectors = {item.id: item.vector for item in items}

    def write(some: list[SourcePart], removed: list[str]) -> None:
        with LocalWriter(path, MANIFEST, text_policy=policy, image_policy=policy) as writer:
            for gone in removed:
                writer.remove(gone)
            for start in range(0, len(some), 50):
                batch = some[start : start + 50]
                text = [vectors[c.id] for part in batch for c in part.chunks]
                seen = [vectors[p.id] for part in batch for p in part.pictures]
                writer.add(
                    batch,
                    np.array(text, np.float32).reshape(-1, DIMENSION),
                    np.array(seen, np.float32).reshape(-1, DIMENSION),
                )
            there = {i.id for i in items}
            links = [Link(f"p{n}", f"c{n * 2}-0", 0) for n in range(PICTURES)]
            writer.set_links([link for link in links if link.chunk in there], {})
            writer.commit()

    write(made[:-60], [])
    removed = [part.path for part in made[:-60:10]]
    write(made[-60:], removed)
    kept = [item for item in items if item.documents[0].split("#")[0] not in removed]
    for item in kept:
        item.documents = tuple(d for d in item.documents if d.split("#")[0] not in removed)
    kind = read_manifest(path).text_vectors.kind
    assert kind.startswith("inverted" if "inverted" in request.param else "flat")
    return Shop(LocalReader(path, few=few), kept, metadata, "inverted" not in request.param)


FILTERS: list[Filter | None] = [
    None,
    Equals("rare", "YES"),
    Equals("colour", "red"),
    In("colour", ("blue", "빨강")),
    Range("price", high=50, high_included=False),
    Range("price", low=20.5, high=60),
    Range("made", low="2026-10-01"),
    Contains("colour", "GREEN"),
    Equals("stock", True),
    Equals("price", 10),
    Equals("kind", "picture"),
    Equals("page", 2),
    Range("page", low=2),
    Equals("folder", "b"),
    Equals("document", "a/rows2.csv"),
    Equals("document", "b/rows77.csv#77"),
    Contains("title", "title OF photos"),
    Not(Equals("colour", "red")),
    AllOf((Range("price", low=5), Equals("stock", False), Not(In("colour", ("red",))))),
    AnyOf((Range("price", low=90), Equals("rare", "yes"), Equals("page", 3))),
    AllOf(()),
    AnyOf(()),
    AllOf((Equals("colour", "red"), Equals("colour", "blue"))),
]


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_nearest_under_a_filter(shop: Shop, where: Filter | None):
    hits = wanted = 0
    for kind, search in (
        ("chunk", shop.reader.search_text),
        ("picture", shop.reader.search_images),
    ):
        left = shop.passing(where, kind)
        for query in unit(np.random.default_rng(5), 5):
            for k in (1, 3, 10, 1000):
                found = search(query, k, where)
                exact = sorted(left, key=lambda item: -float(item.vector @ query))[:k]
                assert {s.item for s in found} <= {item.id for item in left}
                assert len(found) == len(exact)
                scores = {item.id: float(item.vector @ query) for item in left}
                assert all(s.score == pytest.approx(scores[s.item], abs=1e-4) for s in found)
                assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
                hits += len({s.item for s in found} & {item.id for item in exact})
                wanted += len(exact)
                if shop.exact:
                    assert [s.item for s in found] == [item.id for item in exact]
    assert hits >= 0.95 * wanted


def brute_force_bm25(items: list[Item], query: str) -> dict[str, float]:
    counts = {item.id: Counter(WordSplitter().indexed(item.text)) for item in items}
    scores = dict.fromkeys(counts, 0.0)
    whole = 0.0
    for word in WordSplitter().query(query):
        n = sum(word in c for c in counts.values())
        idf = math.log(1 + (len(items) - n + 0.5) / (n + 0.5))
        whole += idf * 1.5
        for item, c in counts.items():
            scores[item] += idf * c[word] * 1.5 / (c[word] + 0.5)
    return {item: score / whole for item, score in scores.items() if score}


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_words_under_a_filter(shop: Shop, where: Filter | None):
    chunks = shop.passing(None, "chunk")
    left = {item.id for item in shop.passing(where, "chunk")}
    for query in ("word3", "word1 word2 word17 word17", "absent word30", "the of", "absent"):
        scores = brute_force_bm25(chunks, query)
        exact = sorted((-score, item) for item, score in scores.items() if item in left)
        for k in (1, 10, 1000):
            found = shop.reader.search_words(query, k, where)
            assert len(found) == min(k, len(exact))
            assert {s.item for s in found} <= left
            assert np.allclose([s.score for s in found], [-s for s, _ in exact[:k]], rtol=1e-4)
            assert all(s.score == pytest.approx(scores[s.item], rel=1e-4) for s in found)


@pytest.mark.parametrize("where", [w for w in FILTERS if w is not None], ids=str)
def test_items_that_were_linked_pass_as_the_others_do(shop: Shop, where: Filter):
    expected = {item.id for item in shop.items if shop.lets_through(where, item)}
    assert shop.reader.passing([item.id for item in shop.items] + ["gone"], where) == expected


_leaves = st.one_of(
    st.builds(Equals, st.just("colour"), st.sampled_from(["RED", "blue", "pink", "빨강", ""])),
    st.builds(Equals, st.just("stock"), st.booleans()),
    st.builds(In, st.just("price"), st.lists(st.integers(0, 100), max_size=4).map(tuple)),
    st.builds(
        Range,
        st.just("price"),
        st.none() | st.integers(-5, 110),
        st.none() | st.floats(0, 100),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(Range, st.just("made"), st.just("2026-03-01"), st.none() | st.just("2026-09-15")),
    st.builds(Contains, st.just("made"), st.sampled_from(["-1", "2026", "x", "%", "_"])),
    st.builds(Equals, st.just("page"), st.integers(0, 4)),
    st.builds(Equals, st.just("kind"), st.sampled_from(["chunk", "picture"])),
    st.builds(Equals, st.just("folder"), st.sampled_from(["a", "b", "photos", "none", "."])),
)
_filters = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@given(where=_filters)
@settings(max_examples=60, deadline=None)
def test_any_filter_lets_through_what_the_oracle_does(shop: Shop, where: Filter):
    query = unit(np.random.default_rng(6), 1)[0]
    for kind, search in (
        ("chunk", shop.reader.search_text),
        ("picture", shop.reader.search_images),
    ):
        found = {s.item for s in search(query, 10_000, where)}
        assert found == {item.id for item in shop.passing(where, kind)}


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (Equals("colr", "red"), "did you mean 'colour'"),
        (Equals("nonsense", 1), "known: colour, document, folder"),
        (Equals("meta.title", "x"), "meta.title"),
        (Range("colour", high=50), "colour holds texts"),
        (Range("price", low="cheap"), "price holds numbers"),
        (Range("price", low=1, high="ten"), "two numbers"),
        (Equals("kind", "video"), "chunk or picture"),
        (Contains("kind", "chunk"), "chunk and picture"),
        (Contains("page", "2"), "a number"),
        (Range("document", low="a"), "a path"),
        (Contains("folder", "a"), "a path"),
        (Not(AllOf((Equals("colr", "red"),))), "colour"),
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_meant_is_refused(shop: Shop, where: Filter, said: str):
    for search in (
        lambda: shop.reader.search_text(np.zeros(DIMENSION, np.float32), 3, where),
        lambda: shop.reader.search_words("word1", 3, where),
        lambda: shop.reader.passing(["c1-0", "p1"], where),
    ):
        with pytest.raises(QueryError, match=said):
            search()


@pytest.mark.parametrize(
    "where",
    [
        Equals("price", float("nan")),
        Equals("price", float("inf")),
        Equals("price", 10**400),
        In("price", ()),
        Equals("colour", "\ud800'; DROP TABLE facts; --\0"),
        Contains("colour", "\udcff%"),
        Equals("document", "\ud800"),
        Equals("folder", "../.."),
        Equals("page", "two"),
    ],
    ids=repr,
)
def test_odd_values_find_nothing(shop: Shop, where: Filter):
    assert shop.reader.search_text(np.zeros(DIMENSION, np.float32), 3, where) == []


def test_one_is_not_true(shop: Shop):
    query = unit(np.random.default_rng(7), 1)[0]
    assert shop.reader.search_text(query, 3, Equals("stock", True))
    assert not shop.reader.search_text(query, 3, Equals("stock", 1))


def test_a_filter_of_many_parts_works_and_of_too_many_is_refused(shop: Shop):
    query = np.zeros(DIMENSION, np.float32)
    many = AnyOf(tuple(Equals("price", number) for number in range(2_000)))
    listed = In("price", tuple(range(200_000)))
    assert len(shop.reader.search_text(query, 1000, many)) == len(
        shop.reader.search_text(query, 1000, listed)
    )
    with pytest.raises(QueryError, match="too many parts"):
        shop.reader.search_text(query, 3, AnyOf((many,) * 20))
