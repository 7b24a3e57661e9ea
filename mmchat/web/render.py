"""Turns of a conversation as HTML. Everything that comes from outside is escaped here.

Questions, documents and what a model writes are data. Gradio's Markdown is switched off, but it still
puts a message into the page as HTML; so the text is escaped before, and the only tags are our own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from mmchat.types import Hit, Source, Status
from mmchat.web.conversation import Conversation, Stage, Turn
from mmchat.web.documents import link_to
from mmchat.web.wording import GREETINGS, NEUTRAL_GREETINGS, SOURCES_APPEAR, Wording, wording

_MARK = re.compile(r"\[(\d{1,2})\]")


class Message(TypedDict):
    """A message as Gradio's chatbot takes it."""

    role: str
    content: list[str | dict[str, str]]


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
    for turn in turns:
        question: list[str | dict[str, str]] = []
        if turn.photo and turn.stage is Stage.FAILED:
            # It may be what failed: a name says more than the sign of a broken picture.
            question.append(f"📎 {escape(Path(turn.photo).name)}")
        elif turn.photo:
            question.append({"path": turn.photo, "alt_text": wording(turn.korean).picture})
        if turn.question:
            question.append(escape(turn.question).replace("\n", "<br>"))
        if question:
            shown.append({"role": "user", "content": question})
        shown.append({"role": "assistant", "content": [answer_html(turn)]})
    return shown


def answer_html(turn: Turn) -> str:
    """Return the answer as far as it is there, with how it stands below."""
    words = wording(turn.korean)
    text = marked(turn.text, _cards(turn))
    body = f'<span class="answer">{text}</span>' if text else ""
    match turn.stage:
        case Stage.WAITING | Stage.SEARCHING | Stage.WRITING:
            line = {
                Stage.WAITING: words.in_line.format(number=turn.in_line)
                if turn.in_line
                else words.waiting,
                Stage.SEARCHING: words.searching,
                Stage.WRITING: words.writing,
            }[turn.stage]
            status = f'<span class="status pending">{escape(line)}</span>'
        case Stage.STOPPED:
            status = f'<span class="status">{escape(words.stopped)}</span>'
        case Stage.FAILED:
            return f'<span class="answer failed">{text}</span>'
        case Stage.DONE:
            status = _outcome(turn, words)
    return body + status


def marked(text: str, cards: Mapping[int, str]) -> str:
    """Return a text escaped, with its marks `[1]` set off; one with a card shows it when it is pointed at."""
    return _MARK.sub(lambda mark: _mark(int(mark[1]), cards), escape(text)).replace("\n", "<br>")


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


def gallery(turn: Turn | None) -> list[tuple[str, str]]:
    """Return the pictures of an answer as paths and captions, each picture once."""
    if turn is None or turn.answer is None:
        return []
    shown: dict[str, str] = {}
    items: Sequence[Hit | Source] = (*turn.answer.pictures, *turn.answer.sources)
    for item in items:
        path = item.picture_path or item.thumb_path
        if path is not None and path.is_file():
            shown.setdefault(str(path), _told(item))
    return list(shown.items())


def _told(item: Hit | Source) -> str:
    """Return what a picture is called, with what it shows where that is known."""
    called = item.title or item.picture or ""
    alt = item.alt if isinstance(item, Hit) else ""
    return f"{called} – {alt}" if alt and alt != called else called


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
        person = words.dealt_with if turn.dealt_with else words.with_person
        badge += f'<span class="badge person">{escape(person)}</span>'
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
        f'<span class="passage">{highlighted(source)}</span></span>'
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
    passage = highlighted(source)
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


def highlighted(source: Source) -> str:
    """Return the passage with what was used of it highlighted; a picture's caption is not."""
    used = source.text if source.span else ""
    before, found, after = source.passage.partition(used) if used else (source.passage, "", "")
    highlight = f"<mark>{escape(found)}</mark>" if found else ""
    return f"{escape(before)}{highlight}{escape(after)}"
