"""Vacuum cleaners, iron and washing machine."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Scene
from .shapes import (
    BLACK,
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
    turn,
)

BLUE: Colour = (36, 92, 176)
YELLOW: Colour = (246, 196, 40)
TEAL: Colour = (20, 138, 142)


def upright_vacuum() -> Scene:
    """A blue upright vacuum that leans back on its floor head."""
    scene = Scene((230, 229, 224), 0.92)
    scene.shadow(250, 548, 170, 18)
    hinge = (276.0, 500.0)

    def lean(outline: Outline) -> Outline:
        return turn(outline, 17, hinge)

    scene.tube(lean(curve([(330, 214), (352, 250), (352, 400), (322, 446)])), 11, INK)
    scene.tube(lean([(276, 220), (276, 34)]), 20, STEEL)
    scene.tube(
        lean(curve([(276, 60), (270, 6), (300, -22), (330, 0), (322, 50), (280, 66)])), 20, INK
    )
    body = lean(slab(214, 200, 338, 500, 44))
    scene.solid(body, drum(BLUE), 10)
    scene.gleam(lean(slab(232, 220, 246, 300, 7)), body, 0.5, 4)
    bin_ = lean(slab(226, 282, 326, 440, 26))
    scene.fill(bin_, across((120, 140, 156), (226, 236, 242), (140, 160, 174)))
    scene.fill(
        lean(blob((220, 396), (260, 384), (300, 398), (340, 386), (340, 450), (220, 450))),
        down((150, 140, 128), (104, 96, 88)),
        1,
        bin_,
    )
    scene.solid(lean([(256, 286), (296, 286), (286, 370), (266, 370)]), drum(YELLOW), 4)
    scene.gleam(lean(slab(236, 296, 246, 426, 5)), bin_, 0.75, 2)
    scene.ring(bin_, 4, flat(dark(BLUE, 0.4)))
    scene.solid(lean(slab(250, 222, 302, 250, 12)), face(IVORY), 4)
    scene.fill(lean(oval(276, 236, 6)), flat((220, 60, 50)))
    head: Outline = [
        *bend((96, 546), (84, 492), (150, 486)),
        *bend((260, 470), (350, 480), (384, 506)),
        *bend((396, 520), (398, 540), (390, 546)),
    ]
    scene.solid(head, down(light(BLUE, 0.25), dark(BLUE, 0.2)), 8)
    scene.fill(slab(86, 526, 400, 548), flat(INK), 0, head)
    lamp = slab(130, 502, 200, 516, 7)
    scene.fill(lamp, down(WHITE, (250, 240, 190)))
    scene.solid(oval(356, 524, 28), down(CHARCOAL, INK), 5)
    scene.solid(oval(356, 524, 12), face(STEEL), 3)
    return scene


def robot_vacuum() -> Scene:
    """A round white robot seen from above and in front."""
    scene = Scene((214, 220, 226))
    scene.shadow(320, 446, 262, 62)
    # The side brush is a flat wheel, so its bristles are squeezed into the floor's perspective.
    hub = (112.0, 466.0)
    for spoke in range(9):
        tuft = turn([hub, (hub[0], hub[1] - 62), (hub[0] + 9, hub[1] - 60)], spoke * 40, hub)
        scene.fill([(x, hub[1] + (y - hub[1]) * 0.45) for x, y in tuft], flat(INK, 0.85))
    scene.solid(oval(hub[0], hub[1], 13, 7), face(CHARCOAL), 2)
    side: Outline = [
        *bend((70, 330), (70, 500), (320, 508)),
        *bend((320, 508), (570, 500), (570, 330)),
    ]
    scene.solid(side, across((120, 124, 130), (230, 232, 234), (206, 209, 212), (110, 114, 120)), 8)
    scene.line(bend((84, 400), (190, 490), (320, 489)), 17, flat(INK))
    scene.line(bend((320, 489), (450, 490), (556, 400)), 17, flat(INK))
    scene.line(bend((110, 412), (200, 484), (320, 484)), 3, flat(WHITE, 0.35))
    top = oval(320, 326, 250, 124)
    scene.solid(top, down((214, 217, 220), IVORY, WHITE), 7)
    scene.ring(oval(320, 326, 226, 110), 2.5, flat((170, 175, 180)))
    scene.gleam(oval(220, 300, 90, 26), top, 0.9, 10)
    scene.fill(oval(320, 300, 76, 40), flat(BLACK, 0.25), 6)
    scene.solid(slab(250, 250, 390, 300, 24), drum(CHARCOAL), 4)
    scene.solid(oval(320, 296, 70, 32), drum(CHARCOAL), 4)
    scene.solid(oval(320, 262, 70, 32), down((90, 94, 102), INK), 4)
    scene.fill(oval(320, 260, 44, 19), flat((120, 126, 134), 0.5))
    scene.solid(slab(262, 378, 378, 412, 17), down((228, 230, 232), WHITE), 3)
    scene.ring(oval(294, 395, 11, 9), 3, flat((60, 170, 220)))
    scene.line([(294, 386), (294, 395)], 3, flat((60, 170, 220)))
    house: Outline = [(334, 396), (346, 386), (358, 396), (355, 404), (337, 404)]
    scene.fill(house, flat((130, 136, 142)))
    scene.fill(oval(320, 430, 24, 5), flat((90, 220, 150)), 2)
    return scene


def tilt(outline: Outline) -> Outline:
    """Point the handheld vacuum's nose at the table, as in use."""
    return turn(outline, -8, (330, 400))


def handheld_vacuum() -> Scene:
    """A yellow handheld vacuum with a clear dust cup and a crevice snout."""
    scene = Scene((220, 226, 234))
    scene.shadow(330, 500, 250, 18)
    grip = tilt(curve([(330, 280), (360, 196), (450, 178), (540, 220), (572, 320), (560, 390)]))
    scene.tube(grip, 46, INK)
    scene.tube(tilt(curve([(400, 186), (450, 176), (500, 190)])), 18, YELLOW)
    motor = tilt(
        blob(
            (300, 300),
            (350, 268),
            (470, 276),
            (566, 316),
            (592, 380),
            (572, 446),
            (480, 474),
            (340, 476),
            (294, 450),
        )
    )
    scene.solid(motor, down(light(YELLOW, 0.35), YELLOW, dark(YELLOW, 0.22)), 12)
    cup = tilt(
        [
            *bend((312, 288), (220, 290), (132, 372)),
            *bend((106, 400), (106, 440), (132, 456)),
            *bend((220, 478), (280, 480), (312, 478)),
        ]
    )
    scene.fill(cup, down((226, 234, 240), (176, 190, 202)))
    scene.fill(
        tilt(blob((120, 440), (190, 424), (260, 440), (320, 426), (320, 490), (120, 480))),
        down((160, 148, 134), (112, 102, 92)),
        1,
        cup,
    )
    scene.solid(tilt([(300, 320), (236, 346), (236, 426), (300, 446)]), drum((210, 216, 220)), 4)
    for index in range(4):
        scene.line(
            tilt([(246 + index * 15, 346 - index * 5), (246 + index * 15, 430)]),
            3,
            flat((140, 148, 154)),
        )
    scene.gleam(tilt(blob((160, 370), (220, 316), (290, 304), (220, 340))), cup, 0.9, 4)
    scene.ring(cup, 4, flat((110, 122, 132), 0.8))
    snout = tilt([(136, 380), (136, 452), (40, 478), (22, 436)])
    scene.solid(snout, down(CHARCOAL, INK), 6)
    scene.fill(tilt([(22, 436), (34, 434), (52, 476), (40, 478)]), flat(BLACK))
    scene.solid(tilt(slab(300, 284, 326, 478, 10)), drum(CHARCOAL), 4)
    for index in range(5):
        scene.line(
            tilt([(470 + index * 18, 350), (460 + index * 18, 410)]), 7, flat(dark(YELLOW, 0.65))
        )
    scene.solid(tilt(slab(380, 266, 430, 290, 10)), face((214, 60, 50)), 4)
    for index in range(3):
        scene.fill(tilt(oval(356 + index * 20, 440, 6)), flat((70, 200, 110)))
    return scene


def steam_iron() -> Scene:
    """A teal steam iron, nose to the left, with steam at the soleplate."""
    scene = Scene((234, 229, 226))
    scene.shadow(320, 512, 262, 16)
    scene.cable([(540, 250), (590, 220), (610, 140), (570, 70), (620, 20)], INK)
    shell: Outline = [
        *bend((64, 474), (130, 330), (300, 292)),
        *bend((420, 270), (540, 280), (560, 350)),
        *bend((566, 400), (566, 440), (562, 474)),
    ]
    grip = curve(
        [(270, 330), (236, 230), (300, 174), (420, 166), (530, 186), (552, 260), (534, 340)]
    )
    scene.tube(grip, 54, TEAL)
    scene.tube(curve([(300, 190), (410, 176), (500, 188)]), 24, INK)
    scene.solid(shell, down(light(TEAL, 0.3), TEAL, dark(TEAL, 0.25)), 12)
    tank = blob((130, 440), (190, 372), (300, 336), (410, 330), (400, 400), (300, 440), (190, 448))
    scene.fill(tank, down((196, 226, 236), (132, 190, 212)))
    scene.fill(slab(120, 396, 420, 460), flat((86, 160, 200), 0.65), 0, tank)
    scene.ring(tank, 3.5, flat(WHITE, 0.7))
    scene.gleam(blob((170, 404), (220, 368), (310, 344), (220, 384)), tank, 0.8, 3)
    scene.knob(470, 386, 44, IVORY, 40)
    for step in range(5):
        scene.fill(turn(oval(470, 330, 4), -60 + step * 30, (470, 386)), flat(WHITE))
    scene.solid([(40, 494), (66, 468), (566, 468), (572, 494)], chrome(), 4)
    scene.solid(slab(40, 490, 574, 506, 4), down(light(STEEL, 0.5), dark(STEEL, 0.4)), 3)
    scene.solid(slab(282, 142, 340, 170, 12), face(IVORY), 4)
    scene.solid(slab(352, 138, 400, 166, 12), face(IVORY), 4)
    scene.fill(oval(540, 446, 6), flat((240, 90, 60)))
    return scene


def washing_machine() -> Scene:
    """A white front-loader with a porthole door."""
    scene = Scene((206, 216, 224))
    scene.shadow(320, 566, 226, 16)
    for foot in (130, 466):
        scene.solid(slab(foot, 546, foot + 46, 570, 6), face(INK), 3)
    case = slab(106, 66, 534, 556, 18)
    white: Colour = (244, 245, 246)
    scene.solid(case, across(WHITE, white, (222, 225, 228)), 8)
    scene.fill(slab(106, 154, 534, 158), flat((170, 176, 182)), 0, case)
    scene.solid(slab(122, 82, 262, 142, 8), face((234, 236, 238)), 3)
    scene.fill(slab(142, 118, 242, 130, 6), flat((120, 126, 132)))
    scene.knob(332, 112, 32, STEEL, 50)
    scene.fill(slab(392, 90, 512, 134, 7), flat((20, 28, 36)))
    scene.digits("1:30", 408, 100, 24, (130, 225, 250))
    for index in range(3):
        scene.fill(oval(484, 100 + index * 12, 3.5), flat((130, 225, 250)))
    scene.fill(oval(326, 364, 170), flat(BLACK, 0.22), 8, case)
    scene.solid(oval(320, 354, 168), down(light(STEEL, 0.6), dark(STEEL, 0.1)), 7)
    scene.solid(oval(320, 354, 140), down(CHARCOAL, INK), 5)
    glass = oval(320, 354, 124)
    scene.fill(glass, down((46, 60, 76), (92, 116, 138)))
    for tint, points in (
        ((226, 90, 80), ((220, 420), (260, 380), (320, 396), (330, 460), (260, 490))),
        ((250, 214, 90), ((300, 440), (330, 384), (390, 390), (420, 440), (350, 490))),
        ((90, 170, 200), ((240, 470), (320, 420), (400, 450), (430, 500), (300, 520))),
        ((245, 245, 245), ((380, 400), (420, 372), (450, 420), (420, 470), (380, 440))),
    ):
        scene.solid(blob(*points), down(light(tint, 0.2), tint), 7, glass)
    scene.fill(slab(180, 432, 460, 520), flat((150, 200, 230), 0.35), 2, glass)
    for x, y, r in ((270, 424, 9), (300, 416, 13), (344, 424, 8), (376, 416, 11)):
        scene.fill(oval(x, y, r), flat(WHITE, 0.75))
    scene.gleam(blob((230, 330), (262, 264), (330, 244), (280, 286), (250, 350)), glass, 0.55, 5)
    scene.ring(glass, 4, flat((20, 24, 30)))
    scene.solid(slab(474, 330, 496, 382, 9), face(light(STEEL, 0.3)), 3)
    return scene


PICTURES: dict[str, Callable[[], Scene]] = {
    "upright-vacuum": upright_vacuum,
    "robot-vacuum": robot_vacuum,
    "handheld-vacuum": handheld_vacuum,
    "steam-iron": steam_iron,
    "washing-machine": washing_machine,
}
