"""Pictures on the page: at the sentences of an answer, as products below it, and more like one of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from scripted_assistant import ScriptedAssistant, ScriptedIndex

from mmchat.types import Answer, Likeness, Similar, Source, Status
from mmchat.web.conversation import Conversation, Stage, Turn
from mmchat.web.pictures import chosen, gallery, reason
from mmchat.web.render import answer_html, messages
from mmchat.web.steps import Steps
from mmchat.web.wording import ENGLISH, KOREAN

VISITOR: Any = SimpleNamespace(headers={}, cookies={})


@pytest.fixture
def index(tmp_path: Path) -> ScriptedIndex:
    # What browsers and shells stumble over stands in an address as it is.
    return ScriptedIndex(tmp_path / "in'dex & ümläut #1")


def source(index: ScriptedIndex, n: int, picture: Path | None) -> Source:
    return Source(n, "a.md", None, (0, 1), "A", "a.png", "A", f"Title {n}", 0.5, picture, picture)


def page(index: ScriptedIndex, text: str, *sources: Source, similar: Any = ()) -> str:
    answer = Answer(text, Status.ANSWERED, sources, 1.0, similar=tuple(similar))
    return answer_html(Turn("?", None, False, Stage.DONE, text, answer), 2)


def test_a_picture_stands_at_the_sentence_it_belongs_to(index: ScriptedIndex):
    red, black = index.picture.thumb_path, index.other.thumb_path
    html = page(
        index,
        "Red “is” it [1]. No picture here [2]. Black too [1][3]!",
        source(index, 1, red),
        source(index, 2, None),
        source(index, 3, black),
    )
    places = [html.index(part) for part in ("Red “is”", "kettle.png", "No picture", "black.png")]
    assert places == sorted(places)
    assert html.count("<img") == 2, "each picture once, however often its source is used"
    assert '</span>.<span class="shown">' in html, "the full stop belongs to the sentence"
    assert 'alt="Title 1"' in html


def test_addresses_are_those_of_gradio_and_escaped(index: ScriptedIndex):
    html = page(index, "It [1].", source(index, 1, index.picture.thumb_path))
    assert "in%27dex%20%26%20%C3%BCml%C3%A4ut%20%231/thumbs/kettle.png" in html
    assert 'href="gradio_api/file=/' in html


def test_a_picture_that_is_gone_is_not_shown(index: ScriptedIndex):
    html = page(
        index,
        "It [1].",
        source(index, 1, index.path / "gone.png"),
        similar=[Similar(index.picture, "Kettle")],
    )
    assert "gone.png" not in html
    index.picture.picture_path.unlink()
    html = page(index, "It [1].", similar=[Similar(index.picture, "Kettle")])
    assert "<img" not in html and "Similar products" not in html


def test_products_tell_name_price_and_why_they_are_shown(index: ScriptedIndex):
    similar = [
        Similar(index.picture, "Red <b>kettle</b>", "39.90 EUR", Likeness.CLOSEST),
        Similar(index.other, "Black kettle", "", Likeness.CATEGORY, "Kettles"),
    ]
    html = page(
        index,
        "This looks like it [1].",
        source(index, 1, index.picture.picture_path),
        similar=similar,
    )
    assert "Red &lt;b&gt;kettle&lt;/b&gt;" in html and "<b>" not in html
    assert '<span class="price">39.90 EUR</span>' in html
    assert html.count('class="price"') == 1, "an unknown price is not talked about"
    assert "Closest to your photo" in html and "Same category: Kettles" in html
    assert 'class="shown"' not in html, "it stands below already"


@pytest.mark.parametrize("words", [ENGLISH, KOREAN])
def test_every_reason_has_words(index: ScriptedIndex, words: Any):
    said = {reason(Similar(index.other, "K", "", each, "kettle"), words) for each in Likeness}
    assert len(said) == len(Likeness)
    assert not any("{" in each for each in said)


def answered(assistant: ScriptedAssistant, turns: Conversation = ()) -> tuple[Steps, Conversation]:
    steps = Steps(assistant)
    asked = steps.ask({"text": "warranty?", "files": []}, turns, VISITOR)[0]
    return steps, list(steps.answer(asked))[-1][0]


def test_the_buttons_of_a_page_name_its_pictures(index: ScriptedIndex):
    _, turns = answered(ScriptedAssistant(index))
    html = messages(turns)[-1]["content"][0]
    assert isinstance(html, str) and 'value="0.0"' in html
    assert chosen(turns, "0.0") == index.picture
    for forged in ("", "0.1", "1.0", "-1.0", "0.-1", "0./etc/passwd", "٣.0", "0.0.0", "x"):
        assert chosen(turns, forged) is None


def test_more_like_a_picture_is_a_turn_of_the_conversation(index: ScriptedIndex):
    assistant = ScriptedAssistant(index)
    steps, turns = answered(assistant)
    asked = steps.more_like(turns, SimpleNamespace(index="0.0"), VISITOR)[0]  # type: ignore[arg-type]
    assert (asked[-1].question, asked[-1].like) == ("More like this: Red kettle", index.picture)
    turns = list(steps.answer(asked))[-1][0]
    assert assistant.liked == ["kettle.png"]
    html = messages(turns)[-1]["content"][0]
    assert isinstance(html, str)
    assert "Looks like: kettle" in html and "32.90 EUR" in html
    assert "<b>" not in html and "tracker.invalid/c.png&gt;" in html
    assert chosen(turns, "1.1") == index.other, "more like what was found"
    again = steps.more_like_picked(turns, 0, VISITOR)[0]
    assert again[-1].like is not None and again[-1].like.picture == "kettle.png"
    assert gallery(turns[-1]) == [(str(index.picture.picture_path), "Red kettle")]


def test_more_is_asked_for_once_at_a_time(index: ScriptedIndex):
    steps, turns = answered(ScriptedAssistant(index))
    busy = (*turns, Turn("and now?", None, False))
    picked: Any = SimpleNamespace(index="0.0")
    with pytest.raises(gr.Error):
        steps.more_like(busy, picked, VISITOR)
    assert steps.more_like(turns, SimpleNamespace(index="0.9"), VISITOR)[0] == turns  # type: ignore[arg-type]
    assert list(steps.answer(turns)) == [], "nothing is answered twice"
