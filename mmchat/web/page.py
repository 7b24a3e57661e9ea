"""The Gradio page: its components, and which step of a conversation runs on which event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import gradio as gr

from mmchat.config import WebConfig
from mmchat.pictures import PHOTO_SUFFIXES
from mmchat.web.connecting import Parts, connect
from mmchat.web.examples import Example, examples
from mmchat.web.history import connect_history, history
from mmchat.web.keeping import Kept
from mmchat.web.render import escape, greeting, sources_html
from mmchat.web.revising import Revising
from mmchat.web.showing import QUIET
from mmchat.web.steps import Steps
from mmchat.web.wording import COMPLAINTS, translations

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk

_TELL_MORE_LIKE = """element.closest("#columns").addEventListener("click", (event) => {
    const button = event.target.closest("button.more");
    if (button) trigger("select", {index: button.value, value: button.value});
});"""
"""A message of the chat has no events of its own for what stands in it; this component hands them on."""
_IN_LINE = 500
"""Who waits at once and is told their number; whoever comes later waits in Gradio's own queue before that."""
_UPLOADS_KEPT = (3600, 86400)
"""Uploaded photos are looked through every hour and removed when a day old, in seconds."""


def build_page(assistant: Assistant, config: WebConfig, *, desk: Desk | None = None) -> gr.Blocks:
    """Return the page, ready to be mounted (see `serve`).

    Args:
        assistant: answers the questions.
        config: the name to greet with, the limits of uploads and of answers at once.
        desk: keeps the conversations; without one they are gone with the page.
    """
    text = gr.I18n(**translations())
    offered = examples(assistant.index)
    page = gr.Blocks(
        title=config.company or "mmchat",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=_UPLOADS_KEPT,
    )
    folder = assistant.index.path.resolve()
    page.max_threads = _IN_LINE
    page.queue()
    page.allowed_paths = [str(folder / name) for name in ("media", "thumbs")]
    with page:
        conversation = gr.State(())
        panel = history(text) if desk is not None else None
        with gr.Row(elem_id="top"):
            gr.HTML(f'<h1 class="company">{escape(config.company or "mmchat")}</h1>')
            new = gr.Button(str(text("new")), size="sm", scale=0, elem_id="new")
        with gr.Row(elem_id="columns"):
            with gr.Column(scale=3, min_width=300, elem_id="talk"):
                chat = _chat(offered, config, text, rated=desk is not None)
                quick, person = _quick(text, config.quick_replies, person=_passes_on(desk))
                # A question must not come before the conversation that it belongs to is there again.
                box = _box(text, ready=desk is None)
            with gr.Column(scale=2, min_width=300, elem_id="beside"):
                gr.Markdown(str(text("beside")), elem_classes="heading")
                sources = gr.HTML(sources_html(None), elem_id="sources", js_on_load=_TELL_MORE_LIKE)
                pictures, picked = _pictures(text), gr.State(0)
                more = gr.Button(str(text("more")), size="sm", elem_id="more")
        parts = Parts(conversation, chat, box, new, quick, person, sources, pictures, picked, more)
        steps = Steps(assistant, offered, desk, quick=config.quick_replies)
        answering, ended = connect(parts, steps, Revising(desk), config.concurrency)
        if desk is not None and panel is not None:
            kept = Kept(desk)
            shown = [*parts.shown, parts.box]
            loaded = page.load(kept.restore, None, shown, queue=False, **QUIET)
            connect_history(
                panel, kept, conversation, shown, answering, [loaded, *answering, *ended]
            )
            chat.like(steps.rate, [conversation], None, queue=False, **QUIET)
    return page


def _chat(offered: list[Example], config: WebConfig, text: gr.I18n, *, rated: bool) -> gr.Chatbot:
    return gr.Chatbot(
        label=text("conversation"),
        show_label=False,
        elem_id="chat",
        height="auto",
        placeholder=greeting(config.company),
        examples=[
            {
                "text": each.text,
                "display_text": each.label,
                "files": [str(each.photo)] if each.photo else [],
            }
            for each in offered
        ],
        # Questions, documents and models write data, not markup; see render.py.
        render_markdown=False,
        latex_delimiters=[],
        allow_tags=False,
        # What the first copies and the second edits is mended by page.js.
        buttons=["copy"],
        editable="user",
        feedback_options=("Like", "Dislike", *COMPLAINTS) if rated else None,
        allow_file_downloads=False,
        group_consecutive_messages=False,
        layout="bubble",
    )


def _passes_on(desk: Desk | None) -> bool:
    return desk is not None and desk.assistant.config.handoff.enabled


def _quick(
    text: gr.I18n, replies: Sequence[str], *, person: bool
) -> tuple[tuple[gr.Button, ...], gr.Button | None]:
    """Return the buttons that ask with one click, and the one that asks for a person."""
    with gr.Row(elem_id="quick", visible=bool(replies) or person):
        quick = tuple(gr.Button(each, size="sm", min_width=0) for each in replies)
        asking = (
            gr.Button(str(text("person")), size="sm", min_width=0, elem_id="person")
            if person
            else None
        )
    return quick, asking


def _box(text: gr.I18n, *, ready: bool) -> gr.MultimodalTextbox:
    return gr.MultimodalTextbox(
        interactive=ready,
        elem_id="box",
        label=text("placeholder"),
        show_label=False,
        placeholder=str(text("placeholder")),
        sources=["upload"],
        # "image" makes phones offer their camera; the rest is what else can be read.
        file_types=["image", *sorted(PHOTO_SUFFIXES)],
        file_count="single",
        max_lines=8,
        # A longer text would be pasted as a file, and only pictures are taken.
        max_plain_text_length=20_000,
        autofocus=True,
    )


def _pictures(text: gr.I18n) -> gr.Gallery:
    return gr.Gallery(
        label=text("pictures"),
        show_label=False,
        elem_id="pictures",
        visible=False,
        interactive=False,
        columns=2,
        fit_columns=False,
        height="auto",
        object_fit="contain",
        buttons=["fullscreen"],
    )
