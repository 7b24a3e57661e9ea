"""The product in focus, and where a question names it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmchat.answering.words import content_words
from mmchat.types import Exchange, Source

_WORD = re.compile(r"[\w’'-]+")
_ATTRIBUTES = frozenset(
    "black white red blue green yellow orange pink purple grey gray brown silver gold beige cream mint teal "
    "rose navy charcoal mustard sand burgundy turquoise small smaller large larger big bigger mini medium "
    "cheap cheaper old older new newer other second first steel brushed dark light".split()
)
_MEASURE = re.compile(r"\b\d+(?:[.,]\d+)?\s*(?:[a-zA-Z%°²³]{1,4}|리터|인치|와트)?(?!\w)")


def product_of(sources: Sequence[Source]) -> str:
    """Return the title of the product that an answer with these sources is about, or nothing.

    A product is what has a picture: a page about delivery has none, and nobody means it by "it".
    """
    pictured = (source for source in sources if source.picture and source.title)
    return next((source.title for source in pictured), "")


def product_in_focus(recent: Sequence[Exchange]) -> str:
    """Return the product that was last spoken of."""
    return next((each.product for each in reversed(recent) if each.product), "")


def is_attribute(word: str) -> bool:
    """True for a word by which one of several alike is told: a colour, a size."""
    return word.lower() in _ATTRIBUTES or bool(_MEASURE.fullmatch(word))


def has_attribute(text: str) -> bool:
    """True where `text` names a colour or a size."""
    return bool(_MEASURE.search(text)) or any(map(is_attribute, _WORD.findall(text)))


def kind_of(product: str) -> str:
    """Return what sort of thing a product is: its title without size, colour and what follows a comma."""
    head = _MEASURE.sub(" ", product.split(",", maxsplit=1)[0])
    words = [word for word in head.split() if not is_attribute(word)]
    return " ".join(words) or product


def mention(question: str, product: str) -> tuple[int, int] | None:
    """Return the characters of a question that name a product: the longest run of its title's words."""
    if (whole := question.find(product)) >= 0 and product:
        return whole, whole + len(product)
    known = content_words(product)
    best: tuple[int, int] | None = None
    start: int | None = None
    for word in _WORD.finditer(question):
        keys = content_words(word[0])
        if keys and keys <= known:
            start = word.start() if start is None else start
            if best is None or word.end() - start > best[1] - best[0]:
                best = start, word.end()
        else:
            start = None
    return best
