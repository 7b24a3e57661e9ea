"""The nouns of WordNet 3.0, as Debian's package wordnet-base lays them out (data.noun, index.noun)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOOD, ARTIFACT = 13, 6
"""Two of WordNet's lexicographer files: food, and things that people made."""


@dataclass(frozen=True)
class Synset:
    """A meaning."""

    id: str
    """Its offset in data.noun, eight digits."""
    file: int
    """The lexicographer file."""
    words: tuple[str, ...]
    """The words that have this meaning, the most usual first."""


def read_nouns(folder: Path) -> dict[str, Synset]:
    """Return the nouns by id.

    The layout is told by WordNet's own manual page wndb(5WN): an offset, a file number, `n`, the number
    of words in hexadecimal, then each word with a number; lines of the licence begin with two spaces.
    """
    nouns = {}
    for line in (folder / "data.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            continue
        offset, file, _, count, *rest = line.split(" ")
        words = rest[: 2 * int(count, 16) : 2]
        nouns[offset] = Synset(offset, int(file), tuple(word.replace("_", " ") for word in words))
    return nouns


def first_meanings(folder: Path) -> dict[str, str]:
    """Return the id of the most usual meaning of each noun, in lower case."""
    meanings = {}
    for line in (folder / "index.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            continue
        word, _, count, pointers, *rest = line.split(" ")
        # After the pointers: the number of meanings again, how many are tagged, and the offsets.
        meanings[word.replace("_", " ")] = rest[int(pointers) + 2]
        assert int(count) >= 1
    return meanings
