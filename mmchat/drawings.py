"""Draw SVG files, which are programs rather than pictures: they name files, repeat and nest at will.

resvg runs no script and opens no address, but it does open whatever file a drawing names. So the drawing
is read here first, with expat (which ends an entity that grows without end), and written again without
anything that leads out of it. What is left over is bounded in its elements, its depth and its size.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from mmchat.errors import FileRejected

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_ELEMENTS = 100_000
MAX_REPEATED = 300_000
MAX_DEPTH = 100
_SVG = "{http://www.w3.org/2000/svg}"
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
# What runs, what brings in other documents, and the filters whose cost no size of the picture bounds.
_LEFT_OUT = frozenset(
    {"script", "foreignObject", "feImage", "feTurbulence", "feConvolveMatrix", "feMorphology"}
)
# Naming one of these repeats nothing.
_PAINTS = frozenset({f"{_SVG}linearGradient", f"{_SVG}radialGradient"})
_LENGTH = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(px|pt|pc|mm|cm|in|em|ex)?\s*$")
# CSS pixels in a unit (CSS Values and Units, 5.2); em and ex as of a font of 16 px.
_UNITS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96}
_UNITS |= {"em": 16, "ex": 8}
_URL = re.compile(r"url\(\s*['\"]?#([^)'\"]+)")
_NO_SIZE = (100.0, 100.0)


def draw(
    content: bytes, name: str, longest: int, max_megapixels: float
) -> tuple[Image, tuple[int, int]]:
    """Draw an SVG file on white.

    Args:
        content: the file.
        name: what messages call it.
        longest: pixels of the longer side of the result; a drawing has no pixels of its own.
        max_megapixels: of a picture inside of the drawing, at most (millions of pixels).

    Returns:
        the RGB image, and the width and height that the drawing gives itself, in CSS pixels.

    Raises:
        FileRejected: it is no SVG, or breaks a limit.
    """
    import resvg_py
    from PIL import Image

    root = _read(content, name)
    width, height = _size(root)
    if not all(0 < side < math.inf for side in (width, height)):
        width, height = _NO_SIZE
    scale = longest / max(width, height)
    pixels = (max(1, round(width * scale)), max(1, round(height * scale)))
    _make_harmless(root, name, max_megapixels)
    root.set("viewBox", root.get("viewBox") or f"0 0 {width} {height}")
    root.set("width", str(pixels[0]))
    root.set("height", str(pixels[1]))
    text = ElementTree.tostring(root, encoding="unicode")
    try:
        # Looking for the fonts of the system takes longer than most drawings.
        png = resvg_py.svg_to_bytes(
            svg_string=text, skip_system_fonts=root.find(f".//{_SVG}text") is None
        )
        drawn = Image.open(io.BytesIO(bytes(png)))
        drawn.load()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        raise FileRejected(
            f"{name} cannot be drawn ({error}). Open it in a drawing program and save it as PNG."
        ) from error
    ground = Image.new("RGB", drawn.size, "white")
    ground.paste(drawn, mask=drawn.getchannel("A") if "A" in drawn.getbands() else None)
    own = (max(1, round(min(width, 1e6))), max(1, round(min(height, 1e6))))
    return ground, own


def _read(content: bytes, name: str) -> ElementTree.Element:
    parser: ElementTree.XMLPullParser[ElementTree.Element] = ElementTree.XMLPullParser(
        events=("start", "end")
    )
    depth = elements = 0
    try:
        for start in range(0, len(content), 1 << 16):
            parser.feed(content[start : start + (1 << 16)])
            for event in parser.read_events():
                depth += 1 if event[0] == "start" else -1
                elements += event[0] == "start"
                if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
                    raise FileRejected(
                        f"{name} has more than {MAX_ELEMENTS} elements or nests them more than "
                        f"{MAX_DEPTH} deep. Save it as PNG instead."
                    )
        parser.close()
        tree = ElementTree.fromstring(content)  # noqa: S314 (just seen to be bounded)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise FileRejected(
            f"{name} is not an SVG drawing that can be read ({error}). Open it in a drawing program "
            "and save it again."
        ) from error
    if tree.tag != f"{_SVG}svg":
        raise FileRejected(
            f"{name} is not an SVG drawing: it holds <{tree.tag}>. Expected <svg> of "
            "http://www.w3.org/2000/svg."
        )
    return tree


def _size(root: ElementTree.Element) -> tuple[float, float]:
    """Return width and height in CSS pixels, from the attributes or else from the view box."""
    box = [
        float(n)
        for n in re.findall(r"-?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?", root.get("viewBox", ""))
    ]
    boxed = (box[2], box[3]) if len(box) == 4 and min(box[2:]) > 0 else None
    width, height = _length(root.get("width", "")), _length(root.get("height", ""))
    if width and height:
        return width, height
    if boxed is None:
        return (width or _NO_SIZE[0], height or _NO_SIZE[1])
    if width:
        return width, width * boxed[1] / boxed[0]
    return (height * boxed[0] / boxed[1], height) if height else boxed


def _length(value: str) -> float | None:
    match = _LENGTH.match(value)
    if match is None:
        return None
    pixels = float(match[1]) * _UNITS[match[2] or ""]
    return pixels if 0 < pixels < math.inf else None


def _make_harmless(root: ElementTree.Element, name: str, max_megapixels: float) -> None:
    """Take out what runs and what leads out of the file; refuse what repeats without bound."""
    for parent in root.iter():
        for child in list(parent):
            tag = child.tag.rpartition("}")[2]
            if tag in _LEFT_OUT or (
                tag == "image" and not _is_harmless_image(child, name, max_megapixels)
            ):
                parent.remove(child)
    try:
        repeated = _Repeats(root).count()
    except RecursionError:
        repeated = MAX_REPEATED + 1
    if repeated > MAX_REPEATED:
        raise FileRejected(
            f"{name} repeats its parts more than {MAX_REPEATED} times. Save it as PNG instead."
        )


def _is_harmless_image(image: ElementTree.Element, name: str, max_megapixels: float) -> bool:
    """Tell whether an image is inside of the drawing itself, and bounded when it is decoded."""
    from mmchat.pictures import load_picture

    href = next((image.get(key) for key in _HREFS if image.get(key)), "") or ""
    head, _, data = href.partition(",")
    if not head.startswith("data:image/") or "svg" in head:
        return False
    try:
        raw = base64.b64decode(data) if head.endswith(";base64") else unquote_to_bytes(data)
        if b"<svg" in raw[:1024]:
            return False
        load_picture(raw, max_megapixels, 64, name)
    except (binascii.Error, ValueError, FileRejected):
        return False
    return True


class _Repeats:
    """How many elements a drawing grows to when what it names is drawn wherever it is named."""

    def __init__(self, root: ElementTree.Element) -> None:
        self._root = root
        self._by_id = {e.get("id", ""): e for e in root.iter() if e.tag not in _PAINTS}
        self._weights: dict[str, int] = {}

    def count(self) -> int:
        return self._weigh(self._root, ())

    def _weigh(self, element: ElementTree.Element, within: tuple[str, ...]) -> int:
        total = 0
        for part in element.iter():
            total += 1
            for target in _targets(part):
                if target in within or (named := self._by_id.get(target)) is None:
                    continue  # resvg draws no loop
                if target not in self._weights:
                    self._weights[target] = self._weigh(named, (*within, target))
                total += self._weights[target]
            if total > MAX_REPEATED:
                break
        return total


def _targets(element: ElementTree.Element) -> list[str]:
    """Return the ids of the elements that an element brings in: `href="#a"`, `fill="url(#a)"`."""
    found = [href[1:] for key in _HREFS if (href := element.get(key, "")).startswith("#")]
    for value in element.attrib.values():
        found += _URL.findall(value)
    return found
