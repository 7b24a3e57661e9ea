"""The words that BM25 counts: the same for a passage and for a query.

English words are lower-cased, freed of accents and stemmed (Porter's "English" stemmer of the Snowball
project). Korean is written without spaces between a noun and its particle ("아스파라거스는"), so that whole
words seldom match: each run of Hangul becomes its overlapping pairs of syllables instead, a long-standing
baseline of Korean retrieval (Lee & Ahn, 1996, "Using n-grams for Korean text retrieval", SIGIR). People
put spaces differently ("지명수배 된", "지명수배된"), so that the pair across a space counts too. Or a word
becomes its morphemes, for which an analyser with a model of 90 MB has to be installed.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache
from typing import Any

from mmchat.errors import MissingExtra

PAIRS = "pairs"
_HANGUL = "\uac00-\ud7a3"
_TOKEN = re.compile(rf"[{_HANGUL}]+|[^\W_{_HANGUL}]+")
# Hangul goes on across spaces: what stands before a word tells what it is.
_STRETCH = re.compile(rf"[{_HANGUL}]+(?:[^\w{_HANGUL}]+[{_HANGUL}]+)*|[^\W_{_HANGUL}]+")
_ACCENT = re.compile("[\u0300-\u036f]")
_LONGEST = 64
"""Characters of a word that are kept: more is a hash, or noise."""

# Function words say nothing about what a passage is about, and BM25's inverse document frequency
# does not see that in a small collection: in 30 pages "how" can be rarer than "kettle".
STOP_WORDS = frozenset(
    (
        "a about am an and are as at be but by can could did do does for from had has have how i if in "
        "into is it its may me my of on or our please shall should so tell than that the their them "
        "then there these they this those to us was we were what when where which who whom whose why "
        "will with would you your"
    ).split()
)
MAX_QUERY_WORDS = 64

_local = threading.local()


class WordSplitter:
    """Splits passages and queries of one index into words, both in the same way.

    Args:
        korean: `pairs` of syllables, or `morphemes` as kiwipiepy finds them.

    Raises:
        MissingExtra: `morphemes` are wanted and kiwipiepy is not installed.
    """

    def __init__(self, korean: str = PAIRS) -> None:
        self._split_korean = _pairs if korean == PAIRS else Morphemes().split

    def indexed(self, text: str) -> list[str]:
        """Return the words of a passage in order, as they are counted."""
        text = unicodedata.normalize("NFKC", text).lower()
        words: list[str] = []
        for match in _STRETCH.finditer(text):
            stretch = match[0]
            words += self._split_korean(stretch) if _is_hangul(stretch) else [_stem(stretch)]
        return words

    def query(self, text: str) -> list[str]:
        """Return the distinct words that a query looks for: no function words, `MAX_QUERY_WORDS` at most."""
        wanted = " ".join(token for token in _tokens(text) if token not in STOP_WORDS)
        return list(dict.fromkeys(self.indexed(wanted)))[:MAX_QUERY_WORDS]

    def matched(self, query: str, passage: str) -> tuple[str, ...]:
        """Return the words of a query, as they are written in it, that a passage has.

        A Korean word counts where the passage has at least half of its parts: the particle at its end
        differs.
        """
        known = set(self.indexed(passage))
        parts = {t: set(self.indexed(t)) for t in _tokens(query) if t not in STOP_WORDS}
        return tuple(t for t, own in parts.items() if own and 2 * len(known & own) >= len(own))


class Morphemes:
    """Korean words by their morphemes, without particles and endings (kiwipiepy, an extra)."""

    # Nouns, verbs, adjectives, modifiers and roots: what a text is about.
    _CONTENT = ("N", "V", "M", "XR")

    def __init__(self) -> None:
        try:
            from kiwipiepy import Kiwi
        except ImportError as error:
            raise MissingExtra(
                "Korean words by morphemes (ingest.korean_words = 'morphemes') need kiwipiepy, which is not "
                "installed. Install it with `pip install 'mmchat[korean]'`, or build the index with "
                "ingest.korean_words = 'pairs'."
            ) from error
        self._kiwi = Kiwi(num_workers=1)
        self._lock = threading.Lock()

    def split(self, stretch: str) -> list[str]:
        """Return the morphemes of Hangul with spaces in it that carry a meaning."""
        with self._lock:
            tokens = self._kiwi.tokenize(stretch)
        found = [t.form for t in tokens if t.tag.startswith(self._CONTENT)]
        # An exclamation or a particle alone is still a word that somebody asks for.
        return found or _TOKEN.findall(stretch)


def _pairs(stretch: str) -> list[str]:
    """Return the pairs of syllables of Hangul with spaces in it; a syllable that stands alone is a word."""
    words: list[str] = []
    before = ""
    for word in _TOKEN.findall(stretch):
        if before:
            words.append(before[-1] + word[0])
        words += [word[i : i + 2] for i in range(len(word) - 1)] or [word]
        before = word
    return words


def _is_hangul(token: str) -> bool:
    return "\uac00" <= token[0] <= "\ud7a3"


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


# A language has few words that are frequent, and most of a text is made of them.
@lru_cache(maxsize=100_000)
def _stem(token: str) -> str:
    if not token.isascii():
        token = _ACCENT.sub("", unicodedata.normalize("NFKD", token))
        # What other scripts put above a letter is part of it.
        token = unicodedata.normalize("NFC", token)
    stem: str = _stemmer().stemWord(token[:_LONGEST])
    return stem


def _stemmer() -> Any:
    """Return this thread's stemmer: it is not made for two at once."""
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        import Stemmer

        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return stemmer
