"""How a database of conversations of an earlier version becomes one of this; run by alembic."""
