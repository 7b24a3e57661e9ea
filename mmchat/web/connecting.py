"""Which step of a conversation runs on which event of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from mmchat.web.line import Line, in_turn
from mmchat.web.showing import QUIET

if TYPE_CHECKING:
    from gradio.events import Dependency

    from mmchat.web.revising import Revising
    from mmchat.web.steps import Steps


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that change."""

    conversation: gr.State
    chat: gr.Chatbot
    box: gr.MultimodalTextbox
    new: gr.Button
    quick: tuple[gr.Button, ...]
    person: gr.Button | None
    """There where a desk can pass a conversation to a person."""
    sources: gr.HTML
    pictures: gr.Gallery
    picked: gr.State
    """The place of the picture that is open in the gallery, from 0."""
    more: gr.Button
    """Asks for more like it; seen while one is open."""

    @property
    def shown(self) -> list[Any]:
        """What the steps of an answer put out."""
        return [self.conversation, self.chat, self.sources, self.pictures]


def connect(
    parts: Parts, steps: Steps, revising: Revising, at_once: int
) -> tuple[list[Dependency], list[Dependency]]:
    """Join events and steps. A question is accepted, answered and settled, whoever asks it.

    Returns:
        The events that answer, and those that end an answer.
    """
    answering: list[Dependency] = []
    answer = in_turn(steps.answer, Line(at_once))
    begun: list[tuple[Any, Any, list[Any]]] = [
        (parts.box.submit, steps.ask, [parts.box, parts.conversation]),
        (parts.chat.example_select, steps.ask_example, [parts.conversation]),
        (parts.chat.retry, revising.again, [parts.conversation]),
        (parts.chat.edit, revising.edit, [parts.conversation]),
        (parts.sources.select, steps.more_like, [parts.conversation]),
        (parts.more.click, steps.more_like_picked, [parts.conversation, parts.picked]),
        *(
            (button.click, steps.quick_step(number), [parts.conversation])
            for number, button in enumerate(parts.quick)
        ),
    ]
    if parts.person is not None:
        begun.append((parts.person.click, steps.ask_for_person, [parts.conversation]))
    for event, accept, inputs in begun:
        accepted = event(accept, inputs, [*parts.shown, parts.box], queue=False, **QUIET)
        answered = accepted.success(
            answer,
            [parts.conversation],
            [*parts.shown, parts.box],
            concurrency_limit=None,
            **QUIET,
        )
        answering.append(answered)
    parts.pictures.select(_place, None, parts.picked, queue=False, **QUIET)
    undone = parts.chat.undo(
        revising.undo, [parts.conversation], [*parts.shown, parts.box], queue=False, **QUIET
    )
    # Settling follows the stop button alone. After every answer, it could come later than the click on
    # "New conversation" and bring the old one back.
    stopped = parts.box.stop(None, cancels=[*answering], api_visibility="private").then(
        steps.settle, [parts.conversation], [*parts.shown, parts.box], queue=False, **QUIET
    )
    cleared = parts.new.click(None, cancels=[*answering], api_visibility="private").then(
        steps.clear, None, [*parts.shown, parts.box], queue=False, **QUIET
    )
    return answering, [stopped, cleared, undone]


def _place(picked: gr.SelectData) -> int:
    return int(picked.index)
