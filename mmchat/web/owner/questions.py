"""Panel: questions."""

from __future__ import annotations

import gradio as gr

from mmchat.web.owner.house import House, Words

WORDS: Words = {
    "en": {"questions_tab": "Questions"},
    "ko": {"questions_tab": "질문"},
}


def questions_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    box = gr.HTML()
    gr.on(house.opens(tab), lambda: "loaded questions", None, box, api_visibility="private")
