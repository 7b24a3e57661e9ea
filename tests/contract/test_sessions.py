"""One suite over every database that conversations are kept in.

SQLite always; PostgreSQL where it is installed, or where TEST_POSTGRES_URL names a server on which a database
may be emptied.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from PIL import Image
from postgres_server import programs, running
from sqlalchemy import create_engine

from mmchat.errors import InputError, UnknownConversation
from mmchat.sessions import (
    Concern,
    Delivery,
    OverviewLine,
    OwnConversations,
    SessionStore,
    new_owner,
)
from mmchat.sessions.tables import Base
from mmchat.types import Answer, Handoff, HandoffReason, Hit, Likeness, Similar, Source, Status, Tag

WRITER = Path(__file__).parents[1] / "session_writers.py"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Give the URL of a PostgreSQL whose database may be emptied."""
    if named := os.environ.get("TEST_POSTGRES_URL"):
        yield named
        return
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed, and TEST_POSTGRES_URL names no server")
    with running(folder) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "kept" / "conversations.sqlite")
    url: str = request.getfixturevalue("postgres")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return url


@pytest.fixture
def store(database: str) -> Iterator[SessionStore]:
    opened = SessionStore.open(database)
    yield opened
    opened.close()


@pytest.fixture
def own(store: SessionStore) -> OwnConversations:
    return store.of(new_owner())


def answer(text: str = "It costs €4.90 [1].", status: Status = Status.ANSWERED) -> Answer:
    source = Source(
        1, "delivery.md", 3, (10, 25), "Express is €4.90", "van.jpg", "Express is €4.90 a parcel.",
        "Delivery", 0.75, Path("media/van.jpg"), Path("thumbs/van.jpg"), "pixels",
    )  # fmt: skip
    shown = Hit(
        1, 0.5, "picture", "p1", "delivery.md", None, "A van", "van.jpg", {"image": 1}, "Delivery",
        Path("media/van.jpg"), Path("thumbs/van.jpg"), ("van",), ("copy.md",),
        Tag("van", 0.75), "A van",
    )  # fmt: skip
    similar = Similar(shown, "Van", "4.90 EUR", Likeness.TAG, "van")
    return Answer(
        text, status, (source,), 1.25, (shown,), None, "What does express cost?", ("A",), (similar,)
    )  # fmt: skip


def said(own: OwnConversations, *questions: str) -> str:
    conversation = own.start()
    for question in questions:
        own.end_turn(own.begin_turn(conversation, question), answer())
    return conversation


class TestWhatIsKept:
    def test_a_turn_with_its_evidence_and_picture(self, own: OwnConversations):
        conversation = own.start()
        turn = own.begin_turn(conversation, "How much?", Image.new("RGB", (4000, 20), "red"))
        own.end_turn(turn, answer(), written_by="qwen")
        own.rate(turn, useful=False, reason=" too dear ")
        (kept,) = own.get(conversation).turns
        assert (kept.question, kept.asked) == ("How much?", "What does express cost?")
        assert (kept.answer, kept.status) == ("It costs €4.90 [1].", Status.ANSWERED)
        assert kept.sources == answer().sources
        assert kept.shown == answer().pictures
        assert kept.similar == answer().similar
        assert (kept.nearest, kept.seconds, kept.written_by) == (("A",), 1.25, "qwen")
        assert kept.feedback is not None
        assert (kept.feedback.useful, kept.feedback.reason) == (False, "too dear")
        assert kept.created.tzinfo is not None
        assert datetime.datetime.now(datetime.UTC) - kept.created < datetime.timedelta(minutes=1)
        assert kept.picture is not None
        assert own.picture(conversation, kept.picture).startswith(b"\xff\xd8")

    def test_it_outlives_the_process(self, database: str):
        first = SessionStore.open(database)
        token = new_owner()
        conversation = said(first.of(token), "몇 시에 열어요?")
        first.close()
        again = SessionStore.open(database)
        assert again.of(token).get(conversation).title == "몇 시에 열어요?"
        again.close()

    def test_an_answer_that_was_stopped(self, own: OwnConversations):
        conversation = own.start()
        own.stop_turn(own.begin_turn(conversation, "How much?"), "It costs")
        (kept,) = own.get(conversation).turns
        assert (kept.answer, kept.status) == ("It costs", None)

    def test_the_last_word_on_an_answer_counts(self, own: OwnConversations):
        conversation = said(own, "How much?")
        (turn,) = own.get(conversation).turns
        own.rate(turn.id, useful=False, reason="wrong")
        own.rate(turn.id, useful=True)
        (turn,) = own.get(conversation).turns
        assert turn.feedback is not None
        assert (turn.feedback.useful, turn.feedback.reason) == (True, "")

    def test_text_that_databases_choke_on(self, own: OwnConversations):
        conversation = said(own, "nul \0 and \ud800 half; '); DROP TABLE turns; -- 😀")
        (turn,) = own.get(conversation).turns
        assert turn.question == "nul  and  half; '); DROP TABLE turns; -- 😀"


class TestPrivacy:
    def test_somebody_elses_conversation_is_unknown(self, store: SessionStore):
        conversation = said(store.of(new_owner()), "How much?")
        (turn,) = store.everything().get(conversation).turns
        other = store.of(new_owner())
        assert other.list() == []
        assert other.list("much") == []
        for attempt in (
            lambda: other.get(conversation),
            lambda: other.rename(conversation, "mine"),
            lambda: other.delete(conversation),
            lambda: other.begin_turn(conversation, "me too"),
            lambda: other.end_turn(turn.id, answer("changed")),
            lambda: other.stop_turn(turn.id, "changed"),
            lambda: other.rate(turn.id, useful=True),
            lambda: other.picture(conversation, "x"),
        ):
            with pytest.raises(UnknownConversation, match="somebody else's"):
                attempt()
        (turn,) = store.everything().get(conversation).turns
        assert turn.answer == answer().answer and turn.feedback is None

    def test_a_picture_of_another_conversation_is_unknown(self, own: OwnConversations):
        one, two = own.start(), own.start()
        own.begin_turn(one, "?", Image.new("RGB", (8, 8)))
        picture = own.get(one).turns[0].picture
        assert picture is not None
        with pytest.raises(UnknownConversation):
            own.picture(two, picture)

    def test_a_token_that_could_be_guessed_is_refused(self, store: SessionStore):
        with pytest.raises(InputError, match="expected 16 or more"):
            store.of("bob")

    def test_whoever_runs_the_shop_sees_all_and_owns_none(self, store: SessionStore):
        for _ in range(2):
            said(store.of(new_owner()), "How much?")
        assert len(store.everything().list()) == 2
        with pytest.raises(InputError, match="needs an owner"):
            store.everything().start()

    def test_ids_and_tokens_cannot_be_guessed(self, own: OwnConversations):
        ids = {own.start() for _ in range(5)} | {new_owner()}
        assert len(ids) == 6
        assert min(map(len, ids)) >= 32


class TestLists:
    def test_the_last_spoken_in_comes_first(self, own: OwnConversations):
        first, second = said(own, "one"), said(own, "two", "three")
        assert [head.id for head in own.list()] == [second, first]
        own.begin_turn(first, "four")
        assert [(head.id, head.turns) for head in own.list()] == [(first, 2), (second, 2)]
        assert [head.id for head in own.list(limit=1, offset=1)] == [second]

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("KETTLE", True),
            ("descale kettle", True),
            ("kettle €4.90", True),
            ("kettle toaster", False),
            ("100%", False),
            ("100_", False),
            ("주전자", True),
            ("holiday", True),
            ("", True),
        ],
    )
    def test_search(self, own: OwnConversations, words: str, found: bool):
        conversation = said(own, "How do I descale the kettle?", "주전자 색상은?", "1000 l?")
        own.rename(conversation, " Holiday\n plans ")
        assert [head.id for head in own.list(words)] == [conversation] * found
        assert own.get(conversation).title == "Holiday plans"

    def test_a_title_is_the_first_question_cut(self, own: OwnConversations):
        conversation = said(own, "why " * 50, "second")
        assert own.get(conversation).title == ("why " * 50)[:79] + "…"


class TestDeleting:
    def test_nothing_is_left(self, store: SessionStore, database: str):
        own = store.of(new_owner())
        kept = said(own, "keep me")
        gone = own.start()
        turn = own.begin_turn(gone, "SECRETWORD", Image.effect_noise((64, 64), 90).convert("RGB"))
        own.end_turn(turn, answer())
        own.rate(turn, useful=True)
        own.hand_over(gone, Handoff(HandoffReason.ANGER), turn=turn, webhook=True)
        picture = own.get(gone).turns[0].picture
        assert picture is not None
        jpeg = own.picture(gone, picture)
        own.delete(gone)
        with pytest.raises(UnknownConversation):
            own.get(gone)
        assert [head.id for head in own.list()] == [kept]
        assert store.queue.all() == []
        engine = create_engine(database if "://" in database else f"sqlite:///{database}")
        with engine.connect() as connection:
            for table in ("pictures", "handoffs", "feedback"):
                count = connection.execute(sqlalchemy.text(f"SELECT count(*) FROM {table}"))
                assert count.scalar() == 0, table
        engine.dispose()
        if "://" not in database:
            files = list(Path(database).parent.iterdir())
            for content in (path.read_bytes() for path in files):
                assert b"SECRETWORD" not in content
                assert jpeg[200:400] not in content, "not even in the journal"


class TestTakingBack:
    def test_a_turn_and_what_followed_are_gone_with_their_pictures(self, own: OwnConversations):
        conversation = said(own, "first")
        turn = own.begin_turn(conversation, "second", Image.new("RGB", (20, 20), "red"))
        own.end_turn(turn, answer())
        own.rate(turn, useful=False)
        (_, second) = own.get(conversation).turns
        own.begin_turn(conversation, "third")
        assert own.take_back(conversation, turn)
        assert [each.question for each in own.get(conversation).turns] == ["first"]
        assert second.picture is not None
        with pytest.raises(UnknownConversation):
            own.picture(conversation, second.picture)
        with pytest.raises(UnknownConversation):
            own.rate(turn, useful=True)
        assert own.take_back(conversation, turn), "gone already"

    def test_the_name_goes_with_its_question(self, own: OwnConversations):
        conversation = said(own, "first")
        (turn,) = own.get(conversation).turns
        own.take_back(conversation, turn.id)
        assert own.get(conversation).title == ""
        own.begin_turn(conversation, "better")
        assert own.get(conversation).title == "better"
        named = said(own, "first")
        own.rename(named, "Mine")
        own.take_back(named, own.get(named).turns[0].id)
        assert own.get(named).title == "Mine"

    def test_what_a_person_was_given_stays(self, own: OwnConversations):
        conversation = said(own, "before")
        (before,) = own.get(conversation).turns
        turn = own.begin_turn(conversation, "A person, please", Image.new("RGB", (9, 9)))
        own.hand_over(conversation, Handoff(HandoffReason.REQUEST), turn=turn, webhook=False)
        later = own.begin_turn(conversation, "later")
        for each in (before.id, turn):
            assert not own.take_back(conversation, each)
        assert len(own.get(conversation).turns) == 3
        assert own.take_back(conversation, later)
        kept = own.get(conversation)
        assert [each.question for each in kept.turns] == ["before", "A person, please"]
        assert kept.handoff is not None and kept.handoff.turn == turn

    def test_somebody_elses_cannot_be_taken_back(self, store: SessionStore):
        conversation = said(store.of(new_owner()), "mine")
        (turn,) = store.everything().get(conversation).turns
        with pytest.raises(UnknownConversation):
            store.of(new_owner()).take_back(conversation, turn.id)
        other = store.of(new_owner())
        assert other.take_back(said(other, "theirs"), turn.id)
        assert len(store.everything().get(conversation).turns) == 1


class TestHandoffs:
    def test_once_with_the_transcript(self, store: SessionStore):
        own = store.of(new_owner())
        conversation = said(own, "How much?")
        turn = own.begin_turn(conversation, "A person, please")
        handoff = Handoff(HandoffReason.REQUEST, "a person")
        kept = own.hand_over(conversation, handoff, turn=turn, summary="Asked.", webhook=True)
        assert kept is not None
        assert (kept.handoff, kept.turn, kept.summary) == (handoff, turn, "Asked.")
        assert own.hand_over(conversation, handoff, turn=turn, webhook=True) is None
        assert own.get(conversation).handoff == kept
        assert own.list()[0].handed_over
        parcel = store.queue.claim(60)
        assert parcel is not None
        assert [each["question"] for each in parcel.transcript] == ["How much?", "A person, please"]
        assert parcel.transcript[0]["sources"][0]["text"] == "Express is €4.90"

    def test_each_is_worked_on_by_one(self, store: SessionStore):
        own = store.of(new_owner())
        conversations = [said(own, "a"), said(own, "b")]
        for each in conversations:
            (turn,) = own.get(each).turns
            own.hand_over(each, Handoff(HandoffReason.ANGER), turn=turn.id, webhook=True)
        claimed = [store.queue.claim(60), store.queue.claim(60), store.queue.claim(60)]
        names = [parcel.record.conversation for parcel in claimed if parcel]
        assert names == conversations
        store.queue.failed(names[0], "down")
        store.queue.rest(names[0], 0)
        again = store.queue.claim(60)
        assert again is not None
        assert (again.record.attempts, again.record.error) == (1, "down")
        store.queue.delivered(names[0])
        store.queue.failed(names[1], "never", refused=True)
        store.queue.rest(names[1], 0)
        assert store.queue.claim(60) is None
        states = {each.conversation: each.delivery for each in store.queue.all()}
        assert states == dict(zip(names, (Delivery.DELIVERED, Delivery.REFUSED), strict=True))

    def test_a_claim_runs_out(self, store: SessionStore):
        own = store.of(new_owner())
        conversation = said(own, "a")
        (turn,) = own.get(conversation).turns
        own.hand_over(conversation, Handoff(HandoffReason.ANGER), turn=turn.id, webhook=True)
        assert store.queue.claim(-1) is not None
        assert store.queue.claim(60) is not None

    def test_without_a_webhook_nothing_waits(self, store: SessionStore):
        own = store.of(new_owner())
        conversation = said(own, "a")
        (turn,) = own.get(conversation).turns
        own.hand_over(conversation, Handoff(HandoffReason.ANGER), turn=turn.id, webhook=False)
        assert store.queue.claim(60) is None
        assert [each.delivery for each in store.queue.all()] == [Delivery.NONE]

    def test_one_that_is_done_can_be_passed_on_again(self, store: SessionStore):
        own = store.of(new_owner())
        conversation = said(own, "How much?")
        (first,) = own.get(conversation).turns
        asked = Handoff(HandoffReason.REQUEST, "a person")
        own.hand_over(conversation, asked, turn=first.id, webhook=True)
        assert store.queue.claim(60) is not None
        store.queue.delivered(conversation)
        store.queue.finish(conversation)
        done = own.get(conversation).handoff
        assert done is not None and done.done is not None
        assert (done.handoff, done.delivery) == (asked, Delivery.DELIVERED)
        store.queue.reopen(conversation)
        assert own.hand_over(conversation, asked, turn=first.id, webhook=True) is None
        store.queue.finish(conversation)
        turn = own.begin_turn(conversation, "That did not help!")
        angry = Handoff(HandoffReason.ANGER)
        again = own.hand_over(conversation, angry, turn=turn, webhook=True)
        assert again is not None
        assert (again.handoff, again.turn, again.done) == (angry, turn, None)
        assert (again.delivery, again.attempts) == (Delivery.PENDING, 0)
        parcel = store.queue.claim(60)
        assert parcel is not None and len(parcel.transcript) == 2
        assert len(store.queue.all()) == 1

    def test_only_what_was_passed_on_can_be_done(self, store: SessionStore):
        conversation = said(store.of(new_owner()), "How much?")
        for attempt in (store.queue.finish, store.queue.reopen):
            with pytest.raises(UnknownConversation, match="was not passed on"):
                attempt(conversation)


class TestOverview:
    @pytest.fixture
    def made(self, store: SessionStore) -> dict[str, str]:
        """Four conversations of four customers, one for each thing that can go wrong, and a good one."""
        good, unknown, bad, passed = (store.of(new_owner()) for _ in range(4))
        names = {"good": said(good, "What does express cost?")}
        names["unknown"] = said(unknown, "Do you sell lawn mowers?")
        turn = unknown.begin_turn(names["unknown"], "Or scythes?")
        unknown.end_turn(turn, answer("I don't know", Status.ABSTAINED))
        names["bad"] = said(bad, "Is it 100% wool?", "And that?")
        for each in bad.get(names["bad"]).turns:
            bad.rate(each.id, useful=False, reason="wrong")
        names["passed"] = said(passed, "A person, please")
        (turn_of,) = passed.get(names["passed"]).turns
        passed.hand_over(
            names["passed"], Handoff(HandoffReason.REQUEST), turn=turn_of.id, webhook=False
        )
        return names

    def test_by_what_went_wrong(self, store: SessionStore, made: dict[str, str]):
        def ids(concern: Concern | None, search: str = "") -> list[str]:
            return [line.id for line in store.overview.conversations(search, concern)]

        assert ids(None) == [made[name] for name in ("passed", "bad", "unknown", "good")]
        assert ids(None, "100% WOOL") == [made["bad"]]
        assert ids("unanswered") == [made["unknown"]]
        assert ids("disliked") == [made["bad"]]
        assert ids("disliked", "mowers") == []
        assert ids("waiting") == ids("passed on") == [made["passed"]]
        assert store.overview.count("waiting") == 1
        store.queue.finish(made["passed"])
        assert (ids("waiting"), ids("passed on")) == ([], [made["passed"]])
        assert store.overview.count("waiting") == 0
        assert [line.id for line in store.overview.conversations(limit=1, offset=3)] == [
            made["good"]
        ]

    def test_a_line_tells_what_happened(self, store: SessionStore, made: dict[str, str]):
        store.queue.finish(made["passed"])
        lines = {line.id: line for line in store.overview.conversations()}

        def told(name: str) -> tuple[int, int, int, HandoffReason | None, bool]:
            line: OverviewLine = lines[made[name]]
            return line.turns, line.unanswered, line.disliked, line.passed_on, bool(line.done)

        assert told("good") == (1, 0, 0, None, False)
        assert told("unknown") == (2, 1, 0, None, False)
        assert told("bad") == (2, 0, 2, None, False)
        assert told("passed") == (1, 0, 0, HandoffReason.REQUEST, True)
        assert lines[made["bad"]].title == "Is it 100% wool?"

    def test_what_was_asked_and_passed_on(self, store: SessionStore, made: dict[str, str]):
        before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        asked = list(store.overview.asked(before))
        assert [(each.status, each.useful) for each in asked] == [
            (Status.ANSWERED, None),
            (Status.ANSWERED, None),
            (Status.ABSTAINED, None),
            (Status.ANSWERED, False),
            (Status.ANSWERED, False),
            (Status.ANSWERED, None),
        ]
        assert {each.seconds for each in asked} == {1.25}
        assert all(before < each.created for each in asked)
        assert len(store.overview.passed_on(before)) == 1
        later = before + datetime.timedelta(hours=2)
        assert list(store.overview.asked(later)) == store.overview.passed_on(later) == []
        assert store.overview.last_question() == "What does express cost?"

    def test_nothing_was_asked_yet(self, store: SessionStore):
        assert store.overview.conversations() == []
        assert store.overview.last_question() == ""


class TestUnanswered:
    def test_abstentions_and_thumbs_down(self, store: SessionStore):
        own = store.of(new_owner())
        conversation = said(own, "good", "bad")
        turn = own.begin_turn(conversation, "unknown")
        own.end_turn(turn, answer("I don't know", Status.ABSTAINED))
        own.rate(own.get(conversation).turns[1].id, useful=False, reason="wrong")
        found = store.unanswered()
        assert [(each.turn, each.abstained, each.reason) for each in found] == [
            (turn, True, ""),
            (own.get(conversation).turns[1].id, False, "wrong"),
        ]
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        assert store.unanswered(since=later) == []


class TestAtOnce:
    def test_threads(self, store: SessionStore):
        own = store.of(new_owner())
        conversation = own.start()
        errors: list[Exception] = []

        def write() -> None:
            try:
                for number in range(10):
                    own.end_turn(own.begin_turn(conversation, str(number)), answer())
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not errors
        turns = own.get(conversation).turns
        assert len(turns) == 40
        assert all(turn.status == Status.ANSWERED for turn in turns)

    def test_processes_that_open_and_write_together(self, database: str):
        store, token = SessionStore.open(database), new_owner()
        conversation = store.of(token).start()
        command = [sys.executable, str(WRITER), database, token, conversation, "20"]
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        printed = [process.communicate(timeout=120) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], printed
        assert sorted(out.strip() for out, _ in printed) == ["passed on", "was passed on"]
        assert len(store.of(token).get(conversation).turns) == 40
        store.close()

    def test_threads_that_make_it_together(self, database: str):
        opened: list[SessionStore] = []
        threads = [
            threading.Thread(target=lambda: opened.append(SessionStore.open(database)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert len(opened) == 4
        for store in opened:
            store.close()


def test_the_migrations_make_the_tables_of_the_code(store: SessionStore, database: str):
    engine = create_engine(database if "://" in database else f"sqlite:///{database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_database_of_the_first_version_keeps_its_handoffs(tmp_path: Path):
    path = tmp_path / "conversations.sqlite"
    store = SessionStore.open(str(path))
    own = store.of(new_owner())
    conversation = said(own, "How much?")
    (turn,) = own.get(conversation).turns
    own.hand_over(conversation, Handoff(HandoffReason.ANGER), turn=turn.id, webhook=False)
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP INDEX ix_turns_created")
        connection.execute("ALTER TABLE handoffs DROP COLUMN done")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    store = SessionStore.open(str(path))
    assert [each.done for each in store.queue.all()] == [None]
    store.queue.finish(conversation)
    assert store.overview.conversations()[0].done is not None
    store.close()
