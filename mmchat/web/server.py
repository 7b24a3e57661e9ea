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

from mmchat.config import WebConfig
from mmchat.errors import MmchatError
from mmchat.web.documents import documents
from mmchat.web.exports import exports
from mmchat.web.guard import Guard
from mmchat.web.page import build_page
from mmchat.web.wording import translations

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk

_CSS = Path(__file__).with_name("style.css")
_JS = Path(__file__).with_name("page.js")
_SYSTEM_FONTS = ("ui-sans-serif", "system-ui", "Segoe UI", "Apple SD Gothic Neo", "Malgun Gothic")
_MONO_FONTS = ("ui-monospace", "Consolas", "monospace")


def serve(assistant: Assistant, config: WebConfig, *, desk: Desk | None = None) -> None:
    """Serve the chat until it is interrupted. The address is printed to stderr.

    Args:
        assistant: answers the questions.
        config: where it listens, and how it greets.
        desk: keeps the conversations; without one they are gone with the page.

    Raises:
        MmchatError: the host or port cannot be listened on.
    """
    with listen(config) as listener:
        host, port = listener.getsockname()[:2]
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        server = server_for(assistant, config, desk=desk)
        print(f"mmchat answers at http://{shown}:{port} (Ctrl+C ends it)", file=sys.stderr)
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


def server_for(
    assistant: Assistant, config: WebConfig, *, desk: Desk | None = None
) -> uvicorn.Server:
    """Return the server of the page; it runs on a socket from `listen`."""
    page = build_page(assistant, config, desk=desk)
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(documents(assistant.index))
    if desk is not None:
        app.include_router(exports(desk))
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
        js=_JS.read_text(encoding="utf-8"),
    )
    # Only a page that "has launched" refuses files that were not uploaded to it, and mounting, other
    # than launching, does not say so: without this a request could name any file of this machine.
    page.has_launched = True
    return uvicorn.Server(
        uvicorn.Config(Guard(app), log_level="warning", timeout_graceful_shutdown=2)
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
