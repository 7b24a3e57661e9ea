"""Conditions on items: which of them may be found."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TypeAlias

FilterValue: TypeAlias = str | int | float | bool | datetime.date
"""A date compares with the ISO dates that metadata holds as text ("2026-03-01")."""


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has this value. Texts are compared without regard to case."""

    field: str
    value: FilterValue


@dataclass(frozen=True, slots=True)
class In:
    """The field has one of these values."""

    field: str
    values: tuple[FilterValue, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The field lies between `low` and `high`; None leaves a side open, both None ask for any value."""

    field: str
    low: FilterValue | None = None
    high: FilterValue | None = None
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class Contains:
    """The field has this text in it, without regard to case."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these filters lets the item through; so does none at all."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these filters lets the item through."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The filter does not let the item through; an item without the field passes."""

    filter: Filter


Filter: TypeAlias = Equals | In | Range | Contains | AllOf | AnyOf | Not
"""Which items may be found. Fields are the metadata of documents, without regard to case, and

- `document`: the path of a file or row, `folder`: the path of a folder above it, `title`;
- `kind`: `chunk` or `picture`; `page`: of the item;
- `tag`: what a picture probably shows; a chunk has the tags of the pictures of its document.

A metadata field that is called like one of these is written `meta.kind`. A picture has the metadata of
its own document and of those that it is linked to: the photo of a product has its price.
"""
