"""The condition by which conversations are searched for words."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlalchemy.orm import InstrumentedAttribute

from mmchat.sessions.tables import ConversationRow, TurnRow


def has_words(search: str) -> ColumnElement[bool] | None:
    """Return that all words occur in one turn or in the title, without regard to case; None without words."""
    words = search.split()
    if not words:
        return None
    said = exists().where(
        TurnRow.conversation_id == ConversationRow.id,
        *(
            or_(_contains(TurnRow.question, word), _contains(TurnRow.answer, word))
            for word in words
        ),
    )
    return or_(said, and_(*(_contains(ConversationRow.title, word) for word in words)))


def _contains(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)
