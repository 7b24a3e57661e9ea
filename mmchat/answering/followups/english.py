"""What English leans on earlier questions with."""

from __future__ import annotations

import re

from mmchat.answering.followups.mentions import has_attribute, is_attribute, kind_of, mention
from mmchat.answering.words import telling_words

_OPENING = re.compile(
    r"^(?:(?:and|but|or|so|ok|okay|then|also|well)[\s,]+)*(?:what|how)\s+about\s+"
    r"|^(?:(?:and|but|or|so|ok|okay|then|also|well)[\s,]+)+(?:(?:what|how)\s+about\s+)?",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:this|that|the)\s+(?:one|product|item|thing|model|device|appliance)\b"
    r"|\b(?:it|they|them)\b(?!['’])|\b(?:its|their)\b|\b(?:it|they)['’](?:s|re)\b"
    r"|\b(?:this|that|these|those)\b(?=\s*(?:[?.!,]|$|is\b|are\b|has\b|have\b|come\b|work\b|fit\b|cost\b))",
    re.IGNORECASE,
)
_THING = re.compile(
    r"\b(?:my\s+)?(?:this|that|the)\s+(?:one|product|item|thing|model|device|appliance)\b(?P<owns>['’]s\b)?",
    re.IGNORECASE,
)
# "How long does it take", "is it possible": this "it" stands for nothing.
_EMPTY_IT = re.compile(
    r"\bit\s+(?:possible|true|ok|okay|allowed|necessary|takes?|costs?\s+to|matters?)\b"
    r"|\bit\s+(?:safe|better|worth)\s+(?:to|\w+ing)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"^(?:in|on|at|with|without|after|before|from|during|under|over|to|by|until|inside|outside|"
    r"if|when|for)\s",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:what|which|who|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|may|will|would|"
    r"should|has|have|must|please|tell|show|i|we|my|you)\b",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:for\s+)?(?:the|a|an|its|their|your|my|that|this)\s+", re.IGNORECASE)
_ONE = re.compile(r"\b(?:ones?|versions?|models?)$", re.IGNORECASE)
_PROPERTIES = frozenset(
    "price cost warranty guarantee weight size dimensions colour color colours colors capacity volume noise "
    "power wattage delivery shipping returns battery cleaning care material height width length depth "
    "voltage manual instructions accessories parts stock availability".split()
)
_MOST_WORDS = 5
"""Words of a question that may be half of one."""


def readings(question: str, last: str, product: str) -> list[str] | None:
    """Return what an English question may mean, the likeliest first; None where it leans on nothing.

    Args:
        question: what was asked.
        last: the question before, as it was searched.
        product: the title of the product in focus, or nothing.
    """
    rest = _OPENING.sub("", question).strip()
    opened, bare = rest != question, rest.rstrip("?!. ")
    if not bare:
        return None
    if _QUESTION.match(bare):
        return _with_product(_capital(rest), product) if product else None
    short = len(bare.split()) <= _MOST_WORDS
    if short and (opened or _is_half(bare)):
        return _completed(bare, last, product)
    return _with_product(question, product) if product else None


def with_pronoun(question: str) -> str:
    """Return a question with "it" in the place of "this product"."""
    return _THING.sub(lambda match: "its" if match["owns"] else "it", question)


def _with_product(question: str, product: str) -> list[str] | None:
    """Put the product where a pronoun stands for it, or beside a question that names nothing."""
    named = f"the {product}"
    if mention(question, product) is not None:
        return None
    if _EMPTY_IT.search(question):
        both = [f"{product}: {question}", question]
        return both[::-1] if len(telling_words(question)) > 1 else both
    if _PRONOUN.search(question):
        # Once is enough: "Is the kettle safe, and does it leak?"
        return [_PRONOUN.sub(lambda match: _standing_for(match[0], named), question, count=1)]
    if len(telling_words(question)) <= 1:
        return [f"{question.rstrip('?!. ')} for {named}?", question]
    return None


def _standing_for(pronoun: str, named: str) -> str:
    if pronoun.lower() in {"its", "their"}:
        return f"{named}'s"
    return f"{named} is" if pronoun.lower()[-2:] in {"'s", "’s", "re"} else named


def _is_half(bare: str) -> bool:
    """True for a phrase that asks nothing by itself: "the black one", "in red", "warranty"."""
    return bool(
        _ONE.search(bare) or _PLACE.match(bare) or _ARTICLE.match(bare) or len(bare.split()) <= 2
    )


def _completed(bare: str, last: str, product: str) -> list[str]:
    """Return the last question with the new half in the place where it belongs."""
    stem, what = last.rstrip("?!. "), _ARTICLE.sub("", bare)
    joined = f"{stem}? {_capital(bare)}?"
    same_kind = bool(_ONE.search(what)) or has_attribute(what)
    if _PLACE.match(bare) and what == bare and not (product and same_kind):
        return [f"{stem} {bare[:1].lower()}{bare[1:]}?"]
    if not product:
        return [joined]
    about_product = f"{_capital(what)} of the {product}?"
    if what.lower().split()[-1] in _PROPERTIES:
        return [about_product, joined, f"{_capital(what)}?"]
    swapped = _swapped(what, stem, product)
    return [text for text in (swapped, "" if same_kind else about_product, joined) if text]


def _swapped(what: str, stem: str, product: str) -> str:
    """Put another product, or another colour of the same, where the last question names one."""
    found = mention(stem, product)
    if found is None:
        return ""
    start, end = found
    what = re.sub(r"^(?:in|for|with)\s+", "", what, flags=re.IGNORECASE)
    head = _ONE.sub("", what).strip()
    if not head:
        return ""
    if head != what or all(map(is_attribute, head.split())):
        head = f"{head} {_kind(stem[start:end], product)}"
    before = re.sub(r"\b(?:the|a|an)\s+$", "", stem[:start], flags=re.IGNORECASE)
    return f"{before}the {head}{stem[end:]}?"


def _kind(named: str, product: str) -> str:
    """Return the words of the last question for the sort of product, or those of its title."""
    words = [word for word in named.split(",", maxsplit=1)[0].split() if not is_attribute(word)]
    return kind_of(product) if named == product else " ".join(words) or kind_of(product)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
