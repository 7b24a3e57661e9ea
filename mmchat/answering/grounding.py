"""Whether the evidence supports what was written.

Everything here is told from the evidence alone. It is cheap on purpose: a check runs between the
moment a sentence is written and the moment it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmchat.answering.evidence import POINT, Evidence, Thresholds
from mmchat.answering.hostile import addresses, headings_of, orders_of
from mmchat.answering.numbers import Amount, amounts, claims
from mmchat.answering.owning import told_of_another
from mmchat.answering.words import (
    asks_yes_or_no,
    content_words,
    language_of,
    names,
    polarity,
    telling_words,
)
from mmchat.types import Chunk


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence is supported: by which evidence, or why not."""

    support: tuple[Evidence, ...] = ()
    problem: str = ""

    @property
    def supported(self) -> bool:
        """True where there is evidence and no problem."""
        return bool(self.support) and not self.problem


_PARTS = re.compile(r"[,;:()\[\]]|\s[-–—]\s")
_LINKING = content_words(
    "however unfortunately generally usually typically normally additionally furthermore moreover "
    "therefore since until till after before during while because although though especially "
    "including according currently now today note thus instead otherwise sure certainly course yes "
    "finally first then also both e.g i.e "
    "네 예 물론 따라서 그러나 다만 즉 단 참고로 또 그래서 일반적으로 아쉽게도"
)
"""Words that a part of a sentence may consist of beside those of the evidence."""
_MOST_SUPPORT = 4


def check(
    sentence: str,
    question: str,
    passages: Sequence[Chunk],
    evidence: Sequence[Evidence],
    thresholds: Thresholds,
    orders: str = "",
) -> Verdict:
    """Decide whether the evidence says what `sentence` says.

    A sentence rests on one to four evidence sentences of the same passage. Its amounts and addresses have
    to stand in them, its names in them or in the passage's headings; it must not deny what the best of
    them asserts or assert what it denies; and they have to contain enough of the content words that it
    adds to the question. `orders` is what the customer told the assistant to do: its words prove nothing.
    """
    if not evidence:
        return Verdict(problem="there is no evidence")
    if not content_words(sentence) and not claims(sentence):
        return Verdict(problem="it says nothing")
    if sentence.rstrip(" .!?").casefold() in question.casefold():
        return Verdict(problem="it only repeats the question")
    support = _best_support(sentence, evidence)
    if not support:
        return Verdict(problem="no evidence shares a word with it")
    number = support[0].passage
    told = [each for each in evidence if each.passage == number]
    heading = " ".join(headings_of(passages[number].breadcrumb))
    problem = (
        _unsupported_address(sentence, support)
        or _obedience(
            sentence,
            question,
            support,
            heading,
            f"{orders_of(passages[number])} {orders}",
        )
        or _unsupported_amount(sentence, support, heading)
        or _unsupported_name(sentence, support, heading)
        or _contradiction(sentence, support)
        or _mix_up(sentence, number, passages)
        or _beside_the_point(support, told)
        or _aside(sentence, question, told, heading)
        or _uncovered(sentence, question, support, heading, thresholds.coverage)
    )
    return Verdict(support=support, problem=problem)


def _best_support(sentence: str, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return the evidence sentence that covers most, and up to three others where they add something."""
    left = content_words(sentence) | {each.value for each in claims(sentence)}
    open_to = {
        each: content_words(each.text) | {found.value for found in amounts(each.text)}
        for each in evidence
    }
    support: list[Evidence] = []
    while open_to and len(support) < _MOST_SUPPORT:
        best = max(open_to, key=lambda each: (len(left & open_to[each]), each.relevance))
        if not left & open_to[best]:
            break
        support.append(best)
        left -= open_to.pop(best)
        open_to = {e: words for e, words in open_to.items() if e.passage == best.passage}
    return tuple(support)


def _words_of(evidence: Sequence[Evidence], *around: str) -> frozenset[str]:
    """Return the content words of some evidence, and of what stands around it."""
    return content_words(" ".join([*around, *(each.text for each in evidence)]))


def _unsupported_address(sentence: str, support: Sequence[Evidence]) -> str:
    """Catch an address that the evidence does not have letter by letter: it may carry words away."""
    known = addresses(" ".join(each.text for each in support))
    foreign = sorted(addresses(sentence) - known)
    return f"the evidence does not have the address {', '.join(foreign)}" if foreign else ""


def _obedience(
    sentence: str,
    question: str,
    support: Sequence[Evidence],
    heading: str,
    orders: str,
) -> str:
    """Catch what an order asked for beside what the evidence says: one word in three would be covered."""
    known = _words_of(support, question, heading)
    obeyed = sorted((content_words(sentence) & content_words(orders)) - known)
    return f"it says {', '.join(obeyed)}, as an order wants" if obeyed else ""


def _aside(sentence: str, question: str, told: Sequence[Evidence], heading: str) -> str:
    """Catch a part of a sentence that has nothing of its passage, where the rest has enough for both."""
    parts = [part for part in _PARTS.split(sentence) if content_words(part)]
    if len(parts) < 2:
        return ""
    known = _words_of(told, question, heading) | _LINKING
    for part in parts:
        if not content_words(part) & known:
            return f"the evidence has nothing of {part.strip()!r}"
    return ""


def _unsupported_amount(sentence: str, support: Sequence[Evidence], heading: str) -> str:
    known: list[Amount] = amounts(heading)
    for each in support:
        known += amounts(each.text)
    for claim in claims(sentence):
        if not any(claim.agrees(other) for other in known):
            return f"the evidence does not have {claim.value} {claim.unit or ''}".rstrip()
        if other := told_of_another(sentence, claim, support[0].text):
            return f"the evidence tells another amount of {other}"
    return ""


def _unsupported_name(sentence: str, support: Sequence[Evidence], heading: str) -> str:
    text = " ".join([heading, *(each.text for each in support)])
    known = content_words(text) | names(text) | {word.lower() for word in text.split()}
    missing = sorted(name for name in names(sentence) if name not in known)
    return f"the evidence does not name {', '.join(missing)}" if missing else ""


def _contradiction(sentence: str, support: Sequence[Evidence]) -> str:
    said, best = polarity(sentence), support[0]
    if said.denied:
        # The best of them may be so by the name of what both are about, and say nothing of what is denied.
        best = max(support, key=lambda each: len(said.denied & content_words(each.text)))
    return "the evidence says the opposite" if said.contradicts(polarity(best.text)) else ""


def _mix_up(sentence: str, number: int, passages: Sequence[Chunk]) -> str:
    """Catch a fact of one product that is told of another: "A banana is 15 cm long", of aubergines.

    The other product is known by the heading of its own passage.
    """
    known = content_words(passages[number].context_text)
    others = [content_words(" ".join(chunk.breadcrumb)) for chunk in passages]
    foreign = frozenset().union(*others) - known
    mixed = sorted(telling_words(sentence) & foreign)
    return f"the passage is not about {', '.join(mixed)}" if mixed else ""


def _beside_the_point(support: Sequence[Evidence], told: Sequence[Evidence]) -> str:
    """Catch a true sentence that leaves the question, where the passage has one that does not.

    "How should I cut a mango?" has "cut" and "mango"; "Mango can be eaten in desserts" rests on a
    sentence with only one of them, while another has both.
    """
    covered = max(each.coverage or 0.0 for each in support)
    best = max(told, key=lambda each: each.coverage or 0.0)
    if (best.coverage or 0.0) - covered < POINT:
        return ""
    return f"the question is rather answered by {best.text!r}"


def _uncovered(
    sentence: str, question: str, support: Sequence[Evidence], heading: str, needed: float
) -> str:
    """Name the words that the sentence adds to question and evidence, if they are too many."""
    if language_of(sentence) != language_of(support[0].text):
        return "it is in another language than the evidence"
    words, asked = telling_words(sentence), telling_words(question)
    known = _words_of(support, heading)
    own = words - asked
    if not own and not claims(sentence) and not asks_yes_or_no(question):
        return "it only repeats the question"
    # The words of the question prove nothing, but where a sentence adds none they are all it has.
    own = own or words
    share = len(own & known) / len(own) if own else 1.0
    if share >= needed:
        return ""
    return f"the evidence does not have {', '.join(sorted(own - known))}"
