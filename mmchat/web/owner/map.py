"""Panel: the items of the index as a map, with a query among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from mmchat.app import Atlas
from mmchat.errors import MmchatError
from mmchat.filters import ITEM_KINDS
from mmchat.web.owner.house import House, spoken
from mmchat.web.owner.index_html import said_html
from mmchat.web.owner.map_html import map_html
from mmchat.web.owner.map_words import WORDS
from mmchat.web.owner.search import photo_of, photo_query
from mmchat.web.showing import QUIET

if TYPE_CHECKING:
    from mmchat.sessions import SessionStore

__all__ = ["WORDS", "map_panel"]

_POINT_AT = """
const told = () => element.querySelector(".map-told");
const dots = () => [...element.querySelectorAll("circle[data-item]")];
const show = (dot) => {
    const box = told();
    if (!dot || !box) return;
    element.querySelectorAll("circle.chosen").forEach((each) => each.classList.remove("chosen"));
    dot.classList.add("chosen");
    box.querySelector(".map-title").textContent = dot.dataset.title;
    box.querySelector(".path").textContent = dot.dataset.place;
    box.querySelector(".map-text").textContent = dot.dataset.text;
    const link = box.querySelector("a");
    link.hidden = !dot.dataset.document;
    link.href = "../document?path=" + encodeURIComponent(dot.dataset.document || "");
    const picture = box.querySelector("img");
    picture.hidden = !dot.dataset.thumb;
    if (dot.dataset.thumb) picture.src = dot.dataset.thumb; else picture.removeAttribute("src");
    box.classList.add("filled");
};
let kept = null;
element.addEventListener("pointerover", (event) => {
    const dot = event.target.closest("circle[data-item]");
    // A map that is drawn again has other dots.
    if (dot && !kept?.isConnected) show(dot);
});
element.addEventListener("click", (event) => {
    const near = event.target.closest("button[data-near]");
    const dot = near
        ? dots().find((each) => each.dataset.item === near.dataset.near)
        : event.target.closest("circle[data-item]");
    kept = dot && dot !== kept ? dot : null;
    if (dot) show(dot);
});
element.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (!step || !event.target.closest("svg")) return;
    event.preventDefault();
    const all = dots(), at = all.findIndex((each) => each.classList.contains("chosen"));
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length;
    kept = all[next];
    show(kept);
});
"""
"""What is pointed at is told beside the map, what is clicked stays, and arrows go from one to the next.

Everything is put in as text; the addresses are of our own making.
"""


@dataclass(frozen=True, slots=True)
class _Parts:
    kind: gr.Radio
    query: gr.MultimodalTextbox
    show: gr.Button
    drawn: gr.HTML


class MapSteps:
    """What happens in the panel. Decides nothing: `mmchat.app` does."""

    def __init__(self, atlas: Atlas, store: SessionStore | None) -> None:
        """Take what draws, and where customers' questions are kept."""
        self._atlas = atlas
        self._store = store

    def open(self, kind: str | None, query: dict[str, Any], request: gr.Request) -> list[Any]:
        """Show the map; with the last question of a customer on it, where none was put in here."""
        if query.get("text") or query.get("files") or self._store is None:
            return [*self.draw(kind, query, request), gr.skip()]
        query = {"text": self._store.overview.last_question(), "files": []}
        return [*self.draw(kind, query, request), gr.MultimodalTextbox(query)]

    def draw(self, kind: str | None, query: dict[str, Any], request: gr.Request) -> list[Any]:
        """Show the map with a query on it."""
        words = spoken(WORDS, request)
        wanted = next((each for each in ITEM_KINDS if each == kind), ITEM_KINDS[0])
        choices = [(words[f"map_{each}"], each) for each in ITEM_KINDS]
        try:
            found = self._atlas.draw(wanted, str(query.get("text") or ""), photo_of(query))
        except MmchatError as error:
            return [gr.Radio(choices, value=wanted), said_html(str(error), good=False)]
        return [gr.Radio(choices, value=wanted), map_html(found, words)]


def map_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    parts = _build(text)
    store = None if house.desk is None else house.desk.store
    steps = MapSteps(Atlas(house.assistant.index), store)
    inputs, shown = [parts.kind, parts.query], [parts.kind, parts.drawn]
    # Drawing takes a moment and much memory: one after the other.
    one: dict[str, Any] = {**QUIET, "concurrency_limit": 1, "concurrency_id": "map"}
    gr.on(house.opens(tab), steps.open, inputs, [*shown, parts.query], **one)
    gr.on(
        [parts.query.submit, parts.show.click, parts.kind.input], steps.draw, inputs, shown, **one
    )


def _build(text: gr.I18n) -> _Parts:
    kind = gr.Radio(
        [], label=text("map_kind"), show_label=False, container=False, elem_id="map-kind"
    )
    with gr.Row(elem_id="map-ask"):
        query = photo_query(text("map_query"), "map-query")
        show = gr.Button(str(text("map_show")), size="sm", scale=0, elem_id="map-show")
    drawn = gr.HTML(js_on_load=_POINT_AT, elem_id="map-drawn")
    return _Parts(kind, query, show, drawn)
