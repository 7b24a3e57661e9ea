"""The word half of the heads: what words mean in terms of the labels that the image tower knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lite_training.wordnet import ARTIFACT, FOOD, first_meanings, read_nouns
from mmchat.encoders.heads import FREQUENCIES, wave_inputs
from mmchat.encoders.runtime import Vectors, unit_rows

TEMPLATE = "a photo of {}"
"""In a phrase, a text encoder goes by the meaning of a word; alone, more by its letters."""
NOUNS = 7000
KOREAN_WEIGHT = 3
"""How often each Korean name counts: there are half as many as English words."""
RIDGE = 0.1

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class Vocabulary:
    """Words that are learnt from."""

    english: Sequence[str]
    korean: Sequence[tuple[str, str]]
    """A Korean name and the English one."""


@dataclass(frozen=True)
class WordHead:
    """The arrays of `mmchat.encoders.heads.Heads` that are fitted to words."""

    labels: Vectors
    words_centre: Vectors
    frequencies: Vectors
    phases: Vectors
    words_map: Vectors


def vocabulary(wordnet: Path, labels: Sequence[str], seed: int) -> Vocabulary:
    """Return the labels, foods and things of WordNet in their most usual meaning, and emoji names."""
    nouns, meanings = read_nouns(wordnet), first_meanings(wordnet)
    found: dict[int, list[str]] = {FOOD: [], ARTIFACT: []}
    for synset in nouns.values():
        for word in synset.words[:2]:
            plain = word.lower()
            if synset.file in found and meanings.get(plain) == synset.id and plain.count(" ") < 2:
                found[synset.file].append(plain)
    things = np.random.default_rng(seed).permutation(np.array(sorted(set(found[ARTIFACT]))))
    korean = korean_names()
    words = [label.lower() for label in labels] + found[FOOD] + things.tolist()
    english = list(dict.fromkeys(words))[:NOUNS]
    return Vocabulary(list(dict.fromkeys([*english, *(name for _, name in korean)])), korean)


def korean_names() -> list[tuple[str, str]]:
    """Return the Korean and the English name of each emoji, from Unicode's CLDR (package emoji)."""
    import emoji

    emoji.config.load_language(["en", "ko"])
    named = []
    for entry in emoji.EMOJI_DATA.values():
        korean, english = (_plain(entry.get(language, "")) for language in ("ko", "en"))
        # Skin tones, flags and people have names with a colon or "man" in them; things do not.
        if korean and english and ":" not in english and entry["status"] == 2:
            named.append((korean, english.lower()))
    return list(dict.fromkeys(named))


def _plain(name: str) -> str:
    return name.strip(":").replace("_", " ")


def fit_words(
    words: Vocabulary, labels: Sequence[str], encode: Encode, seed: int
) -> tuple[WordHead, Vectors]:
    """Fit the map from a word's own vector to that of the word in `TEMPLATE`, in English.

    It is ridge regression on the vector and on random waves of it, which stand for a Gaussian kernel
    (Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", 2007).

    Args:
        words: what to learn from.
        labels: the labels of the image tower, in the order of its classes.
        encode: returns unit vectors of texts, as the encoder makes them of queries.
        seed: of the waves.

    Returns:
        the head, and what it makes of the English words (n, aligned).
    """
    phrases = encode([TEMPLATE.format(word) for word in words.english])
    named = encode([TEMPLATE.format(label) for label in labels])
    middle = named.mean(axis=0)
    meanings = unit_rows(phrases - middle)
    place = {word: row for row, word in enumerate(words.english)}
    pairs = [pair for pair in words.korean if pair[1] in place]
    english = encode(list(words.english))
    inputs, wanted = [english], [meanings]
    if pairs:
        inputs += [encode([korean for korean, _ in pairs])] * KOREAN_WEIGHT
        wanted += [meanings[[place[name] for _, name in pairs]]] * KOREAN_WEIGHT
    centre = encode(list(labels)).mean(axis=0)
    random = np.random.default_rng(seed)
    # Rounded as the file will hold them, so that the map is fitted to the waves that will be used.
    rounded = random.normal(size=(FREQUENCIES, len(centre))).astype(np.float16)
    frequencies: Vectors = rounded.astype(np.float32)
    phases = random.uniform(0, 2 * np.pi, FREQUENCIES).astype(np.float32)
    waves = wave_inputs(np.concatenate(inputs), centre, frequencies, phases).astype(np.float64)
    square = waves.T @ waves + RIDGE * np.eye(waves.shape[1])
    words_map = np.linalg.solve(square, waves.T @ np.concatenate(wanted)).astype(np.float32)
    head = WordHead(unit_rows(named - middle), centre, frequencies, phases, words_map)
    return head, unit_rows(wave_inputs(english, centre, frequencies, phases) @ words_map)
