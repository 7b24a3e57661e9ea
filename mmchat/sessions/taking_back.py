"""Taking back what was said: a question with its answer, and everything that followed it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mmchat.sessions.tables import ConversationRow, HandoffRow, PictureRow, TurnRow


def take_back(
    session: Session, conversation: str, turn: int, title_of: Callable[[str], str]
) -> bool:
    """Delete a turn and those after it, with their pictures, sources and feedback.

    What a person was given stays: they answer what was asked, and both sides see the same.

    Args:
        session: in a transaction that writes.
        conversation: its id.
        turn: the number of the turn, which may be gone already.
        title_of: what a conversation is called after a question, where nobody names it: such a name goes
            with its question.

    Returns:
        False where a person took over in one of these turns, so that all of them stay.
    """
    later = TurnRow.conversation_id == conversation, TurnRow.id >= turn
    passed = select(HandoffRow.turn_id).where(
        HandoffRow.conversation_id == conversation, HandoffRow.turn_id >= turn
    )
    if session.scalar(passed) is not None:
        return False
    gone = session.execute(select(TurnRow.question, TurnRow.picture_id).where(*later)).all()
    session.execute(delete(TurnRow).where(*later))
    session.execute(delete(PictureRow).where(PictureRow.id.in_(id_ for _, id_ in gone if id_)))
    row = session.get_one(ConversationRow, conversation)
    if row.title in {title_of(question) for question, _ in gone}:
        left = select(TurnRow.question).where(TurnRow.conversation_id == conversation)
        titles = map(title_of, session.scalars(left.order_by(TurnRow.id)))
        row.title = next(filter(None, titles), "")
    return True
