"""Panel: what was asked over time, how it ended, and how long it took; as numbers, plots and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import gradio as gr

from mmchat.app import Day, Tally, figures
from mmchat.errors import MmchatError
from mmchat.web.owner.figures_words import WORDS
from mmchat.web.owner.house import House, spoken
from mmchat.web.owner.index_html import said_html
from mmchat.web.render import escape
from mmchat.web.showing import QUIET

__all__ = ["WORDS", "figures_panel"]

_PERIODS = (7, 30, 90)
"""Days."""
_OUTCOMES = ("answered", "partial", "abstained", "refused", "left_to_person", "unfinished")
_COLOURS = ("#0f766e", "#5eead4", "#f59e0b", "#a8a29e", "#2563eb", "#d6d3d1")
_X = "x"
_UNSEEN = str.maketrans("01", "\u200b\u200c")
_TIMES = ("median_seconds", "slow_seconds")
_TIME_COLOURS = ("#0f766e", "#f59e0b")

_MEND_ROLES = """
const mend = () => document.querySelectorAll("#figures-plots div[aria-label]:not([role])")
    .forEach((each) => each.setAttribute("role", "img"));
new MutationObserver(mend).observe(
    document.body, {childList: true, subtree: true, attributeFilter: ["aria-label"]},
);
mend();
"""
"""A plot has a name, but nothing that says what it is; the same in words stands in the table below."""

Plotted: TypeAlias = dict[str, Any]
"""What Gradio's plots are sent: columns and rows. Built here, a table of pandas is not needed."""


@dataclass(frozen=True, slots=True)
class _Parts:
    period: gr.Radio
    numbers: gr.HTML
    questions: gr.BarPlot
    times: gr.LinePlot
    table: gr.HTML
    drawn: gr.State
    """Whether the plots have their axes."""

    @property
    def shown(self) -> list[Any]:
        """What the figures are shown in."""
        return [
            *(self.period, self.numbers, self.questions, self.times, self.table),
            self.drawn,
        ]


def figures_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    if house.desk is None:
        gr.Markdown(str(text("figures_none_kept")))
        return
    store = house.desk.store
    parts = _build(text)

    def show(period: int | None, drawn: bool, request: gr.Request) -> list[Any]:
        words = spoken(WORDS, request)
        days = period if period in _PERIODS else _PERIODS[0]
        choices = [(words["figures_days"].format(days=each), each) for each in _PERIODS]
        try:
            found = figures(store, days)
        except MmchatError as error:
            said = said_html(str(error), good=False)
            return [gr.Radio(choices, value=days), said, gr.skip(), gr.skip(), "", drawn]
        questions, times = outcomes_plot(found.days, words), times_plot(found.days, words)
        # A plot whose axes are given again shows what it showed before (Gradio 6.31).
        return [
            gr.Radio(choices, value=days),
            numbers_html(found.total, found.before, days, words),
            questions if drawn else gr.BarPlot(questions, **_axes(words, "questions", _OUTCOMES)),
            times if drawn else gr.LinePlot(times, **_axes(words, "seconds", _TIMES)),
            table_html(found.days, words),
            True,
        ]

    gr.on(
        [*house.opens(tab), parts.period.input],
        show,
        [parts.period, parts.drawn],
        parts.shown,
        **QUIET,
    )


def _axes(words: Mapping[str, str], y: str, series: Sequence[str]) -> dict[str, Any]:
    """Return how a plot reads its rows, in the language of the page."""
    colours = _COLOURS if series is _OUTCOMES else _TIME_COLOURS
    named = [words[f"figures_{name}"] for name in series]
    return {
        "x": _X,
        "y": words[f"figures_{y}"],
        "color": words["figures_series"],
        "x_title": " ",
        "y_title": words[f"figures_{y}"],
        "color_title": " ",
        "color_map": dict(zip(named, colours, strict=True)),
        "colors_in_legend": named,
        "tooltip": [words["figures_day"]],
    }


def _build(text: gr.I18n) -> _Parts:
    period = gr.Radio(
        [],
        label=text("figures_period"),
        show_label=False,
        container=False,
        elem_id="figures-period",
    )
    numbers = gr.HTML(js_on_load=_MEND_ROLES, elem_id="figures-numbers")
    with gr.Row(elem_id="figures-plots"):
        with gr.Column(min_width=300):
            gr.Markdown(str(text("figures_per_day")), elem_classes="heading")
            questions = gr.BarPlot(x="x", y="y", color="z", height=260, elem_id="figures-questions")
        with gr.Column(min_width=300):
            gr.Markdown(str(text("figures_took")), elem_classes="heading")
            times = gr.LinePlot(x="x", y="y", color="z", height=260, elem_id="figures-times")
    with gr.Accordion(text("figures_table"), open=False, elem_id="figures-fold"):
        table = gr.HTML(elem_id="figures-table")
    return _Parts(period, numbers, questions, times, table, gr.State(False))


def outcomes_plot(days: Sequence[Day], words: Mapping[str, str]) -> Plotted:
    """Return the questions of each day by how they ended; each day has every outcome, if with 0."""
    rows = [
        [label, getattr(day.tally, name), words[f"figures_{name}"], f"{day.date}"]
        for label, day in zip(_labels(days), days, strict=True)
        for name in _OUTCOMES
    ]
    return _plotted(rows, words["figures_questions"], "bar", words)


def times_plot(days: Sequence[Day], words: Mapping[str, str]) -> Plotted:
    """Return how long answers took each day; on a day without one the line is broken.

    A line shows nothing of a day between two without answers, so with such a day there are points instead.
    """
    rows = [
        [label, getattr(day.tally, name), words[f"figures_{name}"], f"{day.date}"]
        for label, day in zip(_labels(days), days, strict=True)
        for name in _TIMES
    ]
    known = [False, *(day.tally.median_seconds is not None for day in days), False]
    beside = zip(known, known[1:], known[2:], strict=False)
    alone = any(here and not (before or after) for before, here, after in beside)
    return _plotted(rows, words["figures_seconds"], "point" if alone else "line", words)


def _plotted(rows: list[list[Any]], y: str, mark: str, words: Mapping[str, str]) -> Plotted:
    columns = [_X, y, words["figures_series"], words["figures_day"]]
    # Days as names, not as moments: a moment would be shown in the browser's time zone.
    kinds = ("ordinal", "quantitative", "nominal", "nominal")
    return {
        "columns": columns,
        "data": rows,
        "datatypes": dict(zip(columns, kinds, strict=True)),
        "mark": mark,
    }


def _labels(days: Sequence[Day]) -> list[str]:
    """Return what stands below each day: a date below some, none too near to another or the edge.

    A plot orders days by what stands below them, and takes those of the same name for one. So each begins
    with its number, written in two characters that have no width.
    """
    step, last = max(1, len(days) // 6), len(days) - 1
    return [
        f"{at:07b}".translate(_UNSEEN)
        + (f"{day.date:%m-%d}" if (last - at) % step == step // 2 else "")
        for at, day in enumerate(days)
    ]


def numbers_html(total: Tally, before: Tally, days: int, words: Mapping[str, str]) -> str:
    """Return the figures of the whole time, each beside what it was in the time before."""
    counts = ("questions", *_OUTCOMES[:5], "passed_on", "disliked")
    cards = "".join(
        _card(words[f"figures_{name}"], f"{getattr(total, name):,}", _share(total, name),
              f"{getattr(before, name):,}", words)
        for name in counts
    )  # fmt: skip
    cards += "".join(
        _card(words[f"figures_{name}"], _seconds(getattr(total, name), words), "",
              _seconds(getattr(before, name), words), words)
        for name in _TIMES
    )  # fmt: skip
    told = words["figures_told"].format(days=days)
    return f'<dl class="numbers">{cards}</dl><p class="facts">{escape(told)}</p>'


def table_html(days: Sequence[Day], words: Mapping[str, str]) -> str:
    """Return all figures of each day as a table, the newest day first."""
    names = ("questions", *_OUTCOMES, "passed_on", "disliked", *_TIMES)
    heads = "".join(f'<th scope="col">{escape(words[f"figures_{name}"])}</th>' for name in names)
    rows = ""
    for day in reversed(days):
        cells = "".join(f"<td>{_cell(getattr(day.tally, name))}</td>" for name in names)
        rows += f'<tr><th scope="row">{day.date:%Y-%m-%d}</th>{cells}</tr>'
    day_head = escape(words["figures_day"])
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(words["figures_table"])}">'
        f'<table><thead><tr><th scope="col">{day_head}</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _card(name: str, value: str, share: str, before: str, words: Mapping[str, str]) -> str:
    earlier = escape(words["figures_before"].format(value=before))
    return (
        f'<div><dt>{escape(name)}</dt><dd>{value}<span class="share">{share}</span>'
        f'<span class="before">{earlier}</span></dd></div>'
    )


def _share(total: Tally, name: str) -> str:
    """Return which part of the questions ended like that."""
    if name not in _OUTCOMES or not total.questions:
        return ""
    return f" {getattr(total, name) / total.questions:.0%}"


def _seconds(value: float | None, words: Mapping[str, str]) -> str:
    return "–" if value is None else words["figures_in_seconds"].format(seconds=value)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"
