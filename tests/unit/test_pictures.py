import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmchat.errors import QueryError
from mmchat.pictures import load_picture, open_image, to_jpeg


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_path_bytes_and_a_pil_image_give_the_same(tmp_path: Path):
    image = Image.effect_noise((40, 30), 80).convert("RGB")
    path = tmp_path / "noise.png"
    image.save(path)
    opened = [open_image(source) for source in (path, str(path), path.read_bytes(), image)]
    assert all(np.array_equal(one, image) for one in opened)


def test_transparent_becomes_white():
    image = Image.new("RGBA", (2, 2), (255, 0, 0, 0))
    assert open_image(encoded(image)).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (2, 2), 0)
    palette.info["transparency"] = 0
    assert open_image(encoded(palette, transparency=0)).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "I", "YCbCr", "RGBA"])
def test_every_mode_becomes_rgb(mode: str):
    assert open_image(Image.new(mode, (4, 4))).mode == "RGB"


def test_sixteen_bits_keep_their_brightness():
    image = Image.fromarray(np.full((4, 4), 32768, dtype=np.uint16))
    assert 120 <= open_image(encoded(image)).getpixel((0, 0))[0] <= 136


def test_a_photo_is_turned_upright(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    path = tmp_path / "side.jpg"
    Image.new("RGB", (400, 200), "red").save(path, exif=exif)
    image, size = load_picture(path, 100, 1600)
    assert image.size == size == (200, 400)


def test_a_large_picture_is_scaled_and_its_size_remembered(tmp_path: Path):
    path = tmp_path / "large.jpg"
    Image.new("RGB", (3000, 1000), "blue").save(path)
    image, size = load_picture(path, 100, 600)
    assert size == (3000, 1000)
    assert image.size == (600, 200)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "empty"),
        (b"not a picture", "not a picture"),
        ("absent.jpg", "no such file"),
        (encoded(Image.effect_noise((99, 99), 50), "JPEG")[:900], "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 30, "not a picture"),
    ],
)
def test_what_is_not_a_picture_is_refused(source: bytes | str, said: str):
    with pytest.raises(QueryError, match=said):
        open_image(source)


def test_a_picture_that_would_be_too_large():
    with pytest.raises(QueryError, match="max_megapixels"):
        open_image(encoded(Image.new("1", (3000, 1000))), max_megapixels=2)


def test_animations_give_their_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert open_image(data).getpixel((0, 0)) == (255, 0, 0)


def test_thumbs_are_small():
    assert Image.open(io.BytesIO(to_jpeg(Image.new("RGB", (900, 300)), 384))).size == (384, 128)
