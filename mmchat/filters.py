"""Filters as people write them: on the command line, and as a mapping in Python."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeGuard

from mmchat.conditions import AllOf, Contains, Equals, Filter, FilterValue, In, Not, Range
from mmchat.errors import QueryError
from mmchat.types import ItemKind

Where: TypeAlias = "Filter | Mapping[str, object]"
"""A filter, or a mapping of fields to what they must be; see `as_filter`."""

ITEM_KINDS: tuple[ItemKind, ...] = ("chunk", "picture")

# The longer operators stand first: "<=" is not "<" and a value that begins with "=".
_CONDITION = re.compile(
    r"\s*(?P<field>[^=!<>~]+?)\s*(?P<operator>!=|<=|>=|=|<|>|~)\s*(?P<value>.*\S)\s*"
)
# 007 and 1e5 are codes, not numbers.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_EXAMPLES = "Write it as price<50, price>=10, colour=red,blue, colour!=red or name~kettle."

_OPERATORS = {
    "=": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "lte",
    ">": "gt",
    ">=": "gte",
    "~": "contains",
}


def as_filter(where: Where) -> Filter:
    """Return the filter that a mapping means; a filter is returned as it is.

    Every field must fit. `{"price": {"gte": 10, "lt": 50}, "colour": ["red", "blue"], "brand": "Acme"}`:
    a plain value is equality, a list one of several, and the words are eq, ne, lt, lte, gt, gte and
    contains.

    Raises:
        QueryError: a word is unknown, or a value is not a text, number, truth value or date.
    """
    if isinstance(where, Filter):
        return where
    if not isinstance(where, Mapping):
        raise QueryError(
            f"where = {where!r}: expected a filter such as mmchat.Equals('colour', 'red'), or a mapping "
            "such as {'colour': 'red'}."
        )
    conditions: list[Filter] = []
    for field, wanted in where.items():
        if isinstance(wanted, Mapping):
            conditions += [_condition(field, word, value) for word, value in wanted.items()]
        else:
            conditions.append(_equal(field, wanted))
    return AllOf(tuple(conditions))


def parse_conditions(texts: Sequence[str]) -> Filter | None:
    """Return the filter that conditions such as `price<50` and `colour=red,blue` mean together.

    Operators are =, !=, <, <=, >, >= and ~ (contains). Commas part several values of = and !=; quotes
    keep a comma, and make a text of a number: sku="100".

    Raises:
        QueryError: a condition cannot be read.
    """
    if not texts:
        return None
    return AllOf(tuple(_parse(text) for text in texts))


def split_kind(where: Filter | None) -> tuple[frozenset[ItemKind], Filter | None]:
    """Part what a filter says of the kind of items from the rest.

    Passages lead to pictures and pictures to passages, so that a search for pictures alone must still
    look at passages.

    Returns:
        the kinds that may be found, and the filter without its conditions on the kind, as far as they
        stand by themselves or in an `AllOf`.
    """
    everything: frozenset[ItemKind] = frozenset(ITEM_KINDS)
    if isinstance(where, AllOf):
        parts = [split_kind(part) for part in where.filters]
        rest = tuple(part for _, part in parts if part is not None)
        kinds = everything.intersection(*(kinds for kinds, _ in parts))
        return kinds, AllOf(rest) if rest else None
    if isinstance(where, Not):
        kinds, rest_of_it = split_kind(where.filter)
        if rest_of_it is None:
            return everything - kinds, None
    if isinstance(where, (Equals, In)) and where.field.strip().casefold() == "kind":
        values = where.values if isinstance(where, In) else (where.value,)
        return frozenset(_kind(value) for value in values), None
    return everything, where


def _kind(value: object) -> ItemKind:
    for kind in ITEM_KINDS:
        if str(value).strip().casefold() == kind:
            return kind
    raise QueryError(
        f"kind = {value!r}: expected chunk or picture. Write meta.kind for a column of that name."
    )


def _parse(text: str) -> Filter:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise QueryError(f"The condition {text!r} cannot be read. {_EXAMPLES}")
    field, operator, written = match["field"], match["operator"], match["value"]
    if operator == "~":
        return Contains(field, written.strip('"'))
    values = [_typed(value) for value in re.findall(r'"[^"]*"|[^,"]+', written) if value.strip()]
    if not values or (len(values) > 1 and operator not in {"=", "!="}):
        raise QueryError(f"{text!r}: expected one value after {operator}. {_EXAMPLES}")
    return _condition(field, _OPERATORS[operator], values if len(values) > 1 else values[0])


def _typed(written: str) -> FilterValue:
    value = written.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return {"true": True, "false": False}.get(value.lower(), value)


def _condition(field: str, word: object, value: object) -> Filter:
    make = _WORDS.get(str(word))
    if make is None:
        raise QueryError(f"{field}: unknown word {word!r}; expected one of {', '.join(_WORDS)}.")
    return make(field, value)


def _equal(field: str, wanted: object) -> Filter:
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return In(field, tuple(_value(field, value) for value in wanted))
    return Equals(field, _value(field, wanted))


def _value(field: str, value: object) -> FilterValue:
    if _is_value(value):
        return value
    raise QueryError(
        f"{field}: {value!r} is not a value to compare with. Expected a text, a number, True or False, or "
        "a date."
    )


def _is_value(value: object) -> TypeGuard[FilterValue]:
    return isinstance(value, (str, int, float, datetime.date))


_WORDS: Mapping[str, Callable[[str, object], Filter]] = {
    "eq": _equal,
    "ne": lambda field, value: Not(_equal(field, value)),
    "lt": lambda field, value: Range(field, high=_value(field, value), high_included=False),
    "lte": lambda field, value: Range(field, high=_value(field, value)),
    "gt": lambda field, value: Range(field, low=_value(field, value), low_included=False),
    "gte": lambda field, value: Range(field, low=_value(field, value)),
    "contains": lambda field, value: Contains(field, str(value)),
}
