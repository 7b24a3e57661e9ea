"""What a customer does with questions, answers and pictures, in Chromium: the real desk, scripted answers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from scripted_assistant import ScriptedAssistant, scripted_desk
from visits import CHROMIUM, Visit, serious_faults, serving

import mmchat
from mmchat.config import WebConfig

CONFIG = WebConfig(company="Hearth & Home", port=0)
ASKED = 'What\'s <b>the</b> warranty & "so on"?'
ANSWER = (
    "The warranty lasts 24 months [1]. See ![p](http://tracker.invalid/a.png) "
    "<img src=http://tracker.invalid/b.png> [2]."
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mmchat.Desk]:
    with scripted_desk(tmp_path_factory.mktemp("shopping")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(desk: mmchat.Desk) -> Iterator[str]:
    with serving(desk.assistant, CONFIG, desk) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address, viewport={"width": 1280, "height": 800})
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield visit
    visit.page.context.close()


@pytest.fixture
def assistant(desk: mmchat.Desk) -> ScriptedAssistant:
    assert isinstance(desk.assistant, ScriptedAssistant)
    return desk.assistant


def answered(visit: Visit, question: str, count: int = 1) -> None:
    visit.ask(question)
    expect(visit.page.locator(".took")).to_have_count(count)


def kept(desk: mmchat.Desk) -> list[str]:
    """Return the questions of the newest conversation, as they are kept."""
    everything = desk.store.everything()
    return [turn.question for turn in everything.get(everything.list(limit=1)[0].id).turns]


def questions(visit: Visit) -> Any:
    return visit.page.locator("#chat .user [data-testid=user]")


def test_what_is_copied_is_what_is_read(visit: Visit):
    page = visit.page
    answered(visit, ASKED)
    page.locator("#chat .message-buttons-left").get_by_role("button", name="Copy message").click()
    page.wait_for_function("() => navigator.clipboard.readText().then((text) => text.length > 0)")
    assert page.evaluate("navigator.clipboard.readText()") == ANSWER
    page.locator("#chat .message-buttons-right").get_by_role("button", name="Copy message").click()
    page.wait_for_function("() => navigator.clipboard.readText().then((text) => text[0] === 'W')")
    assert page.evaluate("navigator.clipboard.readText()") == ASKED


def test_so_it_is_without_a_clipboard_for_scripts(browser: Browser, address: str):
    visit = Visit(browser, address)
    page = visit.page
    page.add_init_script("delete Navigator.prototype.clipboard")  # as over plain http
    page.reload()
    assert page.evaluate("'clipboard' in navigator") is False
    answered(visit, "How long is the warranty?")
    page.locator("#chat .message-buttons-left").get_by_role("button", name="Copy message").click()
    page.locator("#box textarea").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("#box textarea")).to_have_value(ANSWER)
    page.context.close()


def test_a_question_is_changed_and_taken_back(
    visit: Visit, assistant: ScriptedAssistant, desk: mmchat.Desk
):
    page = visit.page
    answered(visit, ASKED)
    answered(visit, "And <i>batteries</i>?", 2)
    page.get_by_role("button", name="Edit").first.click()
    editor = page.locator("#chat textarea")
    expect(editor).to_have_value(ASKED)
    editor.fill("And the <u>kettle</u>?\nReally")
    page.get_by_role("button", name="Submit", exact=True).first.click()
    expect(questions(visit)).to_have_text(["And the <u>kettle</u>?\nReally"])
    expect(page.locator(".took")).to_have_count(1)
    assert kept(desk) == ["And the <u>kettle</u>?\nReally"]
    answered(visit, "One more?", 2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#box textarea")).to_have_value("One more?")
    expect(page.locator(".took")).to_have_count(1)
    finished = assistant.finished
    page.get_by_role("button", name="Retry").click()
    for _ in range(100):
        if assistant.finished > finished:
            break
        page.wait_for_timeout(100)
    expect(page.locator(".took")).to_have_count(1)
    page.reload()
    expect(questions(visit)).to_have_text(["And the <u>kettle</u>?\nReally"])
    assert kept(desk) == ["And the <u>kettle</u>?\nReally"]
    assert visit.complaints == []


def test_a_picture_of_an_answer_opens_large_by_the_keyboard(visit: Visit):
    page = visit.page
    answered(visit, ASKED)
    small, large = page.locator("#chat .shown img"), page.locator("#large")
    expect(small).to_have_attribute("alt", "Red kettle")
    expect(small).to_have_js_property("naturalWidth", 160)
    page.locator("#chat a.picture").focus()
    page.keyboard.press("Enter")
    expect(large.locator("img")).to_have_js_property("naturalWidth", 640)
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    small.click()
    expect(large).to_be_visible()
    large.click()
    expect(large).to_be_hidden()


def test_more_like_a_picture(visit: Visit, assistant: ScriptedAssistant, desk: mmchat.Desk):
    page = visit.page
    answered(visit, ASKED)
    assistant.liked.clear()
    page.locator("#chat .more").click()
    expect(page.locator(".took")).to_have_count(2)
    product = page.locator(".product")
    expect(product).to_contain_text("Black <b>kettle</b> <img src=http://tracker.invalid/c.png>")
    expect(product).to_contain_text("32.90 EUR")
    expect(product).to_contain_text("Looks like: kettle")
    expect(product.locator("img")).to_have_js_property("naturalWidth", 160)
    expect(page.locator("#more")).to_be_hidden()
    page.locator("#pictures").get_by_role("button").first.click()
    page.locator("#more").click()
    expect(page.locator(".took")).to_have_count(3)
    assert assistant.liked == ["kettle.png", "kettle.png"]
    page.reload()
    expect(page.locator(".product")).to_have_count(2)
    assert kept(desk)[1:] == ["More like this: Red kettle"] * 2
    assert not [url for url in visit.requests if "tracker.invalid" in url]
    assert visit.complaints == []


def test_a_photo_is_there_again_and_can_be_taken_back(visit: Visit, assistant: ScriptedAssistant):
    page = visit.page
    visit.attach("mine.png", (assistant.index.path / "thumbs" / "black.png").read_bytes())
    expect(page.get_by_label("File thumbnail")).to_be_visible()
    page.locator("#box .submit-button").click()
    expect(page.locator(".took")).to_be_visible()
    page.reload()
    photo = page.locator("#chat .user img")
    expect(photo).to_have_js_property("naturalWidth", 160)
    expect(photo).to_have_attribute("alt", "picture")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("File thumbnail")).to_be_visible()
    expect(page.locator(".greeting")).to_be_visible()
    page.locator("#box .submit-button").click()
    expect(page.locator(".took")).to_be_visible()
    assert assistant.asked[-1] == ("", True, [])


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_is_pasted_and_dropped(visit: Visit, assistant: ScriptedAssistant, way: str):
    page = visit.page
    assert "image/*" in (page.locator("#box input[type=file]").get_attribute("accept") or "")
    picture = base64.b64encode((assistant.index.path / "thumbs" / "black.png").read_bytes())
    page.locator("#box textarea").evaluate(
        """(box, [way, picture]) => {
            const bytes = Uint8Array.from(atob(picture), (each) => each.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "mine.png", {type: "image/png"}));
            const all = {bubbles: true, cancelable: true};
            box.dispatchEvent(way === "paste"
                ? new ClipboardEvent("paste", {...all, clipboardData: data})
                : new DragEvent("drop", {...all, dataTransfer: data}));
        }""",
        [way, picture.decode()],
    )
    expect(page.get_by_label("File thumbnail")).to_be_visible()
    answered(visit, "What is this?")
    assert assistant.asked[-1][:2] == ("What is this?", True)


def test_a_photo_that_cannot_be_read_is_told_in_a_sentence(visit: Visit, desk: mmchat.Desk):
    visit.attach("broken.png", b"no picture at all")
    visit.ask("What is this?")
    expect(visit.page.locator(".failed")).to_contain_text(
        "This photo is not a picture that can be read"
    )
    expect(visit.page.locator("#chat .user").first).to_have_text("📎 broken.png")
    assert "Traceback" not in visit.page.inner_text("body")
    answered(visit, "And without it?")


def test_deleting_ends_the_answer_and_leaves_nothing(
    visit: Visit, assistant: ScriptedAssistant, desk: mmchat.Desk
):
    page = visit.page
    answered(visit, "first?")
    conversation = desk.store.everything().list(limit=1)[0].id
    page.get_by_role("button", name="Toggle Sidebar").click()
    expect(page.locator("#kept label")).to_have_count(1)
    assistant.gate.clear()
    assistant.closed.clear()
    finished = assistant.finished
    visit.ask("second?")
    expect(page.locator(".pending")).to_have_text("Writing…")
    page.locator("#delete").click()
    page.locator("#delete-yes").click()
    expect(page.locator(".greeting")).to_be_visible()
    assistant.gate.set()
    assert assistant.closed.wait(timeout=10)
    assert assistant.finished == finished
    expect(page.locator("#kept label")).to_have_count(0)
    assert conversation not in [head.id for head in desk.store.everything().list()]
    answered(visit, "third?")


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-GB", "light", 1280), ("ko-KR", "dark", 375)]
)
def test_products_are_right_on_a_phone_and_for_everybody(
    browser: Browser, address: str, locale: str, scheme: str, width: int
):
    visit = Visit(
        browser,
        address,
        viewport={"width": width, "height": 812},
        locale=locale,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = visit.page
    answered(visit, "warranty?" if locale == "en-GB" else "보증 기간은요?")
    page.locator("#chat .more").click()
    expect(page.locator(".product")).to_be_visible()
    expect(page.locator(".took")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".product").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    assert serious_faults(page) == []
    page.context.close()


def test_files_of_the_index_alone_are_shown(visit: Visit, address: str):
    answered(visit, ASKED)
    sources = visit.page.eval_on_selector_all("#chat .bot img", "all => all.map((one) => one.src)")
    assert [Path(source).name for source in sources] == ["kettle.png"]
    assert all(source.startswith(f"{address}gradio_api/file=") for source in sources)
