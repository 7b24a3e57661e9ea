"""Generators: what writes the words of an answer.

`Generator` is the contract. Each module here is one way to keep it; importing one loads no model
and no heavy library, making the object does.
"""

from mmchat.answering.generators.base import Generator, Message, Role, TextStream
from mmchat.answering.generators.endpoint import API_KEY_VARIABLE, EndpointGenerator
from mmchat.answering.generators.hugging_face import TransformersGenerator
from mmchat.answering.generators.llama_cpp import LlamaCppGenerator

__all__ = [
    "API_KEY_VARIABLE",
    "EndpointGenerator",
    "Generator",
    "LlamaCppGenerator",
    "Message",
    "Role",
    "TextStream",
    "TransformersGenerator",
]
