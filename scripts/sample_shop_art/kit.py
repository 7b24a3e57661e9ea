"""The supersampled studio scene that the sample shop's appliances are drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .shapes import (
    BLACK,
    CHARCOAL,
    FLOOR,
    INK,
    SCALE,
    SIZE,
    WHITE,
    Colour,
    Outline,
    Paint,
    Point,
    curve,
    dark,
    down,
    flat,
    light,
    oval,
    shift,
    turn,
)


class Scene:
    """A studio table on which shapes are laid from back to front."""

    def __init__(self, tint: Colour = (226, 230, 236), zoom: float = 1.0) -> None:
        self.zoom = zoom
        full = SIZE * SCALE
        wall = down(light(tint, 0.55), light(tint, 0.3), tint)
        self.image = wall.swatch(full, full)
        # A pale pool of light behind the product keeps dark and white bodies both readable.
        pool = Image.new("L", (64, 64))
        ImageDraw.Draw(pool).ellipse((8, 4, 56, 46), fill=150)
        pool = pool.filter(ImageFilter.GaussianBlur(8)).resize((full, full))
        self.image.paste(WHITE, (0, 0), pool)
        table = down(light(tint, 0.42), light(tint, 0.12)).swatch(full, full // 4)
        edge = Image.linear_gradient("L").resize((full, full // 4))
        self.image.paste(table, (0, full - full // 4), edge)

    def _pixels(self, points: Outline) -> Outline:
        """Scene points in canvas pixels; zooming keeps the product standing on the floor."""
        middle = SIZE / 2
        return [
            ((middle + (x - middle) * self.zoom) * SCALE, (FLOOR + (y - FLOOR) * self.zoom) * SCALE)
            for x, y in points
        ]

    def _mask(
        self, points: Outline, pad: float = 0, within: Outline | None = None
    ) -> tuple[Image.Image, tuple[int, int]]:
        """A coverage mask cropped to the outline, with its place on the canvas."""
        pixels = self._pixels(points)
        margin = int(pad * SCALE * self.zoom) + 2
        left = int(min(x for x, _ in pixels)) - margin
        top = int(min(y for _, y in pixels)) - margin
        width = int(max(x for x, _ in pixels)) + margin - left
        height = int(max(y for _, y in pixels)) + margin - top
        mask = Image.new("L", (width, height))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in pixels], fill=255)
        if within is not None:
            mask = ImageChops.multiply(mask, self._clip(within, mask.size, (left, top)))
        return mask, (left, top)

    def _clip(self, within: Outline, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
        clip = Image.new("L", size)
        moved = [(x - corner[0], y - corner[1]) for x, y in self._pixels(within)]
        ImageDraw.Draw(clip).polygon(moved, fill=255)
        return clip

    def _lay(self, paint: Paint, mask: Image.Image, corner: tuple[int, int]) -> None:
        if paint.alpha < 1:
            mask = mask.point([round(value * paint.alpha) for value in range(256)])
        self.image.paste(paint.swatch(*mask.size), corner, mask)

    def fill(
        self, points: Outline, paint: Paint, blur: float = 0, within: Outline | None = None
    ) -> None:
        """Lay a flat shape, soft-edged if asked and kept inside another outline if given."""
        mask, corner = self._mask(points, pad=blur * 3)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE * self.zoom))
        if within is not None:
            mask = ImageChops.multiply(mask, self._clip(within, mask.size, corner))
        self._lay(paint, mask, corner)

    def solid(
        self, points: Outline, paint: Paint, depth: float = 9, within: Outline | None = None
    ) -> None:
        """Lay a shape with rounded-looking edges: lit at the upper left, shaded opposite."""
        mask, corner = self._mask(points, pad=depth * 2, within=within)
        self._lay(paint, mask, corner)
        reach = max(1, int(depth * SCALE * self.zoom))
        for step, colour, alpha in ((-reach, BLACK, 0.42), (reach, WHITE, 0.5)):
            moved = ImageChops.offset(mask, step // 2, step)
            rim = ImageChops.invert(moved).filter(ImageFilter.GaussianBlur(reach * 0.7))
            self._lay(flat(colour, alpha), ImageChops.multiply(mask, rim), corner)

    def line(
        self, points: Outline, width: float, paint: Paint, within: Outline | None = None
    ) -> None:
        """Lay a round-ended stroke along the points."""
        pixels = self._pixels(points)
        thick = max(1.0, width * SCALE * self.zoom)
        margin = int(thick) + 2
        left = int(min(x for x, _ in pixels)) - margin
        top = int(min(y for _, y in pixels)) - margin
        width_px = int(max(x for x, _ in pixels)) + margin - left
        height_px = int(max(y for _, y in pixels)) + margin - top
        mask = Image.new("L", (width_px, height_px))
        pen = ImageDraw.Draw(mask)
        moved = [(x - left, y - top) for x, y in pixels]
        pen.line(moved, fill=255, width=round(thick))
        reach = max(0.5, (round(thick) - 1) / 2)
        # Pillow's own curve joints leave hairs on thick bends, so every bend gets a disc.
        for x, y in moved:
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
        if within is not None:
            mask = ImageChops.multiply(mask, self._clip(within, mask.size, (left, top)))
        self._lay(paint, mask, (left, top))

    def ring(self, points: Outline, width: float, paint: Paint) -> None:
        """Stroke a closed outline."""
        self.line([*points, points[0]], width, paint)

    def tube(self, points: Outline, width: float, colour: Colour) -> None:
        """Lay a round bar, handle or pipe: a shaded stroke with a lit upper-left side."""
        steps = (
            (1.0, dark(colour, 0.4), 0.0),
            (0.82, dark(colour, 0.12), 0.03),
            (0.56, light(colour, 0.1), 0.1),
            (0.24, light(colour, 0.42), 0.17),
        )
        for share, shade, lift in steps:
            moved = shift(points, -width * lift, -width * lift)
            self.line(moved, width * share, flat(shade))

    def cable(self, points: Sequence[Point], colour: Colour = CHARCOAL) -> None:
        """Lay a mains cable with its shadow."""
        path = curve(points)
        self.line(shift(path, 2, 5), 8, flat(BLACK, 0.12))
        self.tube(path, 8, colour)

    def shadow(self, cx: float, cy: float, rx: float, ry: float, strength: float = 0.4) -> None:
        """Lay a wide soft shadow with a darker core where the product touches the table."""
        cool: Colour = (40, 44, 60)
        self.fill(oval(cx + 10, cy + 4, rx * 1.12, ry * 1.5), flat(cool, strength * 0.6), 16)
        self.fill(oval(cx, cy, rx, ry * 0.7), flat(cool, strength), 5)

    def gleam(self, points: Outline, within: Outline, alpha: float = 0.5, blur: float = 4) -> None:
        """Lay a soft highlight on a body."""
        self.fill(points, flat(WHITE, alpha), blur, within)

    def knob(self, cx: float, cy: float, radius: float, colour: Colour, angle: float = -40) -> None:
        """Lay a rotary dial with a pointer."""
        self.fill(oval(cx + 2, cy + 4, radius * 1.05), flat(BLACK, 0.3), 3)
        self.solid(oval(cx, cy, radius), down(light(colour, 0.3), dark(colour, 0.25)), radius / 5)
        self.solid(
            oval(cx, cy, radius * 0.74), down(light(colour, 0.08), light(colour, 0.2)), radius / 9
        )
        mark = turn([(cx, cy - radius * 0.3), (cx, cy - radius * 0.66)], angle, (cx, cy))
        bright = sum(colour) > 420
        self.line(mark, radius * 0.13, flat(INK if bright else WHITE))

    def vents(
        self,
        left: float,
        right: float,
        tops: Sequence[float],
        width: float = 5,
        colour: Colour = INK,
        alpha: float = 0.75,
    ) -> None:
        """Lay level ventilation slots."""
        for top in tops:
            self.line([(left, top + width / 3), (right, top + width / 3)], width, flat(WHITE, 0.35))
            self.line([(left, top), (right, top)], width, flat(colour, alpha))

    def steam(
        self,
        points: Sequence[Point],
        width: float = 12,
        alpha: float = 0.55,
        colour: Colour = WHITE,
    ) -> None:
        """Lay a soft wisp of steam or mist."""
        path = curve(points)
        for index, (x, y) in enumerate(path[::3]):
            grow = width * (0.6 + index / len(path) * 3)
            fade = alpha * (1 - index * 3 / len(path))
            self.fill(oval(x, y, grow), flat(colour, fade * 0.5), grow * 0.5)

    def digits(
        self, text: str, x: float, y: float, height: float, colour: Colour, alpha: float = 1.0
    ) -> None:
        """Lay seven-segment figures; `:` and `.` take a narrow place."""
        lit = {
            "0": "abcdef",
            "1": "bc",
            "2": "abdeg",
            "3": "abcdg",
            "4": "bcfg",
            "5": "acdfg",
            "6": "acdefg",
            "7": "abc",
            "8": "abcdefg",
            "9": "abcdfg",
            "-": "g",
        }
        wide, pen = height * 0.5, flat(colour, alpha)
        half = height / 2
        places: dict[str, tuple[Point, Point]] = {
            "a": ((0, 0), (wide, 0)),
            "b": ((wide, 0), (wide, half)),
            "c": ((wide, half), (wide, height)),
            "d": ((0, height), (wide, height)),
            "e": ((0, half), (0, height)),
            "f": ((0, 0), (0, half)),
            "g": ((0, half), (wide, half)),
        }
        for sign in text:
            if sign in ":.":
                for dot in (0.3, 0.7) if sign == ":" else (1.0,):
                    self.fill(oval(x, y + height * dot, height * 0.07), pen)
                x += height * 0.3
                continue
            for name in lit.get(sign, ""):
                self.line(shift(list(places[name]), x, y), height * 0.11, pen)
            x += wide + height * 0.32

    def save(self, path: Path) -> None:
        """Write the finished picture; the file type follows the name."""
        small = self.image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        small.save(path, quality=85, method=6)
