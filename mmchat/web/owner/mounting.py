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
_WHO = """<title>Owner's pages · 운영 페이지</title>
<style>
.wrap:has(> .panel) { min-height: 80vh; align-items: flex-start; padding-top: 10vh; }
.panel { min-width: 0 !important; width: min(420px, 100%); margin: 0 auto; background: none; border: 0; }
</style>
For whoever runs this assistant.<br><span lang="ko">이 도우미를 운영하는 분을 위한 페이지입니다.</span>"""
"""Above the form of the login, where no language is known yet, and what Gradio's page for it lacks."""


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
        theme=_readable(theme),
        css=_CSS.read_text(encoding="utf-8"),
    )
    page.has_launched = True  # see `mmchat.web.server`


def _readable(theme: gr.themes.Base) -> gr.themes.Base:
    """Return the look with what is too faint for small text made stronger (4.5:1)."""
    return theme.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_600",
        input_placeholder_color="*neutral_600",
        input_placeholder_color_dark="*neutral_400",
    )
