"""Questions in one language over passages in several.

A multilingual encoder puts a text near others of its language, whatever they say: in a shop with an English
catalogue and a Korean FAQ, every page of the FAQ stands before the right product for a Korean question.
What a language adds to all of its texts is nearly one vector, the mean of texts that have nothing else in
common (Yang, Yang, Cer & Darve, "A simple and effective method to eliminate the self language bias in
multilingual representations", EMNLP 2021). Without it a question is as near to a passage as
their subjects are, and no passage is near to every question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmchat.everyday import ENGLISH, EVERYDAY, KOREAN
from mmchat.sentences import is_korean
from mmchat.stores.base import Vectors

_LEAST_SHARE = 0.02
"""The share of the passages from which on a language counts."""
_SENTENCES: Mapping[str, Sequence[str]] = {"en": ENGLISH, "ko": KOREAN}


def language_of(text: str) -> str:
    """Return "ko", "en" (the Latin alphabet, whatever the language), or nothing for all others."""
    if is_korean(text):
        return "ko"
    letters = [character for character in text if character.isalpha()]
    latin = sum(letter < "\u0250" for letter in letters)
    return "en" if latin > len(letters) / 2 else ""


def languages_of(passages: Sequence[str]) -> frozenset[str]:
    """Return the languages that a noticeable share of passages is in."""
    found = [language_of(passage) for passage in passages]
    return frozenset(
        name for name in found if name and found.count(name) >= _LEAST_SHARE * len(found)
    )


def means(sentences: Vectors) -> dict[str, Vectors]:
    """Return what each language adds to its texts, (dimension,).

    Args:
        sentences: the vectors of the everyday sentences, (sentences, dimension).
    """
    vectors = dict(zip(EVERYDAY, sentences, strict=True))
    return {
        name: np.mean([vectors[sentence] for sentence in known], axis=0)
        for name, known in _SENTENCES.items()
    }
