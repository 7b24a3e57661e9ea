"""Opening the database of conversations when something is in the way, and how one is exported."""

from __future__ import annotations

import datetime
import json
import sqlite3
import stat
from pathlib import Path

import pytest

from mmchat.errors import ConfigError, MissingExtra, MmchatError, SessionError
from mmchat.sessions import SessionStore, as_json_values, as_markdown, new_owner
from mmchat.types import Answer, Handoff, HandoffReason, Source, Status


def garbage(folder: Path) -> str:
    (folder / "notes.txt").write_text("no database " * 100)
    return str(folder / "notes.txt")


def newer(folder: Path) -> str:
    path = folder / "newer.sqlite"
    SessionStore.open(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    return str(path)


def below_a_file(folder: Path) -> str:
    (folder / "file").write_text("")
    return str(folder / "file" / "conversations.sqlite")


@pytest.mark.parametrize(
    ("database", "error", "said"),
    [
        (garbage, SessionError, "file is not a database"),
        (newer, SessionError, "Update mmchat"),
        (below_a_file, SessionError, "sessions.database"),
        (lambda _: "nonsense://host/name", ConfigError, "SQLAlchemy knows no such database"),
        (lambda _: "://", ConfigError, "no URL that SQLAlchemy reads"),
        (lambda _: "mysql+oursql9://u:secret@host/x", ConfigError, "no such database"),
        (lambda _: "oracle+cx_oracle://u:secret@host/x", MissingExtra, "cx_Oracle"),
        (lambda _: "postgresql://u:secret@127.0.0.1:1/x", MmchatError, "postgresql"),
    ],
)
def test_a_database_that_cannot_be_used(tmp_path: Path, database, error, said: str):
    with pytest.raises(error) as caught:
        SessionStore.open(database(tmp_path))
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_in_the_way_is_left_as_it_is(tmp_path: Path):
    path = garbage(tmp_path)
    before = Path(path).read_bytes()
    with pytest.raises(SessionError):
        SessionStore.open(path)
    assert Path(path).read_bytes() == before


def test_only_its_owner_may_read_the_file(tmp_path: Path):
    path = tmp_path / "conversations.sqlite"
    SessionStore.open(str(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_made_by_importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import importlib

    import mmchat.sessions

    monkeypatch.chdir(tmp_path)
    importlib.reload(mmchat.sessions)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def conversation(tmp_path: Path):
    store = SessionStore.open(str(tmp_path / "conversations.sqlite"))
    own = store.of(new_owner())
    key = own.start()
    turn = own.begin_turn(key, "Is <b>it</b> *red*?\n![x](http://evil.example/x.png)")
    source = Source(1, "kettle_red.md", 2, (0, 11), "It is [red].", None, "It is [red].", "Kettle")
    own.end_turn(
        turn, Answer("It is red [1].", Status.ANSWERED, (source,), 0.5, asked="Is the kettle?")
    )
    own.rate(turn, useful=False, reason="too *short*")
    stopped = own.begin_turn(key, "주전자?")
    own.hand_over(key, Handoff(HandoffReason.TOPIC, "legal"), turn=stopped, webhook=False)
    yield own.get(key)
    store.close()


def test_markdown_shows_everything_and_runs_nothing(conversation):
    text = as_markdown(conversation)
    assert "Is \\<b\\>it\\</b\\> \\*red\\*? \\!\\[x\\](http://evil.example/x.png)" in text
    assert "- \\[1\\] kettle\\_red.md, page 2: “It is \\[red\\].”" in text
    assert "*Searched as: Is the kettle?*" in text
    assert "not useful: too \\*short\\*" in text
    assert "**Assistant** (not finished):" in text
    assert "*Passed to a person (topic: legal).*" in text
    from markdown_it import MarkdownIt

    html = MarkdownIt().render(text)
    assert "<img" not in html and "<a " not in html and "<b>" not in html
    assert "Is &lt;b&gt;it&lt;/b&gt; *red*?" in html


def test_json_holds_everything(conversation):
    values = json.loads(json.dumps(as_json_values(conversation)))
    first, second = values["turns"]
    assert first["sources"][0]["span"] == [0, 11]
    assert first["feedback"]["reason"] == "too *short*"
    assert (second["question"], second["status"]) == ("주전자?", None)
    assert values["handoff"]["reason"] == "topic"
    assert datetime.datetime.fromisoformat(values["created"]).tzinfo is not None
