"""What the panel that searches are tried in shows, as HTML. What comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mmchat.app import Move
from mmchat.types import Channel, Hit
from mmchat.web.owner.index_html import document_link
from mmchat.web.render import escape

if TYPE_CHECKING:
    from mmchat.app import Comparison, Placed
    from mmchat.config import RetrievalConfig

_CHANNELS = (Channel.DENSE, Channel.BM25, Channel.IMAGE, Channel.LINKED)
_SIGNS = {Move.UP: "▲", Move.DOWN: "▼", Move.NEW: "＋", Move.GONE: "✕", Move.STAYS: "＝"}
_SHOWN = 220
"""Characters of a passage that are shown."""


def hits_html(hits: Sequence[Hit], words: Mapping[str, str]) -> str:
    """Return one list of hits, with why each was found."""
    rows = "".join(_hit(hit, "", "", words) for hit in hits)
    return _section(words["search_first"], "", rows, words) + _legend(words)


def lists_html(found: Comparison, changes: str, words: Mapping[str, str]) -> str:
    """Return the lists of both settings side by side, with what moved.

    Args:
        found: the lists.
        changes: what differs, as HTML; see `changes_html`.
        words: of the language of the page.
    """
    first = "".join(_placed(each, words, second=False) for each in found.first)
    second = "".join(_placed(each, words, second=True) for each in found.second)
    return (
        '<div class="lists">'
        + _section(words["search_first"], "", first, words)
        + _section(words["search_second"], changes, second, words)
        + f"</div>{_legend(words)}"
    )


def changes_html(other: RetrievalConfig, config: RetrievalConfig, words: Mapping[str, str]) -> str:
    """Return which settings differ, and what they are now."""
    now, then = asdict(config), asdict(other)
    told = (
        words["search_was"].format(name=name, value=_plain(then[name]), now=_plain(value))
        for name, value in now.items()
        if then[name] != value
    )
    return "".join(f"<li><code>{escape(each)}</code></li>" for each in told)


def thumb_html(path: Path | None, alt: str = "") -> str:
    """Return the thumbnail of an item, or an empty place where it has none."""
    if path is None:
        return '<span class="thumb none" aria-hidden="true"></span>'
    address = f"gradio_api/file={quote(path.resolve().as_posix())}"
    return f'<img class="thumb" src="{escape(address)}" alt="{escape(alt)}" loading="lazy">'


def shortened(text: str, most: int = _SHOWN) -> str:
    """Return the beginning of a text in one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value) or "–"


def _section(title: str, changes: str, rows: str, words: Mapping[str, str]) -> str:
    rows = f'<ol class="hits">{rows}</ol>' if rows else f"<p>{escape(words['search_nothing'])}</p>"
    differs = f'<ul class="changes">{changes}</ul>' if changes else ""
    return (
        f'<section class="list" aria-label="{escape(title)}"><h2>{escape(title)}</h2>'
        f"{differs}{rows}</section>"
    )


def _legend(words: Mapping[str, str]) -> str:
    return f'<p class="facts">{escape(words["search_legend"])}</p>'


def _placed(each: Placed, words: Mapping[str, str], *, second: bool) -> str:
    move = each.move
    name = f"search_{move.value}"
    if not second and move in {Move.UP, Move.DOWN}:
        name = f"search_to_{move.value}"
    told = words[name].format(rank=each.other_rank)
    moved = (
        f'<span class="move"><span aria-hidden="true">{_SIGNS[move]}</span> {escape(told)}</span>'
    )
    return _hit(each.hit, move.value, moved, words)


def _hit(hit: Hit, move: str, moved: str, words: Mapping[str, str]) -> str:
    title = escape(hit.title or hit.document)
    address = escape(document_link(hit.document))
    if hit.kind == "chunk":
        title = f'<a href="{address}" target="_blank" rel="noopener">{title}</a>'
    place = [words[f"search_{hit.kind}"], hit.document]
    place += [words["search_page"].format(page=hit.page)] if hit.page else []
    text = f"<p>{escape(shortened(hit.text))}</p>" if hit.text else ""
    return (
        f'<li class="hit {move}" data-item="{escape(hit.item)}"><span class="rank">{hit.rank}</span>'
        f"{thumb_html(hit.thumb_path, hit.alt)}"
        f'<div class="told"><div class="title">{title}{moved}</div>'
        f'<div class="path">{escape(" · ".join(place))}</div>{text}{_why(hit, words)}</div>'
        f'<span class="score" title="{escape(words["search_score"].format(score=hit.score))}">'
        f"{hit.score:.3f}</span></li>"
    )


def _why(hit: Hit, words: Mapping[str, str]) -> str:
    """Return what each channel thinks of a hit, and what else speaks for it."""
    channels = "".join(_channel(hit, channel, words) for channel in _CHANNELS)
    more = []
    if hit.words:
        more.append(words["search_words"].format(words=", ".join(hit.words)))
    if hit.tag is not None:
        more.append(
            words["search_looks"].format(name=hit.tag.name, probability=hit.tag.probability)
        )
    if hit.duplicates:
        more.append(words["search_same"].format(documents=", ".join(hit.duplicates)))
    reasons = "".join(f'<div class="facts">{escape(each)}</div>' for each in more)
    return f'<ul class="channels">{channels}</ul>{reasons}'


def _channel(hit: Hit, channel: Channel, words: Mapping[str, str]) -> str:
    rank = hit.channels.get(channel.value)
    if rank is None:
        return ""
    score = hit.scores.get(channel.value)
    own = f' <span class="own">{score:.3f}</span>' if score is not None else ""
    name = escape(words[f"search_{channel.value}"])
    return f"<li>{name} <b>{escape(words['search_rank'].format(rank=rank))}</b>{own}</li>"
