"""Appliances that heat food: cookers, fryer, microwave, hob and waffle maker."""

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

GRAPHITE: Colour = (70, 73, 80)
TERRACOTTA: Colour = (196, 96, 62)
BURGUNDY: Colour = (126, 26, 48)
WAFFLE: Colour = (226, 164, 74)
SCREEN: Colour = (18, 24, 30)
CYAN: Colour = (140, 225, 240)


def rice_bowl(scene: Scene) -> None:
    """A small bowl heaped with rice, so that nobody takes the pot for a kettle."""
    scene.shadow(508, 552, 78, 11)
    heap = blob((444, 482), (464, 452), (508, 438), (552, 452), (572, 482), (508, 500))
    scene.solid(heap, down(WHITE, (236, 234, 226)), 6)
    for index in range(34):
        x, y = 456 + (index * 37) % 104, 456 + (index * 23) % 26
        grain = turn(oval(x, y, 6, 2.6), index * 47, (x, y))
        scene.fill(grain, down(WHITE, (214, 212, 202)), 0, heap)
    bowl = [
        *bend((434, 478), (440, 540), (486, 552)),
        *bend((530, 552), (576, 540), (582, 478)),
    ]
    scene.solid(bowl, drum((70, 110, 160)), 6)
    scene.line(bend((436, 480), (508, 500), (580, 480)), 5, flat(WHITE, 0.8))


def rice_cooker() -> Scene:
    """A rounded white rice cooker with a hinged lid and a display."""
    scene = Scene((216, 226, 222))
    scene.shadow(300, 538, 210, 22)
    scene.steam([(376, 176), (396, 140), (366, 104), (390, 60)], 9)
    scene.tube(curve([(126, 322), (150, 196), (290, 150), (430, 196), (454, 322)]), 16, STEEL)
    body = blob(
        (108, 330),
        (150, 292),
        (290, 280),
        (430, 292),
        (472, 330),
        (470, 440),
        (440, 522),
        (290, 540),
        (140, 522),
        (110, 440),
    )
    scene.solid(body, drum(IVORY), 14)
    lid: Outline = [
        *bend((104, 330), (130, 196), (290, 192)),
        *bend((290, 192), (450, 196), (476, 330)),
        *bend((476, 330), (290, 366), (104, 330)),
    ]
    scene.solid(lid, down(WHITE, IVORY, (214, 216, 216)), 10)
    scene.line(bend((106, 332), (290, 368), (474, 332)), 7, flat((150, 154, 158)))
    scene.gleam(blob((160, 282), (210, 226), (290, 214), (220, 246), (176, 300)), lid, 0.9, 6)
    scene.solid(oval(376, 226, 26, 11), down(STEEL, dark(STEEL, 0.4)), 3)
    for x in (366, 376, 386):
        scene.line([(x, 222), (x, 230)], 3, flat(INK))
    panel = blob((206, 396), (290, 404), (374, 396), (366, 494), (290, 504), (214, 494))
    scene.solid(panel, down(light(INK, 0.1), INK), 4)
    scene.digits("0:25", 258, 418, 28, CYAN)
    for index in range(3):
        scene.fill(oval(250 + index * 40, 474, 10), flat((240, 150, 60) if index == 1 else STEEL))
    scene.solid(slab(262, 352, 318, 376, 10), face(STEEL), 4)
    rice_bowl(scene)
    return scene


def air_fryer() -> Scene:
    """An egg-shaped fryer with a pull-out basket and a lit touch panel."""
    scene = Scene((230, 227, 222))
    scene.shadow(320, 540, 190, 22)
    body = blob(
        (320, 84),
        (420, 108),
        (482, 200),
        (504, 330),
        (494, 460),
        (456, 532),
        (320, 542),
        (184, 532),
        (146, 460),
        (136, 330),
        (158, 200),
        (220, 108),
    )
    scene.solid(body, drum(GRAPHITE), 14)
    scene.gleam(blob((226, 132), (262, 114), (204, 230), (182, 300), (184, 210)), body, 0.45, 9)
    panel = blob((250, 132), (320, 122), (390, 132), (410, 236), (320, 246), (230, 236))
    scene.solid(panel, down((40, 44, 52), SCREEN), 4)
    scene.digits("180", 268, 148, 34, CYAN)
    scene.ring(oval(372, 154, 5), 3, flat(CYAN))
    for index, tint in enumerate((CYAN, (250, 160, 70), CYAN, CYAN)):
        scene.ring(oval(266 + index * 36, 214, 11), 2.5, flat(tint, 0.9))
        scene.fill(oval(266 + index * 36, 214, 4), flat(tint))
    drawer = blob(
        (166, 300),
        (320, 292),
        (474, 300),
        (482, 400),
        (456, 492),
        (320, 502),
        (184, 492),
        (158, 400),
    )
    scene.ring(drawer, 6, flat(BLACK, 0.7))
    scene.solid(drawer, drum(light(GRAPHITE, 0.08)), 8)
    window = slab(214, 324, 426, 388, 22)
    scene.fill(window, down((60, 34, 16), (150, 88, 30)))
    for index in range(11):
        x, y = 222 + index * 19, 366 + (index * 29) % 16
        chip = turn(slab(x - 5, y - 22, x + 5, y + 20, 3), -60 + (index * 53) % 120, (x, y))
        scene.solid(chip, down((252, 208, 96), (220, 160, 52)), 2, window)
    scene.ring(window, 4, flat(STEEL))
    scene.fill(slab(236, 416, 412, 476, 26), flat(BLACK, 0.45), 6)
    scene.solid(slab(226, 404, 414, 446, 20), drum(INK), 6)
    scene.solid(slab(302, 440, 338, 492, 16), drum(INK), 5)
    scene.line([(250, 414), (390, 414)], 4, flat(STEEL, 0.8))
    return scene


def microwave() -> Scene:
    """A silver microwave with a see-through door and a keypad."""
    scene = Scene((222, 228, 234))
    scene.shadow(320, 520, 270, 18)
    for foot in (90, 500):
        scene.solid(slab(foot, 500, foot + 48, 522, 6), face(INK), 3)
    case = slab(46, 186, 594, 508, 20)
    silver: Colour = (206, 210, 214)
    scene.solid(case, down(light(silver, 0.5), silver, dark(silver, 0.16)), 7)
    scene.solid(slab(60, 204, 448, 490, 12), face(light(silver, 0.2)), 4)
    window = slab(84, 232, 398, 462, 14)
    scene.solid(window, down((20, 22, 26), (46, 44, 42)), 4)
    scene.fill(oval(240, 330, 130, 70), flat((240, 190, 100), 0.32), 26, window)
    scene.fill(oval(240, 436, 112, 15), flat((170, 180, 180), 0.55), 1, window)
    scene.fill(oval(240, 432, 96, 10), flat((215, 222, 220), 0.5), 1, window)
    mug = slab(212, 356, 266, 430, 8)
    scene.line(curve([(266, 374), (290, 376), (286, 410), (266, 412)]), 7, flat((190, 120, 90)))
    scene.solid(mug, drum((200, 126, 92)), 4)
    for row in range(240, 460, 9):
        scene.line([(84, row), (398, row)], 1.2, flat(BLACK, 0.35), within=window)
    scene.gleam([(120, 232), (190, 232), (110, 462), (60, 462)], window, 0.16, 3)
    scene.fill(slab(414, 236, 430, 466, 8), flat(BLACK, 0.25), 4)
    scene.tube([(420, 240), (420, 456)], 17, STEEL)
    scene.solid(slab(458, 204, 580, 490, 12), face(CHARCOAL), 4)
    scene.fill(slab(470, 220, 568, 264, 6), flat(SCREEN))
    scene.digits("12:30", 479, 230, 24, (120, 240, 170))
    for row in range(4):
        for column in range(3):
            x, y = 472 + column * 33, 280 + row * 27
            scene.solid(slab(x, y, x + 27, y + 20, 5), face((120, 124, 132)), 2)
    scene.knob(519, 430, 34, silver)
    return scene


def induction_hob() -> Scene:
    """A portable black-glass induction plate seen from above."""
    scene = Scene((228, 230, 232))
    scene.shadow(320, 500, 285, 30)
    top: Outline = [(150, 200), (490, 200), (592, 462), (48, 462)]
    front: Outline = [(48, 462), (592, 462), (586, 500), (54, 500)]
    scene.cable([(300, 200), (310, 160), (370, 140), (440, 150)])
    scene.solid(front, down((110, 114, 120), (50, 52, 58)), 4)
    scene.fill(top, down((52, 55, 62), (24, 26, 30), (16, 17, 20)))
    scene.gleam([(190, 200), (290, 200), (170, 462), (48, 462)], top, 0.13, 6)
    scene.ring(top, 4, flat((170, 175, 182)))
    scene.fill(oval(320, 302, 168, 76), flat((255, 60, 30), 0.35), 14, top)
    for share, width, alpha in ((1.0, 5.0, 0.95), (0.72, 2.5, 0.6), (0.42, 2.5, 0.5)):
        scene.ring(oval(320, 302, 156 * share, 70 * share), width, flat((255, 110, 70), alpha))
    for angle in range(0, 360, 90):
        tick = turn([(320, 296), (320, 290)], angle, (320, 302))
        scene.line(tick, 2.5, flat(WHITE, 0.7))
    scene.line([(300, 302), (340, 302)], 2.5, flat(WHITE, 0.7))
    scene.digits("180", 290, 406, 26, (255, 90, 70))
    for x, sign in ((140, "on"), (205, "-"), (400, "+"), (450, "lock"), (500, "timer")):
        scene.ring(oval(x, 420, 17, 14), 2.5, flat(WHITE, 0.8))
        if sign in "-+":
            scene.line([(x - 6, 420), (x + 6, 420)], 2.5, flat(WHITE))
        if sign == "+":
            scene.line([(x, 415), (x, 425)], 2.5, flat(WHITE))
        if sign in ("on", "timer"):
            scene.line([(x, 413), (x, 420)], 2.5, flat((255, 90, 70) if sign == "on" else WHITE))
        if sign == "lock":
            scene.fill(slab(x - 5, 419, x + 5, 426), flat(WHITE))
    scene.vents(240, 400, (478, 488), 4, BLACK)
    return scene


def slow_cooker() -> Scene:
    """An oval terracotta pot under a domed glass lid."""
    scene = Scene((226, 230, 224))
    scene.shadow(320, 532, 240, 20)
    for side in (-1, 1):
        x = 320 + side * 236
        scene.solid(slab(x - 38, 330, x + 38, 366, 14), face(INK), 5)
    for foot in (170, 430):
        scene.solid(slab(foot, 512, foot + 44, 536, 8), face(INK), 3)
    body: Outline = [
        *bend((92, 286), (92, 500), (190, 524)),
        *bend((450, 524), (548, 500), (548, 286)),
    ]
    scene.solid(body, drum(TERRACOTTA), 14)
    scene.gleam(blob((130, 320), (164, 316), (178, 470), (150, 440)), body, 0.45, 8)
    scene.solid(slab(78, 268, 562, 304, 17), drum(CHARCOAL), 6)
    dome = [*bend((96, 270), (140, 130), (320, 130)), *bend((320, 130), (500, 130), (544, 270))]
    stew = [*bend((120, 266), (200, 206), (320, 222)), *bend((320, 222), (440, 206), (520, 266))]
    scene.fill(dome, down((226, 234, 238), (190, 202, 208)))
    scene.fill(stew, down((176, 84, 40), (120, 52, 24)), 2, dome)
    for x, y, tint in (
        (210, 244, (236, 140, 50)),
        (270, 236, (120, 150, 60)),
        (330, 246, (236, 140, 50)),
        (384, 236, (226, 196, 120)),
        (440, 248, (120, 150, 60)),
        (164, 256, (226, 196, 120)),
    ):
        scene.solid(oval(x, y, 24, 13), down(light(tint, 0.2), tint), 3, dome)
    scene.fill(dome, flat((222, 234, 240), 0.28))
    scene.gleam(blob((170, 230), (210, 170), (290, 148), (220, 190)), dome, 0.85, 5)
    scene.ring(dome, 4, flat((150, 160, 166), 0.8))
    scene.tube([(90, 271), (550, 271)], 11, STEEL)
    scene.solid(slab(272, 94, 368, 122, 13), drum(INK), 5)
    scene.solid(slab(300, 116, 340, 138, 4), drum(INK), 3)
    scene.fill(oval(320, 424, 68), flat(light(TERRACOTTA, 0.15)))
    for step in range(4):
        spot = turn([(320, 372), (320, 366)], -90 + step * 60, (320, 424))
        scene.line(spot, 7, flat((255, 244, 226)))
    scene.knob(320, 424, 42, IVORY, 30)
    return scene


def waffle_grid(scene: Scene, cx: float, cy: float, rx: float, ry: float, paint: Colour) -> None:
    """A round plate of waffle squares in perspective."""
    disc = oval(cx, cy, rx, ry)
    scene.solid(disc, down(light(paint, 0.15), dark(paint, 0.1)), 5)
    for row in range(-3, 4):
        for column in range(-4, 5):
            x, y = cx + column * rx * 0.25, cy + row * ry * 0.3
            inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2
            if inside > 0.78:
                continue
            cell = slab(x - rx * 0.09, y - ry * 0.105, x + rx * 0.09, y + ry * 0.105, 4)
            scene.fill(cell, down(dark(paint, 0.38), dark(paint, 0.12)))


def waffle_maker() -> Scene:
    """An open waffle maker with a golden waffle on the lower plate."""
    scene = Scene((230, 228, 222))
    scene.shadow(320, 532, 230, 24)
    scene.solid(slab(246, 316, 394, 366, 12), face(CHARCOAL), 5)
    scene.tube(curve([(250, 96), (264, 62), (376, 62), (390, 96)]), 22, INK)
    scene.solid(oval(320, 218, 208, 136), down(light(BURGUNDY, 0.2), dark(BURGUNDY, 0.3)), 10)
    scene.fill(oval(320, 224, 186, 118), flat(dark(CHARCOAL, 0.3)))
    waffle_grid(scene, 320, 225, 172, 108, (92, 94, 100))
    base: Outline = [
        *bend((98, 430), (106, 520), (220, 532)),
        *bend((420, 532), (534, 520), (542, 430)),
    ]
    scene.solid(base, drum(BURGUNDY), 10)
    scene.solid(oval(320, 432, 222, 78), down(light(BURGUNDY, 0.25), BURGUNDY), 5)
    scene.fill(oval(320, 430, 198, 66), flat(dark(CHARCOAL, 0.35)))
    waffle_grid(scene, 320, 424, 184, 58, WAFFLE)
    scene.gleam(oval(250, 402, 70, 12), oval(320, 424, 184, 58), 0.35, 6)
    scene.solid(slab(282, 498, 358, 548, 16), drum(INK), 5)
    scene.fill(oval(226, 514, 7), flat((240, 70, 50)))
    scene.fill(oval(418, 514, 7), flat((110, 220, 110)))
    return scene


PICTURES: dict[str, Callable[[], Scene]] = {
    "rice-cooker": rice_cooker,
    "air-fryer": air_fryer,
    "microwave": microwave,
    "induction-hob": induction_hob,
    "slow-cooker": slow_cooker,
    "waffle-maker": waffle_maker,
}
