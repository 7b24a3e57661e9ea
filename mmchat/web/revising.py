"""A question that is taken back, changed, or asked once more: on the page, and where it is kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from mmchat.errors import UnknownConversation
from mmchat.sentences import is_korean
from mmchat.web.conversation import Conversation, Turn, follow, turn_at
from mmchat.web.showing import ShownWithBox, shown_busy, shown_ready, shown_undone
from mmchat.web.wording import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmchat.app import Desk


class Revising:
    """The steps that change what was asked. What a person was given stays as it is.

    What is replaced stays kept until the answer in its place begins: nothing is lost by a reload before.
    """

    def __init__(self, desk: Desk | None) -> None:
        """Take what keeps conversations, if anything does."""
        self._desk = desk

    def undo(self, turns: Conversation) -> ShownWithBox:
        """Take the last question and its answer back; the question stands in the box again."""
        if not turns:
            return shown_ready(turns)
        *before, last = turns
        last = self._with_photo(last)
        if not self._taken_back(last):
            gr.Info(wording(last.korean).with_person_stays)
            return shown_ready(turns)
        if self._desk is not None and not before and last.kept_as:
            with suppress(UnknownConversation):  # deleted elsewhere meanwhile: as good
                self._desk.delete(last.owner, last.kept_as)
        return shown_undone(tuple(before), last.question, last.photo)

    def edit(self, turns: Conversation, changed: gr.EditData) -> ShownWithBox:
        """Ask a changed question in place of the old one; what followed that is dropped."""
        place = turn_at(turns, changed.index) if isinstance(changed.index, int) else None
        text = changed.value.strip() if isinstance(changed.value, str) else ""
        if place is None or not text:
            return shown_ready(turns)
        old = self._with_photo(turns[place])
        first = _first_kept(turns[place:])
        if self._is_with_person(first):
            gr.Info(wording(old.korean).with_person_stays)
            return shown_ready(turns)
        again = Turn(
            text,
            old.photo,
            is_korean(text),
            owner=old.owner,
            kept_as=old.kept_as,
            instead_of=first.kept_number if first else None,
        )
        return shown_busy((*turns[:place], again))

    def again(self, turns: Conversation) -> ShownWithBox:
        """Ask the last question once more, in place of its answer."""
        if not turns:
            return shown_ready(turns)
        last = self._with_photo(turns[-1])
        again = Turn(
            last.question,
            last.photo,
            last.korean,
            owner=last.owner,
            kept_as=last.kept_as,
            instead_of=last.kept_number,
            like=last.like,
        )
        if self._is_with_person(last):
            return shown_busy(follow(turns, replace(again, instead_of=None)))
        return shown_busy((*turns[:-1], again))

    def _taken_back(self, turn: Turn) -> bool:
        """Delete a turn where it is kept; False where a person has it, so that it stays."""
        if self._desk is None or turn.kept_number is None:
            return True
        try:
            return self._desk.take_back(turn.owner, turn.kept_as, turn.kept_number)
        except UnknownConversation:  # deleted elsewhere meanwhile: as good
            return True

    def _is_with_person(self, turn: Turn | None) -> bool:
        if self._desk is None or turn is None or turn.kept_number is None:
            return False
        try:
            return self._desk.is_with_person(turn.owner, turn.kept_as, turn.kept_number)
        except UnknownConversation:  # deleted elsewhere meanwhile
            return False

    def _with_photo(self, turn: Turn) -> Turn:
        """Return a turn whose photo is at hand as a file, as after an upload."""
        if self._desk is None or not turn.picture:
            return turn
        try:
            jpeg = self._desk.store.of(turn.owner).picture(turn.kept_as, turn.picture)
        except UnknownConversation:
            return replace(turn, picture="")
        path = save_bytes_to_cache(jpeg, "photo.jpg", get_upload_folder())
        return replace(turn, photo=path, picture="")


def _first_kept(turns: Sequence[Turn]) -> Turn | None:
    return next((turn for turn in turns if turn.kept_number is not None), None)
