"""Turns of a conversation as HTML. Everything that comes from outside is escaped here.

Questions, documents and what a model writes are data. Gradio's Markdown is switched off, but it still
puts a message into the page as HTML; so the text is escaped before, and the only tags are our own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, TypedDict

import gradio as gr

from mmchat.types import Source, Status
from mmchat.web.conversation import Conversation, Stage, Turn
from mmchat.web.documents import link_to
from mmchat.web.pictures import beside_sentences, products_html
from mmchat.web.wording import GREETINGS, NEUTRAL_GREETINGS, SOURCES_APPEAR, Wording, wording

_MARK = re.compile(r"\[(\d{1,2})\]")
_SENTENCE_END = re.compile(r"(?:\[\d{1,2}\])+[.!?…。]*(?:&quot;|&#x27;|[”’」)])*")
"""The marks of a sentence with what ends it, in escaped text."""


Content: TypeAlias = str | dict[str, str] | gr.HTML
"""A part of a message: text, a file, or HTML of our own."""


class Message(TypedDict):
    """A message as Gradio's chatbot takes it."""

    role: str
    content: list[Content]


def greeting(company: str) -> str:
    """Return what an empty conversation shows, in both languages: nobody has said yet which is theirs."""
    first, second = (
        (line.format(company=company) for line in GREETINGS) if company else NEUTRAL_GREETINGS
    )
    return (
        '<div class="greeting">'
        f'<p class="hello">{escape(first)}</p><p lang="ko">{escape(second)}</p></div>'
    )


def messages(turns: Conversation) -> list[Message]:
    """Return the conversation as the chatbot shows it."""
    shown: list[Message] = []
    for at, turn in enumerate(turns):
        question: list[Content] = []
        if turn.photo and turn.stage is Stage.FAILED:
            # It may be what failed: a name says more than the sign of a broken picture.
            question.append(f"📎 {escape(Path(turn.photo).name)}")
        elif turn.photo:
            question.append({"path": turn.photo, "alt_text": wording(turn.korean).picture})
        elif turn.picture:
            question.append(gr.HTML(_kept_photo(turn), js_on_load=None, render=False))
        if turn.question:
            # Gradio keeps the ends of lines, and its editor shows them.
            question.append(html.escape(turn.question, quote=False))
        if question:
            shown.append({"role": "user", "content": question})
        shown.append({"role": "assistant", "content": [answer_html(turn, at)]})
    return shown


def _kept_photo(turn: Turn) -> str:
    """Return a photo of a kept conversation, which its customer alone is given (exports.py)."""
    address = f"conversations/{turn.kept_as}/pictures/{turn.picture}.jpg"
    alt = wording(turn.korean).picture
    return f'<img class="photo" src="{escape(address)}" alt="{escape(alt)}">'


def answer_html(turn: Turn, at: int = 0) -> str:
    """Return the answer as far as it is there, with how it stands below.

    Args:
        turn: question and answer.
        at: its place in the conversation, from 0.
    """
    words = wording(turn.korean)
    text = marked(turn.text, _cards(turn), beside_sentences(turn, at, words))
    body = f'<span class="answer">{text}</span>' if text else ""
    match turn.stage:
        case Stage.STOPPED:
            status = f'<span class="status">{escape(words.stopped)}</span>'
        case Stage.FAILED:
            return f'<span class="answer failed">{text}</span>'
        case Stage.DONE:
            status = products_html(turn, at, words) + _outcome(turn, words)
        case _:
            status = f'<span class="status pending">{escape(_doing(turn, words))}</span>'
    return body + status


def _doing(turn: Turn, words: Wording) -> str:
    """Say what the assistant does just now."""
    match turn.stage:
        case Stage.SEARCHING:
            return words.searching
        case Stage.READING:
            count = turn.reading
            return words.reading_one if count == 1 else words.reading.format(count=count)
        case Stage.WRITING:
            return words.writing
        case _ if turn.in_line:
            return words.in_line.format(number=turn.in_line)
        case _:
            return words.waiting


def marked(text: str, cards: Mapping[int, str], pictures: Mapping[int, str]) -> str:
    """Return a text escaped, with its marks `[1]` set off.

    Args:
        text: what was written.
        cards: what a mark shows when it is pointed at, by its number.
        pictures: what follows the first sentence that has the mark, likewise.
    """
    left = dict(pictures)

    def end(marks: re.Match[str]) -> str:
        numbers = [int(number) for number in _MARK.findall(marks[0])]
        shown = "".join(left.pop(number, "") for number in numbers)
        return _MARK.sub(lambda mark: _mark(int(mark[1]), cards), marks[0]) + shown

    return _SENTENCE_END.sub(end, escape(text)).replace("\n", "<br>")


def sources_html(turn: Turn | None) -> str:
    """Return the sources of an answer, each with the passage and what was used of it."""
    if turn is None or turn.answer is None:
        first, second = SOURCES_APPEAR
        hint = f'{escape(first)}<br><span lang="ko">{escape(second)}</span>'
        return "" if turn is not None else f'<p class="no-sources">{hint}</p>'
    words = wording(turn.korean)
    if turn.answer.status in {Status.REFUSED, Status.HANDED_OVER}:
        return ""
    if not turn.answer.sources:
        return f'<p class="no-sources">{escape(words.no_sources)}</p>'
    cards = "".join(_source(source, words) for source in turn.answer.sources)
    return f'<ol class="sources" aria-label="{escape(words.sources)}">{cards}</ol>'


def escape(text: str) -> str:
    """Return a text that shows as it is, whatever tags or entities stand in it."""
    return html.escape(text)


def _outcome(turn: Turn, words: Wording) -> str:
    answer = turn.answer
    if answer is None:
        return ""
    badge = {
        Status.ANSWERED: "",
        Status.PARTIAL: f'<span class="badge">{escape(words.partial)}</span>',
        Status.ABSTAINED: f'<span class="badge unknown">{escape(words.unknown)}</span>',
        Status.REFUSED: f'<span class="badge unknown">{escape(words.refused)}</span>',
        Status.HANDED_OVER: "",
    }[answer.status]
    if turn.handoff is not None or answer.status is Status.HANDED_OVER:
        badge += f'<span class="badge person">{escape(words.with_person)}</span>'
    took = escape(words.seconds.format(seconds=answer.seconds))
    return f'<span class="status">{badge}<span class="took">{took}</span></span>'


def _mark(number: int, cards: Mapping[int, str]) -> str:
    card = cards.get(number)
    if card is None:
        return f'<span class="cite">[{number}]</span>'
    # A finger and the keyboard point with the focus, a mouse by being there; no script is needed.
    return f'<span class="cite has-card" tabindex="0" role="button">[{number}]{card}</span>'


def _cards(turn: Turn) -> dict[int, str]:
    """Return what the marks of an answer show: where it stands, and the passage with what was used."""
    if turn.answer is None:
        return {}
    words = wording(turn.korean)
    return {
        source.n: '<span class="card" role="tooltip"><span class="card-place">'
        f"{escape(' · '.join([source.title or source.document, *_place(source, words)]))}</span>"
        f'<span class="passage">{_highlighted(source)}</span></span>'
        for source in turn.answer.sources
    }


def _place(source: Source, words: Wording) -> list[str]:
    """Return the document, and the page of it, where there are pages."""
    page = [] if source.page is None else [words.page.format(page=source.page)]
    return [source.document, *page]


def _source(source: Source, words: Wording) -> str:
    place = _place(source, words)
    if source.span is None:
        place.append(words.picture)
    place.append(words.score.format(score=source.score))
    passage = _highlighted(source)
    quoted = f'<blockquote class="passage">{passage}</blockquote>' if passage else ""
    return (
        f'<li class="source"><div class="source-title"><span class="cite">[{source.n}]</span>'
        f"<span>{escape(source.title or source.document)}</span></div>"
        f'<div class="source-place">{escape(" · ".join(place))}</div>'
        f"{quoted}{_open(source, words)}</li>"
    )


def _open(source: Source, words: Wording) -> str:
    address = link_to(source)
    if not address:
        return ""
    return (
        f'<a class="there" href="{escape(address)}" target="_blank" rel="noopener">'
        f"{escape(words.open_document)}</a>"
    )


def _highlighted(source: Source) -> str:
    """Return the passage with what was used of it highlighted; a picture's caption is not."""
    used = source.text if source.span else ""
    before, found, after = source.passage.partition(used) if used else (source.passage, "", "")
    highlight = f"<mark>{escape(found)}</mark>" if found else ""
    return f"{escape(before)}{highlight}{escape(after)}"
