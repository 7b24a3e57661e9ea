"""Rows of the database as values, and values as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmchat.serialise import hit_values
from mmchat.sessions.records import (
    Conversation,
    Delivery,
    Feedback,
    HandoffRecord,
    TurnRecord,
    Unanswered,
)
from mmchat.sessions.tables import ConversationRow, HandoffRow, SourceRow, TurnRow
from mmchat.types import Handoff, HandoffReason, Hit, Likeness, Similar, Source, Status, Tag

_SIMILAR = "similar"
"""The key under which a picture is kept that is a product below the answer, with why it is shown."""


def conversation(row: ConversationRow, turns: Sequence[TurnRow]) -> Conversation:
    """Return a conversation, whose handoff was read with it, with some of its turns."""
    return Conversation(
        id=row.id,
        title=row.title,
        created=row.created,
        updated=row.updated,
        turns=tuple(turn(each) for each in turns),
        handoff=handoff(row.handoff) if row.handoff else None,
    )


def turn(row: TurnRow) -> TurnRecord:
    """Return a turn whose sources and feedback were read with it."""
    rated = row.feedback
    return TurnRecord(
        id=row.id,
        created=row.created,
        question=row.question,
        asked=row.asked,
        picture=row.picture_id,
        answer=row.answer,
        status=Status(row.status) if row.status else None,
        sources=tuple(_source(each) for each in row.sources),
        shown=tuple(_hit(each) for each in row.shown if _SIMILAR not in each),
        similar=tuple(_similar(each) for each in row.shown if _SIMILAR in each),
        nearest=tuple(row.nearest),
        seconds=row.seconds,
        written_by=row.written_by,
        feedback=Feedback(rated.useful, rated.reason, rated.created) if rated else None,
    )


def handoff(row: HandoffRow) -> HandoffRecord:
    """Return a handoff."""
    return HandoffRecord(
        conversation=row.conversation_id,
        turn=row.turn_id,
        handoff=Handoff(HandoffReason(row.reason), row.detail),
        created=row.created,
        summary=row.summary,
        delivery=Delivery(row.state),
        attempts=row.attempts,
        error=row.error,
    )


def unanswered(row: TurnRow) -> Unanswered:
    """Return a question that was not answered, or not to the customer's liking."""
    return Unanswered(
        conversation=row.conversation_id,
        turn=row.id,
        question=row.asked or row.question,
        created=row.created,
        abstained=row.status == Status.ABSTAINED.value,
        reason=row.feedback.reason if row.feedback else "",
    )


def source_rows(number: int, sources: Sequence[Source]) -> list[SourceRow]:
    """Return the rows of an answer's sources."""
    return [
        SourceRow(
            turn_id=number,
            n=source.n,
            document=source.document,
            title=source.title,
            page=source.page,
            start=source.span[0] if source.span else None,
            stop=source.span[1] if source.span else None,
            text=source.text,
            passage=source.passage,
            picture=source.picture,
            picture_path=_text(source.picture_path),
            thumb_path=_text(source.thumb_path),
            score=source.score,
            basis=source.basis,
        )
        for source in sources
    ]


def shown_values(pictures: Sequence[Hit], similar: Sequence[Similar] = ()) -> list[dict[str, Any]]:
    """Return the pictures beside an answer, and then the products below it, as JSON values."""
    products = [
        {
            **_hit_values(each.hit),
            _SIMILAR: {
                "name": each.name,
                "price": each.price,
                "likeness": each.likeness.value,
                "kind": each.kind,
            },
        }
        for each in similar
    ]
    return [*map(_hit_values, pictures), *products]


def _hit_values(hit: Hit) -> dict[str, Any]:
    return {**hit_values(hit), "thumb_path": _text(hit.thumb_path)}


def _source(row: SourceRow) -> Source:
    both = row.start is not None and row.stop is not None
    return Source(
        n=row.n,
        document=row.document,
        page=row.page,
        span=(row.start, row.stop) if both else None,  # type: ignore[arg-type]
        text=row.text,
        picture=row.picture,
        passage=row.passage,
        title=row.title,
        score=row.score,
        picture_path=_path(row.picture_path),
        thumb_path=_path(row.thumb_path),
        basis="pixels" if row.basis == "pixels" else "text",
    )


def _similar(values: Mapping[str, Any]) -> Similar:
    said = values[_SIMILAR]
    return Similar(
        hit=_hit({name: value for name, value in values.items() if name != _SIMILAR}),
        name=said["name"],
        price=said["price"],
        likeness=Likeness(said["likeness"]),
        kind=said["kind"],
    )


def _hit(values: Mapping[str, Any]) -> Hit:
    kept = {
        **values,
        "picture_path": _path(values["picture_path"]),
        "thumb_path": _path(values["thumb_path"]),
        "words": tuple(values["words"]),
        "duplicates": tuple(values["duplicates"]),
        "tag": Tag(**values["tag"]) if values.get("tag") else None,
    }
    return Hit(**kept)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
