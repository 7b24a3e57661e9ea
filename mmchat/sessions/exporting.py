"""A conversation as Markdown for people and as JSON for programs, each with the evidence."""

from __future__ import annotations

import datetime
import re

from mmchat.serialise import hit_values, similar_values, source_values
from mmchat.sessions.records import Conversation, Feedback, HandoffRecord, TurnRecord

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def as_json_values(conversation: Conversation) -> dict[str, object]:
    """Return a conversation as JSON values, with every source as it was quoted then."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created": _moment(conversation.created),
        "updated": _moment(conversation.updated),
        "turns": [turn_values(turn) for turn in conversation.turns],
        "handoff": handoff_values(conversation.handoff) if conversation.handoff else None,
    }


def turn_values(turn: TurnRecord) -> dict[str, object]:
    """Return a turn as JSON values."""
    return {
        "turn": turn.id,
        "created": _moment(turn.created),
        "question": turn.question,
        "asked": turn.asked,
        "picture": turn.picture,
        "answer": turn.answer,
        "status": turn.status.value if turn.status else None,
        "sources": [source_values(source) for source in turn.sources],
        "pictures": [hit_values(hit) for hit in turn.shown],
        "similar": [similar_values(each) for each in turn.similar],
        "nearest": list(turn.nearest),
        "seconds": turn.seconds,
        "written_by": turn.written_by,
        "feedback": _feedback_values(turn.feedback) if turn.feedback else None,
    }


def handoff_values(record: HandoffRecord) -> dict[str, object]:
    """Return a handoff as JSON values."""
    return {
        "conversation": record.conversation,
        "turn": record.turn,
        "reason": record.handoff.reason.value,
        "detail": record.handoff.detail,
        "created": _moment(record.created),
        "summary": record.summary,
        "delivery": record.delivery.value,
        "attempts": record.attempts,
        "error": record.error,
    }


def as_markdown(conversation: Conversation) -> str:
    """Return a conversation as Markdown. What was said in it is text there, never markup."""
    lines = [f"# {_plain(conversation.title) or 'Conversation'}", ""]
    lines += [f"{conversation.created:%Y-%m-%d %H:%M} UTC, conversation `{conversation.id}`", ""]
    for turn in conversation.turns:
        lines += _turn_lines(turn)
        passed = conversation.handoff
        if passed and passed.turn == turn.id:
            detail = f": {_plain(passed.handoff.detail)}" if passed.handoff.detail else ""
            lines += [f"*Passed to a person ({passed.handoff.reason.value}{detail}).*", ""]
    return "\n".join(lines).rstrip() + "\n"


def _turn_lines(turn: TurnRecord) -> list[str]:
    asked = _plain(turn.question) or "(a picture)"
    lines = [f"**Customer:** {asked}", ""]
    if turn.picture:
        lines += [f"*Sent a picture (`{turn.picture}`).*", ""]
    if turn.asked and turn.asked != turn.question:
        lines += [f"*Searched as: {_plain(turn.asked)}*", ""]
    status = turn.status.value if turn.status else "not finished"
    lines += [f"**Assistant** ({status}): {_plain(turn.answer)}", ""]
    for source in turn.sources:
        page = f", page {source.page}" if source.page else ""
        where = f"{_plain(source.document)}{page}"
        lines.append(f"- \\[{source.n}\\] {where}: “{_plain(source.text)}”")
    if turn.sources:
        lines.append("")
    if turn.feedback:
        thumb = "useful" if turn.feedback.useful else "not useful"
        reason = f": {_plain(turn.feedback.reason)}" if turn.feedback.reason else ""
        lines += [f"*The customer found this {thumb}{reason}.*", ""]
    return lines


def _feedback_values(feedback: Feedback) -> dict[str, object]:
    return {
        "useful": feedback.useful,
        "reason": feedback.reason,
        "created": _moment(feedback.created),
    }


def _plain(text: str) -> str:
    """Return a text in one line, with everything escaped that Markdown would read as markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _moment(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds")
