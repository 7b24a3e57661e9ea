"""Measure searching in collections of several sizes: figures, not tests.

    python scripts/bench/search.py [--sizes 1200 100000 1000000] [--pictures 0] [--keep FOLDER] [--json]

Each collection is written straight into a store: texts of made-up words that are as frequent as words are
(Zipf's law), and vectors between those that the default text encoder gives to such texts. Then a whole
search (`Index.search`: encoding, meaning, words, fusing, reading the passages) and plain ones take turns on
the same queries: FAISS's IndexFlatIP behind the same weights in sentence-transformers and float32, and behind
the encoder that the whole search has.
Where others use the machine too, the ratio of processor time is the steadier one.

Building and memory are measured in processes of their own. A million takes some minutes and 4 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mmchat
from mmchat.app.encoders import Encoders
from mmchat.encoders.runtime import ensure_torchvision
from mmchat.models import ModelStore
from mmchat.stores.base import SourcePart, Vectors
from mmchat.stores.local import LocalReader
from mmchat.stores.manifest import Manifest
from mmchat.stores.writing import LocalWriter
from mmchat.types import Chunk, Document, Link, Picture

VOCABULARY = 60_000
WORDS_IN_A_CHUNK = (60, 140)
WORDS_IN_A_QUERY = 8
QUERIES = 40
# Words of these ranks say nothing: a query of a person has few of them.
FUNCTION_WORDS = 60
CENTRES = 500
AT_ONCE = 5_000
K = 10


class Texts:
    """Makes texts whose words are as frequent as Zipf's law (in Mandelbrot's form) has it."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        syllables = [c + v for c in "bcdfghklmnprstvwz" for v in "aeiou"]
        made: dict[str, None] = {}
        while len(made) < VOCABULARY:
            made["".join(random.choice(syllables, random.integers(2, 5)))] = None
        self.words = np.array(list(made))
        frequency = 1 / (np.arange(VOCABULARY) + 2.7) ** 1.07
        self._cumulated = np.cumsum(frequency / frequency.sum())

    def draw(self, random: np.random.Generator, words: int) -> NDArray[np.intp]:
        """Return the ranks of so many words."""
        return np.minimum(np.searchsorted(self._cumulated, random.random(words)), VOCABULARY - 1)

    def chunk(self, random: np.random.Generator) -> str:
        """Return the text of a passage."""
        return " ".join(self.words[self.draw(random, int(random.integers(*WORDS_IN_A_CHUNK)))])

    def queries(self, count: int, seed: int) -> list[str]:
        """Return queries of words that occur together, without those that are in every text."""
        random = np.random.default_rng(seed)
        queries = []
        for _ in range(count):
            words = np.unique(self.draw(random, WORDS_IN_A_CHUNK[1]))
            chosen = random.permutation(words[words >= FUNCTION_WORDS])[:WORDS_IN_A_QUERY]
            queries.append(" ".join(self.words[chosen]))
        return queries


def vectors_between(centres: Vectors, random: np.random.Generator, count: int) -> Vectors:
    """Return unit vectors that lie between two of the centres, with some noise: (count, dimension)."""
    one, other = (centres[random.integers(0, len(centres), count)] for _ in range(2))
    share = random.random((count, 1), dtype=np.float32)
    spread = float(np.linalg.norm(centres - centres.mean(axis=0), axis=1).mean())
    noise = random.normal(size=one.shape).astype(np.float32) * spread / (2 * one.shape[1] ** 0.5)
    vectors = share * one + (1 - share) * other + noise
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def batches(centres: Vectors, count: int) -> Iterator[tuple[list[str], Vectors]]:
    """Yield the texts and the vectors of a collection, the same ones every time."""
    texts, random = Texts(), np.random.default_rng(1)
    for start in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - start)
        made = [texts.chunk(random) for _ in range(size)]
        yield made, vectors_between(centres, random, size)


def encoders() -> Encoders:
    return Encoders(mmchat.Config().encoders, ModelStore())


def build(path: Path, centres: Vectors, chunks: int, pictures: int) -> dict[str, float]:
    """Write an index; return seconds, and megabytes that were needed beyond the models."""
    text, image = encoders().records()
    before = peak_megabytes()
    started = time.perf_counter()
    number = 0
    with LocalWriter(path, Manifest(text, image, {}, source="made up"), rebuild=True) as writer:
        for texts, vectors in batches(centres, chunks):
            parts = []
            for made in texts:
                name = f"{number % 100}/{number}.txt"
                document = Document(name, f"Text {number}", made, {"number": number})
                parts.append(
                    SourcePart(
                        name,
                        str(number),
                        (document,),
                        (Chunk(f"c{number}", name, 0, made, 0, len(made)),),
                    )
                )
                number += 1
            writer.add(parts, vectors, np.zeros((0, image.dimension), np.float32))
        add_pictures(writer, pictures, image.dimension)
        links = [Link(f"p{n}", f"c{n}", 0) for n in range(min(pictures, chunks))]
        writer.set_links(links, {})
        writer.commit()
    return {
        "build_seconds": round(time.perf_counter() - started, 1),
        "build_megabytes": round(peak_megabytes() - before),
        "disk_megabytes": round(sum(p.stat().st_size for p in path.rglob("*")) / 1e6),
    }


def add_pictures(writer: LocalWriter, count: int, dimension: int) -> None:
    random = np.random.default_rng(2)
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        parts = []
        for n in numbers:
            name = f"{n}.jpg"
            picture = Picture(f"p{n}", name, name, "media/x", "thumbs/x", 4, 3)
            parts.append(SourcePart(name, str(n), (Document(name, name, ""),), pictures=(picture,)))
        vectors = random.normal(size=(len(parts), dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        writer.add(parts, np.zeros((0, 384), np.float32), vectors)


def memory(path: Path) -> dict[str, float]:
    """Open an index and search; return resident megabytes with the models, and what the index added."""
    index = mmchat.open_index(path, config=mmchat.Config())
    texts = Texts().queries(QUERIES, seed=3)
    index.encoders.text.encode_queries(texts[:8])
    if index.manifest.pictures:
        index.encoders.image.encode_texts(texts[:1])
    before = resident_megabytes()
    for text in texts:
        index.search(text, k=K)
    return {
        "resident_megabytes": round(resident_megabytes()),
        "resident_megabytes_of_the_search": round(resident_megabytes() - before),
    }


def compare(path: Path, centres: Vectors, chunks: int) -> dict[str, Any]:
    """Let whole searches and plain ones take turns; return their times and the recall."""
    ensure_torchvision()
    import faiss
    from sentence_transformers import SentenceTransformer

    index = mmchat.open_index(path, config=mmchat.Config())
    encoder = index.encoders.text
    model = SentenceTransformer(str(encoder.folder), local_files_only=True)
    flat: Any = faiss.IndexFlatIP(encoder.dimension)
    for _, vectors in batches_of_vectors(centres, chunks):
        flat.add(vectors)
    queries = Texts().queries(QUERIES, seed=4)

    def plain(text: str) -> Any:
        vector = model.encode([encoder.prompts.query + text], normalize_embeddings=True)
        return flat.search(vector, K)

    def same_encoder(text: str) -> Any:
        return flat.search(encoder.encode_queries([text]), K)

    def whole(text: str) -> Any:
        return index.search(text, k=K)

    times = interleaved([plain, same_encoder, whole], queries)
    work = interleaved([plain, same_encoder, whole], queries, time.process_time)
    asked = encoder.encode_queries(queries)
    _, exact = flat.search(asked, K)
    reader = LocalReader(path)
    found = [{int(s.item[1:]) for s in reader.search_text(vector, K)} for vector in asked]
    hits = sum(len(set(e) & f) for e, f in zip(exact.tolist(), found, strict=True))
    return {
        "index": index.manifest.text_vectors.kind,
        **quantiles("plain", times[0]),
        **quantiles("same_encoder", times[1]),
        **quantiles("search", times[2]),
        "ratio_p50": ratio(times[2], times[0]),
        "ratio_p50_same_encoder": ratio(times[2], times[1]),
        "ratio_p50_of_processor_time": ratio(work[2], work[0]),
        "ratio_p50_of_processor_time_same_encoder": ratio(work[2], work[1]),
        "recall_at_10": round(hits / exact.size, 4),
        **parts_of(reader, queries, asked),
    }


def batches_of_vectors(centres: Vectors, count: int) -> Iterator[tuple[None, Vectors]]:
    """Yield the vectors of `batches` without keeping the texts."""
    for _, vectors in batches(centres, count):
        yield None, vectors


def parts_of(reader: LocalReader, queries: Sequence[str], asked: Vectors) -> dict[str, float]:
    """Return what the channels of the store take by themselves, at the depth of a search."""
    depth = mmchat.Config().retrieval.depth
    vectors = dict(zip(queries, asked, strict=True))
    dense, words = interleaved(
        [lambda q: reader.search_text(vectors[q], depth), lambda q: reader.search_words(q, depth)],
        queries,
    )
    return quantiles("dense_channel", dense) | quantiles("bm25_channel", words)


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    return round(statistics.median(times) / statistics.median(others), 2)


def interleaved(
    functions: Sequence[Callable[[str], Any]],
    queries: Sequence[str],
    clock: Callable[[], float] = time.perf_counter,
) -> list[list[float]]:
    """Return the milliseconds of each function on each query, taking turns, after one round unmeasured."""
    times: list[list[float]] = [[] for _ in functions]
    for measured in (False, True):
        for query in queries:
            for function, own in zip(functions, times, strict=True):
                started = clock()
                function(query)
                if measured:
                    own.append(1e3 * (clock() - started))
    return times


def quantiles(name: str, times: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": round(statistics.median(times), 2),
        f"{name}_p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
    }


def peak_megabytes() -> float:
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def resident_megabytes() -> float:
    """Return the memory that the process holds now, with the files that are mapped into it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_megabytes()
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def in_own_process(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


def main() -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_200, 100_000, 1_000_000])
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep the indexes here, and use what is there")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--step", nargs=3, metavar=("STEP", "INDEX", "CENTRES"), help="internal")
    arguments = parser.parse_args()
    if arguments.step:
        step, path, centres = arguments.step[0], *map(Path, arguments.step[1:])
        size = arguments.sizes[0]
        steps: dict[str, Callable[[], dict[str, Any]]] = {
            "build": lambda: build(path, np.load(centres), size, arguments.pictures),
            "memory": lambda: memory(path),
            "compare": lambda: compare(path, np.load(centres), size),
        }
        print(json.dumps(steps[step]()))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        centres = folder / "centres.npy"
        if not centres.exists():
            np.save(centres, encoders().text.encode_queries(Texts().queries(CENTRES, seed=5)))
        for size in arguments.sizes:
            index = folder / f"{size}-{arguments.pictures}"
            options = ("--sizes", size, "--pictures", arguments.pictures)
            figures: dict[str, Any] = {"chunks": size, "pictures": arguments.pictures}
            for step in ("build", "memory", "compare"):
                if step != "build" or not index.exists():
                    figures |= in_own_process("--step", step, index, centres, *options)
            print(json.dumps(figures) if arguments.json else as_table(figures), flush=True)


def as_table(figures: dict[str, Any]) -> str:
    return "\n".join(f"{name:42}{value:>14}" for name, value in figures.items()) + "\n"


if __name__ == "__main__":
    main()
