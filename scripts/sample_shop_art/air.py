"""Fan, heater and everything that changes the air in a room."""

from __future__ import annotations

import math
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

SKY: Colour = (132, 192, 226)
SAND: Colour = (226, 214, 196)
WATER: Colour = (96, 176, 222)


def pedestal_fan() -> Scene:
    """A white fan on a pole with a round wire guard."""
    scene = Scene((196, 212, 224))
    scene.shadow(320, 566, 132, 14)
    scene.solid(oval(320, 560, 128, 20), down(WHITE, (196, 200, 206)), 5)
    scene.solid(slab(286, 520, 354, 556, 12), drum(IVORY), 4)
    scene.tube([(320, 360), (320, 530)], 22, IVORY)
    scene.solid(slab(284, 400, 356, 480, 18), drum(IVORY), 5)
    for index in range(4):
        scene.fill(oval(320, 416 + index * 17, 6), flat((70, 160, 210) if index == 1 else STEEL))
    centre = (320.0, 222.0)
    scene.solid(slab(280, 330, 360, 404, 20), drum(IVORY), 5)
    scene.fill(oval(*centre, 188), flat(WHITE, 0.35))
    blade = blob((320, 222), (268, 170), (262, 90), (318, 62), (360, 100), (352, 170))
    for angle in (0, 120, 240):
        paint = down((150, 196, 224), (110, 164, 200))
        scene.solid(turn(blade, angle, centre), paint, 7)
    for step in range(48):
        spoke = turn(bend((320, 190), (326, 110), (334, 36)), step * 7.5, centre)
        scene.line(spoke, 2.2, flat((236, 238, 240)))
        scene.line(turn(spoke, 0.7, centre), 1, flat((120, 130, 140), 0.5))
    for radius in (80, 132):
        scene.ring(oval(*centre, radius), 2.4, flat((230, 233, 236)))
    scene.ring(oval(322, 225, 188), 12, flat((130, 138, 148)))
    scene.ring(oval(*centre, 188), 10, flat((246, 247, 248)))
    scene.solid(oval(*centre, 42), down(WHITE, (206, 210, 214)), 7)
    scene.fill(oval(*centre, 15), flat((70, 160, 210)))
    return scene


def oil_radiator() -> Scene:
    """A white oil-filled radiator on castors."""
    scene = Scene((222, 208, 200))
    scene.shadow(320, 550, 240, 16)
    for x in (150, 480):
        scene.tube([(x - 22, 516), (x + 22, 516)], 12, CHARCOAL)
        for wheel in (x - 24, x + 24):
            scene.solid(oval(wheel, 534, 17), down(CHARCOAL, INK), 4)
    white: Colour = (246, 245, 242)
    for index in range(8):
        x = 96 + index * 47
        fin = slab(x, 150, x + 44, 514, 22)
        scene.solid(fin, across((196, 196, 194), WHITE, white, (176, 176, 176)), 5)
        for top, bottom in ((200, 300), (360, 460)):
            scene.fill(slab(x + 15, top, x + 29, bottom, 7), flat((150, 150, 150), 0.45), 2)
            scene.line([(x + 17, top + 8), (x + 17, bottom - 8)], 2, flat(WHITE, 0.9))
    box = slab(470, 160, 562, 510, 22)
    scene.solid(box, drum(white), 7)
    scene.knob(516, 236, 26, CHARCOAL, -30)
    for step in range(7):
        mark = turn([(516, 202), (516, 198)], -120 + step * 40, (516, 236))
        scene.line(mark, 3, flat((220, 70, 40) if step > 4 else INK))
    for index in range(2):
        top = 304 + index * 46
        scene.solid(slab(496, top, 536, top + 32, 6), face(CHARCOAL), 3)
        scene.fill(slab(502, top + 6, 530, top + 15, 4), flat((240, 90, 50)))
    scene.vents(496, 536, (430, 446, 462, 478), 5)
    scene.tube(curve([(210, 152), (216, 118), (420, 118), (426, 152)]), 16, CHARCOAL)
    for x in (200, 300, 400):
        path = curve([(x, 96), (x + 14, 74), (x - 12, 50), (x + 4, 24)])
        scene.line(path, 6, flat((236, 110, 60), 0.6))
    return scene


def humidifier() -> Scene:
    """A sky-blue teardrop humidifier with a plume of mist."""
    scene = Scene((206, 204, 212))
    scene.shadow(320, 540, 150, 20)
    scene.steam([(320, 176), (300, 130), (340, 90), (310, 40)], 16, 0.6, light(SKY, 0.25))
    scene.steam([(320, 176), (346, 134), (380, 96), (420, 74)], 13, 0.6, light(SKY, 0.25))
    scene.steam([(320, 176), (290, 140), (250, 110), (222, 70)], 13, 0.6, light(SKY, 0.25))
    drop = blob(
        (320, 172),
        (348, 200),
        (392, 284),
        (452, 356),
        (476, 436),
        (436, 512),
        (320, 538),
        (204, 512),
        (164, 436),
        (188, 356),
        (248, 284),
        (292, 200),
    )
    scene.solid(drop, across(dark(SKY, 0.15), light(SKY, 0.5), SKY, dark(SKY, 0.28)), 14)
    water: Outline = [
        (150, 372),
        *bend((150, 372), (320, 392), (490, 372)),
        (490, 450),
        *bend((490, 450), (320, 476), (150, 450)),
    ]
    scene.fill(water, down(light(WATER, 0.15), WATER, alpha=0.75), 1, drop)
    scene.line(bend((174, 374), (320, 392), (466, 374)), 3, flat(WHITE, 0.7))
    for x, y, r in ((250, 420, 8), (390, 432, 11), (366, 408, 6), (276, 446, 6)):
        scene.ring(oval(x, y, r), 2.5, flat(WHITE, 0.8))
    base: Outline = [(140, 452), *bend((140, 452), (320, 480), (500, 452)), (500, 560), (140, 560)]
    scene.fill(base, across((200, 206, 212), WHITE, IVORY, (184, 190, 196)), 0, drop)
    scene.line(bend((166, 456), (320, 480), (474, 456)), 4, flat((160, 170, 178)))
    scene.gleam(blob((240, 330), (276, 280), (262, 350), (222, 420)), drop, 0.75, 6)
    scene.solid(oval(320, 178, 26, 9), down((90, 120, 140), (50, 70, 86)), 2)
    scene.knob(320, 502, 21, STEEL, 30)
    scene.fill(oval(364, 500, 5), flat((70, 170, 220)))
    return scene


def dehumidifier() -> Scene:
    """A tall sand-coloured dehumidifier with a see-through tank."""
    scene = Scene((214, 222, 228))
    scene.shadow(320, 558, 166, 16)
    for x in (200, 440):
        scene.solid(oval(x, 548, 15), down(CHARCOAL, INK), 4)
    case = slab(164, 80, 476, 546, 34)
    scene.solid(case, across(light(SAND, 0.4), SAND, dark(SAND, 0.14)), 10)
    scene.tube(curve([(250, 84), (258, 52), (382, 52), (390, 84)]), 16, CHARCOAL)
    scene.solid(slab(204, 98, 436, 152, 14), down((44, 50, 58), INK), 4)
    scene.digits("55", 226, 111, 28, (140, 230, 250))
    scene.line([(282, 139), (296, 111)], 3, flat((140, 230, 250)))
    for x, y in ((281, 115), (297, 135)):
        scene.ring(oval(x, y, 4), 2.5, flat((140, 230, 250)))
    for index in range(4):
        scene.ring(oval(330 + index * 28, 125, 9), 2.5, flat(WHITE, 0.8))
    scene.solid(slab(194, 172, 446, 330, 16), face(dark(SAND, 0.06)), 4)
    scene.vents(216, 424, range(190, 322, 14), 6, dark(SAND, 0.72), 0.85)
    tank = slab(194, 352, 446, 522, 20)
    scene.solid(tank, down((214, 226, 232), (184, 204, 214)), 5)
    wave = blob(
        (180, 420),
        (240, 410),
        (300, 424),
        (360, 410),
        (420, 424),
        (470, 414),
        (470, 540),
        (180, 540),
    )
    scene.fill(wave, down(light(WATER, 0.2), dark(WATER, 0.15)), 0, tank)
    scene.line(bend((196, 418), (320, 420), (444, 418)), 3, flat(WHITE, 0.7))
    for level in range(380, 510, 24):
        scene.line([(412, level), (430, level)], 3, flat(WHITE, 0.85))
    drop = blob((320, 436), (338, 466), (334, 492), (320, 500), (306, 492), (302, 466))
    scene.fill(drop, flat(WHITE, 0.9))
    scene.gleam(slab(210, 366, 224, 506, 7), tank, 0.6, 3)
    scene.ring(tank, 3, flat(dark(SAND, 0.4)))
    scene.solid(slab(278, 342, 362, 366, 11), face(CHARCOAL), 4)
    return scene


def air_purifier() -> Scene:
    """A white purifier tower with a perforated shell and a light ring on top."""
    scene = Scene((204, 216, 208), 0.95)
    scene.shadow(320, 548, 160, 22)
    shell: Outline = [
        *bend((182, 128), (178, 340), (174, 500)),
        *bend((174, 500), (172, 530), (204, 540)),
        *bend((204, 540), (320, 566), (436, 540)),
        *bend((436, 540), (468, 530), (466, 500)),
        *bend((466, 500), (462, 340), (458, 128)),
    ]
    white: Colour = (245, 246, 245)
    scene.solid(shell, drum(white), 9)
    for row in range(15):
        for column in range(-11, 12):
            angle = math.radians(column * 7.3 + (3.65 if row % 2 else 0))
            x = 320 + 142 * math.sin(angle)
            y = 292 + row * 14.5 + 20 * math.cos(angle) - 16
            hole = oval(x, y, 4.6 * math.cos(angle) + 0.4, 4.4)
            scene.fill(hole, flat((96, 104, 108), 0.85))
    scene.line(bend((180, 262), (320, 308), (460, 262)), 3, flat((180, 184, 186)))
    scene.line(bend((177, 504), (320, 552), (463, 504)), 5, flat((120, 126, 130), 0.8))
    scene.solid(oval(320, 128, 138, 44), down((224, 228, 228), WHITE), 5)
    scene.fill(oval(320, 128, 118, 36), down((60, 66, 70), (30, 34, 38)))
    for step in range(36):
        angle = math.radians(step * 10)
        inner = (320 + 54 * math.cos(angle), 128 + 17 * math.sin(angle))
        outer = (320 + 114 * math.cos(angle + 0.25), 128 + 34 * math.sin(angle + 0.25))
        scene.line([inner, outer], 2.5, flat((150, 156, 160), 0.8))
    scene.solid(oval(320, 126, 54, 18), down(WHITE, (220, 224, 224)), 3)
    scene.ring(oval(320, 126, 36, 11), 4, flat((80, 210, 130)))
    panel = slab(276, 206, 364, 262, 14)
    scene.fill(panel, down((38, 44, 48), (20, 24, 28)))
    scene.digits("12", 296, 220, 26, (110, 235, 160))
    scene.fill(turn(oval(346, 234, 5, 10), 40, (346, 234)), flat((110, 235, 160)))
    for x, lift in ((214, 0), (426, 14)):
        path = curve([(x, 78 - lift), (x + 14, 58 - lift), (x - 10, 36 - lift), (x + 6, 12)])
        scene.line(path, 6, flat((90, 190, 150), 0.45))
    leaf = blob((320, 78), (296, 56), (300, 20), (322, 8), (344, 24), (346, 56))
    scene.solid(leaf, down((130, 206, 120), (84, 166, 84)), 4)
    scene.line([(322, 22), (320, 84)], 3, flat(WHITE, 0.8))
    return scene


PICTURES: dict[str, Callable[[], Scene]] = {
    "pedestal-fan": pedestal_fan,
    "oil-radiator": oil_radiator,
    "humidifier": humidifier,
    "dehumidifier": dehumidifier,
    "air-purifier": air_purifier,
}
