"""Panel: the conversations of all customers, those first that wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from mmchat.app import draft_reply
from mmchat.errors import MmchatError, UnknownConversation
from mmchat.pictures import open_image, to_jpeg
from mmchat.web.owner.house import House, spoken
from mmchat.web.owner.index_html import said_html
from mmchat.web.owner.talks_html import draft_html, list_html, talk_html
from mmchat.web.owner.talks_words import WORDS
from mmchat.web.showing import QUIET

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk
    from mmchat.sessions import Concern, Conversation

__all__ = ["WORDS", "talks_panel"]

_LISTED = 30
"""Conversations that are listed at first, and added by each "more"."""
_MAX_SEARCH = 200
"""Characters of a search that are looked at."""
_PICTURE_PX = 480
"""The longer side of a customer's picture as it is shown, in pixels."""
_CONCERNS = {
    "talks_waiting": "waiting",
    "talks_passed": "passed on",
    "talks_unanswered": "unanswered",
    "talks_disliked": "disliked",
}
_CHOOSE = """element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-talk]");
    if (button) trigger("click", {talk: button.dataset.talk});
});"""
_TO_THE_TALK = """() => {
    if (window.innerWidth <= 700) document.querySelector("#talks-read")?.scrollIntoView({block: "start"});
}"""
"""Beside the list there is no room on a phone: the conversation is below it."""


@dataclass(frozen=True, slots=True)
class _Parts:
    which: gr.Radio
    search: gr.Textbox
    rows: gr.HTML
    more: gr.Button
    talk: gr.HTML
    tools: gr.Row
    finish: gr.Button
    reopen: gr.Button
    draft: gr.Button
    said: gr.HTML
    reply: gr.Textbox
    opened: gr.State
    limit: gr.State

    @property
    def listed(self) -> list[Any]:
        """What the list is shown in."""
        return [self.which, self.rows, self.more, self.limit, self.talk]

    @property
    def read(self) -> list[Any]:
        """What an open conversation is shown in."""
        return [self.opened, self.talk, self.tools, self.finish, self.reopen, self.said, self.reply]


class TalksSteps:
    """What happens in the panel. Decides nothing: the desk does."""

    def __init__(self, assistant: Assistant, desk: Desk) -> None:
        """Take what drafts replies, and what keeps the conversations."""
        self._assistant = assistant
        self._desk = desk

    def show(
        self, which: str | None, search: str, opened: str, limit: int, request: gr.Request
    ) -> list[Any]:
        """List conversations, as many as before."""
        words, overview = spoken(WORDS, request), self._desk.store.overview
        concern = cast("Concern", which) if which in _CONCERNS.values() else None
        limit = max(_LISTED, int(limit))
        lines = overview.conversations(search[:_MAX_SEARCH], concern, limit=limit + 1)
        waiting = overview.count("waiting")
        choices = [(words["talks_all"], "")]
        choices += [(words[name].format(count=waiting), each) for name, each in _CONCERNS.items()]
        return [
            gr.Radio(choices, value=concern or ""),
            list_html(lines[:limit], opened, words),
            gr.Button(visible=len(lines) > limit),
            limit,
            gr.skip() if opened else f'<p class="facts">{words["talks_choose"]}</p>',
        ]

    def more(
        self, which: str | None, search: str, opened: str, limit: int, request: gr.Request
    ) -> list[Any]:
        """List more conversations."""
        return self.show(which, search, opened, limit + _LISTED, request)

    def find(self, which: str | None, search: str, opened: str, request: gr.Request) -> list[Any]:
        """List the first of the conversations with these words, or of that kind."""
        return self.show(which, search, opened, _LISTED, request)

    def choose(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        """Open the conversation whose button was clicked."""
        return self.read(str(getattr(event, "talk", "")), request)

    def read(self, conversation: str, request: gr.Request) -> list[Any]:
        """Show a conversation."""
        words = spoken(WORDS, request)
        try:
            kept = self._desk.store.everything().get(conversation)
        except UnknownConversation:
            gone = said_html(words["talks_gone"], good=False)
            return ["", "", gr.Row(visible=False), gr.skip(), gr.skip(), gone, _no_reply()]
        passed = kept.handoff is not None
        done = kept.handoff is not None and kept.handoff.done is not None
        return [
            conversation,
            talk_html(kept, self._pictures(kept), words),
            gr.Row(visible=True),
            gr.Button(visible=passed and not done),
            gr.Button(visible=done),
            "",
            _no_reply(),
        ]

    def finish(self, conversation: str, request: gr.Request) -> list[Any]:
        """Mark a handoff as done."""
        with suppress(UnknownConversation):
            self._desk.store.queue.finish(conversation)
        return self.read(conversation, request)

    def reopen(self, conversation: str, request: gr.Request) -> list[Any]:
        """Let a handoff wait for a person again."""
        with suppress(UnknownConversation):
            self._desk.store.queue.reopen(conversation)
        return self.read(conversation, request)

    def draft(self, conversation: str, request: gr.Request) -> tuple[str, gr.Textbox]:
        """Draft a reply to the open conversation."""
        words = spoken(WORDS, request)
        try:
            kept = self._desk.store.everything().get(conversation)
            draft = draft_reply(self._assistant, kept)
        except MmchatError as error:
            return said_html(str(error), good=False), _no_reply()
        return draft_html(draft, words), gr.Textbox(draft.text, visible=True)

    def drafting(self, request: gr.Request) -> str:
        """Say that a draft is being written."""
        return said_html(spoken(WORDS, request)["talks_drafting"], good=True)

    def _pictures(self, kept: Conversation) -> Mapping[str, bytes]:
        """Return what the customer sent, as small as it is shown."""
        everything = self._desk.store.everything()
        return {
            turn.picture: to_jpeg(
                open_image(everything.picture(kept.id, turn.picture)), _PICTURE_PX
            )
            for turn in kept.turns
            if turn.picture
        }


def _no_reply() -> gr.Textbox:
    return gr.Textbox("", visible=False)


def talks_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    if house.desk is None:
        gr.Markdown(str(text("talks_none_kept")))
        return
    parts = _build(text)
    _connect(parts, TalksSteps(house.assistant, house.desk), house.opens(tab))


def _build(text: gr.I18n) -> _Parts:
    which = gr.Radio(
        [], label=text("talks_which"), show_label=False, container=False, elem_id="talks-which"
    )
    with gr.Row(elem_id="talks-columns"):
        with gr.Column(scale=2, min_width=280, elem_id="talks-side"):
            search = gr.Textbox(
                label=text("talks_search"),
                show_label=False,
                container=False,
                placeholder=str(text("talks_search")),
                elem_id="talks-search",
            )
            rows = gr.HTML(js_on_load=_CHOOSE, elem_id="talks-list")
            more = gr.Button(str(text("talks_more")), size="sm", visible=False)
        with gr.Column(scale=3, min_width=280, elem_id="talks-read"):
            with gr.Row(visible=False, elem_id="talks-tools") as tools:
                finish = gr.Button(
                    str(text("talks_finish")), size="sm", variant="primary", elem_id="talks-finish"
                )
                reopen = gr.Button(str(text("talks_reopen")), size="sm", elem_id="talks-reopen")
                draft = gr.Button(str(text("talks_draft")), size="sm", elem_id="talks-draft")
            reply = gr.Textbox(
                label=text("talks_draft_label"),
                lines=8,
                visible=False,
                interactive=True,
                elem_id="talks-reply",
            )
            said = gr.HTML(elem_id="talks-said")
            talk = gr.HTML(elem_id="talks-talk")
    return _Parts(
        *(which, search, rows, more, talk, tools, finish, reopen, draft, said, reply),
        *(gr.State(""), gr.State(_LISTED)),
    )


def _connect(parts: _Parts, steps: TalksSteps, opens: list[Any]) -> None:
    where = [parts.which, parts.search, parts.opened]
    listing = (steps.show, [*where, parts.limit], parts.listed)
    gr.on(opens, *listing, queue=False, **QUIET)
    for changed in (parts.search.change, parts.which.input):
        changed(steps.find, where, parts.listed, queue=False, trigger_mode="always_last", **QUIET)
    parts.more.click(steps.more, [*where, parts.limit], parts.listed, queue=False, **QUIET)
    chosen = parts.rows.click(steps.choose, None, parts.read, queue=False, **QUIET)
    chosen.then(*listing, queue=False, **QUIET)
    chosen.then(None, js=_TO_THE_TALK, api_visibility="private")
    for button, step in ((parts.finish, steps.finish), (parts.reopen, steps.reopen)):
        button.click(step, [parts.opened], parts.read, queue=False, **QUIET).then(
            *listing, queue=False, **QUIET
        )
    parts.draft.click(steps.drafting, None, parts.said, queue=False, **QUIET).then(
        steps.draft,
        [parts.opened],
        [parts.said, parts.reply],
        concurrency_limit=1,
        concurrency_id="drafts",
        **QUIET,
    )
