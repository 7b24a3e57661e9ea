"""The files of the page: what the browser is told to keep, and what is compressed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from mmchat.config import WebConfig
from mmchat.web.assets import Assets
from mmchat.web.server import server_for


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    assistant = ScriptedAssistant(ScriptedIndex(tmp_path_factory.mktemp("assets") / "index"))
    with TestClient(server_for(assistant, WebConfig()).config.app) as client:
        yield client


def asset(client: TestClient) -> str:
    found = re.search(r'src="\./(assets/index-[^"]+\.js)"', client.get("/").text)
    assert found is not None
    return f"/{found[1]}"


def test_what_the_page_is_made_of_is_kept_by_the_browser(client: TestClient):
    for _ in range(2):  # the second from memory
        answer = client.get(asset(client), headers={"accept-encoding": "gzip, br"})
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "br"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_does_not_unpack_gets_it_unpacked(client: TestClient):
    packed = client.get(asset(client), headers={"accept-encoding": "br"})
    plain = client.get(asset(client), headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content


def test_a_part_is_a_part_and_what_is_not_there_is_not_kept(client: TestClient):
    assert client.get(asset(client), headers={"range": "bytes=0-9"}).status_code == 206
    for _ in range(2):
        missing = client.get("/assets/gone-12345678.js")
        assert missing.status_code == 404
        assert "immutable" not in missing.headers.get("cache-control", "")


def test_the_page_is_compressed_and_asked_for_anew(client: TestClient):
    page = client.get("/", headers={"accept-encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    assert "immutable" not in page.headers.get("cache-control", "")


def test_the_app_is_asked_once_for_each_file():
    asked = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await PlainTextResponse("x" * 10)(scope, receive, send)

    client = TestClient(Assets(app))  # not entered: the app knows no beginning and no end
    hashed = ["/assets/a-1.js", "/assets/b-2.js", "/owner/assets/a-1.js"]
    for path in (*hashed, *hashed, "/theme.css", "/theme.css"):
        assert client.get(path).text == "x" * 10
    assert asked == [*hashed, "/theme.css", "/theme.css"]
