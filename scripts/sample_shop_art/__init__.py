"""The product pictures of the sample shop, drawn by code."""

from __future__ import annotations

from collections.abc import Callable

from . import air, cleaning, cooking, drinks, living, preparing
from .kit import Scene

PICTURES: dict[str, Callable[[], Scene]] = {
    **drinks.PICTURES,
    **cooking.PICTURES,
    **preparing.PICTURES,
    **cleaning.PICTURES,
    **air.PICTURES,
    **living.PICTURES,
}

__all__ = ["PICTURES", "Scene"]
