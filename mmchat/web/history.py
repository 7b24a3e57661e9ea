"""The panel at the side: the visitor's conversations, and what can be done with the open one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from mmchat.web.showing import QUIET

if TYPE_CHECKING:
    from gradio.events import Dependency

    from mmchat.web.keeping import Kept


_CLOSE_ON_PHONE = """() => {
    if (window.innerWidth <= 768) document.querySelector("#history.open .toggle-button")?.click();
}"""
"""Gradio's sidebar covers the page up to that width, in pixels: the chosen conversation would be hidden."""


@dataclass(frozen=True, slots=True)
class HistoryParts:
    """The components of the panel."""

    search: gr.Textbox
    chosen: gr.Radio
    tools: gr.Column
    title: gr.Textbox
    markdown: gr.Button
    json: gr.Button
    delete: gr.Button
    sure: gr.Column
    yes: gr.Button
    no: gr.Button

    @property
    def listed(self) -> list[Any]:
        """What listing the conversations puts out."""
        return [self.chosen, self.tools, self.title, self.markdown, self.json, self.sure]


def history(text: gr.I18n) -> HistoryParts:
    """Return the panel, made where the page stands."""
    with gr.Sidebar(label=text("conversations"), open=False, elem_id="history"):
        gr.Markdown(str(text("conversations")), elem_classes="heading")
        search = gr.Textbox(
            label=text("search"),
            show_label=False,
            container=False,
            placeholder=str(text("search")),
            elem_id="search",
        )
        chosen = gr.Radio(
            [], label=text("conversations"), show_label=False, container=False, elem_id="kept"
        )
        with gr.Column(visible=False, elem_id="tools") as tools:
            title = gr.Textbox(label=text("rename"), submit_btn=True, max_lines=1, elem_id="title")
            with gr.Row():
                markdown = gr.Button("Markdown", size="sm", min_width=60, elem_id="markdown")
                json = gr.Button("JSON", size="sm", min_width=60, elem_id="json")
            delete = gr.Button(str(text("delete")), size="sm", elem_id="delete")
            with gr.Column(visible=False) as sure:
                gr.Markdown(str(text("delete_sure")))
                with gr.Row():
                    yes = gr.Button(
                        str(text("delete_yes")), size="sm", variant="stop", elem_id="delete-yes"
                    )
                    no = gr.Button(str(text("delete_no")), size="sm", elem_id="delete-no")
    return HistoryParts(search, chosen, tools, title, markdown, json, delete, sure, yes, no)


def connect_history(
    parts: HistoryParts,
    kept: Kept,
    conversation: gr.State,
    shown: Sequence[Any],
    answering: Sequence[Dependency],
    changed: Sequence[Dependency],
) -> None:
    """Join the panel's events and steps.

    Args:
        parts: the panel.
        kept: the steps.
        conversation: the open conversation.
        shown: what showing a conversation puts out.
        answering: what is ended where another conversation is opened.
        changed: after these the list may be another.
    """
    listing = (kept.list, [conversation, parts.search], parts.listed)
    for event in changed:
        event.then(*listing, queue=False, **QUIET)
    # Not "input": that one follows keys, and a pasted word is a search too.
    parts.search.change(*listing, queue=False, trigger_mode="always_last", **QUIET)
    parts.title.submit(
        kept.rename,
        [parts.title, conversation, parts.search],
        parts.listed,
        queue=False,
        **QUIET,
    )
    parts.delete.click(lambda: gr.Column(visible=True), None, parts.sure, queue=False, **QUIET)
    parts.no.click(lambda: gr.Column(visible=False), None, parts.sure, queue=False, **QUIET)
    ended: dict[str, Any] = {"cancels": list(answering), "api_visibility": "private"}
    for opens, step, inputs in (
        (parts.chosen.input, kept.open, [parts.chosen, conversation]),
        (parts.yes.click, kept.delete, [conversation]),
    ):
        opens(None, **ended).then(step, inputs, list(shown), queue=False, **QUIET).then(
            *listing, queue=False, **QUIET
        )
    parts.chosen.input(None, js=_CLOSE_ON_PHONE, api_visibility="private")
