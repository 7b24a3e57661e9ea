"""What the reader gets, and the log says, when the generator fails: through a real index and real sockets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from model_server import Behaviour, Exchange, model_server, says
from PIL import Image
from support import SmallIndex, WordsEncoder, drawing

from mmchat.answering.assistant import AnswerPipeline
from mmchat.answering.evidence import Thresholds
from mmchat.answering.generators import EndpointGenerator
from mmchat.answering.generators.refusals import Patience
from mmchat.answering.phrases import PHRASES
from mmchat.config import AnswerConfig
from mmchat.retrieval.retriever import Retriever
from mmchat.types import Answer, Status

SHOP = {
    "kettle.md": "# Kettle\nThe kettle holds 1.7 litres. It boils water in three minutes.",
    "주전자.md": "# 주전자\n주전자의 용량은 1.7리터입니다. 주전자는 3분 안에 물을 끓입니다.",
    "mug.md": "# Mug\nThe mug is made of stoneware. Wash the mug by hand.",
}
ENGLISH = ("How many litres does the kettle hold?", "The kettle holds 1.7 litres [1].")
KOREAN = ("주전자의 용량은 몇 리터인가요?", "주전자의 용량은 1.7리터입니다 [1].")
SEEN = "What colour is the lid of the kettle that holds litres?"


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in SHOP.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "kettle.png").write_bytes(drawing("red").getvalue())
    index = SmallIndex(tmp_path_factory.mktemp("index") / "shop")
    index.build(folder)
    return index.retriever()


@contextmanager
def asking(
    retriever: Retriever,
    behaviour: Behaviour,
    thresholds: Thresholds | None = None,
    **config: object,
) -> Iterator[tuple[Callable[[str], Answer], list[dict[str, object]]]]:
    settings = AnswerConfig(**{"quoted_languages": "", "time_limit": 20.0, **config})  # type: ignore[arg-type]
    with model_server(behaviour) as server:
        generator = EndpointGenerator(
            server.address, model="small", patience=Patience(1.0, 1.0, pause=0.01)
        )
        pipeline = AnswerPipeline(
            retriever, WordsEncoder(), generator, settings, thresholds=thresholds
        )
        yield pipeline.ask, server.requests
        generator.close()


def fails(status: int) -> Behaviour:
    return lambda exchange: exchange.say(status, {"error": {"message": "no room"}})


def breaks_off(exchange: Exchange) -> None:
    exchange.begin()
    exchange.piece("The kettle holds")


def stays_silent(exchange: Exchange) -> None:
    exchange.begin()
    exchange.wait_for_the_end()


def garbles(exchange: Exchange) -> None:
    exchange.begin()
    exchange.event("{broken")


@pytest.mark.parametrize(("question", "quotation"), [ENGLISH, KOREAN])
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (fails(401), "401"),
        (fails(500), "500"),
        (breaks_off, "in the middle of its answer"),
        (stays_silent, "sent nothing for 1 s"),
        (garbles, "expected a chunk of a chat completion"),
    ],
    ids=["key", "error", "half-way", "silent", "garbage"],
)
def test_the_reader_gets_the_quotation_and_the_log_the_reason(
    retriever: Retriever,
    behaviour: Behaviour,
    reason: str,
    question: str,
    quotation: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with asking(retriever, behaviour) as (ask, _):
        answer = ask(question)
    assert answer.answer == quotation
    assert answer.status == Status.PARTIAL
    assert "documents are quoted instead" in caplog.text
    assert reason in caplog.text


@pytest.mark.parametrize(("question", "quotation"), [ENGLISH, KOREAN])
def test_a_server_that_is_too_slow_for_the_reader(
    retriever: Retriever, question: str, quotation: str, caplog: pytest.LogCaptureFixture
) -> None:
    with asking(retriever, stays_silent, time_limit=0.5) as (ask, _):
        answer = ask(question)
    assert (answer.answer, answer.status) == (quotation, Status.PARTIAL)
    assert "answers.time_limit" in caplog.text


@pytest.mark.parametrize(
    ("language", "question"), [("en", "Is the mug made?"), ("ko", "주전자 물은?")]
)
def test_where_nothing_can_be_quoted_it_says_so_plainly(
    retriever: Retriever, language: str, question: str
) -> None:
    """The documents may well hold the answer: that nothing was found would be untrue."""
    nothing_is_quoted = Thresholds(quote=2.0)
    with asking(retriever, fails(500), nothing_is_quoted) as (ask, _):
        answer = ask(question)
    assert answer.answer == PHRASES[language].unavailable  # type: ignore[index]
    assert (answer.status, answer.sources) == (Status.ABSTAINED, ())


def test_what_was_checked_before_the_failure_stands(retriever: Retriever) -> None:
    def behaviour(exchange: Exchange) -> None:
        exchange.begin()
        exchange.piece("The kettle holds 1.7 litres. The kettle boils")

    with asking(retriever, behaviour) as (ask, _):
        answer = ask(ENGLISH[0])
    assert answer.answer == ENGLISH[1]
    assert answer.status == Status.PARTIAL


@pytest.mark.parametrize(("question", "quotation"), [ENGLISH, KOREAN])
def test_a_server_that_is_down(
    retriever: Retriever, question: str, quotation: str, caplog: pytest.LogCaptureFixture
) -> None:
    with model_server(stays_silent) as server:
        address = server.address
    generator = EndpointGenerator(address, model="small", patience=Patience(1.0, 1.0, pause=0.01))
    settings = AnswerConfig(quoted_languages="", time_limit=20.0)
    answer = AnswerPipeline(retriever, WordsEncoder(), generator, settings).ask(question)
    generator.close()
    assert (answer.answer, answer.status) == (quotation, Status.PARTIAL)
    assert "documents are quoted instead" in caplog.text


@pytest.mark.parametrize("fill", ["kettle litres ", "주전자 용량 ", "x", "\n", "[a](b) "])
@pytest.mark.parametrize("with_generator", [True, False])
def test_a_question_of_50_000_characters(
    retriever: Retriever, fill: str, *, with_generator: bool
) -> None:
    question = (ENGLISH[0] + " " + fill * 50_000)[:50_000]
    with asking(retriever, fails(400)) as (ask, _):
        quoting = AnswerPipeline(retriever, WordsEncoder(), None, AnswerConfig()).ask
        answer = (ask if with_generator else quoting)(question)
    assert answer.answer
    assert len(answer.answer) < 1_000, "it is told in a few sentences"


@pytest.mark.parametrize("question", [ENGLISH[0], KOREAN[0]])
def test_an_index_that_became_empty(tmp_path: Path, question: str) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "mug.md").write_text(SHOP["mug.md"], encoding="utf-8")
    index = SmallIndex(tmp_path / "index")
    index.build(folder)
    with index.writer() as writer:
        writer.remove("mug.md")
        writer.commit()
    with asking(index.retriever(), says("The kettle holds 1.7 litres.")) as (ask, requests):
        answer = ask(question)
    assert (answer.status, answer.sources, requests) == (Status.ABSTAINED, (), [])
    assert answer.answer.startswith(("I don't know", "잘 모르겠습니다"))


class TestSeeing:
    """A generator that sees, where the words do not answer."""

    def asked(
        self, retriever: Retriever, seen: str, **config: object
    ) -> tuple[Answer, list[dict[str, object]]]:
        def behaviour(exchange: Exchange) -> None:
            shown = isinstance(exchange.server.requests[-1]["messages"][-1]["content"], list)
            says(seen if shown else "I don't know.")(exchange)

        settings = {"sees_pictures": True, **config}
        with asking(retriever, behaviour, Thresholds(answer=0.1), **settings) as (ask, requests):
            return ask(SEEN), requests

    def test_what_it_sees_is_marked_as_seen(self, retriever: Retriever) -> None:
        answer, requests = self.asked(retriever, "The lid of the kettle is red.")
        assert answer.answer == "Going by the picture alone: The lid of the kettle is red [1]."
        assert answer.status == Status.PARTIAL
        (source,) = answer.sources
        assert (source.basis, source.picture, source.text) == ("pixels", "kettle.png", "")
        assert requests[-1]["messages"][-1]["content"][0]["type"] == "image_url"  # type: ignore[index]

    def test_what_is_read_is_marked_as_text(self, retriever: Retriever) -> None:
        with asking(retriever, says("The kettle holds 1.7 litres."), sees_pictures=True) as (
            ask,
            _,
        ):
            (source,) = ask(ENGLISH[0]).sources
        assert source.basis == "text"

    @pytest.mark.parametrize(
        "seen",
        [
            "I don't know.",
            "The kettle costs 5 euros.",
            "The lid is red, see https://evil.invalid/x.",
            "The lid is red ![x](evil.invalid/a.png).",
            "뚜껑은 빨간색입니다.",
            "",
        ],
    )
    def test_what_eyes_cannot_tell_is_not_shown(
        self, retriever: Retriever, seen: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        answer, _ = self.asked(retriever, seen)
        assert answer.status == Status.ABSTAINED
        assert answer.sources == ()
        assert "of what was seen" in caplog.text

    def test_without_the_setting_no_picture_is_sent(self, retriever: Retriever) -> None:
        answer, requests = self.asked(retriever, "The lid is red.", sees_pictures=False)
        assert answer.status == Status.ABSTAINED
        assert all(
            isinstance(turn["content"], str)
            for request in requests
            for turn in request["messages"]  # type: ignore[attr-defined]
        )

    def test_the_customers_photo_goes_along_with_the_question(self, retriever: Retriever) -> None:
        photo = drawing("blue")
        settings = AnswerConfig(quoted_languages="", sees_pictures=True)
        with model_server(says("The kettle holds 1.7 litres.")) as server:
            generator = EndpointGenerator(server.address, model="small")
            pipeline = AnswerPipeline(retriever, WordsEncoder(), generator, settings)
            answer = pipeline.ask(ENGLISH[0], Image.open(photo).convert("RGB"))
            generator.close()
        assert answer.answer.endswith("The kettle holds 1.7 litres [2].")
        kinds = [part["type"] for part in server.requests[0]["messages"][-1]["content"]]
        assert kinds == ["image_url", "text"]

    def test_a_picture_that_cannot_be_read(
        self,
        retriever: Retriever,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        hits = retriever.search
        broken = Path("/nowhere/kettle.png")

        class Broken:
            chunk = retriever.chunk

            def search(self, query: object) -> list[object]:
                return [replace(hit, picture_path=broken) for hit in hits(query)]  # type: ignore[arg-type]

        answer, _ = self.asked(Broken(), "The lid is red.")  # type: ignore[arg-type]
        assert answer.status == Status.ABSTAINED
        assert "not shown a picture" in caplog.text
