import base64
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from documents import encoded, photo
from PIL import Image

from mmchat.errors import FileRejected, QueryError
from mmchat.pictures import load_picture, open_image, to_jpeg


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
    assert open_image(to_jpeg(Image.new("RGB", (900, 300)), 384)).size == (384, 128)


def test_messages_name_the_formats_that_are_read():
    with pytest.raises(QueryError, match="Expected JPEG, PNG, WebP, GIF, TIFF, BMP or HEIC"):
        open_image(b"not a picture")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_each_format_is_read_whatever_the_file_is_called(tmp_path: Path, kind: str):
    path = tmp_path / "picture.jpg"
    photo().save(path, kind)
    assert load_picture(path, 100, 1600)[1] == (400, 300)


# What writes HEIC is under the GPL, so that the smallest of files comes written out: red beside blue.
HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAWltZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA"
    "AAAAACJpbG9jAAAAAERAAAEAAQAAAAABjQABAAAAAAAAACUAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAA"
    "AA5waXRtAAAAAAABAAAA6WlwcnAAAADKaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNw"
    "AAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFz"
    "wIkAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAQAAAAAEAAAAwAAAAAQAAAAAAAAAC////8AAAAAIAAAAQcGl4aQAA"
    "AAADCAgIAAAAF2lwbWEAAAAAAAAAAQABBIECBIMAAAAtbWRhdAAAACEoAa8ZgO9Jpb//4oYf+a1r/r+yF//y8Sd+JHp/1uRD"
    "bW8="
)


def test_heic_is_read_whatever_the_file_is_called(tmp_path: Path):
    for name in ("phone.heic", "phone.jpg"):
        (tmp_path / name).write_bytes(base64.b64decode(HEIC))
        image, size = load_picture(tmp_path / name, 100, 1600)
        assert image.size == size == (64, 48)
        (red, _, _), (_, _, blue) = image.getpixel((8, 24)), image.getpixel((56, 24))
        assert min(red, blue) > 180


def test_formats_that_start_other_programs_are_not_tried(tmp_path: Path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n")
    with pytest.raises(FileRejected, match="not a picture that can be read"):
        load_picture(path, 100, 1600)


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """Write a PNG of 8 x 8 grey pixels with more chunks before the pixels."""
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x80" * 8) * 8)
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]:
        data += struct.pack(">I", len(content)) + name + content
        data += struct.pack(">I", zlib.crc32(name + content))
    return data


def test_text_and_profiles_that_unpack_to_gigabytes_are_refused():
    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    for chunk in ((b"zTXt", b"Comment\0\0" + bomb), (b"iCCP", b"icc\0\0" + bomb)):
        with pytest.raises(QueryError, match="damaged"):
            open_image(png(chunk))
    assert open_image(png((b"zTXt", b"Comment\0\0" + zlib.compress(b"fine")))).size == (8, 8)


def test_an_animation_of_ten_thousand_frames_costs_its_first():
    frames = [Image.new("P", (8, 8), n % 250) for n in range(10_000)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert open_image(data).size == (8, 8)


@pytest.mark.parametrize(
    ("kind", "lie"),
    [("GIF", slice(6, 10)), ("BMP", slice(18, 26)), ("PNG", slice(16, 24))],
)
def test_a_header_that_lies_about_the_size(kind: str, lie: slice):
    data = bytearray(encoded(photo(), kind))
    data[lie] = b"\x7f" * (lie.stop - lie.start)
    with pytest.raises(QueryError, match=r"max_megapixels|damaged|not a picture"):
        open_image(bytes(data))


def test_sixteen_bits_of_colour_and_of_grey_and_palettes():
    grey = Image.fromarray(np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8))
    shown = np.asarray(open_image(encoded(grey, "TIFF")))
    assert shown[0, 0, 0] == 0
    assert shown[7, 7, 0] == 255
    palette = photo().quantize(16)
    difference = np.asarray(open_image(encoded(palette))).astype(int) - np.asarray(
        palette.convert("RGB")
    )
    assert not difference.any()


def test_cmyk_of_a_jpeg():
    image = open_image(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=95))
    red, _, blue = image.getpixel((4, 4))
    assert blue - red > 90
