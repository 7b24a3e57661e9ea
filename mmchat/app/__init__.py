"""The composition root: the one place that names concrete encoders, stores and generators.

The command line, the pages, HTTP and Python all come through here, so that the same query gives the
same items in the same order everywhere.
"""

from mmchat.app.amending import add, delete
from mmchat.app.assistant import Assistant, build_generator
from mmchat.app.building import build_index, sync
from mmchat.app.corpus import build_corpus
from mmchat.app.encoders import Encoders, default_models
from mmchat.app.index import Index, describe_index, open_index
from mmchat.app.tuning import tune_photos, tune_text
from mmchat.app.watching import watch
from mmchat.tuning.training import Training

__all__ = [
    "Assistant",
    "Encoders",
    "Index",
    "Training",
    "add",
    "build_corpus",
    "build_generator",
    "build_index",
    "default_models",
    "delete",
    "describe_index",
    "open_index",
    "sync",
    "tune_photos",
    "tune_text",
    "watch",
]
