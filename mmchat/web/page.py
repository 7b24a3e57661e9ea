"""The Gradio page: its components, its events, and the order in which they run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import gradio as gr

from mmchat.config import WebConfig
from mmchat.errors import InputError, MmchatError
from mmchat.pictures import SUFFIXES
from mmchat.sentences import is_korean
from mmchat.types import AnswerStream, Source
from mmchat.web.conversation import Conversation, Stage, Turn, earlier_questions
from mmchat.web.examples import examples
from mmchat.web.render import Message, gallery, greeting, messages, sources_html
from mmchat.web.wording import translations, wording

if TYPE_CHECKING:
    from mmchat.app import Assistant

_log = logging.getLogger(__name__)

Shown: TypeAlias = tuple[Conversation, list[Message], str, Any]
"""What each step of an answer puts on the page: conversation, messages, sources, pictures."""

_HIDDEN = {"api_visibility": "private", "show_progress": "hidden"}
_UPLOADS_KEPT = (3600, 86400)
"""Uploaded photos are looked through every hour and removed when a day old, in seconds."""


def build_page(assistant: Assistant, config: WebConfig) -> gr.Blocks:
    """Return the page, ready to be mounted (see `serve`).

    Args:
        assistant: answers the questions.
        config: the name to greet with, the limits of uploads and of answers at once.
    """
    text = gr.I18n(**translations())
    with gr.Blocks(
        title=config.company or "mmchat",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=_UPLOADS_KEPT,
    ) as page:
        folder = assistant.index.path.resolve()
        page.allowed_paths = [str(folder / name) for name in ("media", "thumbs")]
        conversation = gr.State(())
        with gr.Row(elem_id="columns"):
            with gr.Column(scale=3, min_width=320, elem_id="talk"):
                chat = _chat(assistant, config)
                box = _box(config)
                new = gr.Button(text("new"), size="sm", variant="secondary", elem_id="new")
            with gr.Column(scale=2, min_width=320, elem_id="beside"):
                gr.Markdown(text("sources"), elem_classes="heading")
                sources = gr.HTML(sources_html(None), elem_id="sources")
                pictures = _pictures()
        _Events(assistant, config, _Parts(conversation, chat, box, new, sources, pictures)).connect()
    return page
