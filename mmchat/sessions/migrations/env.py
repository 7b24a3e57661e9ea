"""Runs the migrations in the connection, and in the transaction, that `database.py` has opened.

To make the next one, after a change of `tables.py`: copy the newest of `versions/`, name it with the
next number, and write what changed into `upgrade`. A test compares the result with the tables.
"""

from alembic import context

from mmchat.sessions.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter most of a table; alembic then copies it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
