"""Kettles, toasters and coffee machines: the breakfast table."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Scene
from .shapes import (
    BLACK,
    CHARCOAL,
    INK,
    STEEL,
    WHITE,
    Colour,
    Outline,
    across,
    bend,
    blob,
    chrome,
    curve,
    dark,
    down,
    drum,
    face,
    flat,
    light,
    oval,
    slab,
    trapeze,
    turn,
)

RED: Colour = (200, 38, 42)
JET: Colour = (44, 45, 50)
CREAM: Colour = (240, 226, 192)
CRUST: Colour = (176, 112, 52)
CRUMB: Colour = (232, 190, 126)
COFFEE: Colour = (66, 36, 22)


def kettle(colour: Colour, zoom: float) -> Scene:
    """A jug kettle on its power base."""
    scene = Scene((224, 228, 233) if colour == RED else (232, 228, 222), zoom)
    scene.shadow(310, 540, 190, 20)
    scene.cable([(440, 536), (520, 548), (570, 530), (625, 545)])
    scene.solid(slab(170, 514, 450, 544, 14), drum(INK), 4)
    grip = curve([(404, 196), (470, 178), (520, 222), (514, 330), (490, 420), (428, 446)])
    scene.tube(grip, 38, INK)
    body = [
        *bend((222, 160), (196, 330), (176, 516)),
        *bend((444, 516), (424, 330), (398, 160)),
    ]
    spout = blob((226, 164), (180, 172), (148, 196), (172, 232), (214, 276), (240, 220))
    scene.solid(spout, drum(dark(colour, 0.06)), 6)
    scene.solid(body, drum(colour), 8)
    scene.gleam(blob((246, 200), (268, 198), (248, 480), (218, 480)), body, 0.5, 7)
    scene.fill(slab(160, 494, 460, 516), chrome(), 0, body)
    window = slab(338, 258, 366, 452, 14)
    scene.fill(window, across((30, 40, 50), (126, 158, 178)))
    scene.fill(slab(338, 330, 366, 452, 0), flat((150, 205, 235), 0.85), 0, window)
    scene.ring(window, 3, flat(light(colour, 0.5), 0.8))
    for level in range(280, 450, 24):
        scene.line([(372, level), (384, level)], 3, flat(WHITE, 0.75))
    lid = [*bend((222, 162), (310, 96), (398, 162)), *bend((398, 162), (310, 178), (222, 162))]
    scene.solid(lid, drum(INK), 5)
    scene.solid(slab(286, 100, 334, 130, 13), drum(light(INK, 0.15)), 4)
    scene.fill(slab(478, 392, 516, 414, 8), flat(dark(RED, 0.1)))
    scene.line([(486, 400), (506, 400)], 4, flat(WHITE, 0.4))
    return scene


def toast(scene: Scene, left: float, top: float, width: float, bottom: float) -> None:
    """A slice of toast that sticks out of a slot."""
    right, brow = left + width, top + width * 0.28
    slice_ = [
        *bend((left + 8, bottom), (left + 8, brow + 20), (left + 4, brow)),
        *bend((left - 4, brow - 10), (left - 2, top), (left + width * 0.3, top)),
        *bend((left + width * 0.7, top), (right + 2, top), (right + 4, brow - 10)),
        *bend((right - 4, brow), (right - 8, brow + 20), (right - 8, bottom)),
    ]
    scene.solid(slice_, down(dark(CRUST, 0.1), CRUST), 4)
    middle = (left + width / 2, bottom)
    inner = [(middle[0] + (x - middle[0]) * 0.86, bottom + (y - bottom) * 0.88) for x, y in slice_]
    scene.fill(inner, down(CRUMB, dark(CRUMB, 0.16)), 1.5)


def toaster_top(scene: Scene, left: float, right: float, colour: Colour, back: bool) -> None:
    """One long slot pair; the back slices go in before the front slot hides their feet."""
    lift = 196 if back else 222
    scene.fill(slab(left, lift, right, lift + 17, 8), down(INK, (20, 16, 14)))
    scene.ring(slab(left, lift, right, lift + 17, 8), 3, flat(light(colour, 0.55)))
    toast(scene, left + 16, lift - 96, right - left - 32, lift + 9)
    scene.fill(slab(left + 6, lift + 8, right - 6, lift + 15, 4), flat(INK))


def toaster_two() -> Scene:
    """A cream two-slice toaster with rounded shoulders."""
    scene = Scene((214, 226, 228))
    scene.shadow(320, 538, 220, 20)
    scene.cable([(130, 520), (70, 535), (20, 520)])
    for foot in (170, 420):
        scene.solid(slab(foot, 516, foot + 56, 542, 8), face(INK), 3)
    roof = slab(128, 170, 512, 330, 64)
    scene.solid(roof, down(light(CREAM, 0.5), CREAM), 8)
    toaster_top(scene, 180, 460, CREAM, True)
    toaster_top(scene, 170, 470, CREAM, False)
    body = slab(112, 246, 528, 526, 70)
    scene.solid(body, face(CREAM), 14)
    scene.gleam(slab(150, 270, 470, 286, 8), body, 0.8, 5)
    scene.fill(slab(112, 484, 528, 500), chrome(), 0, body)
    scene.fill(slab(474, 300, 486, 440, 6), flat(INK, 0.85))
    scene.solid(slab(450, 318, 512, 348, 12), drum(CHARCOAL), 5)
    scene.knob(206, 414, 34, STEEL)
    for index in range(3):
        scene.solid(oval(288 + index * 44, 414, 13), face(STEEL), 3)
    scene.fill(oval(376, 414, 4), flat((230, 120, 40)))
    return scene


def toaster_four() -> Scene:
    """A broad brushed-steel four-slice toaster with two sets of controls."""
    scene = Scene((230, 226, 220))
    scene.shadow(320, 538, 272, 20)
    for foot in (90, 490):
        scene.solid(slab(foot, 516, foot + 60, 542, 8), face(INK), 3)
    scene.solid(slab(56, 186, 584, 330, 40), down(light(STEEL, 0.7), STEEL), 8)
    for left in (86, 336):
        toaster_top(scene, left + 6, left + 212, STEEL, True)
        toaster_top(scene, left, left + 218, STEEL, False)
    body = slab(44, 250, 596, 528, 42)
    brushed = down(light(STEEL, 0.55), STEEL, light(STEEL, 0.2), dark(STEEL, 0.22))
    scene.solid(body, brushed, 10)
    for row in range(272, 520, 6):
        scene.line([(54, row), (586, row)], 1, flat(WHITE, 0.22), within=body)
    scene.fill(slab(44, 500, 596, 530), flat(INK), 0, body)
    for middle in (170, 470):
        scene.fill(slab(middle - 6, 288, middle + 6, 396, 6), flat(INK, 0.9))
        scene.solid(slab(middle - 36, 296, middle + 36, 326, 12), drum(INK), 5)
        scene.knob(middle, 446, 32, INK)
        for step in range(3):
            scene.solid(oval(middle + 66, 420 + step * 26, 9), face(INK), 3)
    scene.fill(oval(320, 446, 5), flat((240, 130, 40)))
    return scene


def carafe(scene: Scene) -> None:
    """A glass jug half full of coffee."""
    glass = blob(
        (232, 352),
        (392, 352),
        (424, 420),
        (410, 486),
        (390, 500),
        (236, 500),
        (214, 486),
        (202, 420),
    )
    scene.tube(curve([(404, 362), (466, 360), (476, 420), (424, 470)]), 22, INK)
    scene.fill(glass, across((196, 210, 216), (240, 246, 250), (176, 190, 198)))
    coffee: Outline = slab(190, 408, 440, 506)
    scene.fill(coffee, across(dark(COFFEE, 0.3), light(COFFEE, 0.12), dark(COFFEE, 0.4)), 0, glass)
    scene.fill(oval(313, 409, 108, 9), flat(light(COFFEE, 0.25)), 0, glass)
    scene.gleam(blob((232, 380), (250, 376), (240, 476), (222, 468)), glass, 0.65, 4)
    scene.ring(glass, 2.5, flat((120, 132, 140), 0.6))
    scene.solid(slab(222, 334, 404, 358, 9), drum(INK), 4)


def coffee_maker() -> Scene:
    """A black filter machine with a full carafe on its hot plate."""
    scene = Scene((232, 226, 218))
    scene.shadow(330, 540, 210, 20)
    scene.cable([(500, 530), (570, 545), (625, 528)])
    scene.solid(slab(400, 130, 510, 530, 20), drum(JET), 8)
    gauge = slab(470, 180, 490, 420, 10)
    scene.fill(gauge, down((150, 170, 182), (120, 180, 212)))
    scene.ring(gauge, 2, flat(STEEL))
    for level in range(210, 420, 30):
        scene.line([(475, level), (485, level)], 2, flat(INK))
    scene.solid(slab(150, 500, 512, 542, 16), drum(JET), 6)
    scene.fill(oval(313, 504, 116, 8), chrome())
    carafe(scene)
    basket = trapeze(262, 326, (206, 420), (240, 386))
    scene.solid(basket, drum(light(JET, 0.1)), 5)
    head = slab(160, 118, 514, 270, 26)
    scene.solid(head, drum(JET), 10)
    scene.fill(slab(160, 246, 514, 256), chrome(), 0, head)
    scene.gleam(slab(186, 136, 480, 150, 7), head, 0.35, 5)
    scene.fill(slab(200, 172, 318, 226, 10), down((16, 24, 30), (30, 44, 52)))
    scene.digits("07:15", 216, 184, 30, (140, 225, 240))
    for index, colour in enumerate((STEEL, STEEL, (226, 96, 52))):
        scene.solid(oval(352 + index * 40, 199, 14), face(colour), 4)
    return scene


def espresso_front(scene: Scene) -> None:
    """Gauge, knobs, group head and the portafilter with its handle."""
    scene.solid(oval(320, 204, 42), chrome(), 4)
    scene.fill(oval(320, 204, 35), down(WHITE, (232, 234, 232)))
    for step in range(9):
        mark = turn([(320, 176), (320, 183)], -120 + step * 30, (320, 204))
        scene.line(mark, 2.5, flat((200, 60, 40) if step > 6 else INK))
    scene.line(turn([(320, 208), (320, 180)], 35, (320, 204)), 4, flat((200, 40, 40)))
    scene.fill(oval(320, 204, 5), flat(INK))
    for x in (196, 244):
        scene.solid(oval(x, 204, 16), face(INK), 4)
        scene.fill(oval(x, 204, 4), flat((120, 220, 160)))
    scene.knob(436, 204, 32, INK)
    scene.solid(trapeze(262, 306, (226, 354), (244, 336)), chrome(), 4)
    scene.solid(slab(234, 304, 346, 330, 8), chrome(), 3)
    scene.tube([(300, 318), (300, 318.5)], 40, INK)
    scene.tube(curve([(292, 322), (250, 346), (196, 374)]), 30, INK)
    scene.line([(280, 330), (276, 350)], 9, flat(dark(STEEL, 0.3)))
    scene.line([(304, 330), (308, 350)], 9, flat(dark(STEEL, 0.3)))


def espresso_machine() -> Scene:
    """A steel pump machine with portafilter, gauge and steam wand."""
    scene = Scene((222, 228, 226))
    scene.shadow(320, 540, 220, 20)
    scene.tube([(160, 122), (160, 104), (480, 104), (480, 122)], 10, STEEL)
    for x in (200, 262):
        scene.solid(trapeze(72, 116, (x, x + 54), (x + 8, x + 46)), drum((206, 120, 84)), 5)
    back = slab(140, 118, 500, 520, 22)
    scene.solid(back, across(dark(STEEL, 0.2), light(STEEL, 0.3), STEEL, dark(STEEL, 0.25)), 8)
    scene.fill(slab(164, 264, 476, 480, 8), down(dark(STEEL, 0.5), dark(STEEL, 0.24)))
    head = slab(130, 130, 510, 270, 24)
    scene.solid(head, down(light(STEEL, 0.65), light(STEEL, 0.15), dark(STEEL, 0.15)), 8)
    espresso_front(scene)
    scene.tube(curve([(440, 268), (446, 330), (462, 420), (470, 452)]), 12, light(STEEL, 0.2))
    scene.tube([(458, 400), (464, 426)], 18, INK)
    tray = slab(126, 480, 514, 542, 14)
    scene.solid(tray, down(light(STEEL, 0.3), dark(STEEL, 0.25)), 6)
    for x in range(160, 490, 18):
        scene.line([(x, 490), (x - 6, 502)], 5, flat(INK, 0.8))
    scene.line(bend((276, 352), (282, 390), (284, 424)), 5, flat(COFFEE))
    scene.line(bend((308, 352), (302, 390), (300, 424)), 5, flat(COFFEE))
    scene.tube(curve([(332, 430), (362, 430), (358, 462), (326, 466)]), 10, WHITE)
    cup = [*bend((240, 418), (246, 484), (276, 488)), *bend((308, 488), (338, 484), (344, 418))]
    scene.solid(cup, drum((246, 244, 240)), 6)
    scene.fill(oval(292, 419, 52, 9), flat((250, 248, 244)))
    scene.fill(oval(292, 421, 45, 7), flat((150, 92, 48)))
    scene.fill(slab(150, 516, 490, 522, 3), flat(BLACK, 0.2))
    return scene


PICTURES: dict[str, Callable[[], Scene]] = {
    "kettle-red-1-7l": lambda: kettle(RED, 1.0),
    "kettle-black-1-0l": lambda: kettle(JET, 0.78),
    "toaster-cream-2-slice": toaster_two,
    "toaster-steel-4-slice": toaster_four,
    "filter-coffee-maker": coffee_maker,
    "espresso-machine": espresso_machine,
}
