"""The fixed sentences that the assistant says itself, in the languages that it speaks."""

from __future__ import annotations

from dataclasses import dataclass

from mmchat.answering.words import Language


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the assistant says in one language."""

    abstention: str
    """The whole answer where the documents do not hold one. Offers a person."""
    quotation: str
    """Around a quotation in another language than the question's; has one field, `quote`."""
    resemblance: str
    """For a photo without words; has one field, `title`."""
    seen: str
    """For what a model saw in a picture of the documents; has one field, `sentence`."""
    unavailable: str
    """Where the generator failed and nothing can be quoted."""
    unknown: tuple[str, ...]
    """How a model begins a sentence by which it says that it does not know, in lower case."""


PHRASES: dict[Language, Phrases] = {
    "en": Phrases(
        abstention=(
            "I don't know: I found nothing about this in the documents. "
            "Would you like me to pass your question to a person?"
        ),
        quotation="The documents say: “{quote}”",
        resemblance="This looks like {title}.",
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
        abstention=(
            "잘 모르겠습니다: 문서에서 이 질문에 대한 내용을 찾지 못했습니다. "
            "담당자에게 연결해 드릴까요?"
        ),
        quotation="문서에는 이렇게 적혀 있습니다: “{quote}”",
        resemblance="이 사진은 {title}처럼 보입니다.",
        seen="사진으로만 보면: {sentence}",
        unavailable="지금은 답변드릴 수 없습니다. 잠시 후에 다시 질문해 주세요.",
        unknown=("모르", "잘 모르", "알 수 없", "죄송", "정보가 없", "답을 찾을 수 없"),
    ),
}


def says_unknown(sentence: str) -> bool:
    """True where a model says in `sentence` that it does not know."""
    plain = sentence.strip().lower().replace("’", "'")
    return any(plain.startswith(start) for each in PHRASES.values() for start in each.unknown)
