"""Filters as people write them."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmchat.conditions import AllOf, AnyOf, Contains, Equals, Filter, In, Not, Range
from mmchat.errors import QueryError
from mmchat.filters import as_filter, parse_conditions, split_kind


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("price<50", Range("price", high=50, high_included=False)),
        ("price <= 49.90", Range("price", high=49.9)),
        ("price>10", Range("price", low=10, low_included=False)),
        ("made>=2026-03-01", Range("made", low="2026-03-01")),
        ("colour=red", Equals("colour", "red")),
        ("colour=red, blue", In("colour", ("red", "blue"))),
        ("colour != red", Not(Equals("colour", "red"))),
        ("colour!=red,blue", Not(In("colour", ("red", "blue")))),
        ("name~Kettle 1.7", Contains("name", "Kettle 1.7")),
        ("in stock=true", Equals("in stock", True)),
        ("sku=007", Equals("sku", "007")),
        ("offset=-3", Equals("offset", -3)),
        ('sku="100"', Equals("sku", "100")),
        ('city="Paris, Texas",Rome', In("city", ("Paris, Texas", "Rome"))),
        ("formula=a<b", Equals("formula", "a<b")),
        ("색상=빨강", Equals("색상", "빨강")),
    ],
)
def test_conditions_of_the_command_line(written: str, meant: Filter):
    assert parse_conditions([written]) == AllOf((meant,))
    (parsed,) = parse_conditions([written]).filters
    assert repr(parsed) == repr(meant)  # 1 and True are equal, and not the same


def test_several_conditions_hold_together():
    assert parse_conditions(["a=1", "b=2"]) == AllOf((Equals("a", 1), Equals("b", 2)))
    assert parse_conditions([]) is None


@pytest.mark.parametrize(
    "written", ["", "price", "=5", "price=", "price<", "a<1,2", "price=,", "~x"]
)
def test_a_condition_that_cannot_be_read_shows_how(written: str):
    with pytest.raises(QueryError, match="colour=red,blue"):
        parse_conditions([written])


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader_of_conditions(written: str):
    with contextlib.suppress(QueryError):
        parse_conditions([written])


@pytest.mark.parametrize(
    ("mapping", "meant"),
    [
        ({"colour": "red"}, (Equals("colour", "red"),)),
        ({"colour": ["red", "blue"]}, (In("colour", ("red", "blue")),)),
        (
            {"price": {"gte": 10, "lt": 50}},
            (Range("price", low=10), Range("price", high=50, high_included=False)),
        ),
        ({"a": {"ne": [1, 2]}}, (Not(In("a", (1, 2))),)),
        ({"a": {"eq": 1, "contains": "x"}}, (Equals("a", 1), Contains("a", "x"))),
        (
            {"made": {"gt": datetime.date(2026, 3, 1)}},
            (Range("made", low=datetime.date(2026, 3, 1), low_included=False),),
        ),
        ({}, ()),
    ],
)
def test_mappings(mapping: dict[str, object], meant: tuple[Filter, ...]):
    assert as_filter(mapping) == AllOf(meant)


def test_a_filter_is_taken_as_it_is():
    where = AnyOf((Equals("a", 1), Not(Equals("b", 2))))
    assert as_filter(where) is where


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"price": {"below": 5}}, "lt, lte"),
        ({"price": None}, "a text, a number"),
        ({"price": {"lt": [1]}}, "a text, a number"),
        ({"price": [object()]}, "a text, a number"),
        ("price<5", "mapping"),
        (["price<5"], "mapping"),
    ],
)
def test_what_is_no_filter_is_refused(where: object, said: str):
    with pytest.raises(QueryError, match=said):
        as_filter(where)  # type: ignore[arg-type]


def test_the_kind_is_parted_from_the_rest():
    both = {"chunk", "picture"}
    red = Equals("colour", "red")
    assert split_kind(None) == (both, None)
    assert split_kind(red) == (both, red)
    assert split_kind(Equals("Kind", "Picture")) == ({"picture"}, None)
    assert split_kind(Not(Equals("kind", "picture"))) == ({"chunk"}, None)
    assert split_kind(AllOf((red, In("kind", ("chunk",))))) == ({"chunk"}, AllOf((red,)))
    assert split_kind(AllOf((Equals("kind", "chunk"), Equals("kind", "picture")))) == (set(), None)
    either = AnyOf((Equals("kind", "chunk"), red))
    assert split_kind(either) == (both, either)
    negated = Not(AllOf((Equals("kind", "chunk"), red)))
    assert split_kind(negated) == (both, negated)
    with pytest.raises(QueryError, match="chunk or picture"):
        split_kind(Equals("kind", "video"))
