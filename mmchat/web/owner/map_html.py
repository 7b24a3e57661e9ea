"""The map as HTML: a drawing (SVG) whose points say what they are. What is from outside is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from mmchat.web.owner.search_html import shortened
from mmchat.web.render import escape

if TYPE_CHECKING:
    from mmchat.app import ItemMap, Point

_WIDTH, _HEIGHT, _EDGE = 720, 480, 24
"""Of the drawing, in its own units."""
_TEXT = 160


@dataclass(frozen=True, slots=True)
class _Frame:
    """How places become coordinates: both directions to the same scale, or distances would lie."""

    left: float
    top: float
    scale: float

    @classmethod
    def around(cls, places: Sequence[tuple[float, float]]) -> _Frame:
        """Return the frame that holds all places, in the middle of the drawing."""
        xs, ys = [x for x, _ in places] or [0.0], [y for _, y in places] or [0.0]
        wide, high = max(xs) - min(xs), max(ys) - min(ys)
        scale = min((_WIDTH - 2 * _EDGE) / max(wide, 1e-6), (_HEIGHT - 2 * _EDGE) / max(high, 1e-6))
        scale = scale if wide + high > 1e-6 else 1.0
        left = (min(xs) + max(xs)) / 2 - _WIDTH / 2 / scale
        top = (min(ys) + max(ys)) / 2 - _HEIGHT / 2 / scale
        return cls(left, top, scale)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the coordinates of a place."""
        return (x - self.left) * self.scale, (y - self.top) * self.scale


def map_html(found: ItemMap, words: Mapping[str, str]) -> str:
    """Return the map, what it can and cannot show, and what is nearest to the query."""
    if not found.points:
        return f'<p class="facts">{escape(words[f"map_no_{found.kind}"])}</p>'
    said = words[f"map_said_{found.kind}"].format(
        shown=f"{len(found.points):,}", total=f"{found.total:,}", share=f"{found.share:.0%}"
    )
    sample = words["map_sample"] if found.total > len(found.points) else ""
    return (
        f'<div class="map"><div class="map-drawing">{_drawing(found, words)}'
        f'<p class="facts">{escape(" ".join(part for part in (said, sample) if part))}</p></div>'
        f'<div class="map-side">{_told(words)}{_nearest(found, words)}</div></div>'
    )


def _drawing(found: ItemMap, words: Mapping[str, str]) -> str:
    places = [(point.x, point.y) for point in found.points]
    near: tuple[str, ...] = ()
    if found.query is not None:
        places.append((found.query.x, found.query.y))
        near = found.query.nearest
    frame = _Frame.around(places)
    dots = "".join(_dot(point, frame, point.item in near) for point in _in_order(found.points))
    star = ""
    if found.query is not None:
        x, y = frame.at(found.query.x, found.query.y)
        star = (
            f'<g class="query" transform="translate({x:.1f} {y:.1f})"><circle r="11"></circle>'
            f'<path d="M-6 0H6M0 -6V6"></path><title>{escape(words["map_here"])}</title></g>'
        )
    name = escape(words["map_name"].format(count=len(found.points)))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="application" tabindex="0" '
        f'aria-label="{name}" class="{found.kind}">{dots}{star}</svg>'
    )


def _in_order(points: Sequence[Point]) -> list[Point]:
    """Return points from left to right: the order in which arrow keys go."""
    return sorted(points, key=lambda point: (point.x, point.y))


def _dot(point: Point, frame: _Frame, near: bool) -> str:
    x, y = frame.at(point.x, point.y)
    page = f" · {point.page}" if point.page else ""
    thumb = ""
    if point.thumb_path is not None:
        thumb = f"gradio_api/file={quote(point.thumb_path.resolve().as_posix())}"
    data = {
        "item": point.item,
        "title": point.title,
        "place": f"{point.document}{page}",
        "text": shortened(point.text, _TEXT),
        "document": point.document if point.kind == "chunk" else "",
        "thumb": thumb,
    }
    written = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items() if value)
    radius, kind = (6.5, ' class="near"') if near else (4.5, "")
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"{kind} {written}></circle>'


def _told(words: Mapping[str, str]) -> str:
    """Return the place where a point is told of, which the browser fills in."""
    return (
        f'<div class="map-told" aria-live="polite"><p class="hint">{escape(words["map_hint"])}</p>'
        '<div class="map-item"><img alt="" hidden><div class="map-title"></div><div class="path"></div>'
        '<div class="map-text"></div>'
        f'<a href="" target="_blank" rel="noopener" hidden>{escape(words["map_open"])}</a></div></div>'
    )


def _nearest(found: ItemMap, words: Mapping[str, str]) -> str:
    if found.query is None:
        return ""
    titles = {point.item: point for point in found.points}
    rows = "".join(
        f'<li><button type="button" data-near="{escape(item)}">{escape(titles[item].title)}'
        f'<span class="path">{escape(titles[item].document)}</span></button></li>'
        for item in found.query.nearest
        if item in titles
    )
    return f'<h3>{escape(words["map_nearest"])}</h3><ol class="nearest">{rows}</ol>'
