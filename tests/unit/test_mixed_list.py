"""Passages and pictures in one list: neither kind crowds the other out."""

import numpy as np
import pytest
from support import SmallIndex

from mmchat.stores.base import SourcePart
from mmchat.types import Chunk, Document, Picture, Query


def _other_items(shop: SmallIndex, chunks: int, pictures: int) -> None:
    """Add items that have nothing to do with the shop, straight into the store."""
    random = np.random.default_rng(0)
    words = [f"unrelated{i}" for i in range(300)] + ["the", "a", "with", "is"]
    texts = [" ".join(random.choice(words, 12)) for _ in range(chunks)]
    part = SourcePart(
        "others",
        "hash",
        tuple(Document(f"others#{i}", f"Other {i}", t) for i, t in enumerate(texts)),
        tuple(Chunk(f"x{i}", f"others#{i}", 0, t, 0, len(t)) for i, t in enumerate(texts)),
    )
    names = [f"z{i}.png" for i in range(pictures)]
    seen = SourcePart(
        "photos",
        "hash",
        tuple(Document(name, name, "") for name in names),
        (),
        tuple(Picture(f"z{i}", n, n, "", "", 9, 9) for i, n in enumerate(names)),
    )
    # Colours of all kinds, also near those that are asked for.
    rows = np.abs(random.normal(size=(pictures, shop.images.dimension))).astype(np.float32)
    rows[:, -1] = 0.01
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with shop.writer() as writer:
        writer.add([part, seen], shop.text.encode_passages(texts), rows)
        writer.commit()


@pytest.mark.parametrize(("chunks", "pictures"), [(0, 10_000), (10_000, 0)])
def test_ten_thousand_others_push_no_right_answer_out(shop: SmallIndex, chunks: int, pictures: int):
    questions = {
        "How heavy is the toaster, two kilos?": "toaster.md",
        "Clean the blender with a cloth": "blender.md",
        "What does delivery cost, five euros?": "delivery.md",
        "The kettle weighs two kilos": "pictures/kettle.png",
    }
    if chunks:
        questions["blue"] = "pictures/blender.png"
    for question, document in questions.items():
        assert document in {h.document for h in shop.retriever().search(Query(question, k=5))}
    _other_items(shop, chunks, pictures)
    for question, document in questions.items():
        found = [h.document for h in shop.retriever().search(Query(question, k=5))]
        assert document in found, question
