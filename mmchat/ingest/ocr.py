"""Read the text that is in pictures: scanned pages, screenshots of errors, labels, receipts.

rapidocr finds lines and reads them with the models that come in its wheel. Reading costs seconds where
there is much to read, and a tenth of a second where there is nothing; so a picture is first looked at for
two milliseconds (`may_hold_text`), which leaves nearly all photos out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmchat.config import IngestConfig
from mmchat.errors import ConfigError
from mmchat.ingest.base import (
    LoadContext,
    LoadedDocument,
    LoadedPart,
    LoadedPicture,
    Section,
    TextLine,
    TextRecogniser,
)
from mmchat.ingest.reading_order import join_lines
from mmchat.types import Box, Document

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

_MIN_CONFIDENCE = 0.7
"""A line that was read with less is noise more often than not."""
_MIN_LETTERS = 3
"""Letters that are worth a document of their own; digits alone say nothing."""
_MIN_SIDE = 24
"""Pixels below which no line of text fits in."""
_THREADS = 2
_GLANCE_PX = 512
_CELL_HEIGHT, _CELL_WIDTH = 8, 24
"""A cell is as large as three or four letters of small print in a picture of 512 px."""
_MIN_TEXT_CELLS = 4


def text_recogniser(config: IngestConfig) -> TextRecogniser | None:
    """Return what reads text in pictures; None where that is switched off.

    Its models are loaded when the first picture is read, so that it can be handed to another process.

    Raises:
        ConfigError: `ingest.ocr_model` is not a file.
    """
    if config.ocr == "off":
        return None
    if config.ocr_model and not Path(config.ocr_model).is_file():
        raise ConfigError(
            f"ingest.ocr_model = {config.ocr_model!r}: there is no such file. Give the path of an .onnx "
            "recognition model of PP-OCR, or leave the setting away."
        )
    return RapidTextRecogniser(config.ocr_model)


def with_text(parts: Iterable[LoadedPart], context: LoadContext) -> Iterator[LoadedPart]:
    """Add the text that is in the pictures of `parts`.

    What is read in an image file becomes the text of its document; what is read in a figure becomes a
    document of its own, named as the figure is.
    """
    if context.recogniser is None:
        yield from parts
        return
    titles: dict[str, str] = {}
    for part in parts:
        titles |= {d.document.path: d.document.title for d in part.documents}
        documents = {d.document.path: d for d in part.documents}
        for picture in part.pictures:
            text = _text_in(picture, context)
            if text:
                title = titles.get(picture.document, picture.document)
                documents[picture.name] = _document_of(picture, title, text)
        yield replace(part, documents=tuple(documents.values()))


def _text_in(picture: LoadedPicture, context: LoadContext) -> str:
    recogniser = context.recogniser
    if recogniser is None or picture.text_is_read or min(picture.image.size) < _MIN_SIDE:
        return ""
    if context.config.ocr == "auto" and not recogniser.may_hold_text(picture.image):
        return ""
    text = join_lines(recogniser.read(picture.image))
    return text if sum(c.isalpha() for c in text) >= _MIN_LETTERS else ""


def _document_of(picture: LoadedPicture, title: str, text: str) -> LoadedDocument:
    breadcrumb = tuple(dict.fromkeys(name for name in (title, picture.caption) if name))
    if picture.is_figure:
        title = picture.caption or (f"{title}, p. {picture.page}" if picture.page else title)
    section = Section(0, len(text), breadcrumb, picture.page)
    return LoadedDocument(Document(picture.name, title, text), (section,))


class RapidTextRecogniser:
    """Reads with rapidocr (PP-OCR through ONNX Runtime).

    Args:
        model: the path of another recognition model than the one in rapidocr's wheel. Where it does not
            carry its characters, they are read from the file of the same name that ends in `.txt`.
    """

    def __init__(self, model: str = "") -> None:
        self._model = model

    def may_hold_text(self, image: Image) -> bool:
        """Look for lines of strokes on a plain ground; 2 ms of one core.

        Print shows as a row of small cells that each have a ground (most of the pixels are near the
        median), strokes far from it, and a change between the two every few pixels. Leaves and fabric have
        no ground, edges of things have few strokes.
        """
        grey = image.convert("L").reduce(max(1, round(max(image.size) / _GLANCE_PX)))
        text = _text_cells(np.asarray(grey))
        in_a_row = text[:, 2:] & text[:, 1:-1] & text[:, :-2]
        return int(in_a_row.sum()) >= _MIN_TEXT_CELLS

    def read(self, image: Image) -> Sequence[TextLine]:
        """Return the lines of an RGB picture, those that were read with confidence."""
        width, height = image.size
        try:
            result = self._engine(np.asarray(image.convert("RGB"))[:, :, ::-1])
        except ConfigError:
            raise
        except Exception:
            # A picture whose text cannot be read is still a picture.
            _log.warning("Reading the text of a picture failed.", exc_info=True)
            return []
        texts = getattr(result, "txts", None)
        if not texts:  # nothing was found, or nothing could be made of it
            return []
        lines = []
        for corners, text, score in zip(result.boxes, texts, result.scores, strict=True):
            xs, ys = corners[:, 0] / width, corners[:, 1] / height
            box = Box(float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
            lines.append(TextLine(text.strip(), float(score), box))
        return [line for line in lines if _is_text(line)]

    @cached_property
    def _engine(self) -> Any:
        import rapidocr

        models = Path(rapidocr.__file__).parent / "models"
        threads = min(_THREADS, os.cpu_count() or 1)
        parameters: dict[str, Any] = {
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            # A named file is never fetched from anywhere.
            "Det.model_path": str(_carried(models, "det")),
            "Rec.model_path": self._model or str(_carried(models, "rec")),
            "Det.limit_type": "max",
            "Det.limit_side_len": 960,
            # Lines of one batch are padded to the longest: alone each is read faster, in less memory.
            "Rec.rec_batch_num": 1,
        }
        if self._model:
            parameters["Rec.rec_keys_path"] = _characters(Path(self._model))
        return rapidocr.RapidOCR(params=parameters)


def _carried(models: Path, kind: str) -> Path:
    found = sorted(models.glob(f"*_{kind}_*.onnx"))
    if not found:
        raise ConfigError(
            f"rapidocr carries no model in {models}. Install it again from a package index, or set "
            "ingest.ocr = off."
        )
    return found[-1]


def _characters(model: Path) -> str | None:
    """Return the file with the characters of a model; None where the model holds them itself."""
    import onnxruntime

    beside = model.with_suffix(".txt")
    if beside.is_file():
        return str(beside)
    try:
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ConfigError(
            f"ingest.ocr_model = {str(model)!r} is no model that ONNX Runtime reads ({error})."
        ) from error
    if "character" not in session.get_modelmeta().custom_metadata_map:
        raise ConfigError(
            f"{model} does not say which characters it reads. Put the list that belongs to it beside it, "
            f"as {beside.name}."
        )
    return None


def _is_text(line: TextLine) -> bool:
    """Tell a line of text from what a pattern or a logo was read as."""
    letters = sum(c.isalnum() for c in line.text)
    return (
        line.confidence >= _MIN_CONFIDENCE
        and letters >= 2
        and letters >= 0.5 * len(line.text.replace(" ", ""))
    )


def _text_cells(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which cells of a grey picture look like print, (rows, columns)."""
    rows, columns = grey.shape[0] // _CELL_HEIGHT, grey.shape[1] // _CELL_WIDTH
    cells = (
        grey[: rows * _CELL_HEIGHT, : columns * _CELL_WIDTH]
        .reshape(rows, _CELL_HEIGHT, columns, _CELL_WIDTH)
        .transpose(0, 2, 1, 3)
    )
    text = np.zeros((rows, columns), dtype=np.bool_)
    if not text.size:
        return text
    low, high = cells.min((2, 3)).astype(np.int16), cells.max((2, 3)).astype(np.int16)
    busy = np.nonzero(high - low >= 60)
    if not busy[0].size:
        return text
    pixels, contrast = cells[busy].astype(np.int16), (high - low)[busy]
    middle = ((high + low) // 2)[busy][:, None, None]
    ground = np.median(pixels, axis=(1, 2))[:, None, None]
    away = np.abs(pixels - ground)
    near = (away <= np.maximum(contrast * 0.15, 4)[:, None, None]).mean((1, 2))
    far = (away >= (contrast * 0.45)[:, None, None]).mean((1, 2))
    changes = (np.diff((pixels > middle).astype(np.int8), axis=2) != 0).sum(2)
    busiest = np.sort(changes, axis=1)[:, -3:].mean(1)
    text[busy] = (near >= 0.45) & (far >= 0.06) & (far <= 0.45) & (busiest >= 4)
    return text
