"""What the panel of conversations shows, as HTML. What customers and documents say is escaped here."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mmchat.app import conversation_markdown, conversation_values
from mmchat.types import HandoffReason, Source, Status
from mmchat.web.documents import link_to
from mmchat.web.render import escape, highlighted, marked

if TYPE_CHECKING:
    from mmchat.app import DraftText
    from mmchat.sessions import (
        Conversation,
        Feedback,
        HandoffRecord,
        OverviewLine,
        TurnRecord,
    )

_REASONS = {
    HandoffReason.REQUEST: "talks_request",
    HandoffReason.UNANSWERED: "talks_reason_unanswered",
    HandoffReason.ANGER: "talks_anger",
    HandoffReason.TOPIC: "talks_topic",
}
_STATUSES = {
    Status.ANSWERED: "talks_status_answered",
    Status.PARTIAL: "talks_status_partial",
    Status.ABSTAINED: "talks_status_abstained",
    Status.REFUSED: "talks_status_refused",
    Status.HANDED_OVER: "talks_status_handed",
    None: "talks_status_unfinished",
}


def list_html(lines: Sequence[OverviewLine], opened: str, words: Mapping[str, str]) -> str:
    """Return the list of conversations, each a button; the open one is marked."""
    if not lines:
        return f'<p class="facts">{escape(words["talks_none"])}</p>'
    rows = "".join(_line(line, line.id == opened, words) for line in lines)
    return f'<ul class="talks" aria-label="{escape(words["talks_list"])}">{rows}</ul>'


def talk_html(kept: Conversation, pictures: Mapping[str, bytes], words: Mapping[str, str]) -> str:
    """Return a conversation: why a person has it, everything that was said, and what that rests on.

    Args:
        kept: the conversation.
        pictures: what the customer sent: id to the bytes of a JPEG file.
        words: of the language of the page.
    """
    title = escape(kept.title or words["talks_untitled"])
    handoff = _handoff(kept.handoff, words) if kept.handoff else ""
    turns = "".join(_turn(turn, kept, pictures, words) for turn in kept.turns)
    return (
        f'<article class="talk"><h2>{title}</h2>'
        f'<p class="facts">{_moment(kept.created)} · {_saved(kept, words)}</p>'
        f'{handoff}<ol class="turns">{turns}</ol></article>'
    )


def draft_html(draft: DraftText, words: Mapping[str, str]) -> str:
    """Return what a draft rests on, and what it could not answer."""
    parts = []
    if draft.missing:
        said = words["talks_missing"].format(questions=" / ".join(draft.missing))
        parts.append(f'<p class="bad">{escape(said)}</p>')
    if draft.sources:
        rows = "".join(_source(source, words) for source in draft.sources)
        parts.append(f'<h3>{escape(words["talks_rests"])}</h3><ol class="rests">{rows}</ol>')
    return f'<div role="status">{"".join(parts)}</div>'


def _line(line: OverviewLine, opened: bool, words: Mapping[str, str]) -> str:
    count = (
        words["talks_turn"] if line.turns == 1 else words["talks_turns"].format(count=line.turns)
    )
    marks = []
    if line.passed_on is not None:
        done = line.done is not None
        name = "talks_mark_done" if done else "talks_mark_waiting"
        marks.append(_mark(words[name], "done" if done else "waiting"))
    if line.unanswered:
        marks.append(_mark(words["talks_mark_unanswered"].format(count=line.unanswered)))
    if line.disliked:
        marks.append(_mark(words["talks_mark_disliked"].format(count=line.disliked)))
    current = ' aria-current="true"' if opened else ""
    return (
        f'<li><button type="button" data-talk="{escape(line.id)}"{current}>'
        f'<span class="title">{escape(line.title or words["talks_untitled"])}</span>'
        f'<span class="path">{_moment(line.updated)} · {escape(count)}</span>'
        f'<span class="marks">{"".join(marks)}</span></button></li>'
    )


def _mark(text: str, kind: str = "") -> str:
    return f'<span class="mark {kind}">{escape(text)}</span>'


def _handoff(record: HandoffRecord, words: Mapping[str, str]) -> str:
    reason = words[_REASONS[record.handoff.reason]]
    if record.handoff.detail:
        reason += f": {record.handoff.detail}"
    since, done = _moment(record.created), record.done
    state = (
        words["talks_open"].format(when=since)
        if done is None
        else words["talks_done_at"].format(when=_moment(done))
    )
    told = words[f"talks_delivery_{record.delivery.value}"].format(attempts=record.attempts)
    if record.error:
        told += " " + words["talks_error"].format(error=record.error)
    summary = (
        f"<details open><summary>{escape(words['talks_summary'])}</summary>"
        f'<p class="summary">{escape(record.summary)}</p></details>'
        if record.summary
        else ""
    )
    return (
        f'<section class="handoff {"done" if done else "waiting"}" '
        f'aria-label="{escape(words["talks_handoff"])}"><p class="state">{escape(state)}</p>'
        f'<p>{escape(reason)}</p><p class="facts">{escape(told)}</p>{summary}</section>'
    )


def _turn(
    turn: TurnRecord,
    kept: Conversation,
    pictures: Mapping[str, bytes],
    words: Mapping[str, str],
) -> str:
    asked = ""
    if turn.asked and turn.asked != turn.question:
        line = words["talks_searched"].format(asked=turn.asked)
        asked = f'<div class="facts">{escape(line)}</div>'
    took = f" · {words['talks_seconds'].format(seconds=turn.seconds)}" if turn.seconds else ""
    passed = kept.handoff is not None and kept.handoff.turn == turn.id
    mark = _mark(words["talks_handoff"], "waiting") if passed else ""
    status = escape(f"{words[_STATUSES[turn.status]]}{took}")
    return (
        f'<li><div class="said customer"><div class="who">{escape(words["talks_customer"])} · '
        f"{_moment(turn.created)}</div>{_picture(turn, pictures, words)}"
        f"<div>{_lines(turn.question)}</div></div>{asked}"
        f'<div class="said assistant"><div class="who">{escape(words["talks_assistant"])} · '
        f"{status} {mark}</div><div>{marked(turn.answer, {}, {})}</div>{_sources(turn, words)}"
        f"{_near(turn, words)}{_thumb(turn.feedback, words)}</div></li>"
    )


def _picture(turn: TurnRecord, pictures: Mapping[str, bytes], words: Mapping[str, str]) -> str:
    jpeg = pictures.get(turn.picture or "")
    if jpeg is None:
        return ""
    # Within the page, so that no address has it that somebody else could open.
    data = base64.b64encode(jpeg).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(words["talks_picture"])}">'


def _sources(turn: TurnRecord, words: Mapping[str, str]) -> str:
    if not turn.sources:
        return ""
    head = escape(words["talks_sources"].format(count=len(turn.sources)))
    rows = "".join(_source(source, words) for source in turn.sources)
    return f'<details><summary>{head}</summary><ol class="rests">{rows}</ol></details>'


def _source(source: Source, words: Mapping[str, str]) -> str:
    place = [source.document]
    place += [words["talks_page"].format(page=source.page)] if source.page else []
    title = escape(source.title or source.document)
    address = link_to(source)
    if address:
        title = f'<a href="../{escape(address)}" target="_blank" rel="noopener">{title}</a>'
    passage = highlighted(source)
    quoted = f'<blockquote class="near">{passage}</blockquote>' if passage else ""
    return (
        f'<li><span class="cite">[{source.n}]</span> {title} '
        f'<span class="path">{escape(" · ".join(place))}</span>{quoted}</li>'
    )


def _near(turn: TurnRecord, words: Mapping[str, str]) -> str:
    if not turn.nearest:
        return ""
    line = words["talks_nearest"].format(titles=", ".join(turn.nearest))
    return f'<div class="facts">{escape(line)}</div>'


def _thumb(feedback: Feedback | None, words: Mapping[str, str]) -> str:
    if feedback is None:
        return ""
    sign, name = ("👍", "talks_useful") if feedback.useful else ("👎", "talks_useless")
    reason = f": {feedback.reason}" if feedback.reason else ""
    return f'<div class="thumb-said">{sign} {escape(words[name] + reason)}</div>'


def _saved(kept: Conversation, words: Mapping[str, str]) -> str:
    """Return the links that save a conversation. They hold it, so that no address gives it out."""
    values = json.dumps(conversation_values(kept), ensure_ascii=False, indent=2)
    files = (
        ("Markdown", "text/markdown", "conversation.md", conversation_markdown(kept)),
        ("JSON", "application/json", "conversation.json", values),
    )
    links = " ".join(
        f'<a download="{name}" href="data:{kind};charset=utf-8;base64,'
        f'{base64.b64encode(text.encode()).decode()}">{label}</a>'
        for label, kind, name, text in files
    )
    return f"{escape(words['talks_save'])} {links}"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _moment(moment: datetime.datetime) -> str:
    """Return a moment in this machine's own time."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
