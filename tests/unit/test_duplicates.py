import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from documents import encoded, photo
from fpdf import FPDF
from PIL import Image
from support import SHARED_DATA, SmallIndex

from mmchat.ingest.duplicates import find_duplicates, look_of
from mmchat.pictures import open_image
from mmchat.stores.base import PicturePlace, Reference


def place(name: str, image: Image.Image, document: str = "") -> PicturePlace:
    return PicturePlace(f"p:{name}", document or name, name, None, None, look_of(image))


def found(*places: PicturePlace, references: tuple[Reference, ...] = ()) -> dict[str, str]:
    return find_duplicates(places, references)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: open_image(encoded(image, "JPEG", quality=40)),
        lambda image: open_image(encoded(image, "WEBP", quality=60)),
        lambda image: image.resize((image.width * 2, image.height * 2)),
        lambda image: image.resize((image.width * 3 // 4, image.height * 3 // 4)),
    ],
    ids=["JPEG again", "WebP", "twice as large", "three quarters"],
)
def test_the_same_picture_in_another_file(change: Callable[[Image.Image], Image.Image]):
    original = photo()
    assert found(place("a.jpg", original), place("b.jpg", change(original))) == {
        "p:b.jpg": "p:a.jpg"
    }


def test_the_same_shape_in_another_colour_is_another_product():
    assert not found(place("red.jpg", photo("red")), place("blue.jpg", photo("blue")))
    assert not found(place("a.jpg", photo(seed=1)), place("b.jpg", photo(seed=2)))
    red = np.asarray(photo("#c01010"))
    darker = Image.fromarray((red * 0.8).astype(np.uint8))
    assert not found(place("a.jpg", Image.fromarray(red)), place("b.jpg", darker))


def test_which_one_stands_for_the_others():
    image = photo()
    file, figure, other = (
        place("z.jpg", image),
        place("a.pdf#p1-1", image, "a.pdf"),
        place("y.jpg", image),
    )
    assert found(file, figure) == {"p:a.pdf#p1-1": "p:z.jpg"}
    assert found(file, figure, other) == {"p:a.pdf#p1-1": "p:y.jpg", "p:z.jpg": "p:y.jpg"}
    named = (Reference("m.md", "z.jpg", 0),)
    assert found(file, figure, other, references=named) == {
        "p:a.pdf#p1-1": "p:z.jpg",
        "p:y.jpg": "p:z.jpg",
    }


def test_the_document_that_a_figure_is_in_does_not_count_as_naming_it():
    image = photo()
    figure, file = place("a.docx#1", image, "a.docx"), place("z.jpg", image)
    reference = (Reference("a.docx", "a.docx#1", 0),)
    assert found(figure, file, references=reference) == {"p:a.docx#1": "p:z.jpg"}


def test_the_order_of_arrival_changes_nothing():
    places = [place(f"{n}.jpg", photo(seed=n % 4)) for n in range(12)]
    expected = find_duplicates(places, ())
    assert len(expected) == 8
    for seed in range(5):
        random.Random(seed).shuffle(places)
        assert find_duplicates(places, ()) == expected


def test_a_picture_that_stands_for_others_has_none_that_stands_for_it():
    duplicates = find_duplicates([place(f"{n}.jpg", photo(seed=n % 3)) for n in range(30)], ())
    assert not set(duplicates) & set(duplicates.values())


@pytest.mark.parametrize(
    ("pattern", "pairs"),
    [
        ("grocery/catalog/**/*.jpg", set()),
        ("outfitter/images/*", set()),
        # One photo each, which the shop shows for both colours.
        (
            "apparel/images/*.jpg",
            {
                ("mp09-blue-main.jpg", "mp09-black-main.jpg"),
                ("mp12-blue-main.jpg", "mp12-black-main.jpg"),
            },
        ),
    ],
)
def test_no_two_products_of_a_real_shop_are_taken_for_one(
    pattern: str, pairs: set[tuple[str, str]]
):
    paths = sorted(SHARED_DATA.glob(pattern))
    if not paths:
        pytest.skip("the data is not beside the project (../shared/data)")
    places = [place(path.name, Image.open(path)) for path in paths]
    assert {(a[2:], b[2:]) for a, b in find_duplicates(places, ()).items()} == pairs


def shown(index: SmallIndex) -> set[str]:
    reader = index.reader()
    vector = index.images.encode_texts(["red"])[0]
    hits = [scored.item for scored in reader.search_images(vector, 99)]
    return {picture.name for picture in reader.pictures(hits).values()}


def test_an_index_shows_one_of_them_and_counts_the_others(small_index, write):
    folder = write("kettle.md", "# Kettle\n\n![The kettle](b.jpg) It boils.")
    write("other.md", "# Other\n\n![Also the kettle](c.jpg) It is sold here too.")
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        photo().save(folder / name)
    photo("blue").save(folder / "d.jpg")
    report = small_index.build(folder)
    assert (report.pictures, report.duplicates, report.dropped) == (4, 2, 0)
    assert shown(small_index) == {"b.jpg", "d.jpg"}
    reader = small_index.reader()
    (other,) = reader.search_words("sold here", 1)
    (picture,) = reader.pictures_of([other.item])[other.item]
    assert reader.pictures([picture])[picture].name == "b.jpg", "it stands for c.jpg there too"


def test_when_the_one_that_is_shown_goes_another_comes_back(small_index, write, tmp_path: Path):
    folder = write("a.md", "Words.")
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        photo().save(folder / name)
    small_index.build(folder)
    assert shown(small_index) == {"a.jpg"}
    (folder / "a.jpg").unlink()
    report = small_index.build(folder)
    assert (report.embedded, report.duplicates) == (0, 1)
    assert shown(small_index) == {"b.jpg"}
    write("a.md", "![It](c.jpg) Words.")
    small_index.build(folder)
    clean = SmallIndex(tmp_path / "clean")
    assert clean.build(folder).duplicates == 1
    assert shown(small_index) == shown(clean) == {"c.jpg"}


def test_a_logo_on_every_page_is_shown_once_and_belongs_to_its_page(small_index, write):
    folder = write("x.txt", "Other words.")
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    for number in range(6):
        pdf.add_page()
        pdf.image(photo("green", (200, 100)), x=150, y=5, w=40)
        pdf.text(20, 60, f"Chapter {number * 7} is about topic{number}.")
    pdf.image(photo("red", seed=5), x=20, y=100, w=80)
    pdf.output(folder / "manual.pdf")
    report = small_index.build(folder)
    assert (report.pictures, report.duplicates) == (7, 5)
    assert shown(small_index) == {"manual.pdf#p1-1", "manual.pdf#p6-2"}
    reader = small_index.reader()
    (last,) = reader.search_words("topic5", 1)
    (picture,) = reader.pictures_of([last.item])[last.item]
    assert reader.pictures([picture])[picture].name == "manual.pdf#p6-2"


def test_icons_and_lines_among_the_files_are_counted_and_left_out(small_index, write):
    folder = write("a.md", "Words.")
    photo(size=(32, 32)).save(folder / "icon.png")
    Image.new("RGB", (800, 3)).save(folder / "line.gif")
    photo().save(folder / "photo.jpg")
    report = small_index.build(folder)
    assert (report.pictures, report.dropped) == (1, 2)
    assert small_index.build(folder).dropped == 2, "nothing was read again"
    (folder / "icon.png").unlink()
    assert small_index.build(folder).dropped == 1


def test_a_caption_of_its_own_outlives_a_change(small_index, write):
    folder = write("x.txt", "Words.")
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.text(20, 20, "Above it.")
    pdf.image(photo(), x=20, y=30, w=80)
    pdf.text(20, 97, "Figure 1: The lid")
    pdf.output(folder / "manual.pdf")
    small_index.build(folder)
    write("x.txt", "Other words.")
    small_index.build(folder)
    reader = small_index.reader()
    hit = reader.search_images(small_index.images.encode_texts(["red"])[0], 1)[0].item
    assert reader.pictures([hit])[hit].caption == "Figure 1: The lid"


def test_many_are_compared_in_little_time():
    """Ten thousand looks, a tenth of them duplicates; all pairs would be fifty million."""
    chance = np.random.default_rng(0)
    looks = [chance.bytes(32 + 768) for _ in range(9_000)]
    looks += looks[:1_000]
    places = [
        PicturePlace(f"{n:05}", f"{n:05}", f"{n:05}", None, None, look)
        for n, look in enumerate(looks)
    ]
    assert len(find_duplicates(places, ())) == 1_000


def test_same_bytes_under_two_names(small_index, write):
    folder = write("a.md", "Words.")
    photo().save(folder / "one.jpg")
    shutil.copy(folder / "one.jpg", folder / "two.jpg")
    assert small_index.build(folder).duplicates == 1
