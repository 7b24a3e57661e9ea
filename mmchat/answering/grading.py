"""What is right, and what is held by its sources, in an answer to a question whose answer is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmchat.answering.judging import facts_in, is_right
from mmchat.types import Answer, Status

_MARK = re.compile(r"\s*((?:\[\d+\])+)([.!?。…]*)")
_HOLDS = 0.6
"""The share of a sentence's facts from which on a passage holds it."""


@dataclass(frozen=True, slots=True)
class Grade:
    """How an answer did. Counts of one answer: they are added up over many."""

    answered: bool
    """Whether anything was said of the documents: it is not, where the assistant abstains or refuses."""
    right: bool
    """Whether it says what a person wrote; never, where nothing was written."""
    citations: int
    held: int
    """Citations whose passage has the facts of the sentence that cites it."""
    sentences: int
    unsupported: int
    """Sentences none of whose citations holds."""


def grade(answer: Answer, written: Sequence[str], question: str, subject: str = "") -> Grade:
    """Grade an answer by the answers that people wrote, of which each would do.

    Args:
        answer: as the assistant gave it.
        written: empty for a question that the documents do not answer.
        question: what was asked; its own words prove nothing.
        subject: what it is about; naming that is no answer.
    """
    if answer.status in {Status.ABSTAINED, Status.REFUSED}:
        return Grade(answered=False, right=False, citations=0, held=0, sentences=0, unsupported=0)
    cited = cited_sentences(answer.answer)
    held = [[_holds(text, answer, number) for number in numbers] for text, numbers in cited]
    return Grade(
        answered=True,
        right=is_right(" ".join(text for text, _ in cited), written, question, subject),
        citations=sum(map(len, held)),
        held=sum(map(sum, held)),
        sentences=len(held),
        unsupported=sum(not any(own) for own in held),
    )


def cited_sentences(text: str) -> list[tuple[str, list[int]]]:
    """Return the sentences of an answer without their marks, each with the numbers of its sources."""
    found, start = [], 0
    for match in _MARK.finditer(text):
        sentence = text[start : match.start()].strip() + match[2]
        if sentence[-1:].isalnum():
            # A line of a list has no end of its own, and would run into the next one.
            sentence += "."
        found.append((sentence, [int(number) for number in re.findall(r"\d+", match[1])]))
        start = match.end()
    rest = text[start:].strip()
    return [*found, (rest, [])] if rest else found


def _holds(sentence: str, answer: Answer, number: int) -> bool:
    source = next((each for each in answer.sources if each.n == number), None)
    if source is None:
        return False
    return facts_in(sentence, f"{source.title} {source.passage} {source.text}") >= _HOLDS
