"""The page on a port of this machine."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import fastapi
import gradio as gr
import uvicorn

from mmchat.config import OwnerConfig, WebConfig
from mmchat.errors import MmchatError
from mmchat.web.assets import Assets
from mmchat.web.documents import documents
from mmchat.web.embedding import IN_A_FRAME, embedding
from mmchat.web.exports import exports
from mmchat.web.guard import Guard
from mmchat.web.owner import OWNER_PATH, Login, mount_owner
from mmchat.web.page import build_page
from mmchat.web.wording import translations

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk

_CSS = Path(__file__).with_name("style.css")
_JS = Path(__file__).with_name("page.js")
_GONE_SECONDS = 20
_SYSTEM_FONTS = ("ui-sans-serif", "system-ui", "Segoe UI", "Apple SD Gothic Neo", "Malgun Gothic")
_MONO_FONTS = ("ui-monospace", "Consolas", "monospace")


def serve(
    assistant: Assistant,
    config: WebConfig,
    *,
    desk: Desk | None = None,
    owner: OwnerConfig | None = None,
) -> None:
    """Serve the chat until it is interrupted. The address is printed to stderr.

    Args:
        assistant: answers the questions.
        config: where it listens, and how it greets.
        desk: keeps the conversations; without one they are gone with the page.
        owner: the login of the owner's pages; without it there are none.

    Raises:
        MmchatError: the host or port cannot be listened on.
    """
    with listen(config) as listener:
        host, port = listener.getsockname()[:2]
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        login = Login.of(owner) if owner is not None and owner.enabled else None
        server = server_for(assistant, config, desk=desk, login=login)
        print(f"mmchat answers at http://{shown}:{port} (Ctrl+C ends it)", file=sys.stderr)
        if login is not None:
            print(_way_in(f"http://{shown}:{port}{OWNER_PATH}", login), file=sys.stderr)
        # uvicorn closes everything and then raises it again; to end is what was asked for.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def listen(config: WebConfig) -> socket.socket:
    """Return a socket on the host and port of the settings.

    Raises:
        MmchatError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _notice_who_is_gone(listener)
    try:
        listener.bind((config.host, config.port))
        # A second server may bind the same address until one of them listens.
        listener.listen()
    except OSError as error:
        listener.close()
        raise MmchatError(
            f"Cannot listen on {config.host}:{config.port}: {error.strerror or error}. "
            "Stop what runs there, or choose another port with --port (0 takes any free one)."
        ) from error
    return listener


def _notice_who_is_gone(listener: socket.socket) -> None:
    """Let connections end whose other side is silent: a phone without network says no goodbye.

    Otherwise what is sent to it is tried again for a quarter of an hour, and an answer written as long.
    Connections take this over from their listener (Linux; elsewhere what there is of it).
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _GONE_SECONDS),
        ("TCP_KEEPINTVL", _GONE_SECONDS // 4),
        ("TCP_USER_TIMEOUT", _GONE_SECONDS * 1000),
    ):
        if (option := getattr(socket, name, None)) is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


def _way_in(address: str, login: Login) -> str:
    """Return what the owner has to know; a password of their own is not printed."""
    if not login.made_up:
        return f"The owner's pages are at {address}, for {login.name} with the password of the settings"
    return (
        f"The owner's pages are at {address}, for {login.name} with the password {login.password}\n"
        "It is for this run alone; set MMCHAT_OWNER_PASSWORD to have one of your own"
    )


def server_for(
    assistant: Assistant,
    config: WebConfig,
    *,
    desk: Desk | None = None,
    login: Login | None = None,
) -> uvicorn.Server:
    """Return the server of the page; it runs on a socket from `listen`."""
    page = build_page(assistant, config, desk=desk)
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(documents(assistant.index))
    app.include_router(embedding(config.embed_origins))
    if desk is not None:
        app.include_router(exports(desk))
    if login is not None:
        mount_owner(app, assistant, login, desk=desk, theme=_theme())
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        allowed_paths=page.allowed_paths,
        show_error=False,
        max_file_size=int(config.max_upload_mb * 1e6),
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        i18n=gr.I18n(**translations()),
        theme=_theme(),
        css=_CSS.read_text(encoding="utf-8"),
        js=f"() => {{ ({_JS.read_text(encoding='utf-8')})(); ({IN_A_FRAME})(); }}",
    )
    # Only a page that "has launched" refuses files that were not uploaded to it, and mounting, other
    # than launching, does not say so: without this a request could name any file of this machine.
    page.has_launched = True
    return uvicorn.Server(
        uvicorn.Config(
            Guard(Assets(app), config.embed_origins),
            log_level="warning",
            timeout_graceful_shutdown=2,
        )
    )


def _theme() -> gr.themes.Base:
    """Return a quiet look. Its fonts are the reader's own, so that none has to be fetched."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        font=_SYSTEM_FONTS,
        font_mono=_MONO_FONTS,
    ).set(
        block_radius="16px",
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        # Gradio's own is too faint for small text (below 4.5:1).
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
    )
