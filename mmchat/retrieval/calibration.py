"""What scores mean: how near things are that have nothing to do with each other.

A cosine of 0.8 is far for one encoder and near for another, and among a million pictures one is always a
little like anything. Two backgrounds tell what a score is worth:

- of an encoder: how near everyday sentences are to each other and to a question;
- of a collection, for passages and for pictures: how well the best item matches an everyday sentence. What
  matches a question no better is probably not what was meant, however many items there are. This is the
  distribution of the best score under chance (as in Manmatha, Rath & Feng, "Modeling score distributions
  for combining the outputs of search engines", SIGIR 2001, with the background measured, not assumed), and
  it lets passages and pictures stand in one list.
"""

from __future__ import annotations

import functools
import math
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmchat.everyday import EVERYDAY
from mmchat.retrieval.base import ImageEncoder, TextEncoder
from mmchat.retrieval.languages import language_of, languages_of, means
from mmchat.stores.base import Reader, Vectors

# A collection in which everyday sentences all match alike would make the least difference decisive.
_LEAST_SPREAD_OF_COSINES = 0.03
_LEAST_SPREAD_OF_BLENDS = 0.5
_SAMPLE = 256


@dataclass(frozen=True, slots=True)
class Chance:
    """The best scores that everyday sentences reach in a collection."""

    median: float
    spread: float

    @classmethod
    def of(cls, best: Sequence[float], least_spread: float) -> Chance:
        """Measure it from the best score of each sentence.

        The median, because one of the sentences may be what a collection is about.
        """
        if not best:
            return cls(0.0, 1.0)
        return cls(float(np.median(best)), max(float(np.std(best)), least_spread))

    def surprise(self, score: float) -> float:
        """Return how far a score is above chance, in standard deviations."""
        return (score - self.median) / self.spread


def confidence(surprise: float) -> float:
    """Return a surprise as a number from 0 to 1, with chance at a half."""
    return 1.0 / (1.0 + math.exp(-max(min(surprise / 2, 30.0), -30.0)))


@dataclass(frozen=True, slots=True)
class _Backgrounds:
    passages: Chance
    pictures: Chance


class Calibration:
    """The backgrounds of an encoder and of the collections that are searched with it.

    Everything is measured when it is first needed, and remembered. Safe to use from several threads.
    """

    def __init__(self, text_encoder: TextEncoder, image_encoder: ImageEncoder) -> None:
        self._text_encoder = text_encoder
        self._image_encoder = image_encoder
        self._lock = threading.RLock()
        self._known: weakref.WeakKeyDictionary[Reader, _Backgrounds] = weakref.WeakKeyDictionary()
        self._languages: weakref.WeakKeyDictionary[Reader, frozenset[str]] = (
            weakref.WeakKeyDictionary()
        )

    def afresh(self) -> Calibration:
        """Return one of the same encoders for other settings: what they make of chance is another.

        The everyday sentences are encoded once for both.
        """
        other = Calibration(self._text_encoder, self._image_encoder)
        other.sentences = self.sentences
        other.picture_sentences = self.picture_sentences
        return other

    @functools.cached_property
    def sentences(self) -> Vectors:
        """The vectors of everyday sentences as questions: (sentences, dimension)."""
        with self._lock:
            return self._text_encoder.encode_queries(EVERYDAY)

    @functools.cached_property
    def picture_sentences(self) -> Vectors:
        """The same in the image space."""
        return words_as_pictures(self._image_encoder, self._text_encoder, EVERYDAY, self.sentences)

    @functools.cached_property
    def spread(self) -> float:
        """The standard deviation of the cosines of two everyday sentences."""
        cosines = self.sentences @ self.sentences.T
        return max(float(cosines[~np.eye(len(cosines), dtype=bool)].std()), 1e-3)

    def background(self, vector: Vectors) -> float:
        """Return the mean cosine of a question, of shape (dimension,), with everyday sentences."""
        cosines = np.sort(self.sentences @ vector)
        # A question that is an everyday sentence itself is not its own background.
        return float(cosines[:-1].mean())

    def has_several_languages(self, reader: Reader) -> bool:
        """Tell whether the passages of a store are in more than one of the languages that are known."""
        with self._lock:
            if reader not in self._languages:
                self._languages[reader] = languages_of(reader.sample(_SAMPLE))
            return len(self._languages[reader]) > 1

    def subject(self, reader: Reader, text: str, vector: Vectors) -> Vectors:
        """Return the vector of a question without what its language adds to it.

        Only in a store of several languages: within one, what all of its texts share orders nothing but
        short texts before long ones, and costs more than it brings (docs/quality.md).

        Args:
            reader: the store.
            text: the question.
            vector: of it, (dimension,).

        Returns:
            (dimension,), not of length one.
        """
        several = self.has_several_languages(reader)
        added = self._language_means.get(language_of(text)) if several else None
        return vector if added is None else vector - added

    @functools.cached_property
    def _language_means(self) -> dict[str, Vectors]:
        return means(self.sentences)

    def of_passages(self, reader: Reader, best: Callable[[str, Vectors], float | None]) -> Chance:
        """Return the background of the passages of a store.

        Args:
            reader: the store.
            best: gives the best fused score for a question and its vector.
        """
        return self._of(reader, best).passages

    def of_pictures(self, reader: Reader, best: Callable[[str, Vectors], float | None]) -> Chance:
        """Return the background of the pictures of a store; `best` as in `of_passages`."""
        return self._of(reader, best).pictures

    def _of(self, reader: Reader, best: Callable[[str, Vectors], float | None]) -> _Backgrounds:
        with self._lock:
            if reader not in self._known:
                scores = [best(t, v) for t, v in zip(EVERYDAY, self.sentences, strict=True)]
                passages = Chance.of([s for s in scores if s is not None], _LEAST_SPREAD_OF_BLENDS)
                self._known[reader] = _Backgrounds(passages, self._pictures(reader))
            return self._known[reader]

    def _pictures(self, reader: Reader) -> Chance:
        found = (
            [reader.search_images(vector, 1) for vector in self.picture_sentences]
            if reader.has_pictures
            else []
        )
        return Chance.of([f[0].score for f in found if f], _LEAST_SPREAD_OF_COSINES)


def words_as_pictures(
    image_encoder: ImageEncoder,
    text_encoder: TextEncoder,
    texts: Sequence[str],
    vectors: Vectors,
) -> Vectors:
    """Return words in the image space, of shape (texts, dimension of it).

    Args:
        image_encoder: of that space.
        text_encoder: what made `vectors`.
        texts: the words.
        vectors: of `texts`; used where the text encoder is also the text tower of the image model.
    """
    turned = image_encoder.from_query_vectors(text_encoder, vectors)
    return image_encoder.encode_texts(texts) if turned is None else turned
