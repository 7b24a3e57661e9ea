"""The page without a browser: what is rendered, what each step does, and what the server refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scripted_assistant import (
    ABSTENTION,
    HEADING,
    PASSAGE,
    SENTENCES,
    USED,
    ScriptedAssistant,
    ScriptedIndex,
)
from starlette.testclient import TestClient

from mmchat.config import WebConfig
from mmchat.errors import MmchatError
from mmchat.types import Answer, Status, Tag
from mmchat.web import build_page, serve
from mmchat.web.conversation import Conversation, Stage, Turn
from mmchat.web.examples import Example, examples
from mmchat.web.guard import names_foreign_file
from mmchat.web.pictures import gallery
from mmchat.web.render import answer_html, messages, sources_html
from mmchat.web.revising import Revising
from mmchat.web.server import listen, server_for
from mmchat.web.steps import Steps

ENGLISH = SimpleNamespace(headers={"accept-language": "en-GB"}, cookies={})
KOREAN = SimpleNamespace(headers={"accept-language": "ko-KR,ko;q=0.9"}, cookies={})


@pytest.fixture
def assistant(tmp_path: Path) -> ScriptedAssistant:
    return ScriptedAssistant(ScriptedIndex(tmp_path / "index"))


@pytest.fixture
def steps(assistant: ScriptedAssistant) -> Steps:
    return Steps(assistant, examples(assistant.index))


@pytest.fixture
def client(assistant: ScriptedAssistant) -> Iterator[TestClient]:
    server = server_for(assistant, WebConfig(company="Hearth & Home", max_upload_mb=0.01))
    with TestClient(server.config.app) as client:
        yield client


def asked(steps: Steps, text: str, turns: Conversation = (), files: tuple[str, ...] = ()) -> Any:
    return steps.ask({"text": text, "files": list(files)}, turns, ENGLISH)[0]


def answered(steps: Steps, turns: Conversation) -> list[Conversation]:
    return [shown[0] for shown in steps.answer(turns)]


def test_an_answer_streams_and_ends_with_sources(steps: Steps):
    shown = answered(steps, asked(steps, "warranty?"))
    assert [turns[-1].stage for turns in shown] == [
        Stage.SEARCHING,
        Stage.READING,
        Stage.WRITING,
        Stage.WRITING,
        Stage.DONE,
    ]
    assert [turns[-1].text for turns in shown[2:4]] == [SENTENCES[0], "".join(SENTENCES)]
    assert [source.passage for source in shown[-1][-1].answer.sources] == [PASSAGE, "A red kettle"]


def test_earlier_questions_are_handed_on(steps: Steps, assistant: ScriptedAssistant):
    turns = answered(steps, asked(steps, "warranty?"))[-1]
    answered(steps, asked(steps, "and for batteries?", turns))
    assert assistant.asked[-1] == ("and for batteries?", False, ["warranty?"])


def test_closing_the_steps_closes_the_stream(steps: Steps, assistant: ScriptedAssistant):
    running = steps.answer(asked(steps, "warranty?"))
    next(running), next(running), next(running)
    assert not assistant.closed.is_set()
    running.close()
    assert assistant.closed.is_set()
    assert assistant.finished == 0


def test_a_stopped_answer_says_so_and_keeps_what_was_written(steps: Steps):
    running = steps.answer(asked(steps, "warranty?"))
    next(running), next(running)
    turns = next(running)[0]
    settled, shown, *_, box = steps.settle(turns)
    assert settled[-1].stage is Stage.STOPPED
    assert "Stopped." in shown[-1]["content"][0]
    assert "24 months" in shown[-1]["content"][0]
    assert box.interactive


def test_settling_leaves_a_finished_answer_alone(steps: Steps):
    turns = answered(steps, asked(steps, "warranty?"))[-1]
    assert steps.settle(turns)[0] == turns


@pytest.mark.parametrize(
    ("question", "content", "sentence"),
    [
        ("이게 뭐예요?", b"no picture at all", "이 사진은 읽을 수 없거나 너무 큽니다."),
        ("", None, "Got an empty question and no picture."),
        ("what?", b"no picture at all", "is not a picture that can be read"),
        ("crash", None, "Something went wrong on our side."),
    ],
)
def test_errors_are_one_sentence(
    steps: Steps, tmp_path: Path, question: str, content: bytes | None, sentence: str
):
    files = ()
    if content is not None:
        (tmp_path / "photo.png").write_bytes(content)
        files = (str(tmp_path / "photo.png"),)
    turn = answered(steps, asked(steps, question, files=files))[-1][-1]
    assert turn.stage is Stage.FAILED
    assert sentence in turn.text
    assert "secret" not in turn.text
    assert str(tmp_path) not in turn.text, "where the upload lies is nobody's business"


def test_a_question_can_be_asked_again(steps: Steps, assistant: ScriptedAssistant):
    turns = answered(steps, asked(steps, "warranty?"))[-1]
    again = Revising(None).again(turns)[0]
    assert (len(again), again[-1].question, again[-1].answer) == (1, "warranty?", None)
    answered(steps, again)
    assert [question for question, *_ in assistant.asked] == ["warranty?", "warranty?"]


def test_clearing_forgets_the_conversation(steps: Steps):
    turns, shown, sources, pictures, _ = steps.clear()
    assert (turns, shown, pictures.visible) == ((), [], False)
    assert "appear here" in sources


def test_examples_are_the_headings_of_documents_and_a_photo(assistant: ScriptedAssistant):
    photo = assistant.index.path / "thumbs" / "kettle.png"
    assert examples(assistant.index) == [Example(HEADING), Example(photo=photo)]


def test_an_example_is_taken_from_the_page_not_from_the_browser(
    steps: Steps, assistant: ScriptedAssistant
):
    forged = SimpleNamespace(index=1, value={"text": "", "files": [{"path": "/etc/passwd"}]})
    turn = steps.ask_example((), forged, ENGLISH)[0][-1]
    assert turn.photo == str(assistant.index.path / "thumbs" / "kettle.png")


@pytest.mark.parametrize(
    ("question", "request_", "korean"),
    [("보증 기간은?", ENGLISH, True), ("warranty?", KOREAN, False), ("", KOREAN, True)],
)
def test_the_page_speaks_the_language_of_the_question(
    steps: Steps, question: str, request_: Any, korean: bool
):
    turns = steps.ask({"text": question, "files": []}, (), request_)[0]
    assert turns[-1].korean is korean


def test_nothing_from_outside_is_markup(steps: Steps, assistant: ScriptedAssistant):
    turns = answered(steps, asked(steps, "<b>me</b> & <script>"))[-1]
    question, answer = (each["content"][0] for each in messages(turns))
    assert question == "&lt;b&gt;me&lt;/b&gt; &amp; &lt;script&gt;"
    own = f'<img src="gradio_api/file={assistant.index.path.resolve()}/thumbs/kettle.png"'
    assert (answer.count("<img"), answer.count(own)) == (1, 1)
    assert "<img" not in sources_html(turns[-1])
    assert "&lt;img" in answer and "&lt;img" in sources_html(turns[-1])
    assert answer.count('class="cite has-card"') == 2


def test_the_passage_is_shown_with_what_was_used_highlighted(steps: Steps):
    page = sources_html(answered(steps, asked(steps, "warranty?"))[-1][-1])
    assert f"Bring the receipt. <mark>{USED}</mark>" in page
    assert "policies/warranty.md · page 3 · score 0.900" in page
    assert page.count("<mark>") == 1, "a picture's caption supports nothing word by word"


def test_pictures_are_shown_once_with_their_titles(steps: Steps, assistant: ScriptedAssistant):
    turn = answered(steps, asked(steps, "warranty?"))[-1][-1]
    media = assistant.index.path / "media" / "kettle.png"
    assert gallery(turn) == [(str(media), "Red kettle")]
    media.unlink()
    assert gallery(turn) == [], "an index that was rebuilt meanwhile"


def test_a_picture_without_a_caption_is_shown_with_what_it_looks_like(
    steps: Steps, assistant: ScriptedAssistant
):
    turn = answered(steps, asked(steps, "warranty?"))[-1][-1]
    assert turn.answer is not None
    hit = replace(
        assistant.index.picture, title="IMG 1", tag=Tag("주전자", 0.7), alt=Tag("주전자", 0.7).words
    )
    turn = replace(turn, answer=replace(turn.answer, pictures=(hit,), sources=()))
    assert [caption for _, caption in gallery(turn)] == ["IMG 1 – 사진, 추정: 주전자"]


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (Turn("?", None, False), "Waiting for a free place…"),
        (Turn("?", None, False, Stage.SEARCHING), "Searching the documents…"),
        (Turn("?", None, False, Stage.READING, reading=4), "Reading 4 sources…"),
        (Turn("?", None, False, Stage.READING, reading=1), "Reading one source…"),
        (Turn("?", None, True, Stage.READING, reading=4), "출처 4개를 읽고 있습니다…"),
        (Turn("?", None, False, Stage.WRITING), "Writing…"),
    ],
)
def test_what_the_assistant_does_is_said(turn: Turn, said: str):
    assert said in answer_html(turn)


@pytest.mark.parametrize(
    ("status", "korean", "badge"),
    [
        (Status.ABSTAINED, False, "Not in the documents"),
        (Status.ABSTAINED, True, "문서에 없는 내용"),
        (Status.PARTIAL, False, "Only what the sources support is shown"),
        (Status.ANSWERED, False, None),
    ],
)
def test_the_status_of_an_answer_is_marked(status: Status, korean: bool, badge: str | None):
    answer = Answer(ABSTENTION, status, (), 1.25)
    page = answer_html(Turn("?", None, korean, Stage.DONE, answer.answer, answer))
    assert ("1.2초" if korean else "1.2 s") in page
    assert badge in page if badge else "badge" not in page


def test_the_page_is_served_with_its_name_and_a_policy(client: TestClient):
    response = client.get("/")
    assert response.status_code == 200
    assert "Hearth \\u0026 Home" in response.text or "Hearth &amp; Home" in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]


def test_nothing_is_reported_to_anybody(assistant: ScriptedAssistant):
    page = build_page(assistant, WebConfig())
    assert page.analytics_enabled is False
    assert page.share is False


def test_media_are_served_and_the_rest_of_the_index_is_not(
    client: TestClient, assistant: ScriptedAssistant
):
    folder = assistant.index.path.resolve()
    assert client.get(f"/gradio_api/file={folder}/media/kettle.png").status_code == 200
    assert client.get(f"/gradio_api/file={folder}/thumbs/kettle.png").status_code == 200
    assert client.get(f"/gradio_api/file={folder}/catalog.sqlite").status_code == 403
    assert client.get(f"/gradio_api/file={folder}/media/../catalog.sqlite").status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/file=http://tracker.invalid/", "/gradio_api/proxy=http://tracker.invalid/"],
)
def test_the_server_fetches_nothing_for_others(client: TestClient, path: str):
    assert client.get(path).status_code == 403


def submit(client: TestClient, path: str) -> Any:
    """Ask with a file of this path, as a browser does after an upload."""
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    config = client.get("/config").json()
    step = next(each["id"] for each in config["dependencies"] if each["targets"][0][1] == "submit")
    data = [{"text": "", "files": [file]}, None]
    return client.post(
        "/gradio_api/run/predict", json={"fn_index": step, "session_hash": "s", "data": data}
    )


def test_only_an_uploaded_file_can_be_asked_about(client: TestClient, tmp_path: Path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    refused = submit(client, str(secret))
    assert refused.status_code == 500
    assert "secret" not in refused.text
    assert submit(client, "HTTP://tracker.invalid/a.png").status_code == 403
    upload = {"files": ("mine.png", b"mine", "image/png")}
    [uploaded] = client.post("/gradio_api/upload", files=upload).json()
    assert submit(client, uploaded).status_code == 200


def test_a_document_is_shown_where_a_source_stands_and_nothing_else_is(client: TestClient):
    start = PASSAGE.index(USED)
    where = {"path": "policies/warranty.md", "start": start, "end": start + len(USED)}
    page = client.get("/document", params=where).text
    assert f'Bring the receipt. <mark id="here">{USED}</mark>' in page
    assert "<img" not in page
    for start, end in ((-5, 0), (9, 3), (10**9, 10**10)):
        whole = client.get("/document", params=where | {"start": start, "end": end})
        assert "<mark" not in whole.text
        assert "Bring the receipt. The warranty" in whole.text
    for path in ("/etc/passwd", "../catalog.sqlite", "kettle.png"):
        assert client.get("/document", params={"path": path}).status_code == 404


def test_a_question_may_name_an_address():
    assert not names_foreign_file(b'{"data": [{"text": "path http://x.invalid", "files": []}]}')
    assert names_foreign_file(b'{"data": [{"files": [{"path": " \\u0068ttp://x.invalid"}]}]}')


def test_a_large_upload_is_refused(client: TestClient):
    upload = {"files": ("big.png", b"0" * 20_000, "image/png")}
    assert client.post("/gradio_api/upload", files=upload).status_code == 413


def test_a_taken_port_is_explained(assistant: ScriptedAssistant):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MmchatError, match=rf"127\.0\.0\.1:{port}.*--port"):
            serve(assistant, WebConfig(port=port))


def test_port_zero_takes_a_free_one():
    with listen(WebConfig(port=0)) as listener:
        assert listener.getsockname()[1] > 0
