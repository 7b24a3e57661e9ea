"""Whether an answer says what a person wrote as the answer, told without a large model.

A sentence of an answer says what was written where nothing in it speaks against that, and:

- what was written is a name or an amount, and the sentence has it; or
- both take the same side of a question of yes or no, and speak of the same: of the telling words of the
  shorter of the two enough are in the other, or the sentence repeats what was asked; or
- of the telling words and numbers that the shorter of the two adds to the question, enough are in the other.

The shorter of the two, because what was written may be a page of a manual of which a sentence is enough, or
a word that stands in a whole sentence. A sentence speaks against it with an amount of the same unit that
differs, or with a yes where a no was written. docs/quality.md says how often a person agrees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmchat.answering.numbers import amounts, is_unit
from mmchat.answering.words import (
    asks_yes_or_no,
    content_words,
    language_of,
    negates,
    telling_words,
)
from mmchat.sentences import sentence_spans

_ENOUGH = 0.5
_MOST = 0.75
"""The share of the telling words of a question of yes or no that a sentence repeats to affirm or deny it."""
_SHORT = 4
"""Words up to which a written answer is a name or an amount rather than a sentence."""
_YES = re.compile(r"^\s*(?:yes|yeah|yep|sure)\b|^\s*(?:네|예)(?=[\s,.!]|$)", re.IGNORECASE)
_NO = re.compile(r"^\s*(?:no|nope)\b|^\s*(?:아니요|아니오)", re.IGNORECASE)
_MEASURED = re.compile(
    r"\bhow (?:long|much|many|far|often|soon|big|large|heavy|tall|wide|deep|old)\b|몇|얼마",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\bor\b|아니면|[가-힣](?:이나|나) ", re.IGNORECASE)
_CLAUSES = re.compile(r"[,;:]\s|\b(?:but|however|though|although)\b|지만\s", re.IGNORECASE)
_SIGNS = re.compile(r"[^\w\s]")
_SPACE = re.compile(r"\s+")


def is_right(answer: str, written: Sequence[str], question: str = "", subject: str = "") -> bool:
    """Tell whether an answer says what one of the written answers says.

    Args:
        answer: without marks of sources.
        written: answers that people wrote, each of which would do.
        question: its own words prove nothing.
        subject: what it is about, such as a product: naming that is no answer.
    """
    said = [answer, *(answer[start:end] for start, end in sentence_spans(answer))]
    if subject:
        # A line of a table may begin with the name of what it is about.
        said = [each.partition(f"{subject} |")[2] or each for each in said]
    return any(
        _says(each, theirs, question, subject)
        for theirs in written
        if theirs.strip() and not _opposed(answer, theirs)
        for each in dict.fromkeys(said)
    )


def _says(sentence: str, written: str, asked: str, subject: str) -> bool:
    if len(written.split()) <= _SHORT and _plain(written) in _plain(sentence):
        return True
    if not _amounts_agree(sentence, written, asked, subject):
        return False
    known, wanted = _facts(subject), _facts(asked)
    ours, theirs = _facts(sentence) - known, _facts(written) - known
    if _is_verdict(written, asked):
        # "Is it waterproof?": that the question's own words are asserted, or denied, is the answer.
        about = _shared(ours, theirs | wanted) or _share(wanted - known, ours) >= _MOST
        return about and _same_side(_clause(sentence, theirs | wanted), written)
    named = theirs & wanted
    if named and _CHOICE.search(asked) and named <= ours and not (wanted - named) & ours:
        # "Is it nylon or cotton?" is answered by one of its own words.
        return True
    return _shared(ours - wanted, theirs - wanted)


def _is_verdict(written: str, asked: str) -> bool:
    """Tell whether yes or no is what a question is answered with."""
    if _verdict(written) is not None or language_of(asked) == "ko":
        # A Korean question that leaves its question word out looks like one of yes or no.
        return _verdict(written) is not None
    return asks_yes_or_no(asked) and not _CHOICE.search(asked)


def _shared(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    shorter, longer = sorted((ours, theirs), key=len)
    # One word in common may be chance, unless it is all that there is to be said, or a number.
    common = ours & theirs
    chance = len(common) == 1 and len(shorter) > 1 and not any(map(str.isdigit, "".join(common)))
    return not chance and _share(shorter, longer) >= _ENOUGH


def _share(some: frozenset[str], known: frozenset[str]) -> float:
    return len(some & known) / len(some) if some else 0.0


def _facts(text: str) -> frozenset[str]:
    """Return the telling words and the numbers of a text; a unit may be written in several ways."""
    words = (word for word in telling_words(text) if not is_unit(word))
    return frozenset([*words, *(each.value for each in amounts(text))])


def _plain(text: str) -> str:
    return _SPACE.sub("", _SIGNS.sub("", text.lower()))


def _verdict(text: str) -> bool | None:
    """Return the yes or no that a text begins with."""
    return True if _YES.search(text) else False if _NO.search(text) else None


def _opposed(answer: str, written: str) -> bool:
    ours, theirs = _verdict(answer), _verdict(written)
    return ours is not None and theirs is not None and ours != theirs


def _clause(sentence: str, about: frozenset[str]) -> str:
    """Return the clause with most of what a question is about: "It fits, but I did not buy it"."""
    clauses = [each for each in _CLAUSES.split(sentence) if each.strip()]
    if _verdict(sentence) is not None or not clauses:
        return sentence
    return max(clauses, key=lambda each: len(_facts(each) & about))


def _same_side(sentence: str, written: str) -> bool:
    """Tell whether a sentence affirms or denies as the written answer does."""
    ours, theirs = _verdict(sentence), _verdict(written)
    if ours is not None and theirs is not None:
        return ours == theirs
    reason = written.partition(" ")[2] if theirs is not None else written
    start, end = next(iter(sentence_spans(reason)), (0, 0))
    reason = reason[start:end]
    denied = negates(reason) if content_words(reason) else theirs is False
    return (ours is False or negates(sentence)) == denied


def _amounts_agree(sentence: str, written: str, asked: str, subject: str) -> bool:
    """Tell whether a sentence gives an amount of the written answer, where both give one of a kind."""
    known = amounts(f"{asked} {subject}")
    ours, theirs = (
        [each for each in amounts(text) if not any(each.agrees(other) for other in known)]
        for text in (sentence, written)
    )
    if any(each.agrees(other) for each in ours for other in theirs):
        return True
    if not ours:
        # A written answer whose only news is a number is not told without it, nor is "how many".
        news = telling_words(written) - telling_words(f"{asked} {subject}")
        return not theirs or (not _MEASURED.search(asked) and len(news) > len(theirs))
    return not any(each.unit == other.unit for each in ours for other in theirs)


def facts_in(sentence: str, passage: str) -> float:
    """Return the share of a sentence's telling words and numbers that a passage has; 1 where it has none."""
    facts = _facts(sentence)
    known = content_words(passage) | {each.value for each in amounts(passage)}
    return len(facts & known) / len(facts) if facts else 1.0
