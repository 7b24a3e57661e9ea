"""The door of the owner's pages: nothing behind it is served, and nothing done, without the login."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from starlette.routing import Mount
from starlette.testclient import TestClient

from mmchat.config import OwnerConfig, WebConfig, load_config
from mmchat.errors import ConfigError
from mmchat.web.owner import Login, door
from mmchat.web.owner.login import Guesses
from mmchat.web.server import serve, server_for

PASSWORD = "correct horse battery"
OWNER = {"username": "owner", "password": PASSWORD}
OPEN = {"/", "/login", "/login/", "/logout", "/favicon.ico", "/manifest.json", "/robots.txt"}
"""What is served without a login, besides scripts and styles; none of it does or tells anything."""


class _Index(ScriptedIndex):
    def documents_in(self, folder: str) -> list[Any]:
        return []


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> ScriptedAssistant:
    return ScriptedAssistant(_Index(tmp_path_factory.mktemp("owner") / "index"))


@pytest.fixture(scope="module")
def app(assistant: ScriptedAssistant) -> Any:
    server = server_for(
        assistant, WebConfig(company="Hearth & Home"), login=Login("owner", PASSWORD)
    )
    return server.config.app


@pytest.fixture
def client(app: Any) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits here; what would have been waited is noted."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(door, "sleep", sleep)
    return waited


def routes(app: Any) -> Iterator[tuple[str, str]]:
    """Yield method and path of everything that Gradio serves below `/owner`."""
    while not hasattr(app, "router"):  # within what wraps all pages
        app = app._app
    inside = app.router.routes
    (owner,) = [each for each in inside if isinstance(each, Mount) and each.path == "/owner"]
    waiting = list(owner.app.routes)
    while waiting:
        route = waiting.pop()
        # FastAPI keeps what a router brought as that router, or one by one in earlier versions.
        waiting += getattr(getattr(route, "original_router", None), "routes", [])
        for method in getattr(route, "methods", None) or ():
            yield method, route.path


def test_every_route_needs_the_login_but_those_of_the_form(client: TestClient, app: Any):
    asked = 0
    for method, path in routes(app):
        static = path.startswith(("/assets/", "/static/", "/svelte/"))
        if path in OPEN or static or path.endswith("/theme.css"):
            continue
        for filled in ("x", "1"):
            address = "/owner" + "".join(
                filled if part.startswith("{") else part for part in re.split(r"(\{[^}]*\})", path)
            )
            response = client.request(method, address, follow_redirects=False)
            # 403: what fetches foreign addresses is refused to everybody.
            assert response.status_code in {401, 403}, (method, address)
            asked += 1
    assert asked > 60, "the routes of Gradio were not found"


@pytest.mark.parametrize(
    "path",
    [
        "/owner/config",
        "/owner//config",
        "/owner/assets/../config",
        "/owner/assets/..%2fconfig",
        "/owner/gradio_api/file=/etc/passwd",
        "/owner/gradio_api/queue/data?session_hash=x",
        "/owner/gradio_api/heartbeat/x",
        "/owner/gradio_api/app_id",
    ],
)
def test_no_spelling_leads_around_the_door(client: TestClient, path: str):
    assert client.get(path).status_code in {401, 403, 404}


def test_the_form_tells_nothing_of_what_is_behind_it(client: TestClient):
    page = client.get("/owner")
    assert page.status_code == 200
    assert page.url.path == "/owner/"
    assert '"auth_required":true' in page.text
    assert '"components":[]' in page.text
    assert PASSWORD not in page.text
    assert "frame-ancestors 'none'" in page.headers.get_list("content-security-policy")
    assert page.headers["cache-control"] == "no-store"


def test_the_login_opens_and_logging_out_shuts(client: TestClient):
    answer = client.post("/owner/login", data=OWNER)
    assert answer.status_code == 200
    cookies = answer.headers.get_list("set-cookie")
    assert cookies and all("HttpOnly" in each and "SameSite=Lax" in each for each in cookies)
    assert not [each for each in cookies if "none" in each.lower()]
    assert client.get("/owner/config").json()["username"] == "owner"
    client.get("/owner/logout")
    assert client.get("/owner/config").status_code == 401


def test_over_tls_the_cookie_never_leaves_it(app: Any):
    with TestClient(app, base_url="https://testserver") as client:
        cookies = client.post("/owner/login", data=OWNER).headers.get_list("set-cookie")
    assert cookies and all(each.count("Secure") == 1 for each in cookies)


def test_what_a_customer_has_opens_nothing(client: TestClient):
    client.get("/")
    assert client.cookies.get("mmchat_owner")
    assert client.get("/owner/config").status_code == 401
    uploaded = client.post("/gradio_api/upload", files={"files": ("a.png", b"a", "image/png")})
    assert uploaded.status_code == 200
    assert client.post("/owner/gradio_api/upload", files={"files": ("a", b"a")}).status_code == 401
    chat = client.get("/config").text
    assert "index-files" not in chat and "questions-answer" not in chat


def test_the_owner_uploads_more_than_a_visitor_may(client: TestClient):
    client.post("/owner/login", data=OWNER)
    files = {"files": ("big.txt", b"0" * 21_000_000, "text/plain")}
    assert client.post("/owner/gradio_api/upload", files=files).status_code == 200
    assert client.get("/owner/gradio_api/file=http://tracker.invalid/").status_code == 403


def test_wrong_guesses_wait_longer_and_longer(client: TestClient, waits: list[float]):
    for password in ("", "x", PASSWORD.upper(), PASSWORD + " ", "한글"):
        wrong = client.post("/owner/login", data={"username": "owner", "password": password})
        assert wrong.status_code in {400, 422}
    assert client.post("/owner/login", data={**OWNER, "username": "admin"}).status_code == 400
    assert client.post("/owner/login", data=OWNER).status_code == 200
    client.post("/owner/login", data={**OWNER, "password": "x"})
    assert waits == [0, 0, 0, 1, 2, 4, 8, 0]


def test_guesses_are_counted_by_network_and_one_at_a_time():
    guesses = Guesses()
    assert guesses.wait("2001:db8::1") == 0
    assert guesses.wait("2001:db8::2") is None, "the same network"
    assert guesses.wait("192.0.2.1") == 0
    for _ in range(30):
        guesses.end("2001:db8::1", right=False)
    assert guesses.wait("2001:db8::3") == 30, "no guess waits longer"
    guesses.end("2001:db8::3", right=True)
    assert guesses.wait("2001:db8::3") == 0


def test_a_second_guess_meanwhile_is_turned_away(app: Any):
    statuses: list[int] = []

    async def guess() -> None:
        sent = {"type": "http.request", "body": b"", "more_body": False}

        async def receive() -> Any:
            # The form is read only after the other one has come.
            await asyncio.gather(asyncio.to_thread(lambda: None))
            return sent

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await middle(
            {"type": "http", "path": "/owner/login", "root_path": "/owner", "client": ("a", 1)},
            receive,
            send,
        )

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 400, "headers": []})

    async def both() -> None:
        await asyncio.gather(guess(), guess())

    middle = door.Door(slow)
    asyncio.run(both())
    assert sorted(statuses) == [400, 429]


def test_a_password_is_made_up_for_each_run_and_never_shown():
    first, second = Login.of(OwnerConfig()), Login.of(OwnerConfig())
    assert first.made_up and len(first.password) >= 20
    assert first.password != second.password
    assert first.password not in repr(first)
    own = Login.of(OwnerConfig(name="kim", password=PASSWORD))
    assert (own.name, own.password, own.made_up) == ("kim", PASSWORD, False)


def test_a_short_password_is_refused_without_showing_it(tmp_path: Path):
    with pytest.raises(ConfigError, match="12 or more") as caught:
        load_config(environ={"MMCHAT_OWNER_PASSWORD": "hunter2"})
    assert "hunter2" not in str(caught.value)
    number = tmp_path / "mmchat.toml"
    number.write_text("[owner]\npassword = 123456789012\n")
    with pytest.raises(ConfigError, match="a text") as caught:
        load_config(number, environ={})
    assert "123456789012" not in str(caught.value)
    config = load_config(environ={"MMCHAT_OWNER_PASSWORD": PASSWORD})
    assert config.owner.password == PASSWORD
    assert PASSWORD not in repr(config)


def test_without_a_login_there_are_no_owners_pages(assistant: ScriptedAssistant):
    server = server_for(assistant, WebConfig())
    with TestClient(server.config.app) as client:
        assert "auth_required" not in client.get("/owner/").text
        assert client.post("/owner/login", data=OWNER).status_code in {404, 405}


@pytest.mark.parametrize("own", [False, True])
def test_the_terminal_tells_the_way_in_but_not_ones_own_password(
    assistant: ScriptedAssistant,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    own: bool,
):
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    config = OwnerConfig(name="kim", password=PASSWORD if own else "")
    serve(assistant, WebConfig(port=0), owner=config)
    said = capsys.readouterr().err
    assert "/owner, for kim with the password" in said
    assert PASSWORD not in said
    assert ("MMCHAT_OWNER_PASSWORD" in said) is not own
    serve(assistant, WebConfig(port=0), owner=OwnerConfig(enabled=False))
    assert "/owner" not in capsys.readouterr().err
