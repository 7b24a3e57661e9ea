"""Lamp, hair dryer, blanket and fridge."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Scene
from .shapes import (
    CHARCOAL,
    INK,
    IVORY,
    STEEL,
    WHITE,
    Colour,
    Outline,
    across,
    bend,
    blob,
    curve,
    dark,
    down,
    drum,
    face,
    flat,
    light,
    oval,
    slab,
    turn,
)

MUSTARD: Colour = (214, 160, 40)
ROSE: Colour = (232, 150, 164)
GREY: Colour = (158, 162, 170)
MINT: Colour = (158, 216, 196)


def desk_lamp() -> Scene:
    """A mustard desk lamp with a jointed arm, switched on."""
    scene = Scene((196, 204, 214))
    scene.fill([(90, 330), (320, 300), (470, 760), (-160, 760)], flat((255, 236, 170), 0.5), 26)
    scene.shadow(430, 552, 128, 16)
    scene.cable([(530, 545), (580, 552), (630, 535)])
    scene.solid(slab(306, 530, 556, 556, 13), drum(dark(MUSTARD, 0.2)), 4)
    scene.solid(oval(431, 530, 125, 22), down(light(MUSTARD, 0.3), MUSTARD), 5)
    scene.solid(oval(370, 532, 18, 7), down(IVORY, STEEL), 2)
    scene.tube([(440, 522), (520, 318)], 15, STEEL)
    scene.tube([(456, 526), (536, 322)], 9, STEEL)
    scene.tube([(524, 318), (306, 148)], 15, STEEL)
    scene.tube([(516, 336), (300, 168)], 9, STEEL)
    scene.solid(oval(524, 322, 24), down(light(MUSTARD, 0.2), dark(MUSTARD, 0.2)), 6)
    scene.solid(oval(524, 322, 9), face(STEEL), 2)
    pivot = (270.0, 190.0)
    mouth = turn(oval(270, 330, 140, 34), 28, pivot)
    scene.fill(mouth, flat((255, 244, 196)))
    bulb = turn(oval(270, 322, 40, 44), 28, pivot)
    scene.fill(bulb, flat((255, 250, 220), 0.9), 12)
    scene.fill(bulb, down((255, 252, 232), (255, 240, 180)))
    shade = turn(
        [
            *bend((226, 150), (214, 230), (130, 330)),
            *bend((130, 330), (270, 296), (410, 330)),
            *bend((410, 330), (326, 230), (314, 150)),
        ],
        28,
        pivot,
    )
    scene.solid(
        shade, across(dark(MUSTARD, 0.1), light(MUSTARD, 0.35), MUSTARD, dark(MUSTARD, 0.35)), 8
    )
    scene.solid(turn(slab(230, 112, 310, 158, 18), 28, pivot), drum(dark(MUSTARD, 0.15)), 5)
    return scene


def hair_dryer() -> Scene:
    """A rose hair dryer, nozzle to the left."""
    scene = Scene((226, 228, 234))
    scene.shadow(370, 556, 130, 14, 0.3)
    scene.cable([(420, 520), (440, 560), (520, 560), (560, 510), (620, 530)], INK)
    grip: Outline = [
        *bend((352, 300), (360, 420), (388, 520)),
        *bend((448, 524), (462, 420), (470, 300)),
    ]
    scene.solid(grip, drum(dark(ROSE, 0.06)), 9)
    scene.solid(slab(388, 508, 450, 536, 10), drum(INK), 4)
    for index in range(2):
        top = 376 + index * 56
        scene.solid(slab(374, top, 402, top + 42, 11), face(INK), 4)
        scene.line([(380, top + 16), (396, top + 16)], 4, flat(WHITE, 0.7))
    nozzle: Outline = [(174, 176), (174, 318), (74, 336), (74, 158)]
    scene.solid(nozzle, down(light(CHARCOAL, 0.25), INK), 6)
    scene.fill(oval(76, 247, 15, 88), down((20, 20, 24), (54, 56, 62)))
    barrel = blob(
        (168, 176),
        (260, 154),
        (400, 130),
        (500, 150),
        (556, 210),
        (560, 284),
        (510, 344),
        (400, 364),
        (260, 340),
        (168, 318),
        (156, 247),
    )
    scene.solid(barrel, down(light(ROSE, 0.45), ROSE, dark(ROSE, 0.24)), 14)
    scene.gleam(blob((200, 200), (320, 172), (460, 172), (320, 190)), barrel, 0.85, 5)
    scene.solid(slab(160, 170, 186, 324, 10), across(STEEL, WHITE, dark(STEEL, 0.2)), 4)
    ring = turn(oval(532, 247, 40, 88), 0, (532, 247))
    scene.solid(ring, across(STEEL, dark(STEEL, 0.4)), 5)
    scene.fill(oval(540, 247, 29, 72), flat(INK))
    for index in range(-5, 6):
        scene.line(
            [(514 + abs(index), 247 + index * 12), (566 - abs(index), 247 + index * 12)],
            3,
            flat(STEEL, 0.85),
            within=oval(540, 247, 29, 72),
        )
    scene.tube(curve([(470, 132), (490, 112), (520, 120), (520, 150)]), 8, STEEL)
    for lift in (-44, 0, 44):
        path = curve([(52, 247 + lift), (38, 240 + lift), (26, 254 + lift), (8, 247 + lift)])
        scene.line(path, 5, flat((240, 120, 90), 0.65))
    return scene


def fold(scene: Scene, top: float, bottom: float, left: float, right: float) -> None:
    """One layer of the folded blanket, rounded at its fold, with a quilted check."""
    layer = slab(left, top, right, bottom, (bottom - top) / 2)
    scene.solid(layer, down(light(GREY, 0.35), GREY, dark(GREY, 0.2)), 8)
    for x in range(int(left) + 46, int(right) - 10, 62):
        scene.fill(slab(x, top, x + 18, bottom), flat(light(GREY, 0.65), 0.55), 0.6, layer)
    middle = (top + bottom) / 2
    scene.fill(slab(left, middle - 7, right, middle + 7), flat(light(GREY, 0.65), 0.4), 0.6, layer)


def electric_blanket() -> Scene:
    """A folded grey blanket with its hand control and lead."""
    scene = Scene((232, 220, 208))
    scene.shadow(300, 512, 250, 22)
    for index in range(4):
        wobble = (index % 2) * 8
        fold(scene, 420 - index * 52, 492 - index * 52, 70 + wobble, 520 + wobble - index * 3)
    top: Outline = [(96, 268), (508, 268), (452, 160), (176, 160)]
    top = [*bend((84, 284), (120, 176), (170, 168)), *bend((450, 168), (500, 176), (524, 284))]
    scene.solid(top, down(light(GREY, 0.5), light(GREY, 0.1)), 8)
    for index in range(7):
        x = 112 + index * 62
        far = 310 + (x - 310) * 0.72
        scene.fill(
            [(x, 284), (x + 18, 284), (far + 14, 168), (far, 168)], flat(WHITE, 0.42), 0.6, top
        )
    for y, tall in ((194, 8), (236, 11)):
        scene.fill(slab(80, y, 530, y + tall), flat(WHITE, 0.34), 0.6, top)
    wire = curve(
        [
            (140, 262),
            (140, 214),
            (200, 196),
            (200, 262),
            (262, 262),
            (262, 196),
            (324, 196),
            (324, 262),
            (386, 262),
            (386, 200),
            (450, 220),
            (470, 262),
        ]
    )
    scene.line(wire, 11, flat((255, 120, 50), 0.25), within=top)
    scene.line(wire, 4.5, flat((240, 90, 40), 0.9), within=top)
    scene.cable([(470, 270), (560, 290), (590, 380), (540, 440), (520, 500)], IVORY)
    scene.shadow(508, 556, 62, 12)
    pad = turn(slab(452, 452, 552, 560, 24), 12, (502, 506))
    scene.solid(pad, down(WHITE, (220, 222, 226)), 7)
    screen = turn(slab(468, 466, 536, 502, 8), 12, (502, 506))
    scene.fill(screen, flat((40, 24, 20)))
    scene.fill(turn(oval(502, 484, 12), 12, (502, 506)), flat((255, 110, 50), 0.6), 4)
    scene.digits("3", 497, 472, 18, (255, 140, 70))
    for x, tint in ((480, (220, 70, 60)), (524, (120, 126, 134))):
        scene.solid(turn(oval(x, 532, 13), 12, (502, 506)), face(tint), 3)
    return scene


def shelf_goods(scene: Scene) -> None:
    """Cans, bottles and fruit that show the fridge is a fridge."""
    for index, tint in enumerate(((214, 60, 54), (60, 130, 200), (240, 180, 50))):
        x = 188 + index * 52
        scene.solid(slab(x, 222, x + 40, 294, 7), drum(tint), 3)
        scene.fill(oval(x + 20, 224, 19, 4), flat(light(STEEL, 0.4)))
    for x, tint in ((190, (70, 140, 90)), (240, (240, 240, 236)), (288, (150, 90, 50))):
        scene.solid(slab(x + 8, 324, x + 24, 360, 5), drum(tint), 2)
        scene.solid(slab(x, 346, x + 32, 414, 9), drum(tint), 3)
    for x, tint in (
        (196, (216, 60, 50)),
        (238, (240, 150, 50)),
        (280, (130, 180, 70)),
        (318, (216, 60, 50)),
    ):
        scene.solid(oval(x, 466, 22), down(light(tint, 0.25), tint), 6)


def mini_fridge() -> Scene:
    """A mint mini fridge with its door open on lit shelves."""
    scene = Scene((232, 228, 222))
    scene.shadow(330, 552, 230, 16)
    for foot in (160, 340):
        scene.solid(slab(foot, 530, foot + 34, 554, 6), face(INK), 3)
    case = slab(136, 92, 396, 540, 40)
    scene.solid(case, across(light(MINT, 0.2), MINT, dark(MINT, 0.15)), 9)
    inside = slab(160, 118, 376, 508, 22)
    scene.fill(inside, down(WHITE, (236, 244, 248), (206, 218, 226)))
    scene.fill(oval(268, 140, 90, 34), flat((255, 252, 224), 0.95), 16, inside)
    scene.solid(slab(180, 136, 356, 190, 8), down((226, 240, 248), (196, 218, 232)), 4)
    for step in range(3):
        flake = turn([(268, 146), (268, 180)], step * 60, (268, 163))
        scene.line(flake, 3.5, flat((90, 160, 210)))
    shelf_goods(scene)
    for y in (296, 416):
        scene.fill(slab(160, y, 376, y + 8), down((240, 250, 252), (150, 176, 190)), 0, inside)
    drawer = slab(168, 436, 368, 504, 10)
    scene.fill(drawer, flat((190, 220, 236), 0.4))
    scene.ring(drawer, 3, flat((150, 180, 196)))
    scene.ring(inside, 4, flat((150, 166, 172)))
    door: Outline = [(392, 112), (536, 76), (552, 92), (552, 566), (536, 578), (392, 524)]
    scene.solid(door, across(WHITE, (236, 240, 242), (214, 220, 224)), 6)
    scene.solid([(536, 76), (562, 82), (562, 570), (536, 578)], across(MINT, dark(MINT, 0.25)), 4)
    for near, far in ((250, 238), (380, 386), (486, 512)):
        scene.fill(
            [(404, near - 40), (520, far - 52), (520, far), (404, near)], flat((196, 220, 230), 0.8)
        )
        scene.line([(404, near), (520, far)], 5, flat((140, 164, 176)))
    scene.solid(slab(424, 182, 452, 246, 7), drum((240, 190, 60)), 3)
    scene.solid(slab(466, 166, 498, 242, 7), drum((226, 90, 80)), 3)
    scene.tube([(572, 240), (572, 380)], 13, STEEL)
    return scene


PICTURES: dict[str, Callable[[], Scene]] = {
    "desk-lamp": desk_lamp,
    "hair-dryer": hair_dryer,
    "electric-blanket": electric_blanket,
    "mini-fridge": mini_fridge,
}
