"""The conversations as the edges see them. What keeps them is loaded only where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmchat.sessions import Conversation, HandoffRecord, SessionStore


def open_store(database: str) -> SessionStore:
    """Open the conversations in a database: a SQLite file, or a URL of SQLAlchemy.

    Raises:
        ConfigError, MissingExtra, SessionError: they cannot be opened; the message says why.
    """
    from mmchat.sessions import SessionStore

    return SessionStore.open(database)


def conversation_markdown(conversation: Conversation) -> str:
    """Return a conversation as Markdown, with the evidence of each answer."""
    from mmchat.sessions import as_markdown

    return as_markdown(conversation)


def conversation_values(conversation: Conversation) -> dict[str, object]:
    """Return a conversation as JSON values, with every source as it was quoted then."""
    from mmchat.sessions import as_json_values

    return as_json_values(conversation)


def handoff_values(record: HandoffRecord) -> dict[str, object]:
    """Return a handoff as JSON values."""
    from mmchat.sessions.exporting import handoff_values as values

    return values(record)


def new_owner() -> str:
    """Return a token for a customer: who has it reads that customer's conversations, nobody else does."""
    from mmchat.sessions import new_owner as made

    return made()
