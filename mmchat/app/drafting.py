"""Drafts for the owner: a reply to a conversation, a product's description, an FAQ entry, a translation.

Each says that it is a draft and what it rests on. What the documents do not hold is named, not made up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from mmchat.answering.draft import Candidate
from mmchat.answering.words import Language, language_of
from mmchat.errors import InputError
from mmchat.types import Answer, ImageInput, Source, Status

if TYPE_CHECKING:
    from mmchat.answering.composing import Translation
    from mmchat.app.assistant import Assistant
    from mmchat.sessions import Conversation

Kind: TypeAlias = Literal["reply", "description", "faq"]

_MARK = re.compile(r"\[(\d{1,2})\]")
_PASSAGES = 2
"""Passages that a description is written from: a page says first what a thing is."""
_LOOKED_AT = 8
"""Passages of a document from which these are taken."""
_NEAR = 5
_ANSWERED = frozenset({Status.ANSWERED, Status.PARTIAL})


@dataclass(frozen=True, slots=True)
class DraftText:
    """A text that somebody should read before it is used."""

    kind: Kind
    text: str
    sources: tuple[Source, ...]
    """What the marks in `text` point at."""
    missing: tuple[str, ...] = ()
    """Questions that the documents do not answer: to be filled in."""
    nearest: tuple[str, ...] = ()
    """Titles of what comes closest to these."""
    dropped: tuple[str, ...] = ()
    """Sentences that were written and that no source supports."""
    picture: str | None = None
    """The picture that belongs to a description."""


@dataclass(frozen=True, slots=True)
class _Letter:
    greeting: str
    missing: str
    closing: str


_LETTERS: dict[Language, _Letter] = {
    "en": _Letter(
        "Dear customer,",
        "We will find out and come back to you about: {questions}",
        "Kind regards",
    ),
    "ko": _Letter(
        "고객님, 안녕하세요.",
        "다음 문의는 확인 후 다시 안내해 드리겠습니다: {questions}",
        "감사합니다.",
    ),
}


class _Merged:
    """Answers with sources of their own, put together under one numbering."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Source] = {}

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(self._known.values())

    def add(self, text: str, sources: Sequence[Source]) -> str:
        """Return the text with its marks renumbered."""
        numbers = {}
        for source in sources:
            key = (source.document, source.span, source.picture if source.span is None else "")
            known = self._known.setdefault(key, replace(source, n=len(self._known) + 1))
            numbers[source.n] = known.n
        # A mark without a source would point nowhere.
        return _MARK.sub(
            lambda mark: f"[{numbers[int(mark[1])]}]" if int(mark[1]) in numbers else "", text
        )


def draft_reply(assistant: Assistant, conversation: Conversation) -> DraftText:
    """Draft an e-mail that answers what was asked in a conversation.

    Answers stand as they were given and checked. What was not known is asked again, since the documents
    may have been completed; what still is not is named.

    Raises:
        InputError: nothing was asked in it.
    """
    turns = [turn for turn in conversation.turns if turn.question and turn.status is not None]
    asked = [turn for turn in turns if turn.status in {*_ANSWERED, Status.ABSTAINED}]
    if not asked:
        raise InputError(
            f"Conversation {conversation.id} has no question that a reply could answer. "
            "Name another; 'mmchat conversations list' shows them."
        )
    merged, missing, said = _Merged(), [], []
    near: dict[str, None] = {}
    for turn in {turn.asked or turn.question: turn for turn in asked}.values():
        question = turn.asked or turn.question
        answer = Answer(turn.answer, turn.status or Status.ABSTAINED, turn.sources, 0.0)
        if turn.status == Status.ABSTAINED:
            answer = assistant.ask(question)
        if answer.status in _ANSWERED:
            said.append(merged.add(answer.answer, answer.sources))
        else:
            missing.append(question)
            near |= dict.fromkeys(answer.nearest)
    letter = _LETTERS[language_of(asked[-1].question)]
    company = assistant.config.web.company
    closing = f"{letter.closing}\n{company}".strip()
    unknown = [letter.missing.format(questions=" / ".join(missing))] if missing else []
    text = "\n\n".join([letter.greeting, *said, *unknown, closing])
    return DraftText("reply", text, merged.sources, tuple(missing), tuple(near))


def draft_faq(assistant: Assistant, question: str) -> DraftText:
    """Draft an FAQ entry: a question and its answer from the documents, or what they lack for it."""
    answer = assistant.ask(question)
    head = f"## {' '.join(question.split())}"
    if answer.status in _ANSWERED:
        return DraftText("faq", f"{head}\n\n{answer.answer}", answer.sources)
    return DraftText("faq", f"{head}\n\n…", (), (question,), answer.nearest)


def draft_description(
    assistant: Assistant,
    document: str,
    *,
    image: ImageInput | None = None,
    language: Language | None = None,
) -> DraftText:
    """Draft the description of a product from its page or row, and its picture.

    Args:
        assistant: writes, or quotes where it has no generator.
        document: the path of a file or row in the index: `prices.csv#LB-KT-170R`.
        image: a photo of it; what the index knows of the picture that is most like it is used too.
        language: in which it is written; that of the document where it is not given.

    Raises:
        InputError: the index has no such document, or no words about it.
    """
    index = assistant.index
    found = index.document(document)
    if found is None:
        near = dict.fromkeys(hit.document for hit in index.search(document, k=_NEAR))
        raise InputError(
            f"The index has no document '{document}'. Nearest are {', '.join(near) or 'none'}; "
            "'mmchat search' shows what documents are called."
        )
    opened = None if image is None else index.open_image(image)
    where = {"document": document}
    hits = index.search(found.title or document, opened, k=_LOOKED_AT, where=where)
    retriever = index.retriever()
    told = (
        Candidate(hit, chunk)
        for hit in hits
        if hit.kind == "chunk" and (chunk := retriever.chunk(hit.item)) is not None
    )
    candidates = sorted(told, key=lambda each: each.chunk.start)[:_PASSAGES]
    if not candidates:
        raise InputError(
            f"'{document}' has no words to write a description from. Name the page or the row of the "
            "product; 'mmchat search' shows what they are called."
        )
    spoken = language or language_of(candidates[0].chunk.text)
    made = assistant.composer.describe(found.title, candidates, spoken)
    picture = next((hit.picture for hit in hits if hit.picture), None)
    text = f"# {found.title}\n\n{made.draft.text}"
    return DraftText("description", text, made.draft.sources, dropped=made.dropped, picture=picture)


def translate(assistant: Assistant, text: str, language: Language) -> Translation:
    """Translate an answer or a passage; its marks and numbers survive, or the sentence stays as it is.

    Raises:
        GenerationError: there is no generator, or it failed.
    """
    return assistant.composer.translate(text, language)
