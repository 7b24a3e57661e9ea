"""Measure how fast folders become indexes, against plain loops over the same models in the same run.

    python scripts/bench/ingest.py [--only text,images] [--data ../shared/data] [--json]
                                   [--passages N] [--paragraphs N] [--pictures N] [--repeats N]

text    passages embedded and indexed a second, over sentence-transformers' `encode` (float32, batch 32) and
        a flat FAISS index; and the share of the ten nearest passages that both find (overlap@10).
images  pictures a second, from the file on, over PIL, open_clip's preprocessing and `encode_image`, one by
        one and in batches of 32; and the lowest cosine of the two vectors of a picture.

Both ways take turns on one slice of the items after the other, and of each slice the best time counts:
other work on the machine only ever adds time.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from mmchat.encoders.image import ModelSource, OpenClipEncoder, OpenClipParts
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


def take_turns(
    ways: Sequence[Callable[[Any], Vectors]], slices: Sequence[Any], repeats: int
) -> tuple[list[float], list[Vectors]]:
    """Let the ways take turns; return the seconds that each needs for all slices, and its vectors."""
    seconds = [0.0] * len(ways)
    vectors: list[list[Vectors]] = [[] for _ in ways]
    for items in slices:
        best = [float("inf")] * len(ways)
        for turn in range(repeats):
            for place, way in enumerate(ways):
                started = time.perf_counter()
                made = way(items)
                best[place] = min(best[place], time.perf_counter() - started)
                if not turn:
                    vectors[place].append(made)
        seconds = [total + part for total, part in zip(seconds, best, strict=True)]
    return seconds, [np.concatenate(made) for made in vectors]


def dealt(items: Sequence[str]) -> list[list[str]]:
    """Deal out the batches that sentence-transformers makes of all items, so that its padding stays."""
    ordered = sorted(items, key=len, reverse=True)
    batches = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    count = max(1, len(batches) // 6)
    return [list(itertools.chain(*batches[start::count])) for start in range(count)]


def nearest_of(questions: Vectors, passages: Vectors) -> NDArray[np.int64]:
    """Return the places of the nearest passages, (questions, 10)."""
    places: NDArray[np.int64] = np.argsort(-(questions @ passages.T), axis=1)[:, :NEAREST]
    return places


def measure_text(name: str, texts: Texts, repeats: int) -> Row:
    """Compare one encoder with sentence-transformers on one set."""
    ensure_torchvision()
    import faiss
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

    slices = dealt(texts.passages)
    # What is loaded when it is first used is loaded before the clock starts.
    ours.encode_passages(slices[0][:BATCH])
    encode(slices[0][:BATCH], ours.prompts.passage)
    plain_index, our_index = (faiss.IndexFlatIP(ours.dimension) for _ in range(2))

    def index_plainly(items: list[str]) -> Vectors:
        vectors = encode(items, ours.prompts.passage)
        plain_index.add(vectors)
        return vectors

    def index_ours(items: list[str]) -> Vectors:
        vectors = ours.encode_passages(items)
        our_index.add(vectors)
        return vectors

    seconds, made = take_turns([index_plainly, index_ours], slices, repeats)
    nearest = (
        nearest_of(encode(texts.questions, ours.prompts.query), made[0]),
        nearest_of(ours.encode_queries(texts.questions), made[1]),
    )
    shared = [len(set(a) & set(b)) / NEAREST for a, b in zip(*nearest, strict=True)]
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
    middle = None
    unrelated = -1.0

    def load(self, device: torch.device, dtype: torch.dtype) -> OpenClipParts:
        """Build the model."""
        import open_clip

        model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32", device=device)
        model.eval()
        return OpenClipParts(model, preprocess, open_clip.get_tokenizer("ViT-B-32"), dtype)

    def encode_texts(self, texts: Sequence[str]) -> None:
        """Leave it to the model."""

    def from_query_vectors(self, encoder: object, vectors: Vectors) -> None:
        """Leave it to the model."""


def plain_lite(source: LiteModel) -> OpenClipParts:
    """Build mmchat-lite as open_clip and timm build a model, without what makes it faster."""
    import torch

    with mock.patch("mmchat.encoders.lite.fold_batch_norms"):
        parts = source.load(torch.device("cpu"), torch.float32)
    parts.model.visual.to(memory_format=torch.contiguous_format)
    return parts


def our_pictures(encoder: OpenClipEncoder, paths: Sequence[Path]) -> Vectors:
    """Encode pictures by mmchat; they are decoded in the threads that crop them."""
    from PIL import Image

    return encoder.encode_images([Image.open(path) for path in paths])


def plain_pictures(parts: OpenClipParts, paths: Sequence[Path], *, batch: int) -> Vectors:
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

    found = [
        path
        for folder in ("grocery/photos", "apparel")
        for path in spread(sorted((data / folder).rglob("*.jpg")), pictures // 2)
    ]
    count = max(1, len(found) // BATCH)
    store = ModelStore()
    text = SentenceEncoder(store.pull(ENCODERS[0]), name=ENCODERS[0], device="cpu")
    lite = LiteModel(store.pull("efficientnet-lite2"), text)
    vit = RandomWeights().load(torch.device("cpu"), torch.float32)
    models: list[tuple[str, ModelSource, OpenClipParts]] = [
        ("mmchat-lite", lite, plain_lite(lite)),
        ("ViT-B-32, random", RandomWeights(), vit),
    ]
    for name, source, parts in models:
        torch.manual_seed(0)
        ours = OpenClipEncoder(source, device="cpu", dtype="float32")
        if source is not lite:
            ours.parts.model.load_state_dict(parts.model.state_dict())
        ways: list[Callable[[list[Path]], Vectors]] = [
            functools.partial(plain_pictures, parts, batch=1),
            functools.partial(plain_pictures, parts, batch=BATCH),
            functools.partial(our_pictures, ours),
        ]
        take_turns(ways, [found[:2]], 1)
        slices = [found[start::count] for start in range(count)]
        seconds, (plain, _, vectors) = take_turns(ways, slices, repeats)
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
    parser.add_argument("--passages", type=int, default=384, help="of epqa")
    parser.add_argument("--paragraphs", type=int, default=64, help="of KorQuAD")
    parser.add_argument("--pictures", type=int, default=64)
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
