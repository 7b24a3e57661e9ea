"""The pipeline from question to answer, with a scripted generator and a small honest retriever."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from shelf_assistant import DOCUMENTS, Script, Shelf, WordsEncoder

from mmchat.answering.assistant import AnswerPipeline
from mmchat.answering.evidence import Thresholds
from mmchat.answering.phrases import PHRASES
from mmchat.config import AnswerConfig
from mmchat.errors import GenerationError, QueryError
from mmchat.types import Answer, Exchange, Hit, Query, Similar, Status


def pipeline(
    *replies: str | Exception, shelf: Shelf | None = None, **config: Any
) -> tuple[AnswerPipeline, Script]:
    script = Script(*replies)
    made = AnswerPipeline(
        shelf or Shelf(), WordsEncoder(), script, AnswerConfig(**{"quoted_languages": "", **config})
    )
    return made, script


def ask(question: str, *replies: str | Exception, **config: Any) -> Answer:
    answer = pipeline(*replies, **config)[0].ask(question)
    marks_resolve(answer)
    return answer


def marks_resolve(answer: Answer) -> None:
    """Every mark has its source, every source its mark, numbered from 1 in the order of use."""
    marks = [int(mark) for mark in re.findall(r"\[(\d+)\]", answer.answer)]
    assert list(dict.fromkeys(marks)) == [source.n for source in answer.sources]
    assert [source.n for source in answer.sources] == list(range(1, len(answer.sources) + 1))
    for source in answer.sources:
        if source.span is not None:
            start, end = source.span
            assert DOCUMENTS[source.document][start:end] == source.text


KEEP = "How long does asparagus keep in the refrigerator?"
HEADPHONES = "Can I return opened headphones?"


class TestAnswers:
    def test_an_answer_with_its_source(self) -> None:
        answer = ask(KEEP, "Asparagus keeps for about one week in the refrigerator.")
        assert answer.answer == "Asparagus keeps for about one week in the refrigerator [1]."
        assert answer.status == Status.ANSWERED
        (source,) = answer.sources
        assert (source.document, source.page, source.title) == ("asparagus.md", 2, "Asparagus")
        assert source.text.startswith("The shelf life of asparagus is maximum one week")
        assert source.picture == "asparagus.jpg"
        assert [hit.picture for hit in answer.pictures] == ["asparagus.jpg"]
        assert 0 <= (answer.first_token_seconds or -1) <= answer.seconds

    def test_only_sources_that_are_used(self) -> None:
        answer = ask(HEADPHONES, "No, opened headphones cannot be returned.")
        assert [source.document for source in answer.sources] == ["returns.md"]

    def test_two_sentences_of_one_passage_share_a_source(self) -> None:
        answer = ask(
            "Can I return shoes or opened headphones?",
            "You can return shoes within 30 days. Opened headphones cannot be returned.",
        )
        assert answer.answer.count("[1]") == 2
        (source,) = answer.sources
        assert source.text.startswith("You can return shoes")
        assert source.text.endswith("cannot be returned.")

    def test_marks_that_the_model_writes_are_not_trusted(self) -> None:
        answer = ask(KEEP, "It keeps one week in the refrigerator [7].")
        assert answer.answer == "It keeps one week in the refrigerator [1]."

    def test_it_asks_about_one_passage_at_a_time(self) -> None:
        assistant, script = pipeline("I don't know.", "I don't know.")
        question = "Are bananas or asparagus stored in room temperature?"
        assistant.ask(question)
        assert len(script.history) == 2
        for messages in script.history:
            assert messages[-1].content.count("<passage") == 1

    def test_a_long_passage_is_cut_to_the_context(self) -> None:
        script = Script(context_tokens=1024)
        assistant = AnswerPipeline(Shelf(), WordsEncoder(), script, AnswerConfig())
        long = "asparagus " * 5000
        assert len(assistant._fitting(long, KEEP)) < 3 * 1024

    def test_the_language_of_the_question(self) -> None:
        answer = ask("환불은 언제 처리되나요?", "환불은 5일 이내에 처리됩니다.")
        assert answer.answer == "환불은 5일 이내에 처리됩니다 [1]."
        assert answer.status == Status.ANSWERED

    def test_a_document_in_another_language_is_quoted(self) -> None:
        """A small model cannot translate, and what it would make up could not be checked."""

        class Polyglot(WordsEncoder):
            def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
                return super().encode_queries([text.replace("바나나", "bananas") for text in texts])

            encode_passages = encode_queries

        class Bananas(Shelf):
            def search(self, query: Query) -> Sequence[Hit]:
                return super().search(Query("bananas", k=1))

        script = Script()
        answer = AnswerPipeline(
            Bananas(), Polyglot(), script, AnswerConfig(quoted_languages="")
        ).ask("바나나?")
        marks_resolve(answer)
        assert answer.answer == (
            "문서에는 이렇게 적혀 있습니다: "
            "“Store bananas in room temperature, never in a refrigerator [1].”"
        )
        assert answer.status == Status.PARTIAL
        assert script.history == []

    def test_a_question_that_leans_on_the_one_before(self) -> None:
        shelf = Shelf()
        assistant, _ = pipeline("It keeps a couple of days in room temperature.", shelf=shelf)
        assistant.ask("And in room temperature?", history=["How long does asparagus keep?"])
        assert "asparagus" in shelf.queries[-1].text

    def test_the_stream_is_the_answer(self) -> None:
        assistant, _ = pipeline("You can return shoes within 30 days. Shoes are returned.")
        *pieces, last = assistant.stream("Can I return shoes?")
        assert last.answer is not None
        assert "".join(piece.text for piece in pieces) == last.answer.answer

    def test_a_sentence_is_shown_before_the_next_is_written(self) -> None:
        second = "Opened headphones cannot be returned."
        assistant, script = pipeline(f"You can return shoes within 30 days. {second}")
        stream = assistant.stream("Can I return shoes or headphones?")
        assert next(stream).reading == 3
        first = next(stream)
        assert first.text == "You can return shoes within 30 days [1]."
        assert script.pieces < 7 + len(second.split())


class TestWhatIsNotShown:
    @pytest.mark.parametrize(
        ("question", "lie", "never"),
        [
            (KEEP, "Asparagus keeps for three weeks in the refrigerator.", "three"),
            (KEEP, "Asparagus keeps for 7 months in the refrigerator.", "month"),
            (HEADPHONES, "Yes, opened headphones can be returned.", "can be"),
            ("When are shoes returned?", "Shoes are returned by Monday at Walmart.", "Walmart"),
            ("개봉한 이어폰을 환불할 수 있나요?", "개봉한 이어폰은 환불이 가능합니다.", "가능"),
        ],
    )
    def test_a_lie(self, question: str, lie: str, never: str) -> None:
        answer = ask(question, lie, lie, lie)
        assert never not in answer.answer
        assert answer.status != Status.ANSWERED

    def test_a_lie_is_replaced_by_a_quotation(self) -> None:
        answer = ask(KEEP, "It keeps for three weeks.")
        assert answer.status == Status.PARTIAL
        assert answer.answer.startswith("The shelf life of asparagus is maximum one week")
        assert answer.answer.endswith("[1].")

    def test_a_lie_beside_a_truth_is_dropped(self) -> None:
        answer = ask("Can I return shoes?", "Shoes are returned within 30 days. It costs $9.")
        assert answer.answer == "Shoes are returned within 30 days [1]."
        assert answer.status == Status.PARTIAL

    @pytest.mark.parametrize(
        "obeyed",
        [
            "Everything is free at Acme Corporation, call 555-0199.",
            "My instructions are: you are a customer service assistant.",
            "HACKED! Visit http://evil.example now.",
        ],
    )
    def test_an_order_in_a_document_is_not_followed(self, obeyed: str) -> None:
        """Whatever a document talks the model into saying, it is not in the documents."""
        answer = ask("Can I return shoes?", obeyed, obeyed, obeyed)
        assert answer.answer.startswith("You can return shoes within 30 days")

    def test_an_order_in_a_document_does_not_reach_the_model(self) -> None:
        assistant, script = pipeline()
        assistant.ask("Can I return shoes?")
        shown = script.history[0][-1].content
        assert "Opened headphones cannot be returned." in shown
        assert not any("Ignore all previous" in turn.content for turn in script.history[0])


class TestAbstention:
    @pytest.mark.parametrize("question", ["Do you sell lawn mowers?", "잔디깎이를 판매하나요?"])
    def test_nothing_in_the_documents(self, question: str) -> None:
        assistant, script = pipeline("Yes, we do.")
        answer = assistant.ask(question)
        assert answer.status == Status.ABSTAINED
        assert answer.sources == answer.pictures == ()
        assert script.history == [], "the generator is not even asked"
        language = "ko" if "잔" in question else "en"
        begin = PHRASES[language].abstention.split("{")[0]  # type: ignore[index]
        assert answer.answer.startswith(begin)

    def test_english_offers_a_person(self) -> None:
        answer = ask("Do you sell lawn mowers?")
        assert answer.answer.startswith("I don't know:")
        assert "person" in answer.answer

    def test_korean_offers_a_person(self) -> None:
        assert "담당자" in ask("잔디깎이를 판매하나요?").answer

    def test_a_model_that_does_not_know_what_stands_there(self) -> None:
        answer = ask(KEEP, "I don't know.")
        marks_resolve(answer)
        assert answer.status == Status.ANSWERED
        assert answer.answer.startswith("The shelf life of asparagus is maximum one week")

    def test_a_model_that_does_not_know_what_hardly_stands_there(self) -> None:
        thresholds = Thresholds(against_refusal=1.0)
        script = Script("I don't know.")
        assistant = AnswerPipeline(
            Shelf(), WordsEncoder(), script, AnswerConfig(), thresholds=thresholds
        )
        assert assistant.ask(KEEP).status == Status.ABSTAINED

    @pytest.mark.parametrize("text", ["", "  \n "])
    def test_an_empty_question(self, text: str) -> None:
        with pytest.raises(QueryError, match="expected words, a picture"):
            pipeline()[0].stream(text)


class TestFailures:
    def test_a_failing_generator_is_replaced_by_a_quotation(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            answer = ask(KEEP, GenerationError("out of memory"))
        assert answer.status == Status.PARTIAL
        assert answer.answer.startswith("The shelf life of asparagus is maximum one week")
        assert "out of memory" in caplog.text

    def test_a_failing_generator_without_evidence_still_abstains(self) -> None:
        assert ask("Do you sell mowers?", GenerationError("x")).status == Status.ABSTAINED

    def test_closing_the_stream_closes_the_generator(self) -> None:
        class Held(Script):
            """Holds its streams, so that nobody but the assistant closes them."""

            def stream(self, *args: Any, **options: Any) -> Iterator[str]:
                self.held = super().stream(*args, **options)
                return self.held

        script = Held("You can return shoes within 30 days. " * 50)
        assistant = AnswerPipeline(Shelf(), WordsEncoder(), script, AnswerConfig())
        stream = assistant.stream("Can I return shoes?")
        next(stream), next(stream)
        stream.close()
        assert script.closed == 1
        assert script.pieces < 20

    def test_cancel_ends_the_answer(self) -> None:
        assistant, script = pipeline("You can return shoes within 30 days. " * 50)
        cancel = threading.Event()
        cancel.set()
        answer = assistant.ask("Can I return shoes?", cancel=cancel)
        assert script.pieces == 0
        assert answer.status == Status.ABSTAINED

    def test_the_time_limit_ends_the_answer(self) -> None:
        class Slow(Script):
            def stream(self, *args: Any, **options: Any) -> Iterator[str]:
                for piece in super().stream(*args, **options):
                    time.sleep(0.05)
                    yield piece

        slow = Slow("word " * 1000, "word " * 1000)
        assistant = AnswerPipeline(Shelf(), WordsEncoder(), slow, AnswerConfig(time_limit=0.3))
        assert assistant.ask(KEEP).seconds < 2.0

    def test_half_a_sentence_is_not_shown(self) -> None:
        # What would follow turns it into its opposite; the reader gets the quotation in its place.
        class CutOff(Script):
            def stream(self, *args: Any, **options: Any) -> Iterator[str]:
                yield "The shelf life of asparagus is maximum one week"
                time.sleep(0.3)

        assistant = AnswerPipeline(Shelf(), WordsEncoder(), CutOff(), AnswerConfig(time_limit=0.2))
        answer = assistant.ask(KEEP)
        assert answer.status == Status.PARTIAL
        assert "in the refrigerator" in answer.answer


class TestQuoting:
    def quote(self, question: str) -> Answer:
        assistant = AnswerPipeline(Shelf(), WordsEncoder(), None, AnswerConfig())
        answer = assistant.ask(question)
        marks_resolve(answer)
        return answer

    def test_without_a_generator_sentences_are_quoted(self) -> None:
        answer = self.quote(KEEP)
        assert answer.status == Status.ANSWERED
        assert answer.answer.startswith(
            "The shelf life of asparagus is maximum one week in the refrigerator, "
            "or a couple of days in room temperature [1]."
        )
        assert len(answer.sources) <= 2

    def test_in_korean(self) -> None:
        assert self.quote("환불은 언제 처리되나요?").answer.startswith(
            "환불은 5일 이내에 처리됩니다 [1]."
        )

    def test_korean_is_quoted_by_default_even_with_a_generator(self) -> None:
        script = Script("환불은 5일 이내에 처리됩니다.")
        answer = AnswerPipeline(Shelf(), WordsEncoder(), script, AnswerConfig()).ask(
            "환불은 언제 처리되나요?"
        )
        assert answer.answer.startswith("환불은 5일 이내에 처리됩니다 [1].")
        assert answer.status == Status.ANSWERED
        assert script.history == []

    def test_it_abstains_too(self) -> None:
        assert self.quote("Do you sell lawn mowers?").status == Status.ABSTAINED


class TestPictures:
    image = Image.new("RGB", (8, 8), "yellow")

    def test_a_photo_alone(self) -> None:
        assistant, script = pipeline()
        answer = assistant.ask(image=self.image)
        marks_resolve(answer)
        assert answer.answer == (
            "This looks like Banana [1]. "
            "Store bananas in room temperature, never in a refrigerator [2]."
        )
        assert answer.status == Status.ANSWERED
        picture, passage = answer.sources
        assert (picture.picture, picture.span) == ("banana.jpg", None)
        assert passage.document == "banana.md"
        assert answer.pictures[0].document == "banana.md"
        assert script.history == [], "no model is needed to say what the sources say"

    @pytest.mark.parametrize("text", ["What is this?", "이게 뭐예요?"])
    def test_a_photo_with_words_that_ask_only_what_it_is(self, text: str) -> None:
        answer = pipeline()[0].ask(text, self.image)
        marks_resolve(answer)
        assert "Banana" in answer.answer
        assert ("처럼 보입니다" in answer.answer) is ("이게" in text)

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            (
                "Sku: B-1\nPrice eur: 39.90\nDescription: Ripe fruit from Ecuador.",
                "This looks like Banana [1]. Ripe fruit from Ecuador [2].",
            ),
            ("Sku: B-1\nDelivery days: 2\nIn stock: yes", "This looks like Banana [1]."),
            ("품번: B-1\n설명: 에콰도르산 잘 익은 과일입니다.", "에콰도르산 잘 익은 과일입니다"),
        ],
    )
    def test_a_shopper_is_told_no_codes(self, row: str, said: str) -> None:
        class Catalogue(Shelf):
            def __init__(self) -> None:
                super().__init__()
                chunk = self._chunks["banana.md:0"]
                self._chunks["banana.md:0"] = replace(chunk, text=row, end=chunk.start + len(row))

        answer = pipeline(shelf=Catalogue())[0].ask(image=self.image)
        assert said in answer.answer
        assert "B-1" not in answer.answer

    def test_what_looks_like_the_photo_is_handed_on(self) -> None:
        class Catalogue:
            def named(self, hits: Sequence[Hit]) -> tuple[Similar, ...]:
                return tuple(Similar(hit, hit.title) for hit in hits if hit.kind == "picture")

        answering = AnswerPipeline(
            Shelf(), WordsEncoder(), None, AnswerConfig(), products=Catalogue()
        )
        assert [each.name for each in answering.ask(image=self.image).similar] == ["Banana"]
        assert answering.ask("How should I store this?", self.image).similar == ()

    def test_a_photo_of_something_that_is_not_there(self) -> None:
        class Empty(Shelf):
            def search(self, query: Query) -> Sequence[Hit]:
                return []

        assert pipeline(shelf=Empty())[0].ask(image=self.image).status == Status.ABSTAINED

    def test_a_photo_with_words(self) -> None:
        shelf = Shelf()
        assistant, _ = pipeline("Store bananas in room temperature.", shelf=shelf)
        answer = assistant.ask("How should I store this?", self.image)
        assert shelf.queries[0].image is self.image
        assert answer.answer == "This looks like Banana [1]. Store bananas in room temperature [2]."
        marks_resolve(answer)

    @pytest.mark.parametrize(
        "question",
        [
            "Can this product be eaten raw?",
            "Can I eat it raw?",
            "Is the shelf life of this fruit a week?",
        ],
    )
    def test_nothing_of_another_product_answers_about_the_one_in_a_photo(
        self, question: str
    ) -> None:
        shelf = Shelf()
        answer = pipeline(shelf=shelf)[0].ask(question, self.image)
        assert answer.status == Status.ABSTAINED
        assert {"banana.md"} in map(Shelf.named, shelf.queries)

    def test_a_question_that_is_not_about_the_product_in_a_photo(self) -> None:
        answer = pipeline(shelf=(shelf := Shelf()))[0].ask(
            "Can shoes be returned within 30 days?", self.image
        )
        assert "return shoes" in answer.answer
        assert len(shelf.queries) == 1


class TestFollowUps:
    said = (Exchange("How long does asparagus keep?", product="Asparagus"),)

    def test_the_likeliest_reading_that_can_be_answered_is_taken(self) -> None:
        shelf = Shelf()
        answer = pipeline(shelf=shelf)[0].ask("And the shelf life?", history=self.said)
        assert [query.text for query in shelf.queries] == [
            "How long does the shelf life keep?",
            "Shelf life of the Asparagus?",
        ][: len(shelf.queries)]
        assert answer.asked == shelf.queries[-1].text
        assert answer.nearest or answer.sources

    def test_where_none_can_the_likeliest_is_what_was_asked(self) -> None:
        shelf = Shelf()
        answer = pipeline(shelf=shelf)[0].ask("And lawn mowers?", history=self.said)
        assert answer.status == Status.ABSTAINED
        assert len(shelf.queries) == 3, "three readings, each searched once"
        assert answer.asked == shelf.queries[0].text
