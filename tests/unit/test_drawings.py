import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from documents import encoded, needs_korean, photo
from PIL import Image

from mmchat.drawings import draw
from mmchat.errors import FileRejected, QueryError
from mmchat.pictures import load_picture, open_image

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
BLUE = '<rect width="100%" height="100%" fill="blue"/>'


def drawn(inside: str, head: str = 'width="100" height="50"', before: str = "") -> Image.Image:
    return draw(f"{before}<svg {SVG} {head}>{inside}</svg>".encode(), "x.svg", 400, 100)[0]


def colours(image: Image.Image) -> set[tuple[int, int, int]]:
    return {colour for _, colour in image.getcolors(1 << 20)}


def test_a_drawing_is_drawn_on_white_as_large_as_pictures_are_kept():
    content = f'<svg {SVG} width="100" height="50"><rect width="50" height="50" fill="red"/></svg>'
    image, size = draw(content.encode(), "x.svg", 400, 100)
    assert (image.size, size) == ((400, 200), (100, 50))
    assert image.getpixel((100, 100)) == (255, 0, 0)
    assert image.getpixel((300, 100)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ('width="2in" height="1in"', (192, 96)),
        ('viewBox="0 0 30 60"', (30, 60)),
        ('width="60" viewBox="0 0 30 60"', (60, 120)),
        ('width="100%" height="100%" viewBox="5 5 30 60"', (30, 60)),
        ("", (100, 100)),
        ('width="0" height="-3"', (100, 100)),
        ('width="nonsense" viewBox="a b"', (100, 100)),
        ('viewBox="0 0 1e999 5"', (100, 100)),
        ('width="1e-300" viewBox="0 0 1e300 1e-300"', (100, 100)),
        ('width="1e300" height="1e300"', (1_000_000, 1_000_000)),
        ('width="1e9" height="1"', (1_000_000, 1)),
    ],
)
def test_any_size_that_a_drawing_gives_itself(head: str, size: tuple[int, int]):
    image, own = draw(f"<svg {SVG} {head}>{BLUE}</svg>".encode(), "x.svg", 400, 100)
    assert own == size
    assert max(image.size) == 400


@pytest.mark.parametrize("link", ["file:///{}", "{}", "http://127.0.0.1:9/{}", "//host/{}"])
def test_no_file_and_no_address_is_opened(tmp_path: Path, link: str):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (50, 50), "red").save(secret)
    href = link.format(secret)
    for attribute in ("href", "xlink:href"):
        image = drawn(f'{BLUE}<image {attribute}="{href}" width="50" height="50"/>')
        assert colours(image) == {(0, 0, 255)}
    nested = base64.b64encode(
        f'<svg {SVG} width="9" height="9"><image href="{secret}" width="9" height="9"/></svg>'.encode()
    ).decode()
    for kind in ("image/svg+xml", "image/png"):
        data = f"data:{kind};base64,{nested}"
        assert colours(drawn(f'{BLUE}<image href="{data}" width="50" height="50"/>')) == {
            (0, 0, 255)
        }
    assert colours(drawn(f'{BLUE}<use href="{secret}#a"/>')) == {(0, 0, 255)}


def test_a_picture_inside_of_a_drawing_is_drawn():
    data = base64.b64encode(encoded(Image.new("RGB", (20, 20), "red"))).decode()
    image = drawn(f'<image href="data:image/png;base64,{data}" width="50" height="50"/>')
    assert image.getpixel((100, 100)) == (255, 0, 0)


def test_a_huge_picture_inside_of_a_drawing_is_left_out():
    data = base64.b64encode(encoded(Image.new("1", (12_000, 12_000)))).decode()
    image = drawn(f'{BLUE}<image href="data:image/png;base64,{data}" width="50" height="50"/>')
    assert colours(image) == {(0, 0, 255)}


def test_scripts_are_left_out():
    image = drawn(
        f'{BLUE}<script>while(true){{}}</script><foreignObject width="9" height="9">'
        '<body xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></body></foreignObject>'
        '<rect onclick="alert(1)" width="1" height="1" fill="blue"/>'
    )
    assert colours(image) == {(0, 0, 255)}


LAUGHS = (
    "<!DOCTYPE svg ["
    + '<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
USES = '<g id="u0"><rect width="1" height="1"/></g>' + "".join(
    f'<g id="u{n}">' + f'<use href="#u{n - 1}"/>' * 10 + "</g>" for n in range(1, 10)
)
PATTERNS = "".join(
    f'<pattern id="p{n}" width="1" height="1">'
    + f'<rect width="1" height="1" fill="url(#p{n - 1})"/>' * 10
    + "</pattern>"
    for n in range(1, 10)
)


@pytest.mark.parametrize(
    "content",
    [
        f"{LAUGHS}<svg {SVG}><text>&a9;</text></svg>",
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg {SVG}><text>&x;</text></svg>',
        f"<svg {SVG}>{USES}</svg>",
        f'<svg {SVG}>{PATTERNS}<rect width="9" height="9" fill="url(#p9)"/></svg>',
        f'<svg {SVG}><g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g></svg>',
        f"<svg {SVG}>" + "<g>" * 5000 + "</g>" * 5000 + "</svg>",
        f"<svg {SVG}>" + "<g/>" * 200_000 + "</svg>",
        f"<svg {SVG}><rect",
        "<html></html>",
        "<svg></svg>",
        "",
    ],
    ids=[
        "billion laughs",
        "a file as an entity",
        "uses of uses",
        "patterns of patterns",
        "two that use each other",
        "deep",
        "many",
        "cut off",
        "another language",
        "no namespace",
        "empty",
    ],
)
def test_what_has_no_bounds_is_refused_with_a_reason(write: Callable[..., Path], content: str):
    path = write("bad.svg", content) / "bad.svg"
    with pytest.raises(FileRejected, match=r"bad\.svg"):
        load_picture(path, 100, 400)


@pytest.mark.parametrize(
    "inside",
    [
        '<use id="a" href="#a"/>',
        '<pattern id="p" width="1" height="1"><rect fill="url(#p)"/></pattern><rect fill="url(#p)"/>',
        '<filter id="f"><feTurbulence numOctaves="1000000000"/></filter>'
        '<rect width="9" height="9" filter="url(#f)"/>',
        '<filter id="f"><feGaussianBlur stdDeviation="1e30"/></filter>'
        '<rect width="9" height="9" filter="url(#f)"/>',
        '<style>@import url("file:///etc/passwd"); rect { fill: url(http://127.0.0.1:9/x) }</style>',
        '<path d="M 1e999 0 L NaN 5"/>',
        '<rect width="-1" height="1e400"/>',
    ],
)
def test_what_goes_round_in_circles_is_drawn_all_the_same(inside: str):
    assert drawn(BLUE + inside).size == (400, 200)


def test_the_ending_of_a_name_does_not_matter(tmp_path: Path):
    path = tmp_path / "drawing.png"
    path.write_text(f'<?xml version="1.0"?>\n<svg {SVG} width="8" height="8">{BLUE}</svg>')
    assert load_picture(path, 100, 64)[0].getpixel((5, 5)) == (0, 0, 255)
    path = tmp_path / "photo.svg"
    photo().save(path, "JPEG")
    with pytest.raises(FileRejected, match=r"photo\.svg"):
        load_picture(path, 100, 64)


def test_nobody_asks_with_a_drawing():
    with pytest.raises(QueryError, match="not a picture that can be read"):
        open_image(f"<svg {SVG}>{BLUE}</svg>".encode())


@needs_korean
def test_letters_are_drawn():
    image = drawn('<text x="10" y="30" font-family="NanumGothic" font-size="20">물통</text>')
    assert len(colours(image)) > 2
