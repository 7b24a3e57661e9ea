"""Drafts: what they keep, what they leave out, and that every mark in them resolves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shelf_assistant import Script, ShelfIndex, shelf_desk

import mmchat
from mmchat.answering.composing import Composer, same_facts
from mmchat.app import DraftText, draft_description, draft_faq, draft_reply, translate
from mmchat.config import AnswerConfig, Config, WebConfig
from mmchat.errors import GenerationError, InputError
from mmchat.types import Status

KEEP = "How long does asparagus keep in the refrigerator?"
WEEK = "Asparagus keeps for about one week in the refrigerator."
OWNER = mmchat.new_owner()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[mmchat.Desk]:
    with shelf_desk(tmp_path, WEEK) as opened:
        yield opened


def resolves(draft: DraftText) -> None:
    marks = {int(mark) for mark in re.findall(r"\[(\d+)\]", draft.text)}
    assert marks == {source.n for source in draft.sources}


def writer(*replies: str | Exception, **web: Any) -> mmchat.Assistant:
    config = Config(answers=AnswerConfig(quoted_languages=""), web=WebConfig(**web))
    return mmchat.Assistant(ShelfIndex(config), generator=Script(*replies))  # type: ignore[arg-type]


class TestReply:
    def test_what_was_answered_and_what_was_not(self, desk: mmchat.Desk):
        talk = desk.start(OWNER)
        for question in (KEEP, "Do you sell lawn mowers?"):
            desk.ask(OWNER, talk, question)
        desk.ask(OWNER, talk, "talk to a person")
        draft = draft_reply(writer(company="Hearth"), desk.store.of(OWNER).get(talk))
        resolves(draft)
        assert draft.text.startswith("Dear customer,\n\nAsparagus keeps for about one week")
        assert draft.text.endswith("Kind regards\nHearth")
        assert draft.missing == ("Do you sell lawn mowers?",)
        assert "come back to you about: Do you sell lawn mowers?" in draft.text
        assert len(draft.nearest) == 3

    def test_what_the_documents_hold_by_now_is_answered(self, desk: mmchat.Desk):
        talk = desk.start(OWNER)
        own = desk.store.of(OWNER)
        turn = own.begin_turn(talk, "Can I return shoes?")
        unknown = mmchat.Answer("I don't know", Status.ABSTAINED, (), 0.1)
        own.end_turn(turn, unknown)
        draft = draft_reply(writer("You can return shoes within 30 days."), own.get(talk))
        resolves(draft)
        assert "You can return shoes within 30 days [1]." in draft.text
        assert draft.missing == ()

    def test_marks_of_several_answers_are_numbered_together(self, desk: mmchat.Desk):
        desk.assistant._generator.replies = [WEEK, "Store bananas in room temperature.", WEEK]  # type: ignore[union-attr]
        talk = desk.start(OWNER)
        for question in (KEEP, "How are bananas stored in room temperature?", f"Tell me: {KEEP}"):
            desk.ask(OWNER, talk, question)
        draft = draft_reply(writer(), desk.store.of(OWNER).get(talk))
        resolves(draft)
        assert [source.n for source in draft.sources] == [1, 2]
        assert re.findall(r"\[\d\]", draft.text) == ["[1]", "[2]", "[1]"]

    def test_in_korean(self, desk: mmchat.Desk):
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, "잔디깎이를 판매하나요?")
        draft = draft_reply(writer(), desk.store.of(OWNER).get(talk))
        assert draft.text.startswith("고객님, 안녕하세요.")
        assert "확인 후 다시 안내해 드리겠습니다: 잔디깎이를 판매하나요?" in draft.text

    def test_nothing_was_asked(self, desk: mmchat.Desk):
        talk = desk.start(OWNER)
        desk.ask(OWNER, talk, "talk to a person")
        with pytest.raises(InputError, match="no question that a reply could answer"):
            draft_reply(writer(), desk.store.of(OWNER).get(talk))


class TestFaq:
    def test_an_answer(self):
        draft = draft_faq(writer(WEEK), KEEP)
        resolves(draft)
        assert draft.text == f"## {KEEP}\n\n{WEEK[:-1]} [1]."

    def test_what_is_missing_is_not_made_up(self):
        draft = draft_faq(writer("Yes, we do."), "Do you sell lawn mowers?")
        assert (draft.text, draft.sources) == ("## Do you sell lawn mowers?\n\n…", ())
        assert draft.missing == ("Do you sell lawn mowers?",)
        assert draft.nearest


class TestDescription:
    def test_only_what_the_page_supports(self):
        lie = "It was grown on the Moon by Walmart."
        draft = draft_description(writer(f"Asparagus can be eaten raw. {lie}"), "asparagus.md")
        resolves(draft)
        assert draft.text == "# Asparagus\n\nAsparagus can be eaten raw [1]."
        assert draft.dropped == (lie,)
        assert draft.picture == "asparagus.jpg"

    def test_where_nothing_holds_the_page_is_quoted(self):
        draft = draft_description(writer("Buy now at 90% off!"), "banana.md")
        resolves(draft)
        assert "Store bananas in room temperature, never in a refrigerator [1]." in draft.text

    def test_an_unknown_document(self):
        with pytest.raises(InputError, match=r"no document 'kiwi\.md'\. Nearest are"):
            draft_description(writer(), "kiwi.md")


class TestTranslation:
    def test_marks_and_numbers_survive(self):
        made = translate(
            writer("5일 이내에 환불됩니다.", "배송비는 제외됩니다."),
            "Refunds take 5 days [1]. Delivery is not included [2][3].",
            "ko",
        )
        assert made.text == "5일 이내에 환불됩니다 [1]. 배송비는 제외됩니다 [2][3]."
        assert made.kept == ()

    @pytest.mark.parametrize(
        "written",
        [
            "7일 이내에 환불됩니다.",
            "환불됩니다.",
            "Refunds take 5 days.",
            "",
            "5일 이내에",
            "5일 " + "환불 " * 90,
        ],
    )
    def test_what_does_not_hold_stays_as_it_was(self, written: str):
        made = translate(writer(written), "Refunds take 5 days [1].", "ko")
        assert made.text == "Refunds take 5 days [1]."
        assert made.kept == ("Refunds take 5 days [1].",)

    def test_what_is_in_the_language_already(self):
        assistant = writer()
        assert (
            translate(assistant, "5일 이내에 환불됩니다 [1].", "ko").text
            == "5일 이내에 환불됩니다 [1]."
        )

    def test_without_a_generator(self):
        quoting = Composer(object(), None, AnswerConfig(), None)  # type: ignore[arg-type]
        with pytest.raises(GenerationError, match="expected a generator"):
            quoting.translate("Refunds take 5 days.", "ko")

    def test_the_same_facts(self):
        assert same_facts("It costs €9.90.", "가격은 €9.90입니다.", "ko")
        assert not same_facts("It costs €9.90.", "가격은 €9.99입니다.", "ko")
