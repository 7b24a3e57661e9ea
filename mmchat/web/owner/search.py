"""Panel: a test bench of searches, by the settings as they are and by others, side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gradio as gr

from mmchat.app import Bench, Trial
from mmchat.config import Config, RetrievalConfig, with_changes
from mmchat.errors import MmchatError
from mmchat.pictures import PHOTO_SUFFIXES
from mmchat.web.owner.house import House, spoken
from mmchat.web.owner.index_html import said_html
from mmchat.web.owner.search_html import changes_html, hits_html, lists_html
from mmchat.web.owner.search_words import WORDS
from mmchat.web.showing import QUIET

__all__ = ["WORDS", "search_panel"]

_PARTED = re.compile(r"[;\n]")
"""Between conditions: a comma is between the values of one."""
_FIGURES = tuple(each.name for each in fields(RetrievalConfig) if each.name != "reranker")
"""The settings that are numbers. A reranker is not named from a page: that would load any file or model."""


@dataclass(frozen=True, slots=True)
class _Parts:
    query: gr.MultimodalTextbox
    filter: gr.Textbox
    k: gr.Textbox
    run: gr.Button
    as_it_is: gr.Button
    settings: tuple[gr.Textbox, ...]
    unranked: gr.Checkbox
    found: gr.HTML


class SearchSteps:
    """What happens in the panel. Decides nothing: `mmchat.app` does."""

    def __init__(self, bench: Bench, config: Config) -> None:
        """Take what searches, and the settings as they are."""
        self._bench = bench
        self._config = config

    def search(
        self,
        query: dict[str, Any],
        conditions: str | None,
        k: str | None,
        request: gr.Request,
        unranked: bool,
        *settings: str | None,
    ) -> str:
        """Search; by other settings too, where any is given."""
        words = spoken(WORDS, request)
        # What was never unfolded has no value, not even an empty one.
        changes: dict[str, object] = {
            name: value
            for name, given in zip(_FIGURES, settings, strict=True)
            if (value := (given or "").strip())
        }
        if unranked:
            changes["reranker"] = ""
        try:
            return self._found(self._trial(query, conditions or "", k or ""), changes, words)
        except MmchatError as error:
            return said_html(str(error), good=False)

    def _found(self, trial: Trial, changes: Mapping[str, object], words: Mapping[str, str]) -> str:
        if not changes:
            return hits_html(self._bench.search(trial), words)
        found = self._bench.compare(trial, changes)
        return lists_html(found, changes_html(found.settings, self._config.retrieval, words), words)

    def _trial(self, query: dict[str, Any], conditions: str, k: str) -> Trial:
        """Return what is searched for.

        Raises:
            ConfigError: `k` is no number of hits.
        """
        parts = (part.strip() for part in _PARTED.split(conditions))
        wanted = with_changes(self._config, {"retrieval.k": k.strip()}) if k.strip() else None
        return Trial(
            text=str(query.get("text") or ""),
            image=photo_of(query),
            conditions=tuple(part for part in parts if part),
            k=None if wanted is None else wanted.retrieval.k,
        )


def search_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    index = house.assistant.index
    parts = _build(text, index.config.retrieval)
    steps = SearchSteps(Bench(index), index.config)
    inputs = [parts.query, parts.filter, parts.k, parts.unranked, *parts.settings]
    searching = (steps.search, inputs, parts.found)
    shown: dict[str, Any] = {**QUIET, "concurrency_limit": 1, "trigger_mode": "always_last"}
    gr.on([parts.query.submit, parts.filter.submit, parts.run.click], *searching, **shown)
    emptied = [""] * len(parts.settings)
    parts.as_it_is.click(
        lambda: [*emptied, False], None, [*parts.settings, parts.unranked], queue=False, **QUIET
    ).then(*searching, **shown)


def _build(text: gr.I18n, config: RetrievalConfig) -> _Parts:
    query = photo_query(text("search_query"), "search-query")
    with gr.Row(elem_id="search-limits"):
        conditions = gr.Textbox(
            label=text("search_filter"),
            placeholder="price<50; colour=red,blue; name~kettle",
            max_lines=1,
            scale=4,
            min_width=200,
            elem_id="search-filter",
        )
        k = gr.Textbox(
            label=text("search_k"),
            placeholder=str(config.k),
            max_lines=1,
            min_width=90,
            scale=1,
            elem_id="search-k",
        )
    with gr.Accordion(text("search_settings"), open=False, elem_id="search-settings"):
        gr.Markdown(str(text("search_empty")), elem_classes="heading")
        with gr.Row(elem_id="search-grid"):
            settings = tuple(
                gr.Textbox(
                    label=name,
                    info=text("search_k" if name == "k" else f"search_{name}"),
                    placeholder=f"{getattr(config, name):g}",
                    max_lines=1,
                    min_width=200,
                    elem_classes="setting",
                )
                for name in _FIGURES
            )
        unranked = gr.Checkbox(label=text("search_unranked"), visible=bool(config.reranker))
        as_it_is = gr.Button(str(text("search_as_it_is")), size="sm", elem_id="search-as-it-is")
    run = gr.Button(str(text("search_run")), variant="primary", size="sm", elem_id="search-run")
    found = gr.HTML(elem_id="search-found")
    return _Parts(query, conditions, k, run, as_it_is, settings, unranked, found)


def photo_query(label: Any, name: str) -> gr.MultimodalTextbox:
    """Return the box for words and a photo, as the chat has it."""
    return gr.MultimodalTextbox(
        label=label,
        show_label=False,
        placeholder=str(label),
        sources=["upload"],
        file_types=sorted(PHOTO_SUFFIXES),
        file_count="single",
        max_lines=3,
        # A longer text would be pasted as a file, and only pictures are taken.
        max_plain_text_length=20_000,
        elem_id=name,
    )


def photo_of(query: dict[str, Any]) -> bytes | None:
    """Return the photo that was uploaded with a query."""
    files = query.get("files") or []
    return Path(str(files[0])).read_bytes() if files else None
