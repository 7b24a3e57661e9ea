"""A Korean question over English and Korean passages."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from support import SmallIndex, WordsEncoder

from mmchat.everyday import ENGLISH, EVERYDAY, KOREAN
from mmchat.retrieval.languages import language_of, languages_of, means
from mmchat.stores.base import Vectors
from mmchat.types import Query


class TwoLanguages(WordsEncoder):
    """Knows some Korean words as their English ones, and puts texts near others of their language."""

    fingerprint = "two-languages-1"
    english: ClassVar = {"주전자": "kettle", "세척": "clean", "토스터": "toaster", "무게": "weight"}

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._of(text) for text in texts])

    def _of(self, text: str) -> Vectors:
        meant = " ".join(self.english.get(word, word) for word in text.split())
        vector = self._vector(meant)
        # More than any word says: the last two places are those of the languages.
        vector[-2:] = (3.0, 0.0) if language_of(text) == "ko" else (0.0, 3.0)
        return vector / np.linalg.norm(vector)


@pytest.fixture
def shop(small_index: SmallIndex, write: Callable[..., Path]) -> SmallIndex:
    small_index.text = TwoLanguages()
    for number in range(6):
        folder = write(f"ko/{number}.txt", f"배송은 {number + 2}일 걸립니다. 선물 카드도 있습니다.")
    write("kettle.txt", "clean the kettle with vinegar")
    folder = write("toaster.txt", "the toaster has a weight of two kilos")
    small_index.build(folder)
    return small_index


@pytest.mark.parametrize(
    ("question", "document"), [("주전자 세척", "kettle.txt"), ("토스터 무게", "toaster.txt")]
)
def test_a_korean_question_finds_the_english_passage(
    shop: SmallIndex, question: str, document: str
):
    assert shop.retriever().search(Query(question, k=3))[0].document == document
    vector = shop.text.encode_queries([question])[0]
    nearest = shop.reader().search_text(vector, 6)
    documents = {c.document for c in shop.reader().chunks([s.item for s in nearest]).values()}
    assert document not in documents, "the language did not matter, so that nothing is tested"


def test_an_english_question_keeps_to_english(shop: SmallIndex):
    hits = shop.retriever().search(Query("clean the kettle", k=1))
    assert hits[0].document == "kettle.txt"


def test_a_korean_question_finds_the_korean_passage_that_has_its_words(shop: SmallIndex):
    hits = shop.retriever().search(Query("선물 카드도 있습니다", k=3))
    assert all(hit.document.startswith("ko/") for hit in hits)


def test_languages_are_told_by_their_letters():
    assert language_of("빨간 주전자 USB") == "ko"
    assert language_of("1.7 l, 2,200 W") == "en"
    assert language_of("やかん") == language_of("12:30") == ""
    assert languages_of(["a kettle"] * 99 + ["주전자"]) == {"en"}
    assert languages_of(["a kettle"] * 9 + ["주전자", "12"]) == {"en", "ko"}
    assert languages_of([]) == frozenset()


def test_the_mean_of_a_language_is_that_of_its_sentences():
    vectors = np.arange(len(EVERYDAY) * 2, dtype=np.float32).reshape(-1, 2)
    found = means(vectors)
    assert np.allclose(found["en"], vectors[: len(ENGLISH)].mean(0))
    assert np.allclose(found["ko"], vectors[-len(KOREAN) :].mean(0))
