"""mmchat: a customer-service assistant over your own documents and pictures, with its sources.

>>> import mmchat
>>> mmchat.build_index("shop", "indexes/shop")                         # doctest: +SKIP
>>> index = mmchat.open_index("indexes/shop")                          # doctest: +SKIP
>>> index.search(text="a red kettle", image="photo.jpg", k=5)          # doctest: +SKIP
>>> mmchat.Assistant(index).ask("How do I descale it?").answer         # doctest: +SKIP

The names are loaded when they are first used, so that importing mmchat costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmchat.app import (
        Assistant,
        Desk,
        Index,
        add,
        build_index,
        delete,
        new_owner,
        open_index,
        sync,
        tune_photos,
        tune_text,
        watch,
    )
    from mmchat.conditions import AllOf, AnyOf, Contains, Equals, In, Not, Range
    from mmchat.config import Config, load_config
    from mmchat.errors import MmchatError
    from mmchat.types import Answer, Exchange, Handoff, Hit, IndexReport, Source, Status

__version__ = "0.1.0"

__all__ = [
    "AllOf",
    "Answer",
    "AnyOf",
    "Assistant",
    "Config",
    "Contains",
    "Desk",
    "Equals",
    "Exchange",
    "Handoff",
    "Hit",
    "In",
    "Index",
    "IndexReport",
    "MmchatError",
    "Not",
    "Range",
    "Source",
    "Status",
    "add",
    "build_index",
    "delete",
    "load_config",
    "new_owner",
    "open_index",
    "sync",
    "tune_photos",
    "tune_text",
    "watch",
]

_HOMES = {
    "mmchat.app": (
        "Assistant",
        "Desk",
        "Index",
        "add",
        "build_index",
        "delete",
        "new_owner",
        "open_index",
        "sync",
        "tune_photos",
        "tune_text",
        "watch",
    ),
    "mmchat.config": ("Config", "load_config"),
    "mmchat.errors": ("MmchatError",),
    "mmchat.conditions": ("AllOf", "AnyOf", "Contains", "Equals", "In", "Not", "Range"),
    "mmchat.types": ("Answer", "Exchange", "Handoff", "Hit", "IndexReport", "Source", "Status"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'mmchat' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
