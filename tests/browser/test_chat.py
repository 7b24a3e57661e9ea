"""The chat as people meet it: in Chromium, with an assistant that answers from a script."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from scripted_assistant import ABSTENTION, HEADING, ScriptedAssistant, ScriptedIndex
from visits import CHROMIUM, Visit, serving

from mmchat.config import WebConfig

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> ScriptedAssistant:
    return ScriptedAssistant(ScriptedIndex(tmp_path_factory.mktemp("shop") / "index"))


@pytest.fixture(scope="module")
def address(assistant: ScriptedAssistant) -> Iterator[str]:
    config = WebConfig(company="Hearth & Home", port=0, max_upload_mb=0.05)
    with serving(assistant, config) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address, viewport={"width": 1280, "height": 800})
    yield visit
    visit.page.context.close()


@pytest.fixture
def held(assistant: ScriptedAssistant) -> Iterator[threading.Event]:
    """Answers stop after their first sentence until this is set."""
    assistant.gate.clear()
    yield assistant.gate
    assistant.gate.set()


def test_a_question_is_answered_with_its_source(visit: Visit, held: threading.Event):
    page = visit.page
    expect(page.locator(".greeting")).to_contain_text("Welcome to Hearth & Home")
    expect(page.locator(".greeting")).to_contain_text("환영합니다")
    visit.ask("How long is the warranty?")
    # The first sentence stands there before the second is written.
    expect(page.locator(".answer")).to_have_text("The warranty lasts 24 months [1].")
    expect(page.locator(".pending")).to_have_text("Writing…")
    held.set()
    expect(page.locator(".answer")).to_contain_text("[2]")
    expect(page.locator(".took")).to_have_text("1.2 s")
    first = page.locator(".source").first
    expect(first).to_contain_text("[1]Warranty")
    expect(first).to_contain_text("page 3")
    expect(first.locator("mark")).to_have_text("The warranty lasts 24 months.")


def test_a_mark_shows_its_passage_and_the_source_opens_in_its_document(visit: Visit):
    page = visit.page
    visit.ask("How long is the warranty?")
    mark, card = page.locator(".has-card").first, page.locator(".card").first
    expect(card).to_be_hidden()
    mark.hover()
    expect(card).to_be_visible()
    page.mouse.move(0, 0)
    expect(card).to_be_hidden()
    mark.focus()  # what a finger does, too
    expect(card.locator(".card-place")).to_have_text("Warranty · policies/warranty.md · page 3")
    expect(card.locator("mark")).to_have_text("The warranty lasts 24 months.")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in the document").first.click()
    document = opened.value
    expect(document.locator("mark")).to_have_text("The warranty lasts 24 months.")
    expect(document.locator(".text")).to_contain_text("<img src=http://tracker.invalid/p.png")
    assert document.title() == "Warranty"


def test_an_example_is_asked_with_a_click(visit: Visit, assistant: ScriptedAssistant):
    visit.page.get_by_role("button", name=HEADING).click()
    expect(visit.page.locator(".took")).to_be_visible()
    assert assistant.asked[-1] == (HEADING, False, [])


def test_a_photo_without_words_is_answered_with_pictures(
    visit: Visit, assistant: ScriptedAssistant
):
    photo = assistant.index.path / "thumbs" / "kettle.png"
    visit.attach("mine.png", photo.read_bytes())
    expect(visit.page.get_by_label("File thumbnail")).to_be_visible()
    visit.page.locator("#box .submit-button").click()
    picture = visit.page.locator("#pictures img").first
    expect(picture).to_be_visible()
    expect(visit.page.locator("#pictures")).to_contain_text("Red kettle")
    expect(visit.page.locator("#chat .user img")).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 640)
    assert assistant.asked[-1] == ("", True, [])


def test_what_is_not_known_is_marked(visit: Visit):
    visit.ask("something unknown")
    expect(visit.page.locator(".answer")).to_have_text(ABSTENTION)
    expect(visit.page.locator(".badge.unknown")).to_have_text("Not in the documents")


def test_errors_are_sentences_in_the_chat(visit: Visit):
    visit.attach("fake.png", b"no picture at all")
    visit.ask("What is this?")
    expect(visit.page.locator(".failed")).to_contain_text("is not a picture that can be read")
    visit.ask("crash")
    expect(visit.page.locator(".failed").last).to_contain_text("Something went wrong")
    assert "Traceback" not in visit.page.inner_text("body")


def test_a_file_that_is_too_large_is_refused_in_words(visit: Visit):
    visit.attach("big.png", b"0" * 200_000)
    expect(visit.page.get_by_text("exceed the maximum allowed size")).to_be_visible()


def test_stop_ends_the_answer(visit: Visit, assistant: ScriptedAssistant, held: threading.Event):
    finished = assistant.finished
    assistant.closed.clear()
    visit.ask("How long is the warranty?")
    expect(visit.page.locator(".answer")).to_contain_text("[1]")
    visit.page.locator("#box .stop-button").click()
    held.set()
    expect(visit.page.locator(".status")).to_have_text("Stopped.")
    assert assistant.closed.wait(timeout=5)
    assert assistant.finished == finished
    visit.ask("warranty again")
    expect(visit.page.locator(".took")).to_be_visible()


def test_leaving_ends_the_answer(
    browser: Browser, address: str, assistant: ScriptedAssistant, held: threading.Event
):
    visit = Visit(browser, address)
    finished = assistant.finished
    assistant.closed.clear()
    visit.ask("How long is the warranty?")
    expect(visit.page.locator(".answer")).to_contain_text("[1]")
    visit.page.context.close()
    # The server notices the closed connection within a moment; the next sentence comes after that.
    threading.Event().wait(1)
    held.set()
    assert assistant.closed.wait(timeout=15)
    assert assistant.finished == finished


def test_retry_and_new_conversation(visit: Visit, assistant: ScriptedAssistant):
    visit.ask("unknown one")
    expect(visit.page.locator(".took")).to_be_visible()
    asked = len(assistant.asked)
    assistant.closed.clear()
    visit.page.get_by_label("Retry").click()
    assert assistant.closed.wait(timeout=10)
    expect(visit.page.locator(".took")).to_have_count(1)
    assert assistant.asked[asked:] == [("unknown one", False, [])]
    visit.page.get_by_role("button", name="New conversation").click()
    expect(visit.page.locator(".greeting")).to_be_visible()
    expect(visit.page.locator(".took")).to_have_count(0)


def test_two_visitors_see_their_own_conversation(browser: Browser, address: str, visit: Visit):
    other = Visit(browser, address)
    visit.ask("unknown to the first")
    other.ask("unknown to the second")
    expect(other.page.locator(".took")).to_be_visible()
    expect(visit.page.locator(".took")).to_be_visible()
    assert "second" not in visit.page.inner_text("#chat")
    assert "first" not in other.page.inner_text("#chat")
    other.page.context.close()


def test_documents_and_answers_cannot_reach_out(visit: Visit, address: str):
    page = visit.page
    visit.ask("<img src=http://tracker.invalid/q.png> warranty ![q](http://tracker.invalid/r.png)")
    expect(page.locator(".took")).to_be_visible()
    expect(page.locator(".passage").first).to_contain_text("<img src=http://tracker.invalid/p.png")
    expect(page.locator(".passage").first).to_contain_text("${7*7} {{7*7}} <b>bold</b>")
    expect(page.locator(".answer")).to_contain_text("![p](http://tracker.invalid/a.png)")
    own = "gradio_api/file=/"
    foreign = (
        f'#chat a:not([href^="{own}"]), #chat .bot img:not([src^="{own}"]), '
        '#sources a:not([href^="document?"]), #sources img'
    )
    assert page.locator(foreign).count() == 0
    assert page.title() == "Hearth & Home"
    local = (address, "data:", "blob:")
    assert [url for url in visit.requests if not url.startswith(local)] == []
    assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, address: str, scheme: str
):
    visit = Visit(
        browser,
        address,
        viewport={"width": 375, "height": 812},
        locale="ko-KR",
        color_scheme=scheme,
    )
    page = visit.page
    expect(page.get_by_role("button", name="새 대화")).to_be_visible()
    visit.ask("보증 기간은 얼마인가요? warranty")
    expect(page.locator(".took")).to_have_text("1.2초")
    expect(page.locator(".source").first).to_contain_text("3쪽")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    for selector in (".answer", ".source", "#box"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
    assert (page.locator("body.dark").count() == 1) is (scheme == "dark")
    page.context.close()
