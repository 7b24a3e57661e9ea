"""A handoff knows when somebody had dealt with it; turns are found by when they were asked."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what was not kept before: handoffs of an earlier version count as open."""
    op.add_column("handoffs", sa.Column("done", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_turns_created", "turns", ["created"])
