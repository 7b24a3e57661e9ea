"""Conversations at the desk: kept with their evidence, passed to a person once, pictures remembered."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from shelf_assistant import shelf_desk

import mmchat
from mmchat.errors import GenerationError, QueryError, UnknownConversation
from mmchat.sessions import Delivery
from mmchat.types import AnswerPiece, HandoffReason, Status

Open = Callable[..., mmchat.Desk]
KEEP = "How long does asparagus keep in the refrigerator?"
WEEK = "Asparagus keeps for about one week in the refrigerator."
MOWERS = "Do you sell lawn mowers?"
OWNER = mmchat.new_owner()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    desks: list[mmchat.Desk] = []

    def _open(*replies: str | Exception, **handoff: object) -> mmchat.Desk:
        desks.append(shelf_desk(tmp_path, *replies, **handoff))
        return desks[-1]

    yield _open
    for desk in desks:
        desk.close()


def photo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "yellow").save(buffer, "PNG")
    return buffer.getvalue()


def handoffs(pieces: list[AnswerPiece]) -> list[HandoffReason]:
    return [piece.handoff.reason for piece in pieces if piece.handoff]


class TestKeeping:
    def test_what_was_asked_and_answered_with_its_sources(self, opened: Open):
        desk = opened(WEEK)
        talk = desk.start(OWNER)
        *_, last = desk.stream(OWNER, talk, KEEP)
        (turn,) = desk.store.of(OWNER).get(talk).turns
        assert last.turn == turn.id
        assert last.answer is not None
        assert (turn.question, turn.answer) == (KEEP, last.answer.answer)
        assert turn.sources == last.answer.sources
        assert turn.status == Status.ANSWERED
        assert turn.written_by == "qwen2.5-coder-0.5b, index shelf"

    def test_a_reader_who_leaves(self, opened: Open):
        desk = opened(f"{WEEK} Asparagus can be eaten raw.")
        talk = desk.start(OWNER)
        stream = desk.stream(
            OWNER, talk, "Does asparagus keep for a week, and can it be eaten raw?"
        )
        first = next(piece for piece in stream if piece.text)
        stream.close()  # type: ignore[attr-defined]
        (turn,) = desk.store.of(OWNER).get(talk).turns
        assert turn.status is None
        assert turn.answer == first.text != ""

    def test_the_number_of_a_turn_is_known_at_once(self, opened: Open):
        desk = opened(WEEK)
        talk = desk.start(OWNER)
        first, *_, last = desk.stream(OWNER, talk, KEEP)
        (turn,) = desk.store.of(OWNER).get(talk).turns
        assert first.turn == last.turn == turn.id

    def test_deleting_ends_the_answer_that_is_being_written(self, opened: Open):
        desk = opened(f"{WEEK} Asparagus can be eaten raw.")
        talk = desk.start(OWNER)
        stream = desk.stream(OWNER, talk, "Does asparagus keep for a week, and raw?")
        next(piece for piece in stream if piece.text)
        with pytest.raises(UnknownConversation):
            desk.delete(mmchat.new_owner(), talk)
        desk.delete(OWNER, talk)
        with pytest.raises(UnknownConversation, match="deleted"):
            list(stream)
        assert desk.store.everything().list() == []

    def test_what_is_taken_back_is_not_written_to_any_more(self, opened: Open):
        desk = opened(f"{WEEK} Asparagus can be eaten raw.", WEEK)
        talk = desk.start(OWNER)
        stream = desk.stream(OWNER, talk, "Does asparagus keep for a week, and raw?")
        turn = next(piece.turn for piece in stream)
        assert turn is not None and desk.take_back(OWNER, talk, turn)
        desk.ask(OWNER, talk, KEEP)
        with pytest.raises(UnknownConversation):
            list(stream)
        assert [each.question for each in desk.store.of(OWNER).get(talk).turns] == [KEEP]

    def test_more_like_a_picture_is_a_turn_that_later_ones_lean_on(self, opened: Open):
        desk = opened()
        talk = desk.start(OWNER)
        (shown,) = desk.ask(OWNER, talk, image=photo()).pictures
        *_, last = desk.more_like(OWNER, talk, "More like this: Banana", shown)
        assert last.answer is not None
        assert last.answer.answer == "I found nothing else that looks like Banana [1]."
        kept = desk.store.of(OWNER).get(talk).turns[-1]
        assert (kept.id, kept.question) == (last.turn, "More like this: Banana")
        assert kept.sources[0].picture == "banana.jpg"
        assert (
            desk.ask(OWNER, talk, "How should I store it?").asked
            == "How should I store the Banana?"
        )
        with pytest.raises(UnknownConversation):
            desk.more_like(mmchat.new_owner(), talk, "More like this", shown)

    def test_a_crash_keeps_the_question(self, opened: Open, monkeypatch: pytest.MonkeyPatch):
        desk = opened()
        talk = desk.start(OWNER)

        def crash(*_: object) -> None:
            raise RuntimeError("disk")

        monkeypatch.setattr(desk.assistant.index.shelf, "search", crash)  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError):
            desk.ask(OWNER, talk, KEEP)
        assert desk.store.of(OWNER).get(talk).turns[0].question == KEEP

    def test_a_failing_generator_is_no_crash(self, opened: Open):
        desk = opened(GenerationError("out of memory"))
        talk = desk.start(OWNER)
        assert desk.ask(OWNER, talk, KEEP).status == Status.PARTIAL

    @pytest.mark.parametrize("image", [None, b"no picture"])
    def test_what_cannot_be_asked_is_not_kept(self, opened: Open, image: bytes | None):
        desk = opened()
        talk = desk.start(OWNER)
        with pytest.raises(QueryError):
            desk.stream(OWNER, talk, " ", image)
        assert desk.store.of(OWNER).get(talk).turns == ()

    def test_somebody_elses_conversation(self, opened: Open):
        desk = opened()
        talk = desk.start(OWNER)
        with pytest.raises(UnknownConversation):
            desk.stream(mmchat.new_owner(), talk, KEEP)


class TestRemembering:
    def test_a_follow_up_is_searched_with_its_product(self, opened: Open):
        desk = opened(WEEK)
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, KEEP)
        answer = desk.ask(OWNER, talk, "Can it be eaten raw?")
        assert answer.asked == "Can the Asparagus be eaten raw?"
        assert desk.store.of(OWNER).get(talk).turns[1].question == "Can it be eaten raw?"

    def test_after_a_restart(self, opened: Open):
        first = opened(WEEK)
        talk = first.start(OWNER)
        first.ask(OWNER, talk, KEEP)
        first.close()
        answer = opened().ask(OWNER, talk, "Can it be eaten raw?")
        assert answer.asked == "Can the Asparagus be eaten raw?"

    def test_the_product_of_a_photo(self, opened: Open):
        desk = opened()
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, image=photo())
        answer = desk.ask(OWNER, talk, "How should I store it?")
        assert answer.asked == "How should I store the Banana?"

    def test_a_photo_stays_available(self, opened: Open):
        desk = opened()
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, image=photo())
        desk.ask(OWNER, talk, KEEP)
        desk.ask(OWNER, talk, "What is in my photo?")
        shelf = desk.assistant.index.shelf  # type: ignore[attr-defined]
        assert shelf.queries[-1].image is not None
        assert shelf.queries[-2].image is None


class TestHandoff:
    @pytest.mark.parametrize(
        ("message", "reason", "said"),
        [
            ("Let me talk to a person", HandoffReason.REQUEST, "to a person"),
            ("상담원 연결해 주세요", HandoffReason.REQUEST, "담당자에게 전달했습니다"),
            ("This is ridiculous!", HandoffReason.ANGER, "I am sorry"),
            ("My lawyer will call you", HandoffReason.TOPIC, "a person should answer"),
        ],
    )
    def test_before_an_answer(self, opened: Open, message: str, reason: HandoffReason, said: str):
        desk = opened()
        talk = desk.start(OWNER)
        pieces = list(desk.stream(OWNER, talk, message))
        assert handoffs(pieces) == [reason]
        answer = pieces[-1].answer
        assert answer is not None
        assert answer.status == Status.HANDED_OVER
        assert said in answer.answer
        assert "".join(piece.text for piece in pieces) == answer.answer
        kept = desk.store.of(OWNER).get(talk)
        assert kept.handoff is not None
        assert (kept.handoff.handoff.reason, kept.handoff.delivery) == (reason, Delivery.NONE)
        assert kept.turns[0].status == Status.HANDED_OVER
        assert desk.assistant.index.shelf.queries == []  # type: ignore[attr-defined]

    def test_after_two_answers_that_are_not_known(self, opened: Open):
        desk = opened()
        talk = desk.start(OWNER)
        first = list(desk.stream(OWNER, talk, MOWERS))
        assert handoffs(first) == []
        assert first[-1].answer is not None
        assert first[-1].answer.answer.endswith("pass your question to a person?")
        second = list(desk.stream(OWNER, talk, "Do you sell tractors?"))
        assert handoffs(second) == [HandoffReason.UNANSWERED]
        answer = second[-1].answer
        assert answer is not None
        assert "Would you like" not in answer.answer
        assert answer.answer.endswith(
            "I have passed your questions to a person, who will answer you."
        )
        assert "".join(piece.text for piece in second) == answer.answer
        assert answer.status == Status.ABSTAINED
        kept = desk.store.of(OWNER).get(talk).handoff
        assert kept is not None
        assert MOWERS in kept.summary and "tractors" in kept.summary

    def test_an_answer_between_them_counts(self, opened: Open):
        desk = opened(WEEK)
        talk = desk.start(OWNER)
        for question in (MOWERS, KEEP, "Do you sell tractors?"):
            pieces = list(desk.stream(OWNER, talk, question))
        assert handoffs(pieces) == []

    def test_accepting_the_offer(self, opened: Open):
        desk = opened()
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, MOWERS)
        assert handoffs(list(desk.stream(OWNER, talk, "Yes, please"))) == [HandoffReason.REQUEST]

    def test_only_once(self, opened: Open):
        desk = opened(WEEK)
        talk = desk.start(OWNER)
        said = ["talk to a person", "I said: talk to a person!", MOWERS, "Do you sell tractors?"]
        found = [handoffs(list(desk.stream(OWNER, talk, each))) for each in said]
        assert found == [[HandoffReason.REQUEST], [], [], []]
        again = desk.store.of(OWNER).get(talk).turns[1]
        assert "already" in again.answer
        assert desk.ask(OWNER, talk, KEEP).status == Status.ANSWERED, "other questions are answered"

    def test_what_comes_in_between_is_no_topic_of_a_follow_up(self, opened: Open):
        desk = opened(WEEK)
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, KEEP)
        desk.ask(OWNER, talk, "talk to a person")
        assert (
            desk.ask(OWNER, talk, "Can it be eaten raw?").asked == "Can the Asparagus be eaten raw?"
        )

    def test_the_transcript_and_the_picture(self, opened: Open):
        desk = opened()
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, image=photo())
        desk.ask(OWNER, talk, "talk to a person")
        (record,) = desk.store.queue.all()
        assert record.conversation == talk
        assert "This looks like Banana" in record.summary

    def test_nobody_is_there(self, opened: Open):
        desk = opened(enabled=False)
        talk = desk.start(OWNER)
        pieces = list(desk.stream(OWNER, talk, "talk to a person"))
        assert handoffs(pieces) == []
        assert pieces[-1].answer is not None
        assert "person?" not in pieces[-1].answer.answer.split("”")[-1]
