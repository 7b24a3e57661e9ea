"""Where retrieval stands on the text sets, channel by channel and beside others: figures, not tests.

    python scripts/bench/retrieval.py [--work FOLDER] [--sets epqa …] [--others] [--every-question] [--json]

One default configuration for all sets. Each row of a corpus is a document; nDCG@10 and hit@1 are over the
whole pool. `--others` measures txtai's hybrid and LlamaIndex's default with the same weights, where they are
installed (`pip install txtai llama-index-core`, best in an environment of their own beside mmchat).
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from text_sets import DATA, SETS, Bench, dataset

from mmchat.config import RetrievalConfig
from mmchat.dataset import read_corpus
from mmchat.encoders.runtime import ensure_torchvision
from mmchat.evaluation import Searcher, measure
from mmchat.measures import Estimate, estimate, paired_test
from mmchat.stores.base import Vectors
from mmchat.types import Hit

DIRECTION = "text→text"
METRICS = ("ndcg@10", "hit@1")
_DEPTH = 10


class Rankings:
    """Rankings of documents by question, as the evaluation asks for them."""

    def __init__(self, of_text: Mapping[str, Sequence[str]]) -> None:
        self._of_text = of_text

    def search(
        self, text: str = "", image: Any = None, k: int | None = None, *, where: Any = None
    ) -> Sequence[Hit]:
        """Return the ranking of a question."""
        return [
            Hit(place, 1 / place, "chunk", document, document, None, "", None, {})
            for place, document in enumerate(self._of_text[text], start=1)
        ]


def vectors_of_rows(bench: Bench) -> tuple[list[str], list[str], Vectors]:
    """Return ids, texts and vectors of whole rows, as those encode them who do not cut them."""
    rows = list(read_corpus(bench.folder))
    texts = [row.text for row in rows]
    return [row.id for row in rows], texts, bench.index.encoders.text.encode_passages(texts)


def txtai_hybrid(bench: Bench) -> Searcher:
    """Return txtai's hybrid search: BM25 and vectors, normalised and averaged, its defaults."""
    ensure_torchvision()  # transformers imports it where it is installed
    from txtai import Embeddings

    ids, texts, vectors = vectors_of_rows(bench)
    asked = [q.text for q in bench.questions]
    known = dict(zip(texts, vectors, strict=True))
    known |= dict(zip(asked, bench.encoder.encode_queries(asked), strict=True))
    embeddings = Embeddings(
        method="external",
        transform=lambda batch: np.stack([known[text] for text in batch]),
        hybrid=True,
    )
    embeddings.index((i, text, None) for i, text in zip(ids, texts, strict=True))
    found = embeddings.batchsearch(asked, _DEPTH)
    return Rankings(
        {text: [item for item, _ in hits] for text, hits in zip(asked, found, strict=True)}
    )


def llama_index_default(bench: Bench) -> Searcher:
    """Return LlamaIndex's VectorStoreIndex with its default splitter and retriever."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.embeddings import BaseEmbedding

    encoder, questions = bench.index.encoders.text, bench.encoder

    class SameWeights(BaseEmbedding):  # type: ignore[misc]
        """The encoder of the bench."""

        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(x) for x in questions.encode_queries([query])[0]]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            rows: list[list[float]] = encoder.encode_passages(texts).tolist()
            return rows

    documents = [
        Document(text=row.text, doc_id=row.id)
        for row in read_corpus(bench.folder)
        if row.text.strip()
    ]
    index = VectorStoreIndex.from_documents(documents, embed_model=SameWeights())
    # More than ten, because several pieces may be of one document.
    retriever = index.as_retriever(similarity_top_k=3 * _DEPTH)
    found = {}
    for question in bench.questions:
        nodes = retriever.retrieve(question.text)
        found[question.text] = list(dict.fromkeys(n.node.ref_doc_id for n in nodes))
    return Rankings(found)


def systems(bench: Bench, others: bool) -> dict[str, Callable[[], Searcher]]:
    """Return what is measured, by name."""
    default = bench.index.config.retrieval
    settings = {
        "bm25": RetrievalConfig(weight_dense=0),
        "dense": RetrievalConfig(weight_bm25=0),
        "mmchat": default,
    }
    found: dict[str, Callable[[], Searcher]] = {
        name: functools.partial(bench.searcher, chosen) for name, chosen in settings.items()
    }
    if others:
        for name, library, build in (
            ("txtai hybrid", "txtai", txtai_hybrid),
            ("LlamaIndex default", "llama_index", llama_index_default),
        ):
            if importlib.util.find_spec(library) is None:
                print(f"{name} is not measured: {library} is not installed.")
            else:
                found[name] = functools.partial(build, bench)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, help="keep datasets and indexes here")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--encoder", default="multilingual-e5-small")
    parser.add_argument("--others", action="store_true")
    parser.add_argument(
        "--every-question", action="store_true", help="all of korquad, in place of 300"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        for name in arguments.sets:
            folder = dataset(name, work, arguments.data, every_question=arguments.every_question)
            bench = Bench(folder, work, arguments.encoder)
            figures[name] = measured(bench, arguments.others, quiet=arguments.json)
    if arguments.json:
        print(json.dumps(figures, indent=2, ensure_ascii=False))


def measured(bench: Bench, others: bool, *, quiet: bool) -> dict[str, dict[str, float]]:
    """Return the metrics of every system on a set."""
    values = {
        name: measure(build(), bench.questions) for name, build in systems(bench, others).items()
    }
    figures: dict[str, dict[str, float]] = {}
    ours = values["mmchat"][DIRECTION]["ndcg@10"]
    for name, results in values.items():
        means: dict[str, Estimate] = {m: estimate(results[DIRECTION][m]) for m in METRICS}
        p = paired_test(results[DIRECTION]["ndcg@10"], ours)
        figures[name] = {m: round(e.value, 4) for m, e in means.items()} | {"p": round(p, 4)}
        if not quiet:
            cells = "  ".join(
                f"{m} {e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" for m, e in means.items()
            )
            against = "" if name == "mmchat" else f"  against mmchat p = {p:.4f}"
            print(f"{bench.name:12}{name:20}{cells}{against}", flush=True)
    return figures


if __name__ == "__main__":
    main()
