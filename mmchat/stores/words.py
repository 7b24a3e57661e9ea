"""The words that BM25 counts: the same for a passage and for a query.

English words are lower-cased here and stemmed by FTS5's Porter tokenizer. Korean is written without
spaces between a noun and its particle ("아스파라거스는"), so that whole words seldom match: each run
of Hangul becomes its overlapping pairs of syllables instead, a long-standing baseline of Korean
retrieval (Lee & Ahn, 1996, "Using n-grams for Korean text retrieval", SIGIR).
"""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"[\uac00-\ud7a3]+|[^\W\uac00-\ud7a3]+")
_HANGUL_RUN = re.compile(r"[\uac00-\ud7a3]+")

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


def indexed_words(text: str) -> str:
    """Return the words of a passage, joined by spaces, as they go into the full-text index."""
    return " ".join(_words(text))


def match_expression(text: str) -> str:
    """Return the FTS5 query that finds passages with any of the words of `text`.

    Each word is a quoted string, so that operators, quotes and control characters in a question are
    only words. Returns an empty string where nothing is left to look for.
    """
    words = [word for word in _words(text) if word not in STOP_WORDS]
    distinct = list(dict.fromkeys(words))[:MAX_QUERY_WORDS]
    return " OR ".join(f'"{word}"' for word in distinct)


def _words(text: str) -> list[str]:
    words: list[str] = []
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", text).lower()):
        if _HANGUL_RUN.fullmatch(token) and len(token) > 1:
            words.extend(token[i : i + 2] for i in range(len(token) - 1))
        else:
            words.append(token)
    return words
