"""Which encoders the settings mean."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.config import Config, EncoderConfig, TagsConfig
from mmchat.errors import StoreError
from mmchat.models import ModelStore, catalogue
from mmchat.stores.local import read_manifest
from mmchat.stores.manifest import EncoderRecord

if TYPE_CHECKING:
    from mmchat.encoders.image import ModelSource, OpenClipEncoder
    from mmchat.encoders.text import SentenceEncoder
    from mmchat.tags.tagger import Tagger

DEFAULT_TEXT = "multilingual-e5-small"
DEFAULT_IMAGE = "mmchat-lite"
_IMAGE_TOWER = "efficientnet-lite2"


def default_models() -> list[str]:
    """Return the models of the catalogue that the default settings need."""
    return [DEFAULT_TEXT, _IMAGE_TOWER, Config().answers.generator]


class Encoders:
    """The text and the image encoder that the settings name; models are fetched when they are missing."""

    def __init__(self, config: EncoderConfig, models: ModelStore) -> None:
        self._config = config
        self._models = models

    @functools.cached_property
    def text(self) -> SentenceEncoder:
        """The encoder of passages and questions."""
        return self._sentence_encoder(_named(self._config.text, DEFAULT_TEXT))

    @functools.cached_property
    def image(self) -> OpenClipEncoder:
        """The encoder of pictures, and of words that pictures are found by."""
        from mmchat.encoders.image import OpenClipEncoder

        name = _named(self._config.image, DEFAULT_IMAGE)
        return OpenClipEncoder(
            self._lite(name) or name,
            device=self._config.device,
            dtype=self._config.dtype,
            batch_size=self._config.batch_size,
        )

    def _lite(self, name: str) -> ModelSource | None:
        """Return mmchat-lite, or it with a tuned head (`mmchat-lite@FOLDER`); None for other models."""
        from mmchat.encoders.lite import LiteModel
        from mmchat.encoders.tuned import TunedModel

        model, at, folder = name.partition("@")
        if model != DEFAULT_IMAGE:
            return None
        # Its text tower is the default text encoder: in memory once where that encodes the text too.
        shared = _named(self._config.text, DEFAULT_TEXT) == DEFAULT_TEXT
        lite = LiteModel(
            self._models.pull(_IMAGE_TOWER),
            self.text if shared else self._sentence_encoder(DEFAULT_TEXT),
        )
        return TunedModel(lite, Path(folder)) if at else lite

    def tagger(self, config: TagsConfig) -> Tagger:
        """Return what names pictures; of mmchat-lite alone it is known what its scores are worth."""
        from mmchat.tags.tagger import LITE, PHOTO_OF, Tagger

        name = _named(self._config.image, DEFAULT_IMAGE)
        model, _, tuned = name.partition("@")
        if model != DEFAULT_IMAGE:
            return Tagger(self.image, config, prompt=PHOTO_OF)
        return Tagger(self.image, config, scale=None if tuned else LITE)

    def records(self) -> tuple[EncoderRecord, EncoderRecord]:
        """Return what an index keeps of the text and of the image encoder."""
        text, image = self.text, self.image
        return (
            EncoderRecord(
                _named(self._config.text, DEFAULT_TEXT), text.fingerprint, text.dimension
            ),
            EncoderRecord(
                _named(self._config.image, DEFAULT_IMAGE), image.fingerprint, image.dimension
            ),
        )

    def _sentence_encoder(self, name: str) -> SentenceEncoder:
        from mmchat.encoders.text import SentenceEncoder

        source = self._models.pull(name) if name in catalogue() else name
        return SentenceEncoder(
            source,
            name=name if name in catalogue() else "",
            device=self._config.device,
            dtype=self._config.dtype,
            batch_size=self._config.batch_size,
        )


def as_built(config: EncoderConfig, path: Path) -> EncoderConfig:
    """Return the settings with `auto` replaced by what the index at `path` was built with, if any."""
    try:
        manifest = read_manifest(path)
    except StoreError:
        return config
    return replace(
        config,
        text=_named(config.text, manifest.text_encoder.name),
        image=_named(config.image, manifest.image_encoder.name),
    )


def _named(setting: str, automatic: str) -> str:
    return automatic if setting == "auto" else setting
