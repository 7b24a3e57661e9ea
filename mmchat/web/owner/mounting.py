"""Puts the owner's pages behind their login, beside the chat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import fastapi
import gradio as gr
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse

from mmchat.web.owner.door import Door
from mmchat.web.owner.page import build_owner_page, owner_words

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk
    from mmchat.web.owner.login import Login

OWNER_PATH = "/owner"
_CSS = Path(__file__).with_name("style.css")
_WHO = "For whoever runs this assistant. · 이 도우미를 운영하는 분을 위한 페이지입니다."
"""Above the form of the login, where no language is known yet."""


def mount_owner(
    app: fastapi.FastAPI,
    assistant: Assistant,
    login: Login,
    *,
    desk: Desk | None,
    theme: gr.themes.Base,
) -> None:
    """Mount the owner's pages at `/owner`. What is mounted at `/` has to come after it.

    Args:
        app: that of the chat.
        assistant: answers the customers.
        login: whom to let in.
        desk: keeps the conversations; None where none are kept.
        theme: the look.
    """
    page = build_owner_page(assistant, desk, assistant.config)
    app.add_route(OWNER_PATH, lambda _: RedirectResponse("owner/"), include_in_schema=False)
    gr.mount_gradio_app(
        app,
        page,
        path=OWNER_PATH,
        auth=login.checker(),
        auth_message=_WHO,
        app_kwargs={"middleware": [Middleware(Door)]},
        footer_links=[],
        run_history=False,
        allowed_paths=page.allowed_paths,
        show_error=False,
        max_file_size=int(assistant.config.ingest.max_file_mb * 1e6),
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        i18n=gr.I18n(**owner_words()),
        theme=theme,
        css=_CSS.read_text(encoding="utf-8"),
    )
    page.has_launched = True  # see `mmchat.web.server`
