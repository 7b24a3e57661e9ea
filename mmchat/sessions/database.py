"""Opening the database of conversations: any that SQLAlchemy reaches, with the tables of this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from mmchat.errors import ConfigError, MissingExtra, SessionError

_MIGRATIONS = Path(__file__).with_name("migrations")
_WAIT_SECONDS = 30
"""How long one process waits for another that is writing to the same SQLite file."""
_MIGRATION_LOCK = 0x6D6D63686174
"""Under which PostgreSQL lets one process at a time change the tables: "mmchat"."""


class Database:
    """A database whose tables are those of this version."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, database: str) -> Database:
        """Open a database and bring its tables to this version.

        Args:
            database: the path of a SQLite file, made where it is missing; or a URL of SQLAlchemy.

        Raises:
            ConfigError: the URL is none, or names a kind of database that SQLAlchemy does not know.
            MissingExtra: the driver of that database is not installed.
            SessionError: it cannot be reached, or a newer mmchat has changed its tables.
        """
        opened = cls(_engine(_url(database)))
        try:
            opened._migrate()
        except BaseException:
            opened.close()
            raise
        return opened

    @contextmanager
    def session(self, *, write: bool = False) -> Iterator[Session]:
        """Give a session in a transaction; what goes wrong in it is undone.

        Raises:
            SessionError: the database refused or was not reached.
        """
        with (
            self._transaction(write=write) as connection,
            Session(bind=connection, expire_on_commit=False) as session,
        ):
            yield session
            session.flush()

    def forget_deleted(self) -> None:
        """Empty the journal of SQLite, in which a deleted page may still stand as it was."""
        if self._engine.dialect.name == "sqlite":
            with self._reporting(), self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        with (
            self._reporting(),
            self._engine.connect().execution_options(writes=write) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise SessionError(
                f"The conversations in {self._shown} cannot be used: {reason}. Check that the "
                "database is there, may be written to and is one of mmchat, or name another by the "
                "setting sessions.database."
            ) from error

    @property
    def _shown(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    def _migrate(self) -> None:
        """Bring the tables to this version, one process at a time."""
        settings = AlembicConfig()
        settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        newest = ScriptDirectory.from_config(settings).get_current_head()
        with self._transaction(write=False) as connection:
            if _revision(connection) == newest:
                return
        with self._transaction(write=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
            settings.attributes["connection"] = connection
            try:
                command.upgrade(settings, "head")
            except CommandError as error:
                raise SessionError(
                    f"{self._shown} has tables of version {_revision(connection)}, expected {newest} "
                    "or an earlier one: a newer mmchat has written there. Update mmchat, or name "
                    "another database by the setting sessions.database."
                ) from error


def _engine(url: URL) -> Engine:
    shown = url.render_as_string(hide_password=True)
    try:
        return _sqlite(url) if url.get_backend_name() == "sqlite" else create_engine(url)
    except NoSuchModuleError as error:
        raise ConfigError(
            f"sessions.database = '{shown}': SQLAlchemy knows no such database. "
            "Expected the path of a file, or a URL such as postgresql://user@host/name."
        ) from error
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"sessions.database = '{shown}' needs the package {error.name}, which is not installed. "
            "Run: pip install 'mmchat[postgres]', or install that package for another database."
        ) from error


def _url(database: str) -> URL:
    if "://" not in database:
        return URL.create("sqlite", database=str(Path(database).expanduser()))
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise ConfigError(
            "sessions.database is no URL that SQLAlchemy reads. Expected the path of a file, or "
            "a URL such as postgresql://user@host/name."
        ) from error
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    return url


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # what customers said is nobody else's on this machine
        except OSError as error:
            raise SessionError(
                f"Cannot make {path}: {error.strerror}. Conversations are kept there; name another "
                "file by the setting sessions.database."
            ) from error
    engine = create_engine(url, connect_args={"timeout": _WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        # sqlite3 would begin transactions when it sees fit; `_begin` does.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # Deleted is overwritten, not only unlisted.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Who will write says so at once: two readers that both want to write would block each other.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
