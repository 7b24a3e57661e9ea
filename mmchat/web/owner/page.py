"""The owner's page: its tabs, each of which is a panel of its own.

A panel is a module beside this one with a function `NAME_panel(house, text, tab)`, which is called inside
of its tab and builds and connects its components, and `WORDS`, whose names begin with its own. `NAME_tab`
is the title of the tab. Panels are listed in `PANELS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from mmchat.web.owner.house import House, Words
from mmchat.web.owner.index import WORDS as INDEX
from mmchat.web.owner.index import index_panel
from mmchat.web.owner.questions import WORDS as QUESTIONS
from mmchat.web.owner.questions import questions_panel
from mmchat.web.render import escape

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk
    from mmchat.config import Config

WORDS: Words = {
    "en": {"owner_title": "Owner's pages", "owner_chat": "Open the chat", "owner_out": "Log out"},
    "ko": {"owner_title": "운영 페이지", "owner_chat": "채팅 열기", "owner_out": "로그아웃"},
}
_UPLOADS_KEPT = (3600, 3600)
"""Uploads that nobody came back to are removed after an hour, in seconds."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A tab of the page."""

    name: str
    build: Callable[[House, gr.I18n, gr.Tab], None]
    words: Words


PANELS = (
    Panel("questions", questions_panel, QUESTIONS),
    Panel("index", index_panel, INDEX),
)
"""In the order in which their tabs stand."""


def owner_words() -> dict[str, dict[str, str]]:
    """Return all words of the page by language code and name."""
    parts = [WORDS, *(panel.words for panel in PANELS)]
    return {
        language: {name: word for part in parts for name, word in part[language].items()}
        for language in WORDS
    }


def build_owner_page(assistant: Assistant, desk: Desk | None, config: Config) -> gr.Blocks:
    """Return the page, ready to be mounted behind the login (see `mount_owner`).

    Args:
        assistant: answers the customers.
        desk: keeps the conversations; None where none are kept.
        config: all settings.
    """
    text = gr.I18n(**owner_words())
    page = gr.Blocks(
        title=config.web.company or "mmchat",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=_UPLOADS_KEPT,
    )
    folder = assistant.index.path.resolve()
    page.allowed_paths = [str(folder / name) for name in ("media", "thumbs")]
    with page:
        _head(config.web.company, text)
        with gr.Tabs(elem_id="panels"):
            tabs = [
                gr.Tab(text(f"{panel.name}_tab"), id=panel.name, elem_id=f"{panel.name}-panel")
                for panel in PANELS
            ]
        house = House(assistant, desk, config, page, tabs[0])
        for panel, tab in zip(PANELS, tabs, strict=True):
            with tab:
                panel.build(house, text, tab)
    return page


def _head(company: str, text: gr.I18n) -> None:
    with gr.Row(elem_id="top"):
        gr.HTML(f'<h1 class="company">{escape(company or "mmchat")}</h1>')
        gr.Markdown(str(text("owner_title")), elem_id="whose")
        gr.Button(str(text("owner_chat")), size="sm", scale=0, link="../", elem_id="to-chat")
        gr.Button(str(text("owner_out")), size="sm", scale=0, link="logout", elem_id="log-out")
