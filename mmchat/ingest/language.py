"""Tell the owner what the language of a folder asks for.

An encoder cuts words into the pieces that its training text had. Of a language that it never learnt it
knows single letters at best: its vectors of such a text say next to nothing, and nobody is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mmchat.sentences import is_korean

LettersPerToken = Callable[[str], float]
"""Text to the number of its letters that a token stands for on average; unknown tokens stand for none."""

_LETTER = re.compile(r"[^\W\d_]")
# Hangul and the scripts of Chinese and Japanese: a letter is a syllable or a word.
_WIDE = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_LATIN_END = "\u024f"
# multilingual-e5-small has 1.2 to 1.4 letters a token in Korean and Japanese, and 2 to 3 in Russian, Thai and
# Arabic; all-MiniLM-L6-v2, which was trained on English, 0.4 to 0.9 and 0 to 1.1.
_LEAST_WIDE, _LEAST = 1.0, 1.5
_SAMPLE = 200
_WORTH_TELLING = 0.1
"""The share of the passages from which on the owner is told."""


class ScriptCheck:
    """Looks at passages on their way to the encoder."""

    def __init__(self, letters_per_token: LettersPerToken, *, korean_words: str = "") -> None:
        self._letters_per_token = letters_per_token
        self._korean_words = korean_words
        self._korean = 0
        self._passages = 0
        self._other_scripts = 0
        self._tried = 0
        self._unknown = 0

    def look(self, passages: Sequence[str]) -> None:
        """Count passages that are not in the Latin alphabet, and try how the encoder cuts some of them."""
        self._passages += len(passages)
        self._korean += sum(map(is_korean, passages))
        for passage in passages:
            letters = _LETTER.findall(passage)
            others = [letter for letter in letters if letter > _LATIN_END]
            if not letters or len(others) < len(letters) / 2:
                continue
            self._other_scripts += 1
            if self._tried < _SAMPLE:
                self._tried += 1
                wide = len(_WIDE.findall(passage)) > len(others) / 2
                least = _LEAST_WIDE if wide else _LEAST
                self._unknown += self._letters_per_token(passage) < least

    @property
    def notes(self) -> list[str]:
        """What the owner should be told."""
        return [note for note in (self.warning, self._about_korean()) if note]

    def _about_korean(self) -> str:
        share = self._korean / max(1, self._passages)
        if share < _WORTH_TELLING or self._korean_words != "pairs":
            return ""
        return (
            f"{share:.0%} of the passages are in Korean. Their words are compared by pairs of syllables; to "
            "compare morphemes, run `pip install 'mmchat[korean]'` and set ingest.korean_words = 'morphemes'."
        )

    @property
    def warning(self) -> str:
        """What the owner should be told; empty where the encoder knows what it reads."""
        if not self._tried:
            return ""
        share = self._other_scripts / self._passages * self._unknown / self._tried
        if share < _WORTH_TELLING:
            return ""
        return (
            f"{share:.0%} of the passages are in a script that the text encoder does not know: it reads "
            "them letter by letter, and searches by meaning will not find them. Set encoders.text to a model "
            "of their language, such as 'multilingual-e5-small', and build again with --rebuild."
        )
