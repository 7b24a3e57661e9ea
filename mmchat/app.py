"""The composition root: the one place that names concrete encoders, stores and generators.

The command line, the pages, HTTP and Python all come through here, so that the same query gives the
same items in the same order everywhere.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mmchat.answering.assistant import AnswerPipeline
from mmchat.config import Config, EncoderConfig, load_config
from mmchat.errors import ConfigError, InputError, ModelError, StoreError
from mmchat.ingest.pipeline import Pipeline
from mmchat.models import ModelStore, catalogue
from mmchat.pictures import open_image
from mmchat.retrieval.retriever import Retriever
from mmchat.stores.local import LocalReader, LocalWriter, read_manifest
from mmchat.stores.manifest import EncoderRecord, Manifest, check_encoder
from mmchat.types import Answer, AnswerStream, Chunk, Document, Hit, ImageInput, IndexReport, Query

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmchat.answering.generators import Generator
    from mmchat.encoders.image import OpenClipEncoder
    from mmchat.encoders.lite import LiteModel
    from mmchat.encoders.text import SentenceEncoder
    from mmchat.ingest.pipeline import Progress as BuildProgress
    from mmchat.models import Progress as DownloadProgress

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
            self._lite() if name == DEFAULT_IMAGE else name,
            device=self._config.device,
            dtype=self._config.dtype,
            batch_size=self._config.batch_size,
        )

    def _lite(self) -> LiteModel:
        from mmchat.encoders.lite import LiteModel

        # Its text tower is the default text encoder: in memory once where that encodes the text too.
        shared = _named(self._config.text, DEFAULT_TEXT) == DEFAULT_TEXT
        return LiteModel(
            self._models.pull(_IMAGE_TOWER),
            self.text if shared else self._sentence_encoder(DEFAULT_TEXT),
            cache=self._models.home / "labels",
        )

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


class Index:
    """An index, open for searching. It follows rebuilds: a search always sees the newest content."""

    def __init__(self, path: Path, config: Config, models: ModelStore) -> None:
        self.path = path
        self.config = config
        reader = LocalReader(path)
        self.encoders = Encoders(_as_built(config.encoders, path), models)
        self._opening = threading.Lock()
        self._reader = self._checked(reader)

    def search(
        self, text: str = "", image: ImageInput | None = None, k: int | None = None
    ) -> list[Hit]:
        """Return the `k` best passages and pictures for words, a photo, or both, best first.

        Args:
            text: what is looked for.
            image: a photo, as a path, the bytes of a file, or a PIL image.
            k: how many hits; `retrieval.k` of the settings where it is not given.

        Raises:
            QueryError: nothing to search by, a photo that cannot be read, or k out of range.
        """
        opened = None if image is None else self.open_image(image)
        return self.retriever().search(
            Query(text=text, image=opened, k=self.config.retrieval.k if k is None else k)
        )

    def open_image(self, image: ImageInput) -> Image:
        """Decode a photo within the limits of the settings."""
        return open_image(image, self.config.ingest.max_megapixels)

    def retriever(self) -> Retriever:
        """Return what searches the newest generation of the index."""
        return Retriever(
            self._newest(), self.encoders.text, self.encoders.image, self.config.retrieval
        )

    def document(self, path: str) -> Document | None:
        """Return a document with its whole text, which the spans of sources point into."""
        return self._newest().document(path)

    @property
    def manifest(self) -> Manifest:
        """How the index was built."""
        return self._newest().manifest

    def _newest(self) -> LocalReader:
        with self._opening:
            if not self._reader.is_current:
                self._reader = self._checked(LocalReader(self.path))
            return self._reader

    def _checked(self, reader: LocalReader) -> LocalReader:
        text, image = self.encoders.records()
        folder = reader.manifest.source
        check_encoder("text", reader.manifest.text_encoder, text, folder)
        check_encoder("image", reader.manifest.image_encoder, image, folder)
        return reader


class _FreshRetriever:
    """Searches whatever generation is the newest when it is asked."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def search(self, query: Query) -> Sequence[Hit]:
        return self._index.retriever().search(query)

    def chunk(self, item: str) -> Chunk | None:
        return self._index.retriever().chunk(item)


class Assistant:
    """Answers questions from an index, with sources, and says so when they do not hold the answer."""

    def __init__(
        self,
        index: Index,
        *,
        config: Config | None = None,
        generator: Generator | None = None,
        download_progress: DownloadProgress | None = None,
    ) -> None:
        """Take an index.

        Args:
            index: what is answered from.
            config: the settings; those of the index where they are not given.
            generator: what writes; the one that `answers.generator` names where it is not given.
            download_progress: is told how far the fetching of a missing model is.

        Raises:
            ModelError: the generator cannot be had.
        """
        self.index = index
        self.config = config or index.config
        models = ModelStore(progress=download_progress)
        self._generator = generator or build_generator(self.config, models)
        self._pipeline = AnswerPipeline(
            _FreshRetriever(index), index.encoders.text, self._generator, self.config.answers
        )

    def ask(
        self, text: str = "", image: ImageInput | None = None, *, history: Sequence[str] = ()
    ) -> Answer:
        """Answer a question in words, about a photo, or both.

        Args:
            text: the question.
            image: a photo that it is about.
            history: what the same person asked before, oldest first.

        Raises:
            QueryError: there is neither a question nor a photo, or the photo cannot be read.
        """
        return self._pipeline.ask(text, self._opened(image), history=history)

    def stream(
        self, text: str = "", image: ImageInput | None = None, *, history: Sequence[str] = ()
    ) -> AnswerStream:
        """Answer piece by piece; the last piece carries the whole `Answer`. Close it to stop."""
        return self._pipeline.stream(text, self._opened(image), history=history)

    def warm_up(self) -> None:
        """Load what the first question would wait for: encoders, generator, its worked examples."""
        self.index.search("warm", k=1)
        self._pipeline.warm_up()

    def close(self) -> None:
        """Free the generator."""
        if self._generator is not None:
            self._generator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, image: ImageInput | None) -> Image | None:
        return None if image is None else self.index.open_image(image)


def build_index(
    folder: str | Path,
    out: str | Path,
    *,
    config: Config | None = None,
    rebuild: bool = False,
    progress: BuildProgress | None = None,
    download_progress: DownloadProgress | None = None,
) -> IndexReport:
    """Build the index of a folder, or bring it up to date; only what changed is read again.

    Args:
        folder: documents and pictures, with all folders below it.
        out: where the index is kept; it may lie inside of `folder`.
        config: the settings; `mmchat.toml`, the environment and defaults where not given.
        rebuild: keep nothing of an earlier index.
        progress: is told how far the build is.
        download_progress: is told how far the fetching of a missing model is.

    Raises:
        InputError: there is nothing in the folder that can be indexed; an earlier index stays as it was.
        IndexLocked: another process is writing the index.
        ModelError: an encoder cannot be had.
    """
    folder, out = Path(folder), Path(out)
    config = config or load_config()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}. Give the path of a folder with documents and pictures.")
    if out.resolve() == folder.resolve():
        raise InputError(f"{out} is the folder itself. Give an --out of its own for the index.")
    if folder.resolve().is_relative_to(out.resolve()):
        raise InputError(f"{folder} lies inside of {out}. Give an --out of its own for the index.")
    models = ModelStore(progress=download_progress)
    encoders = Encoders(_as_built(config.encoders, out), models)
    text, image = encoders.records()
    if config.ingest.chunk_tokens > encoders.text.max_tokens:
        raise ConfigError(
            f"ingest.chunk_tokens = {config.ingest.chunk_tokens}: the text encoder reads "
            f"{encoders.text.max_tokens} tokens of a passage, at most. Set it to that or less."
        )
    manifest = Manifest(text, image, asdict(config.ingest), source=folder.resolve().name)
    pipeline = Pipeline(encoders.text, encoders.image, config.ingest, progress)
    with LocalWriter(out, manifest, rebuild=rebuild) as writer:
        return pipeline.run(folder, writer, leave_out=out)


def open_index(
    path: str | Path,
    *,
    config: Config | None = None,
    download_progress: DownloadProgress | None = None,
) -> Index:
    """Open an index for searching.

    Raises:
        IndexNotFound: there is none at `path`.
        IndexMismatch: it was built with another version of mmchat, or with other encoders than the
            settings name or this machine has.
    """
    return Index(Path(path), config or load_config(), ModelStore(progress=download_progress))


def describe_index(path: Path) -> dict[str, Any]:
    """Return what `mmchat info` tells of an index, without loading a model."""
    manifest = read_manifest(path)
    values = asdict(manifest)
    reader = LocalReader(path)
    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return {
        "index": str(path),
        "generation": reader.generation.name,
        **{name: values[name] for name in ("source", "created", "documents", "chunks", "pictures")},
        "errors": manifest.errors,
        "text_encoder": manifest.text_encoder.fingerprint,
        "image_encoder": manifest.image_encoder.fingerprint,
        "vector_index": manifest.vector_index,
        "megabytes": round(size / 1e6, 1),
        "problems": [{"document": p.document, "reason": p.reason} for p in reader.problems()],
    }


def build_generator(config: Config, models: ModelStore) -> Generator | None:
    """Return the generator that the settings name; None for `none`, which quotes.

    Raises:
        ModelError: it cannot be had, or its file is damaged.
    """
    from mmchat.answering.generators import LlamaCppGenerator, TransformersGenerator
    from mmchat.encoders.runtime import ensure_torchvision

    answers, name = config.answers, config.answers.generator
    if name == "none":
        return None
    entry = catalogue().get(name)
    if entry is not None and entry.role != "generator":
        raise ModelError(
            f"answers.generator = '{name}': that model is of the role {entry.role}. Expected one of "
            + ", ".join(e.name for e in catalogue().values() if e.role == "generator")
            + ", a .gguf file, a transformers folder or hub id, or none."
        )
    path = models.pull(name) if entry is not None else Path(name)
    if path.suffix.lower() == ".gguf":
        return LlamaCppGenerator(
            path,
            threads=answers.threads,
            context_tokens=answers.context_tokens,
            temperature=answers.temperature,
        )
    ensure_torchvision()  # transformers imports it where it is installed
    return TransformersGenerator(
        name,
        device=config.encoders.device,
        dtype=config.encoders.dtype,
        context_tokens=answers.context_tokens,
        temperature=answers.temperature,
    )


def _as_built(config: EncoderConfig, path: Path) -> EncoderConfig:
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
