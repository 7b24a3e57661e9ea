"""Panel: index."""

from __future__ import annotations

import gradio as gr

from mmchat.web.owner.house import House, Words

WORDS: Words = {
    "en": {"index_tab": "Documents"},
    "ko": {"index_tab": "문서"},
}


def index_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    box = gr.HTML()
    gr.on(house.opens(tab), lambda: "loaded index", None, box, api_visibility="private")
