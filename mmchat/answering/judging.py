"""Whether an answer says what a person wrote as the answer, told without a large model.

An answer is right where one of the written answers is in it, or it is in one of them:

- its verdict (yes or no) is not the opposite, where both have one;
- the amounts that it gives for what was asked are among those of the written answer, and a written answer
  that is nothing but an amount or a name is in it;
- of the telling words and numbers that the shorter of the two adds to the question, enough are in the other.

The shorter of the two, because a written answer may be a page of a manual of which a sentence is enough, or
a word that stands in a whole sentence. How far this agrees with a person is told in docs/quality.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmchat.answering.numbers import amounts, is_unit
from mmchat.answering.words import content_words, telling_words

_ENOUGH = 0.5
_SHORT = 4
"""Words up to which a written answer is a name or an amount rather than a sentence."""
_YES = re.compile(r"^\s*(?:yes|yeah|yep|sure|네|예)\b", re.IGNORECASE)
_NO = re.compile(
    r"^\s*(?:no|nope|아니요|아니오)\b|\b(?:not|never|cannot|can['’]?t|doesn['’]?t|don['’]?t|isn['’]?t|"
    r"won['’]?t|aren['’]?t|unable)\b|않|없|못|아니",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[^\w\s]")
_SPACE = re.compile(r"\s+")


def is_right(answer: str, written: Sequence[str], question: str = "") -> bool:
    """Tell whether an answer says what one of the written answers says.

    Args:
        answer: without marks of sources.
        written: answers that people wrote, each of which would do.
        question: its own words prove nothing.
    """
    return any(_says(answer, each, question) for each in written if each.strip())


def _says(answer: str, written: str, question: str) -> bool:
    if len(written.split()) <= _SHORT and _plain(written) in _plain(answer):
        return True
    if _opposed(answer, written) or not _amounts_agree(answer, written, question):
        return False
    asked = _facts(question)
    ours, theirs = _facts(answer) - asked, _facts(written) - asked
    shorter, longer = sorted((ours, theirs), key=len)
    if not shorter:
        # Nothing is added to the question: "Yes, it fits." The verdicts agree, and so do all words.
        return _agreed(answer, written) and bool(content_words(answer) & content_words(written))
    return len(shorter & longer) / len(shorter) >= _ENOUGH


def _facts(text: str) -> frozenset[str]:
    """Return the telling words and the numbers of a text; a unit may be written in several ways."""
    words = (word for word in telling_words(text) if not is_unit(word))
    return frozenset([*words, *(each.value for each in amounts(text))])


def _plain(text: str) -> str:
    return _SPACE.sub("", _SIGNS.sub("", text.lower()))


def _opposed(answer: str, written: str) -> bool:
    """Tell whether one says yes and the other denies."""
    yes, no = bool(_YES.search(answer)), bool(_NO.search(answer))
    their_yes, their_no = bool(_YES.search(written)), bool(_NO.search(written))
    return (yes and their_no and not their_yes) or (no and their_yes and not their_no and not yes)


def _agreed(answer: str, written: str) -> bool:
    return bool(_NO.search(answer)) == bool(_NO.search(written))


def _amounts_agree(answer: str, written: str, question: str) -> bool:
    known = [*amounts(written), *amounts(question)]
    given = [each for each in amounts(answer) if not any(each.agrees(q) for q in amounts(question))]
    if not given:
        # A written answer whose only news is a number is not told without it.
        news = [
            each for each in amounts(written) if not any(each.agrees(q) for q in amounts(question))
        ]
        return not news or len(telling_words(written) - telling_words(question)) > len(news)
    return any(each.agrees(other) for each in given for other in known)


def facts_in(sentence: str, passage: str) -> float:
    """Return the share of a sentence's telling words and numbers that a passage has; 1 where it has none."""
    facts = _facts(sentence)
    known = content_words(passage) | {each.value for each in amounts(passage)}
    return len(facts & known) / len(facts) if facts else 1.0
