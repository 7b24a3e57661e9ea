"""Tune the models to one's own data, and keep what became better."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.app.encoders import Encoders, as_built
from mmchat.app.pairs import pairs_of
from mmchat.app.photos import PhotoGatherer
from mmchat.config import Config, load_config
from mmchat.encoders.lite import FEATURES, LiteModel
from mmchat.encoders.tuned import HEAD
from mmchat.errors import InputError, ModelError
from mmchat.models import ModelStore, Silent
from mmchat.stores.local import LocalReader
from mmchat.tuning.base import Progress, TuningReport
from mmchat.tuning.photos import tune_head
from mmchat.tuning.text import Models, tune_pairs
from mmchat.tuning.training import Training

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from mmchat.encoders.text import SentenceEncoder
    from mmchat.models import Progress as DownloadProgress

MODELS = Path("models")
"""Where tuned models are kept, unless another place is named."""


def tune_text(  # noqa: PLR0913 - all but the first are named
    source: str | Path,
    *,
    index: str | Path | None = None,
    out: str | Path | None = None,
    config: Config | None = None,
    training: Training | None = None,
    keep: bool = False,
    progress: Progress | None = None,
    download_progress: DownloadProgress | None = None,
) -> TuningReport:
    """Fine-tune the text encoder on questions and the passages that answer them.

    A quarter of the questions is held out, with its passages, and decides: the tuned model is kept only
    where it finds them better than the base model, by more than chance. Interrupted, it goes on from its
    last checkpoint when it is called again.

    Args:
        source: a CSV, TSV or JSON Lines file with a question and a passage (or an answer) in each row, or a
            dataset as `mmchat eval` reads it: a folder with queries.jsonl and qrels.tsv.
        index: an index that the questions are about. Passages may then be named by the id of a passage or
            the path of a document, and the held-out questions search among its passages.
        out: the folder of the tuned model, for `encoders.text`; `models/` and the source's name where not
            given.
        config: the settings; `encoders.text` is the base model (`auto` is what the index was built with).
        training: how it is trained.
        keep: keep the tuned model even where it is no better.
        progress: is told how far it is.
        download_progress: is told how far the fetching of a missing model is.

    Raises:
        InputError: the source cannot be read, has too few pairs, or `out` is there already.
        IndexNotFound: there is no index.
        MissingExtra: the trainer's libraries are not installed.
        ModelError: the base model cannot be had, or cannot be trained.
    """
    began = time.monotonic()
    source, training = Path(source), training or Training()
    out = _free_place(out, source)
    config, reader = _as_built(config, index)
    models = ModelStore(progress=download_progress)
    encoders = Encoders(config.encoders, models)

    def trainable() -> SentenceTransformer:
        return Encoders(replace(config.encoders, dtype="float32"), models).text.model

    def opened(folder: Path) -> SentenceEncoder:
        return Encoders(replace(config.encoders, text=str(folder)), models).text

    report = tune_pairs(
        pairs_of(source, encoders, config, reader),
        Models(encoders.text, trainable=trainable, open=opened),
        out,
        training=training,
        keep=keep,
        progress=progress or Silent(),
    )
    return replace(report, seconds=time.monotonic() - began)


def tune_photos(  # noqa: PLR0913 - all but the first are named
    source: str | Path | None = None,
    *,
    index: str | Path | None = None,
    out: str | Path | None = None,
    config: Config | None = None,
    seed: int = 0,
    keep: bool = False,
    progress: Progress | None = None,
    download_progress: DownloadProgress | None = None,
) -> TuningReport:
    """Fit the head of mmchat-lite to photos of one's own products.

    Products that a head was not fitted to decide, in five folds: it is kept only where more photos find
    their product first than without it, by more than chance.

    Args:
        source: a folder with a folder of photos for each product, or a CSV, TSV or JSON Lines file with a
            picture and a product in each row. Where it is not given, the pictures of the index.
        index: an index with pictures of the products. Photos of `source` then find these, and a product is
            the path, the title or the file's stem of a document. Its pictures without `source` find each
            other.
        out: the folder of the head, for `encoders.image = "mmchat-lite@FOLDER"`; `models/` and the source's
            name where not given.
        config: the settings.
        seed: what the folds are drawn by.
        keep: keep the head even where it is no better.
        progress: is told how far it is.
        download_progress: is told how far the fetching of a missing model is.

    Raises:
        InputError: no source, one that cannot be read or has too few products, or `out` is there already.
        IndexNotFound: there is no index.
        ModelError: the image encoder is not mmchat-lite, or cannot be had.
    """
    began = time.monotonic()
    named = source if source is not None else index
    if named is None:
        raise InputError("There are no photos. Give a folder or a table of photos, or an index.")
    out = _free_place(out, Path(named), "-photos" if source is None else "")
    config, reader = _as_built(config, index)
    encoder = Encoders(config.encoders, ModelStore(progress=download_progress)).image
    if not isinstance(encoder.source, LiteModel):
        raise ModelError(
            f"The image encoder is {config.encoders.image!r}, expected mmchat-lite: only it has a visual "
            "part of its own that can be tuned. Set encoders.image to mmchat-lite."
        )
    words = encoder.dimension - FEATURES
    gatherer = PhotoGatherer(encoder, words, config, progress or Silent())
    photos = gatherer.gather(None if source is None else Path(source), reader)
    report = tune_head(photos, out, base=encoder.fingerprint, name=HEAD, seed=seed, keep=keep)
    return replace(report, seconds=time.monotonic() - began)


def _as_built(config: Config | None, index: str | Path | None) -> tuple[Config, LocalReader | None]:
    """Return the settings with the encoders of the index, and the index."""
    config = config or load_config()
    if index is None:
        return config, None
    encoders = as_built(config.encoders, Path(index))
    return replace(config, encoders=encoders), LocalReader(Path(index))


def _free_place(out: str | Path | None, source: Path, ending: str = "") -> Path:
    """Return where a tuned model is to be kept.

    Raises:
        InputError: there is something already.
    """
    place = Path(out) if out is not None else MODELS / f"{source.resolve().stem}{ending}"
    if place.exists():
        raise InputError(
            f"{place} is there already. Name another place with --out, or remove it first."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
