"""The words that BM25 counts: the same for a passage and for a query.

English words are lower-cased, freed of accents and stemmed (Porter's "English" stemmer of the Snowball
project). Korean is written without spaces between a noun and its particle ("아스파라거스는"), so that whole
words seldom match: each run of Hangul becomes its overlapping pairs of syllables instead, a long-standing
baseline of Korean retrieval (Lee & Ahn, 1996, "Using n-grams for Korean text retrieval", SIGIR). People
put spaces differently ("지명수배 된", "지명수배된"), so that the pair across a space counts too.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

_HANGUL = "\uac00-\ud7a3"
_TOKEN = re.compile(rf"[{_HANGUL}]+|[^\W_{_HANGUL}]+")
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


def indexed_words(text: str) -> list[str]:
    """Return the words of a passage in order, as they are counted."""
    return list(_with_pairs_between(_tokens(text)))


def query_words(text: str) -> list[str]:
    """Return the distinct words that a query looks for: no function words, `MAX_QUERY_WORDS` at most."""
    tokens = [token for token in _tokens(text) if token not in STOP_WORDS]
    return list(dict.fromkeys(_with_pairs_between(tokens)))[:MAX_QUERY_WORDS]


def matched_tokens(query: str, passage: str) -> tuple[str, ...]:
    """Return the words of a query, as they are written in it, that a passage has.

    A Korean word counts where the passage has at least half of its pairs of syllables: the particle at
    its end differs.
    """
    known = set(indexed_words(passage))
    tokens = dict.fromkeys(token for token in _tokens(query) if token not in STOP_WORDS)
    return tuple(t for t in tokens if 2 * len(known & {*_words_of(t)}) >= len({*_words_of(t)}))


def _with_pairs_between(tokens: Iterable[str]) -> Iterator[str]:
    before = ""
    for token in tokens:
        if before and _is_hangul(token):
            yield before[-1] + token[0]
        yield from _words_of(token)
        before = token if _is_hangul(token) else ""


def _is_hangul(token: str) -> bool:
    return "\uac00" <= token[0] <= "\ud7a3"


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


# A language has few words that are frequent, and most of a text is made of them.
@lru_cache(maxsize=100_000)
def _words_of(token: str) -> tuple[str, ...]:
    if _is_hangul(token):
        return tuple(token[i : i + 2] for i in range(len(token) - 1)) or (token,)
    if not token.isascii():
        token = _ACCENT.sub("", unicodedata.normalize("NFKD", token))
        # What other scripts put above a letter is part of it.
        token = unicodedata.normalize("NFC", token)
    return (_stemmer().stemWord(token[:_LONGEST]),)


def _stemmer() -> Any:
    """Return this thread's stemmer: it is not made for two at once."""
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        import Stemmer

        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return stemmer
