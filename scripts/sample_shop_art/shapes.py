"""Colours, gradients and outlines for the sample shop's drawings.

Every outline is a plain list of points in a 640 x 640 space, so that shapes can be moved,
rotated and clipped to one another without knowing how they were made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

Colour = tuple[int, int, int]
Point = tuple[float, float]
Outline = list[Point]

SIZE = 640
SCALE = 3
FLOOR = 545.0

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
INK: Colour = (38, 40, 46)
CHARCOAL: Colour = (62, 65, 72)
STEEL: Colour = (188, 193, 199)
IVORY: Colour = (240, 240, 238)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour `share` of the way from `first` to `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def light(colour: Colour, share: float) -> Colour:
    """`colour` moved towards white."""
    return mix(colour, WHITE, share)


def dark(colour: Colour, share: float) -> Colour:
    """`colour` moved towards black."""
    return mix(colour, BLACK, share)


@dataclass(frozen=True)
class Paint:
    """Evenly spaced gradient stops that fill an outline's bounding box."""

    stops: tuple[Colour, ...]
    vertical: bool = True
    alpha: float = 1.0

    def swatch(self, width: int, height: int) -> Image.Image:
        """The gradient as a picture of the given size."""
        count = 256
        strip = Image.new("RGB", (1, count) if self.vertical else (count, 1))
        last = len(self.stops) - 1
        for index in range(count):
            place = index / (count - 1) * last
            lower = min(int(place), max(last - 1, 0))
            colour = mix(self.stops[lower], self.stops[min(lower + 1, last)], place - lower)
            strip.putpixel((0, index) if self.vertical else (index, 0), colour)
        return strip.resize((width, height), Image.Resampling.BILINEAR)


def flat(colour: Colour, alpha: float = 1.0) -> Paint:
    """One colour all over."""
    return Paint((colour, colour), alpha=alpha)


def down(*stops: Colour, alpha: float = 1.0) -> Paint:
    """A gradient from top to bottom."""
    return Paint(stops, alpha=alpha)


def across(*stops: Colour, alpha: float = 1.0) -> Paint:
    """A gradient from left to right."""
    return Paint(stops, vertical=False, alpha=alpha)


def drum(colour: Colour) -> Paint:
    """The shading of an upright cylinder lit from the upper left."""
    lit, low = light(colour, 0.34), dark(colour, 0.34)
    return across(
        dark(colour, 0.2),
        light(colour, 0.08),
        lit,
        light(colour, 0.1),
        colour,
        colour,
        dark(colour, 0.12),
        low,
    )


def face(colour: Colour) -> Paint:
    """The shading of a flat front panel lit from above."""
    return down(light(colour, 0.22), colour, dark(colour, 0.1))


def chrome(colour: Colour = STEEL) -> Paint:
    """The banded reflections of polished metal."""
    return across(
        dark(colour, 0.35),
        light(colour, 0.5),
        light(colour, 0.75),
        dark(colour, 0.12),
        light(colour, 0.25),
        dark(colour, 0.2),
        light(colour, 0.4),
        dark(colour, 0.4),
    )


def oval(cx: float, cy: float, rx: float, ry: float | None = None) -> Outline:
    """An ellipse, or a circle when only one radius is given."""
    tall = rx if ry is None else ry
    turns = [math.tau * step / 120 for step in range(120)]
    return [(cx + rx * math.cos(turn), cy + tall * math.sin(turn)) for turn in turns]


def slab(left: float, top: float, right: float, bottom: float, radius: float = 0) -> Outline:
    """A rectangle with rounded corners."""
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    if radius <= 0:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners = (
        (right - radius, top + radius, -90),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
    )
    return [
        (
            cx + radius * math.cos(math.radians(start + step * 7.5)),
            cy + radius * math.sin(math.radians(start + step * 7.5)),
        )
        for cx, cy, start in corners
        for step in range(13)
    ]


def trapeze(
    top: float, bottom: float, upper: tuple[float, float], lower: tuple[float, float]
) -> Outline:
    """A four-sided body with level top and bottom edges."""
    return [(upper[0], top), (upper[1], top), (lower[1], bottom), (lower[0], bottom)]


def curve(points: Sequence[Point], closed: bool = False) -> Outline:
    """A smooth Catmull-Rom curve through the points."""
    count = len(points)
    if count < 3 and not closed:
        return list(points)

    def at(index: int) -> Point:
        return points[index % count] if closed else points[max(0, min(count - 1, index))]

    smooth: Outline = []
    for index in range(count if closed else count - 1):
        p0, p1, p2, p3 = (at(index + shift) for shift in (-1, 0, 1, 2))
        for step in range(24):
            t = step / 24
            weights = (
                -0.5 * t**3 + t**2 - 0.5 * t,
                1.5 * t**3 - 2.5 * t**2 + 1,
                -1.5 * t**3 + 2 * t**2 + 0.5 * t,
                0.5 * t**3 - 0.5 * t**2,
            )
            corner = (p0, p1, p2, p3)
            smooth.append(
                (
                    sum(w * p[0] for w, p in zip(weights, corner, strict=True)),
                    sum(w * p[1] for w, p in zip(weights, corner, strict=True)),
                )
            )
    return smooth if closed else [*smooth, points[-1]]


def blob(*points: Point) -> Outline:
    """A smooth closed outline through the points."""
    return curve(points, closed=True)


def bend(start: Point, pull: Point, end: Point) -> Outline:
    """A single quadratic arc, for cables and edges that need no more."""
    return [
        (
            (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * pull[0] + t**2 * end[0],
            (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * pull[1] + t**2 * end[1],
        )
        for t in (step / 40 for step in range(41))
    ]


def turn(outline: Outline, degrees: float, centre: Point) -> Outline:
    """The outline rotated clockwise about a centre."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    cx, cy = centre
    return [
        (cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos)
        for x, y in outline
    ]


def shift(outline: Outline, dx: float, dy: float) -> Outline:
    """The outline moved."""
    return [(x + dx, y + dy) for x, y in outline]
