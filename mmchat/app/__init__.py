"""The composition root: the one place that names concrete encoders, stores and generators.

The command line, the pages, HTTP and Python all come through here, so that the same query gives the
same items in the same order everywhere.
"""

from mmchat.app.assistant import Assistant, build_generator
from mmchat.app.building import build_index
from mmchat.app.corpus import build_corpus
from mmchat.app.encoders import Encoders, default_models
from mmchat.app.index import Index, describe_index, open_index

__all__ = [
    "Assistant",
    "Encoders",
    "Index",
    "build_corpus",
    "build_generator",
    "build_index",
    "default_models",
    "describe_index",
    "open_index",
]
