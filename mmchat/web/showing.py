"""What the steps put out: a conversation as the components of the page show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import gradio as gr

from mmchat.web.conversation import Conversation
from mmchat.web.pictures import gallery
from mmchat.web.render import Message, messages, sources_html

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""No step is an endpoint for programs (HTTP is `mmchat.api`'s), and none dims what it changes."""

Shown: TypeAlias = tuple[Conversation, list[Message], str, Any]
"""The conversation, its messages, the sources as HTML, and the gallery of pictures."""
ShownWithBox: TypeAlias = tuple[Conversation, Any, Any, Any, Any]
"""The same, and the box that questions are typed into. What is skipped stays as it is."""


def shown(turns: Conversation) -> Shown:
    """Return a conversation as the page shows it."""
    last = turns[-1] if turns else None
    pictures = gallery(last)
    return turns, messages(turns), sources_html(last), gr.Gallery(pictures, visible=bool(pictures))


def shown_busy(turns: Conversation) -> ShownWithBox:
    """Return a conversation whose last question is being answered."""
    return *shown(turns), box(busy=True)


def shown_running(turns: Conversation) -> ShownWithBox:
    """Return a conversation while an answer is found and written: a step of many, and soon followed.

    What stands beside it and the box are empty then, and are put out as that: for `gr.skip()` and for a
    component, Gradio builds a component anew each time, which takes longer than all the rest.
    """
    return turns, messages(turns), "", [], None


def shown_waiting(turns: Conversation, number: int) -> ShownWithBox:
    """Return a conversation whose last question waits for others, as the number in a line (from 1)."""
    return shown_running((*turns[:-1], replace(turns[-1], in_line=number)))


def shown_ready(turns: Conversation) -> ShownWithBox:
    """Return a conversation that takes the next question."""
    return *shown(turns), box(busy=False)


def shown_undone(turns: Conversation, text: str, photo: str | None) -> ShownWithBox:
    """Return a conversation whose last question stands in the box again, with its photo."""
    value: dict[str, str | list[Any]] = {"text": text, "files": [photo] if photo else []}
    ready = gr.MultimodalTextbox(value=value, interactive=True, submit_btn=True, stop_btn=False)
    return *shown(turns), ready


def box(*, busy: bool) -> gr.MultimodalTextbox:
    """Return the box emptied, or ready for the next question with whatever is typed in it."""
    if busy:
        return gr.MultimodalTextbox(value=None, interactive=False, submit_btn=False, stop_btn=True)
    return gr.MultimodalTextbox(interactive=True, submit_btn=True, stop_btn=False)
