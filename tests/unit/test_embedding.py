"""What the server tells browsers about frames of other sites, and which requests it takes from them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from starlette.testclient import TestClient

from mmchat.config import WebConfig
from mmchat.errors import ConfigError
from mmchat.web.guard import OWNER_COOKIE
from mmchat.web.server import server_for

SHOP = "https://www.shop.example"
CHAT = "https://chat.example"
FRAMED = {"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> ScriptedAssistant:
    return ScriptedAssistant(ScriptedIndex(tmp_path_factory.mktemp("embedded") / "index"))


@contextlib.contextmanager
def serving(
    assistant: ScriptedAssistant, *origins: str, address: str = CHAT
) -> Iterator[TestClient]:
    config = WebConfig(embed_origins=origins)
    with TestClient(server_for(assistant, config).config.app, base_url=address) as client:
        yield client


@pytest.fixture(scope="module")
def embedding(assistant: ScriptedAssistant) -> Iterator[TestClient]:
    with serving(assistant, SHOP, "http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def embedded(embedding: TestClient) -> TestClient:
    embedding.cookies.clear()
    return embedding


@pytest.fixture(scope="module")
def alone(assistant: ScriptedAssistant) -> Iterator[TestClient]:
    with serving(assistant) as client:
        yield client


def test_the_chat_and_nothing_else_is_shown_in_frames_of_the_sites_that_may(embedded: TestClient):
    policy = embedded.get("/").headers["content-security-policy"]
    assert policy.endswith(f"frame-ancestors 'self' {SHOP} http://127.0.0.1:8000")
    for path in ("/document?path=x", "/owner", "/owner/", "/config", "/conversations/x.md"):
        own = embedded.get(path).headers["content-security-policy"]
        assert own.endswith("frame-ancestors 'self'"), path


def test_without_the_setting_nobody_shows_it(alone: TestClient):
    policy = alone.get("/", headers=FRAMED).headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self'")


def test_a_visitor_in_a_frame_is_known_there_alone(embedded: TestClient):
    cookie = embedded.get("/", headers=FRAMED).headers["set-cookie"]
    assert cookie.startswith(f"{OWNER_COOKIE}=")
    assert cookie.endswith("HttpOnly; SameSite=None; Secure; Partitioned")


def test_a_visitor_of_the_page_itself_gets_the_cookie_of_before(embedded: TestClient):
    assert embedded.get("/").headers["set-cookie"].endswith("HttpOnly; SameSite=Lax; Secure")
    same_site = FRAMED | {"sec-fetch-site": "same-site"}
    embedded.cookies.clear()
    assert "SameSite=Lax" in embedded.get("/", headers=same_site).headers["set-cookie"]


def test_where_no_frame_is_allowed_no_cookie_is_meant_for_one(alone: TestClient):
    alone.cookies.clear()
    assert "SameSite=Lax" in alone.get("/", headers=FRAMED).headers["set-cookie"]


def test_over_plain_http_the_cookie_stays_as_it_was(assistant: ScriptedAssistant):
    with serving(assistant, SHOP, address="http://chat.example") as client:
        cookie = client.get("/", headers=FRAMED).headers["set-cookie"]
        assert cookie.endswith("HttpOnly; SameSite=Lax")


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"origin": CHAT}, True),
        ({"origin": CHAT, "sec-fetch-site": "same-origin"}, True),
        # A proxy that rewrites the Host: the browser knows better.
        ({"origin": "https://public.example", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": CHAT, "sec-fetch-site": "cross-site"}, False),
        ({"origin": "https://evil.chat.example", "sec-fetch-site": "same-site"}, False),
        # The shop's page shows the chat; it does not speak for its visitors.
        ({"origin": SHOP, "sec-fetch-site": "cross-site"}, False),
    ],
)
def test_what_changes_something_comes_from_our_own_pages(
    embedded: TestClient, headers: dict[str, str], taken: bool
):
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/owner/anything"):
        answer = embedded.post(path, headers=headers)
        assert (answer.status_code != 403) is taken, path
        assert ("from its own pages only" in answer.text) is not taken


def test_no_other_origin_may_read_what_the_chat_says(embedded: TestClient):
    for origin in (SHOP, "https://evil.example"):
        for path in ("/", "/config", "/gradio_api/heartbeat"):
            said = embedded.get(path, headers={"origin": origin}).headers
            assert not [name for name in said if name.startswith("access-control-")]
        asking = {"origin": origin, "access-control-request-method": "POST"}
        assert embedded.options("/gradio_api/queue/join", headers=asking).status_code == 403


def test_the_script_knows_who_may_show_the_chat(embedded: TestClient, alone: TestClient):
    script = embedded.get("/embed.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert f'const allowed = ["{SHOP}", "http://127.0.0.1:8000"];' in script.text
    assert "const allowed = [];" in alone.get("/embed.js").text


@pytest.mark.parametrize(
    "origin", [SHOP, "http://127.0.0.1:8000", "https://[::1]:8443", "https://xn--oj0bv3m.example"]
)
def test_an_origin_is_written_as_browsers_write_it(origin: str):
    assert WebConfig(embed_origins=(origin,)).embed_origins == (origin,)


@pytest.mark.parametrize(
    "origin",
    [
        "*", "", "www.shop.example", "https://", "https://*.shop.example", f"{SHOP}/", f"{SHOP}/cart",
        "https://WWW.shop.example", f"{SHOP}:443", "http://shop.example:80", "https://상점.example",
        "https://user@shop.example", f"{SHOP}; script-src *", f"{SHOP} *", "ftp://shop.example", f"{SHOP}\n",
    ],
)  # fmt: skip
def test_anything_else_is_refused(origin: str):
    with pytest.raises(ConfigError, match=r"web\.embed_origins.*https://www\.shop\.example"):
        WebConfig(embed_origins=(origin,))
