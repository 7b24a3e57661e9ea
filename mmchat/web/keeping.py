"""What a visitor does with the conversations that are kept: lists, opens, renames and deletes them."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import gradio as gr

from mmchat.errors import MmchatError, UnknownConversation
from mmchat.sentences import is_korean
from mmchat.types import Answer
from mmchat.web.conversation import Conversation, Stage, Turn
from mmchat.web.guard import OWNER_COOKIE
from mmchat.web.showing import ShownWithBox, shown_ready

if TYPE_CHECKING:
    from mmchat.app import Desk
    from mmchat.sessions import Conversation as KeptConversation
    from mmchat.sessions import ConversationHead, OwnConversations, TurnRecord

_log = logging.getLogger(__name__)

_LISTED = 100
"""Conversations in the list at most; searching finds the others."""
_MAX_SEARCH = 200
"""Characters of a search that are looked at."""
_MAX_TITLE = 120
"""Characters of a name that a visitor gives."""

Listed: TypeAlias = tuple[Any, Any, Any, Any, Any, Any]
"""The list, the tools for the open conversation, its name, its two exports, and the question whether to
delete it."""


class Kept:
    """The conversations of whoever asks. Holds nothing of anybody's: the desk keeps them."""

    def __init__(self, desk: Desk) -> None:
        """Take what keeps the conversations."""
        self._desk = desk

    def restore(self, request: gr.Request) -> ShownWithBox:
        """Show the visitor's last conversation again after the page was loaded, and take questions."""
        turns: Conversation = ()
        try:
            own = self._own((), request)
            for head in own.list(limit=1) if own else ():
                turns = self._turns(head.id, (), request)
        except MmchatError:
            _log.exception("A conversation could not be shown again.")
        return shown_ready(turns)

    def list(self, turns: Conversation, search: str, request: gr.Request) -> Listed:
        """Return the list of conversations, the open one marked, and what can be done with it."""
        own = self._own(turns, request)
        heads = own.list(search[:_MAX_SEARCH], limit=_LISTED) if own else []
        opened = turns[-1].kept_as if turns else ""
        title = ""
        if own and opened:
            with suppress(UnknownConversation):
                title = own.get(opened, last=1).title
        found = opened in {head.id for head in heads}
        return (
            gr.Radio([(_label(head), head.id) for head in heads], value=opened if found else None),
            gr.Column(visible=bool(opened)),
            gr.Textbox(value=title),
            gr.Button(link=f"conversations/{opened}.md"),
            gr.Button(link=f"conversations/{opened}.json"),
            gr.Column(visible=False),
        )

    def open(self, conversation: str, turns: Conversation, request: gr.Request) -> ShownWithBox:
        """Show one of the visitor's conversations."""
        with suppress(UnknownConversation):
            return shown_ready(self._turns(conversation, turns, request))
        return shown_ready(())

    def rename(self, title: str, turns: Conversation, search: str, request: gr.Request) -> Listed:
        """Give the open conversation another name; an empty one changes nothing."""
        own = self._own(turns, request)
        if own and turns and turns[-1].kept_as and title.strip():
            with suppress(UnknownConversation):
                own.rename(turns[-1].kept_as, title[:_MAX_TITLE])
        return self.list(turns, search, request)

    def delete(self, turns: Conversation, request: gr.Request) -> ShownWithBox:
        """Delete the open conversation for good, and begin a new one."""
        own = self._own(turns, request)
        if own and turns and turns[-1].kept_as:
            with suppress(UnknownConversation):
                self._desk.delete(self._owner(turns, request), turns[-1].kept_as)
        return shown_ready(())

    def _own(self, turns: Conversation, request: gr.Request) -> OwnConversations | None:
        """Return what the visitor may see, who is known by a cookie, or else by what is on the page."""
        owner = self._owner(turns, request)
        try:
            return self._desk.store.of(owner) if owner else None
        except MmchatError:  # a cookie that is none of ours
            return None

    @staticmethod
    def _owner(turns: Conversation, request: gr.Request) -> str:
        return request.cookies.get(OWNER_COOKIE, "") or (turns[-1].owner if turns else "")

    def _turns(self, conversation: str, turns: Conversation, request: gr.Request) -> Conversation:
        own = self._own(turns, request)
        if own is None:
            return ()
        kept = own.get(conversation)
        owner = self._owner(turns, request)
        return tuple(_shown_turn(turn, kept, owner) for turn in kept.turns)


def _shown_turn(turn: TurnRecord, kept: KeptConversation, owner: str) -> Turn:
    """Return a turn that was kept, as the page shows it."""
    korean = is_korean(turn.question or turn.answer)
    shown = Turn(
        turn.question,
        None,
        korean,
        Stage.STOPPED,
        turn.answer,
        owner=owner,
        kept_as=kept.id,
        number=turn.id,
        picture=turn.picture or "",
    )
    if turn.status is None:
        return shown
    answer = Answer(
        turn.answer,
        turn.status,
        turn.sources,
        turn.seconds or 0.0,
        turn.shown,
        similar=turn.similar,
    )
    passed = kept.handoff
    return replace(
        shown,
        stage=Stage.DONE,
        answer=answer,
        handoff=passed.handoff if passed and passed.turn == turn.id else None,
        # Products below an answer to no photo: they are like the picture that it rests on.
        like=turn.sources[0] if turn.similar and turn.sources and not turn.picture else None,
    )


def _label(head: ConversationHead) -> str:
    """Return what the list says of a conversation; one of photos alone has no title."""
    return head.title or f"{head.created:%Y-%m-%d %H:%M}"
