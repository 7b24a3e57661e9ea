"""What the panels of the owner's pages work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import gradio as gr

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk
    from mmchat.config import Config

Words: TypeAlias = Mapping[str, Mapping[str, str]]
"""Language code (`en`, `ko`) to name to text: the words of a panel."""


@dataclass(frozen=True, slots=True)
class House:
    """The service that the owner looks after."""

    assistant: Assistant
    """Answers the customers; its `index` is what it answers from."""
    desk: Desk | None
    """Keeps the conversations; None where the settings say that none are kept."""
    config: Config
    page: gr.Blocks
    """The owner's page, which is being built."""
    first: gr.Tab
    """The tab that is open when the page is loaded."""

    def opens(self, tab: gr.Tab) -> list[Callable[..., Any]]:
        """Return the events at which the content of a tab should be loaded, for `gr.on`."""
        return [self.page.load, tab.select] if tab is self.first else [tab.select]


def spoken(words: Words, request: gr.Request) -> Mapping[str, str]:
    """Return the words for what a step puts together, in the language that the browser asks for.

    What stands still on the page is given as `text("name")` instead, which the browser translates.
    """
    wanted = str(request.headers.get("accept-language", "")).lower()
    return words["ko" if wanted.startswith("ko") else "en"]
