"""An index, open for searching."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmchat.app.encoders import Encoders, as_built
from mmchat.config import Config, load_config
from mmchat.filters import Where, as_filter
from mmchat.models import ModelStore
from mmchat.pictures import open_image
from mmchat.retrieval.calibration import Calibration
from mmchat.retrieval.rerank import CrossEncoderReranker
from mmchat.retrieval.retriever import Retriever
from mmchat.stores.local import LocalReader, read_manifest
from mmchat.stores.manifest import Manifest, check_encoder
from mmchat.types import Document, Hit, ImageInput, Query, Tag

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmchat.models import Progress as DownloadProgress


class Index:
    """An index, open for searching. It follows rebuilds: a search always sees the newest content."""

    def __init__(self, path: Path, config: Config, models: ModelStore) -> None:
        self.path = path
        self.config = config
        reader = LocalReader(path)
        self.encoders = Encoders(as_built(config.encoders, path), models)
        self._opening = threading.Lock()
        self._reader = self._checked(reader)
        self._calibration = Calibration(self.encoders.text, self.encoders.image)
        self._tagger = self.encoders.tagger(config.tags)
        self._reranker = _named_reranker(config)

    def search(  # noqa: PLR0913 - as many as a query has sides; all but three are named
        self,
        text: str = "",
        image: ImageInput | None = None,
        k: int | None = None,
        *,
        where: Where | None = None,
        like: str = "",
        plus: Sequence[str] = (),
        minus: Sequence[str] = (),
        explain: bool = False,
    ) -> list[Hit]:
        """Return the `k` best passages and pictures for words, a photo, or both, best first.

        Args:
            text: what is looked for.
            image: a photo, as a path, the bytes of a file, or a PIL image.
            k: how many hits; `retrieval.k` of the settings where it is not given.
            where: which items may be found: a filter such as `mmchat.Range("price", high=50)`, or a
                mapping such as `{"price": {"lt": 50}, "colour": ["red", "blue"]}`; see `mmchat.filters`.
            like: the id of an item (`Hit.item`): more like this one, which is not among the hits itself.
            plus: what it should be more of, such as "blue".
            minus: what it should be less of, such as "leather".
            explain: whether hits tell which words of the query their passages have.

        Raises:
            QueryError: nothing to search by, a photo that cannot be read, k out of range, no item of the
                id `like`, or a filter on a field that no document has.
        """
        query = Query(
            text=text,
            image=None if image is None else self.open_image(image),
            k=self.config.retrieval.k if k is None else k,
            where=None if where is None else as_filter(where),
            like=like,
            plus=tuple(plus),
            minus=tuple(minus),
            explain=explain,
        )
        return self.retriever().search(query)

    def looks_like(self, image: ImageInput) -> Tag | None:
        """Return what a photo probably shows, in one of the names of the index; None where none is sure.

        Raises:
            QueryError: the photo cannot be read.
        """
        naming = self._newest().naming()
        vector = self.encoders.image.encode_images([self.open_image(image)])
        return self._tagger.name(vector, naming)[0]

    def open_image(self, image: ImageInput) -> Image:
        """Decode a photo within the limits of the settings."""
        return open_image(image, self.config.ingest.max_megapixels)

    def retriever(self) -> Retriever:
        """Return what searches the newest generation of the index."""
        return Retriever(
            self._newest(),
            self.encoders.text,
            self.encoders.image,
            self.config.retrieval,
            calibration=self._calibration,
            reranker=self._reranker,
        )

    def document(self, path: str) -> Document | None:
        """Return a document with its whole text, which the spans of sources point into."""
        return self._newest().document(path)

    def documents_in(self, folder: str) -> list[Document]:
        """Return the documents below a folder, such as `answers`, by path."""
        return self._newest().documents_in(folder)

    def reader(self) -> LocalReader:
        """Return the newest generation, for what looks through the index and does not search."""
        return self._newest()

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


def _named_reranker(config: Config) -> CrossEncoderReranker | None:
    if not config.retrieval.reranker:
        return None
    from mmchat.encoders.runtime import ensure_torchvision, pick_device

    ensure_torchvision()  # transformers imports it where it is installed
    device = str(pick_device(config.encoders.device))
    return CrossEncoderReranker(config.retrieval.reranker, device=device)


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
        "text_vectors": f"{manifest.text_vectors.kind} ({manifest.text_vectors.reason})",
        "image_vectors": f"{manifest.image_vectors.kind} ({manifest.image_vectors.reason})",
        "megabytes": round(size / 1e6, 1),
        "problems": [{"document": p.document, "reason": p.reason} for p in reader.problems()],
    }
