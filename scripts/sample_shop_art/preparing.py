"""Appliances that blend, mix, press and weigh."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Scene
from .shapes import (
    BLACK,
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
    trapeze,
    turn,
)

GREEN: Colour = (62, 128, 82)
MINT: Colour = (150, 214, 190)
ORANGE: Colour = (240, 130, 34)
SLATE: Colour = (74, 88, 104)


def blender() -> Scene:
    """A green-based blender with a glass jug full of smoothie."""
    scene = Scene((232, 229, 222))
    scene.shadow(316, 540, 150, 20)
    scene.cable([(420, 528), (500, 545), (560, 526), (620, 540)])
    scene.tube(curve([(408, 150), (486, 148), (494, 240), (466, 330), (388, 348)]), 24, STEEL)
    jug = trapeze(128, 382, (206, 420), (240, 386))
    scene.fill(jug, across((190, 206, 212), (244, 250, 252), (214, 226, 232), (170, 186, 194)))
    berry: Colour = (206, 70, 120)
    smooth = blob((190, 216), (260, 206), (330, 220), (440, 206), (440, 400), (190, 400))
    scene.fill(
        smooth, across(dark(berry, 0.2), light(berry, 0.2), berry, dark(berry, 0.25)), 0, jug
    )
    scene.line(bend((212, 214), (300, 224), (412, 212)), 6, flat(light(berry, 0.5), 0.8))
    for x, y, r in ((262, 262, 13), (340, 248, 10), (300, 300, 15), (356, 312, 11)):
        scene.solid(oval(x, y, r), flat(dark(berry, 0.25)), 3)
    for index, level in enumerate(range(180, 380, 34)):
        scene.line([(372 - index * 4, level), (396 - index * 4, level)], 3, flat(WHITE, 0.85))
    scene.gleam([(228, 140), (252, 140), (272, 376), (252, 376)], jug, 0.6, 4)
    scene.ring(jug, 3, flat((130, 146, 154), 0.7))
    for angle in (-28, 28):
        scene.line(turn([(284, 366), (342, 366)], angle, (313, 368)), 5, flat(STEEL))
    scene.solid(slab(192, 98, 434, 134, 12), drum(INK), 5)
    scene.solid(slab(272, 72, 354, 102, 10), drum(INK), 4)
    scene.solid(slab(228, 378, 398, 406, 8), drum(INK), 4)
    base = [*bend((236, 404), (222, 450), (184, 540)), *bend((442, 540), (404, 450), (390, 404))]
    scene.solid(base, drum(GREEN), 9)
    scene.fill(slab(170, 522, 456, 544), flat(INK), 0, base)
    scene.fill(oval(313, 468, 46), chrome())
    scene.knob(313, 468, 38, IVORY, 40)
    for x in (240, 386):
        scene.solid(oval(x, 492, 11), face(STEEL), 3)
    return scene


def beater(scene: Scene, x: float) -> None:
    """One wire whisk that hangs from the mixer."""
    scene.tube([(x, 330), (x, 410)], 10, STEEL)
    for reach in (40, 16):
        for side in (-1, 1):
            wire = curve(
                [
                    (x, 404),
                    (x + side * reach, 432),
                    (x + side * reach * 1.02, 488),
                    (x + side * reach * 0.5, 522),
                    (x, 530),
                ]
            )
            scene.tube(wire, 8, STEEL)
    scene.solid(oval(x, 406, 9, 7), chrome(), 2)


def hand_mixer() -> Scene:
    """A mint hand mixer with two wire beaters."""
    scene = Scene((234, 228, 226))
    scene.shadow(240, 540, 110, 12, 0.25)
    scene.cable([(520, 250), (580, 280), (590, 400), (560, 500), (620, 540)], STEEL)
    for x in (190, 280):
        beater(scene, x)
    grip = curve([(160, 250), (150, 150), (230, 112), (400, 112), (510, 140), (520, 250)])
    scene.tube(grip, 50, MINT)
    scene.tube(curve([(220, 116), (320, 104), (430, 112)]), 20, light(MINT, 0.3))
    body = blob(
        (112, 280),
        (130, 226),
        (210, 208),
        (360, 214),
        (500, 204),
        (548, 240),
        (540, 290),
        (480, 322),
        (340, 340),
        (180, 340),
        (124, 322),
    )
    scene.solid(body, down(light(MINT, 0.4), MINT, dark(MINT, 0.22)), 12)
    scene.gleam(blob((150, 250), (240, 228), (400, 232), (240, 244)), body, 0.75, 4)
    for x in (190, 280):
        scene.solid(slab(x - 24, 322, x + 24, 352, 9), drum(IVORY), 4)
    scene.solid(slab(206, 78, 268, 104, 12), face(IVORY), 4)
    for index in range(5):
        scene.fill(oval(300 + index * 26, 98, 5), flat(WHITE, 0.9))
    scene.vents(410, 500, (246, 260, 274, 288), 5, dark(MINT, 0.6))
    scene.knob(346, 280, 27, IVORY, 20)
    return scene


def orange(scene: Scene, cx: float, cy: float, radius: float) -> None:
    """An orange, whole."""
    scene.shadow(cx, cy + radius - 2, radius * 0.8, 7, 0.3)
    scene.solid(oval(cx, cy, radius), down(light(ORANGE, 0.25), ORANGE), radius / 4)
    scene.fill(oval(cx + 4, cy - radius * 0.6, 4, 3), flat((90, 120, 50)))


def juicer() -> Scene:
    """An upright orange slow juicer that fills a glass."""
    scene = Scene((222, 230, 232))
    scene.shadow(330, 540, 210, 20)
    chute = trapeze(66, 180, (296, 410), (308, 398))
    scene.solid(slab(284, 56, 422, 78, 8), drum(INK), 4)
    scene.fill(chute, across((186, 200, 206), (246, 250, 252), (176, 190, 198)))
    scene.solid(oval(352, 140, 36), down(light(ORANGE, 0.3), ORANGE), 7, chute)
    scene.gleam([(314, 72), (326, 72), (332, 180), (322, 180)], chute, 0.7, 3)
    scene.ring(chute, 3, flat((130, 146, 154), 0.7))
    drum_body = slab(246, 176, 460, 332, 20)
    scene.fill(drum_body, across((176, 190, 196), (240, 246, 248), (160, 176, 184)))
    scene.fill(slab(252, 236, 454, 332, 12), flat(ORANGE, 0.75), 2, drum_body)
    scene.fill(trapeze(190, 330, (334, 372), (312, 394)), chrome())
    for index in range(5):
        scene.line(
            [(314 + index, 212 + index * 26), (392 - index, 196 + index * 26)], 6, flat(INK, 0.5)
        )
    scene.gleam(slab(262, 186, 278, 324, 8), drum_body, 0.6, 4)
    scene.ring(drum_body, 4, flat((130, 146, 154), 0.8))
    scene.solid(slab(240, 168, 466, 190, 8), drum(INK), 4)
    scene.solid(slab(246, 326, 460, 350, 6), drum(INK), 4)
    scene.solid([(250, 294), (190, 302), (190, 326), (250, 330)], drum(INK), 4)
    motor = [*bend((262, 348), (262, 460), (240, 540)), *bend((468, 540), (446, 460), (446, 348))]
    scene.solid(motor, drum(ORANGE), 10)
    scene.fill(slab(230, 520, 480, 544), flat(INK), 0, motor)
    scene.knob(354, 428, 32, IVORY, 0)
    scene.vents(322, 388, (486, 498), 5, dark(ORANGE, 0.6))
    scene.line([(203, 326), (203, 440)], 9, flat(ORANGE))
    glass = trapeze(386, 548, (154, 252), (164, 242))
    scene.shadow(204, 550, 50, 8)
    scene.fill(glass, flat((240, 246, 250), 0.55))
    scene.fill(
        slab(150, 432, 256, 542), across(dark(ORANGE, 0.08), light(ORANGE, 0.3), ORANGE), 0, glass
    )
    scene.fill(oval(203, 433, 45, 7), flat(light(ORANGE, 0.45)), 0, glass)
    scene.gleam([(164, 392), (176, 392), (182, 544), (172, 544)], glass, 0.6, 2)
    scene.ring(glass, 2.5, flat((140, 154, 162), 0.8))
    orange(scene, 530, 504, 42)
    orange(scene, 100, 520, 34)
    return scene


def lemon(scene: Scene, cx: float, cy: float, tilt: float) -> None:
    """A lemon that lies on the scale."""
    peel: Colour = (246, 212, 60)
    body = blob(
        (cx - 58, cy),
        (cx - 36, cy - 30),
        (cx + 10, cy - 38),
        (cx + 44, cy - 20),
        (cx + 62, cy),
        (cx + 44, cy + 22),
        (cx + 6, cy + 36),
        (cx - 38, cy + 28),
    )
    scene.solid(turn(body, tilt, (cx, cy)), down(light(peel, 0.35), peel, dark(peel, 0.15)), 9)


def kitchen_scale() -> Scene:
    """A slate glass scale with three lemons and a lit display."""
    scene = Scene((232, 230, 224))
    scene.shadow(320, 520, 262, 26)
    top: Outline = [
        *bend((150, 306), (320, 292), (490, 306)),
        *bend((510, 308), (588, 480), (584, 486)),
        *bend((580, 500), (320, 510), (60, 500)),
        *bend((52, 486), (52, 480), (130, 308)),
    ]
    edge: Outline = [
        *bend((54, 488), (320, 512), (586, 488)),
        *bend((584, 512), (320, 538), (56, 512)),
    ]
    scene.solid(edge, down(light(SLATE, 0.2), dark(SLATE, 0.45)), 4)
    scene.solid(top, down(light(SLATE, 0.24), SLATE, dark(SLATE, 0.15)), 4)
    scene.gleam([(180, 300), (260, 300), (170, 500), (60, 500)], top, 0.15, 4)
    scene.fill(oval(322, 376, 176, 44), flat(BLACK, 0.3), 8, top)
    plate = oval(320, 366, 178, 48)
    scene.solid(oval(320, 374, 178, 48), chrome(), 3)
    scene.solid(plate, down(light(STEEL, 0.5), STEEL), 4)
    scene.fill(oval(320, 380, 130, 24), flat(BLACK, 0.28), 7, plate)
    lemon(scene, 262, 342, -14)
    lemon(scene, 384, 346, 20)
    lemon(scene, 322, 286, 4)
    screen: Outline = [(232, 438), (408, 438), (416, 484), (224, 484)]
    scene.solid(screen, down((168, 200, 176), (196, 222, 198)), 3)
    scene.digits("342", 270, 446, 30, INK)
    scene.ring(oval(364, 466, 7), 3.5, flat(INK))
    scene.line([(371, 460), (371, 476), (362, 480)], 3.5, flat(INK))
    for x in (160, 478):
        scene.ring(oval(x, 462, 21, 14), 2.5, flat(WHITE, 0.85))
    scene.line([(160, 453), (160, 462)], 3, flat(WHITE))
    scene.line([(468, 462), (488, 462)], 3, flat(WHITE))
    return scene


PICTURES: dict[str, Callable[[], Scene]] = {
    "blender": blender,
    "hand-mixer": hand_mixer,
    "juicer": juicer,
    "kitchen-scale": kitchen_scale,
}
