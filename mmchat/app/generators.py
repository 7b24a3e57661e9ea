"""Which generator the settings mean."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.config import AnswerConfig, Config, nearest
from mmchat.errors import ModelError, UnknownModel
from mmchat.models import ModelStore, catalogue

if TYPE_CHECKING:
    from mmchat.answering.generators import Generator, TransformersGenerator

QUOTING = "none"
_KINDS = (
    "a .gguf file, a transformers folder, a hub id (owner/name), "
    "an address (http://host:port/v1), or none"
)
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def build_generator(config: Config, models: ModelStore) -> Generator | None:
    """Return the generator that the settings name; None for `none`, which quotes.

    Raises:
        UnknownModel: nothing of that name is known; the message names the nearest.
        ModelError: it cannot be had, its file is damaged, or it cannot see and should.
        ConfigError: it is an address that cannot be used.
        MissingExtra: what computes it is not installed.
    """
    from mmchat.answering.generators import API_KEY_VARIABLE, EndpointGenerator, LlamaCppGenerator

    answers, name = config.answers, config.answers.generator
    if name == QUOTING:
        return None
    if "://" in name:
        return EndpointGenerator(
            name,
            model=answers.model,
            api_key=os.environ.get(API_KEY_VARIABLE, ""),
            context_tokens=answers.context_tokens,
            temperature=answers.temperature,
        )
    path = _pulled(name, models) if name in catalogue() else Path(name).expanduser()
    if path.suffix.lower() != ".gguf" and not path.is_file():
        return _transformers(name, path, config)
    if answers.sees_pictures:
        raise ModelError(
            f"Got answers.sees_pictures with answers.generator = '{name}', which reads words only. "
            "Expected a vision-language model of transformers or an address. Set one of the two."
        )
    return LlamaCppGenerator(
        path,
        threads=answers.threads,
        context_tokens=answers.context_tokens,
        temperature=answers.temperature,
    )


def _pulled(name: str, models: ModelStore) -> Path:
    role = catalogue()[name].role
    if role != "generator":
        raise ModelError(
            f"answers.generator = '{name}': that model is of the role {role}. "
            f"Expected one of {', '.join(_names())}, {_KINDS}."
        )
    return models.pull(name)


def _names() -> list[str]:
    return [each.name for each in catalogue().values() if each.role == "generator"]


def _transformers(name: str, path: Path, config: Config) -> TransformersGenerator:
    from mmchat.answering.generators import TransformersGenerator
    from mmchat.encoders.runtime import ensure_torchvision

    if not path.is_dir() and not _HUB_ID.fullmatch(name):
        # A name that is misspelt is no reason to ask a model hub.
        raise UnknownModel(
            f"Unknown answers.generator '{name}': {nearest(name, [*_names(), QUOTING])} "
            f"Expected a name of the catalogue, {_KINDS}."
        )
    ensure_torchvision()  # transformers imports it where it is installed
    answers: AnswerConfig = config.answers
    return TransformersGenerator(
        str(path) if path.is_dir() else name,
        device=config.encoders.device,
        dtype=config.encoders.dtype,
        context_tokens=answers.context_tokens,
        temperature=answers.temperature,
        sees_pictures=answers.sees_pictures,
    )
