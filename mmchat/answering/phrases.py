"""The fixed sentences that the assistant says itself, in the languages that it speaks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmchat.answering.words import Language
from mmchat.types import HandoffReason


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the assistant says in one language."""

    abstention: str
    """Where the documents hold no answer; has one field, `searched`: what they were searched for."""
    asked: str
    """A question that was searched; has one field, `question`."""
    photo: str
    """A photo that was searched with."""
    nearest: str
    """The titles of the documents that came nearest; has one field, `topics`."""
    offer: str
    """Offers a person."""
    refusal: str
    """For a topic that is not talked about."""
    handed_over: Mapping[HandoffReason, str]
    """When a conversation is passed to a person, by the reason."""
    is_handed_over: str
    """Where it was passed on before."""
    quotation: str
    """Around a quotation in another language than the question's; has one field, `quote`."""
    resemblance: str
    """For a photo without words; has one field, `title`."""
    alike: str
    """Before products that look like a picture; has one field, `title`."""
    nothing_alike: str
    """Where there are none; has one field, `title`."""
    seen: str
    """For what a model saw in a picture of the documents; has one field, `sentence`."""
    unavailable: str
    """Where the generator failed and nothing can be quoted."""
    unknown: tuple[str, ...]
    """How a model begins a sentence by which it says that it does not know, in lower case."""


PHRASES: dict[Language, Phrases] = {
    "en": Phrases(
        abstention="I don't know: I searched the documents for {searched} and found no answer.",
        asked="“{question}”",
        photo="your photo",
        nearest="The nearest topics there are: {topics}.",
        offer="Would you like me to pass your question to a person?",
        refusal="I cannot talk about this here. Please ask me about our products and services.",
        handed_over={
            HandoffReason.REQUEST: "I have passed this conversation to a person, who will answer you.",
            HandoffReason.UNANSWERED: (
                "I have passed your questions to a person, who will answer you."
            ),
            HandoffReason.ANGER: (
                "I am sorry about this. I have passed this conversation to a person, who will help you."
            ),
            HandoffReason.TOPIC: (
                "This is something that a person should answer. I have passed the conversation on."
            ),
        },
        is_handed_over="This conversation is with a person already, who will answer you.",
        quotation="The documents say: “{quote}”",
        resemblance="This looks like {title}.",
        alike="These look like {title}.",
        nothing_alike="I found nothing else that looks like {title}.",
        seen="Going by the picture alone: {sentence}",
        unavailable="I cannot answer this right now. Please ask again in a moment.",
        unknown=(
            "i don't know",
            "i do not know",
            "i'm not sure",
            "i am not sure",
            "i'm sorry",
            "i cannot",
            "the passage does not",
            "the passage doesn't",
            "there is no information",
        ),
    ),
    "ko": Phrases(
        abstention="잘 모르겠습니다: 문서에서 {searched} 찾아보았지만 답을 찾지 못했습니다.",
        asked="“{question}”에 대해",
        photo="보내 주신 사진을",
        nearest="가장 가까운 주제는 다음과 같습니다: {topics}.",
        offer="담당자에게 연결해 드릴까요?",
        refusal=(
            "이 주제에 대해서는 여기에서 말씀드릴 수 없습니다. 저희 상품과 서비스에 대해 질문해 주세요."
        ),
        handed_over={
            HandoffReason.REQUEST: "이 대화를 담당자에게 전달했습니다. 담당자가 답변드리겠습니다.",
            HandoffReason.UNANSWERED: "질문을 담당자에게 전달했습니다. 담당자가 답변드리겠습니다.",
            HandoffReason.ANGER: (
                "불편을 드려 죄송합니다. 이 대화를 담당자에게 전달했습니다. 담당자가 도와드리겠습니다."
            ),
            HandoffReason.TOPIC: (
                "이 내용은 담당자가 직접 답변드려야 합니다. 이 대화를 담당자에게 전달했습니다."
            ),
        },
        is_handed_over="이 대화는 이미 담당자에게 전달되었습니다. 담당자가 답변드리겠습니다.",
        quotation="문서에는 이렇게 적혀 있습니다: “{quote}”",
        resemblance="이 사진은 {title}처럼 보입니다.",
        alike="{title}와(과) 비슷한 상품입니다.",
        nothing_alike="{title}와(과) 비슷한 다른 상품을 찾지 못했습니다.",
        seen="사진으로만 보면: {sentence}",
        unavailable="지금은 답변드릴 수 없습니다. 잠시 후에 다시 질문해 주세요.",
        unknown=("모르", "잘 모르", "알 수 없", "죄송", "정보가 없", "답을 찾을 수 없"),
    ),
}


def says_unknown(sentence: str) -> bool:
    """True where a model says in `sentence` that it does not know."""
    plain = sentence.strip().lower().replace("’", "'")
    return any(plain.startswith(start) for each in PHRASES.values() for start in each.unknown)


_SHOWN = 120
"""Characters of a question or a title that are repeated, at most."""
_ADDRESS = re.compile(r"\b(?:https?|ftp|data|javascript):\S*", re.IGNORECASE)
_MARKUP = re.compile(r"[\[\]<>{}()*_`|#!\\~]+")


def abstention(phrases: Phrases, question: str, topics: Sequence[str], *, offer: bool) -> str:
    """Return the whole answer where the documents do not hold one.

    Args:
        phrases: the sentences of the customer's language.
        question: what was searched; empty where it was a photo alone.
        topics: titles of the documents that came nearest, best first.
        offer: whether a person is offered.
    """
    shown = plain(question)
    searched = phrases.asked.format(question=shown) if shown else phrases.photo
    said = [phrases.abstention.format(searched=searched)]
    if titles := ", ".join(title for title in map(plain, topics) if title):
        said.append(phrases.nearest.format(topics=titles))
    if offer:
        said.append(phrases.offer)
    return " ".join(said)


def plain(text: str) -> str:
    """Return a text that somebody else wrote as one short line without addresses and markup.

    It is repeated in a sentence of our own, and a reader's program may show that as Markdown.
    """
    line = " ".join(_MARKUP.sub(" ", _ADDRESS.sub(" ", text)).split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1].rstrip() + "…"
