"""What was asked and answered, kept with its evidence so that it can be audited later.

    tables.py      the tables of the database
    migrations/    how a database of an earlier version becomes one of this (alembic)
    database.py    opening it: SQLite by default, or whatever SQLAlchemy reaches
    records.py     what comes out of it, as values
    store.py       conversations: each customer's own, and all of them for whoever runs the shop
    taking_back.py a question that is taken back, with all that followed
    queue.py       handoffs that wait for their webhook
    delivery.py    the webhook, in a thread of its own
    exporting.py   a conversation as Markdown or JSON

Nothing is opened or created when this is imported.
"""

from mmchat.sessions.delivery import Courier
from mmchat.sessions.exporting import as_json_values, as_markdown
from mmchat.sessions.records import (
    Conversation,
    ConversationHead,
    Delivery,
    Feedback,
    HandoffRecord,
    TurnRecord,
    Unanswered,
)
from mmchat.sessions.store import OwnConversations, SessionStore, new_owner

__all__ = [
    "Conversation",
    "ConversationHead",
    "Courier",
    "Delivery",
    "Feedback",
    "HandoffRecord",
    "OwnConversations",
    "SessionStore",
    "TurnRecord",
    "Unanswered",
    "as_json_values",
    "as_markdown",
    "new_owner",
]
