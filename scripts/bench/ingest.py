"""Measure how fast folders become indexes, against plain loops over the same models in the same run.

    python scripts/bench/ingest.py [--only text,images] [--data ../shared/data] [--json]
                                   [--passages N] [--paragraphs N] [--pictures N] [--repeats N]

text    passages embedded and indexed a second, over sentence-transformers' `encode` (float32, batch 32) and
        a flat FAISS index; and the share of the ten nearest passages that both find (overlap@10).
images  pictures a second, from the file on, over PIL, open_clip's preprocessing and `encode_image`, one by
        one and in batches of 32; and the lowest cosine of the two vectors of a picture.

Both ways take turns, and the best time of each counts: other work on the machine only ever adds time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from mmchat.encoders.image import OpenClipEncoder, OpenClipParts
from mmchat.encoders.lite import LiteModel
from mmchat.encoders.runtime import ensure_torchvision, unit_rows
from mmchat.encoders.text import SentenceEncoder
from mmchat.models import ModelStore

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).parents[2]
ENCODERS = ("multilingual-e5-small", "all-minilm-l6-v2")
BATCH = 32
NEAREST = 10

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Texts:
    """A set of passages and the questions that are asked of it."""

    name: str
    passages: list[str]
    questions: list[str]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    over: str
    items: int
    plain_per_second: float
    per_second: float
    ratio: float
    agreement: float
    """overlap@10 of texts, the lowest cosine of pictures."""


def spread(items: Sequence[Any], count: int) -> list[Any]:
    """Return up to `count` of the items, from all over."""
    return list(items[:: max(1, len(items) // count)][:count])


def read_texts(data: Path, passages: int, paragraphs: int) -> Iterator[Texts]:
    """Yield epqa (English, short) and KorQuAD (Korean, whole paragraphs)."""
    epqa = [
        [json.loads(line)["text"] for line in (data / "epqa" / name).open(encoding="utf-8")]
        for name in ("corpus.jsonl", "queries.jsonl")
    ]
    yield Texts("epqa", spread(epqa[0], passages), spread(epqa[1], 200))
    articles = json.loads((data / "korquad" / "KorQuAD_v1.0_dev.json").read_bytes())["data"]
    found = spread([p for article in articles for p in article["paragraphs"]], paragraphs)
    yield Texts("korquad", [p["context"] for p in found], [p["qas"][0]["question"] for p in found])


def take_turns(ways: Sequence[Callable[[], Any]], repeats: int) -> tuple[list[float], list[Any]]:
    """Run each way, then each again; return the best seconds and the last result of each."""
    seconds, results = [float("inf")] * len(ways), [None] * len(ways)
    for _ in range(repeats):
        for place, way in enumerate(ways):
            started = time.perf_counter()
            results[place] = way()
            seconds[place] = min(seconds[place], time.perf_counter() - started)
    return seconds, results


def indexed(vectors: Vectors) -> Any:
    """Put vectors into a flat FAISS index."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def measure_text(name: str, texts: Texts, repeats: int) -> Row:
    """Compare one encoder with sentence-transformers on one set."""
    ensure_torchvision()
    import torch
    from sentence_transformers import SentenceTransformer

    folder = ModelStore().pull(name)
    ours = SentenceEncoder(folder, name=name, device="cpu")
    plain = SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32}
    )

    def encode(items: list[str], prompt: str) -> Vectors:
        vectors: Vectors = plain.encode(
            items, batch_size=BATCH, prompt=prompt, normalize_embeddings=True
        )
        return vectors

    # What is loaded when it is first used is loaded before the clock starts.
    ours.encode_passages(texts.passages[:BATCH])
    encode(texts.passages[:BATCH], ours.prompts.passage)
    seconds, indexes = take_turns(
        [
            lambda: indexed(encode(texts.passages, ours.prompts.passage)),
            lambda: indexed(ours.encode_passages(texts.passages)),
        ],
        repeats,
    )
    _, wanted = indexes[0].search(encode(texts.questions, ours.prompts.query), NEAREST)
    _, found = indexes[1].search(ours.encode_queries(texts.questions), NEAREST)
    shared = [len(set(a) & set(b)) / NEAREST for a, b in zip(wanted, found, strict=True)]
    return row(f"{name}, {texts.name}", "encode", len(texts.passages), seconds, np.mean(shared))


def row(what: str, over: str, items: int, seconds: Sequence[float], agreement: Any) -> Row:
    """Make a line of the table from the seconds of the plain way and of ours."""
    plain, ours = seconds
    rates = round(items / plain, 1), round(items / ours, 1)
    return Row(what, over, items, *rates, round(plain / ours, 2), round(float(agreement), 4))


class RandomWeights:
    """ViT-B-32 with random weights: a source for `OpenClipEncoder` that needs no download."""

    fingerprint = "ViT-B-32-random"
    dimension = 512

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        """Build the model."""
        import open_clip

        model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32", device=device)
        model.eval()
        return OpenClipParts(model, preprocess, open_clip.get_tokenizer("ViT-B-32"), dtype)

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> None:
        """Nothing: the model brings its own text tower."""


def plain_lite(source: LiteModel) -> OpenClipParts:
    """Build mmchat-lite as open_clip and timm build a model, without what makes it faster."""
    import torch

    with mock.patch("mmchat.encoders.lite.fold_batch_norms"):
        parts = source.load(torch.device("cpu"), torch.float32)
    parts.model.visual.to(memory_format=torch.contiguous_format)
    return parts


def plain_pictures(parts: OpenClipParts, paths: Sequence[Path], batch: int) -> Vectors:
    """Encode pictures as the README of open_clip does."""
    import torch
    from PIL import Image

    rows = []
    with torch.inference_mode():
        for start in range(0, len(paths), batch):
            chosen = paths[start : start + batch]
            pixels = torch.stack([parts.preprocess(Image.open(path)) for path in chosen])
            rows.append(parts.model.encode_image(pixels).numpy())
    return unit_rows(np.concatenate(rows))


def measure_images(data: Path, pictures: int, repeats: int) -> Iterator[Row]:
    """Compare the encoder of pictures with plain loops, for mmchat-lite and for ViT-B-32."""
    ensure_torchvision()
    import torch
    from PIL import Image

    found = [
        path
        for folder in ("grocery/photos", "apparel")
        for path in spread(sorted((data / folder).rglob("*.jpg")), pictures // 2)
    ]
    store = ModelStore()
    text = SentenceEncoder(store.pull(ENCODERS[0]), name=ENCODERS[0], device="cpu")
    lite = LiteModel(store.pull("efficientnet-lite2"), text, cache=store.home / "labels")
    vit = RandomWeights().load(torch.device("cpu"), torch.float32)
    models: list[tuple[str, Any, Any]] = [
        ("mmchat-lite", lite, plain_lite(lite)),
        ("ViT-B-32, random", RandomWeights(), vit),
    ]
    for name, source, parts in models:
        torch.manual_seed(0)
        ours = OpenClipEncoder(source, device="cpu", dtype="float32")
        if source is not lite:
            ours.parts.model.load_state_dict(parts.model.state_dict())
        for paths in (found[:8], found):
            seconds, (plain, _, vectors) = take_turns(
                [
                    lambda: plain_pictures(parts, paths, 1),  # noqa: B023 (called at once)
                    lambda: plain_pictures(parts, paths, BATCH),  # noqa: B023
                    lambda: ours.encode_images([Image.open(path) for path in paths]),  # noqa: B023
                ],
                repeats,
            )
        cosine = (plain * vectors).sum(axis=1).min()
        yield row(name, "one by one", len(found), (seconds[0], seconds[2]), cosine)
        yield row(name, f"batches of {BATCH}", len(found), (seconds[1], seconds[2]), cosine)


def run(arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield the lines of the sections that were asked for."""
    if "text" in arguments.only:
        for texts in read_texts(arguments.data, arguments.passages, arguments.paragraphs):
            for name in ENCODERS:
                yield measure_text(name, texts, arguments.repeats)
    if "images" in arguments.only:
        yield from measure_images(arguments.data, arguments.pictures, arguments.repeats)


def main() -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", type=lambda names: names.split(","), default=["text", "images"])
    parser.add_argument("--passages", type=int, default=800, help="of epqa")
    parser.add_argument("--paragraphs", type=int, default=120, help="of KorQuAD")
    parser.add_argument("--pictures", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    if not arguments.json:
        print(f"{'':33}{'over':>15}{'items':>7}{'plain/s':>9}{'ours/s':>8}{'ratio':>7}{'agree':>8}")
    for found in run(arguments):
        rows.append(asdict(found))
        if not arguments.json:
            print(
                f"{found.what:33}{found.over:>15}{found.items:>7}{found.plain_per_second:>9}"
                f"{found.per_second:>8}{found.ratio:>7}{found.agreement:>8}",
                flush=True,
            )
    if arguments.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
