"""Tags: the owner's names of things, what a score is worth, and what becomes of a tag in an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support import SmallIndex, ThingsEncoder, drawing

import mmchat
from mmchat.conditions import Filter
from mmchat.config import TagsConfig
from mmchat.errors import ConfigError, QueryError
from mmchat.filters import parse_conditions
from mmchat.ingest.pipeline import Pipeline
from mmchat.serialise import hit_values
from mmchat.stores.base import Naming, Scale, Thing
from mmchat.tags.kinds import given, kind_of, same_thing, vocabulary_of
from mmchat.tags.others import OTHERS
from mmchat.tags.probability import Background, Known, fit, probabilities
from mmchat.tags.tagger import Tagger
from mmchat.types import Hit, IndexReport, Query, Tag

Write = Callable[[str, str | bytes], Path]
SURE = Scale(slope=2.0, others=-2.0)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("red kettle 1.7 l", "kettle"),
        ("Lumbrook Jug Kettle 1.0 l, black", "kettle"),
        ("Carbon Fiber Trekking Poles", "poles"),
        ("Filter Coffee Maker, black", "coffee maker"),
        ("Washing Machine 8 kg (white)", "washing machine"),
        ("Explorer 45L Backpack", "backpack"),
        ("Backpack for hikers", "backpack"),
        ("빨간 주전자 1.7리터", "주전자"),
        ("무선 청소기 VC-200", "청소기"),
        ("KT-101", ""),
        ("8809012345678", ""),
        ("Maker", ""),
        ("User manual", ""),
        ("What does delivery cost?", ""),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_a_title_names_a_kind_of_thing(title: str, kind: str):
    assert kind_of(title) == kind


def test_the_vocabulary_has_kinds_with_their_categories():
    things = [
        Thing("Acme kettle 1 l", {"category": "Shop/Kitchen/Kettles & Pots", "sku": "KT-1"}),
        Thing("Acme Kettles", {"Category": "Kettles", "colour": "red"}),
        Thing("Acme lamp", {"분류": "조명"}),
        Thing("TS-400", {"category": "Toasters"}),
        Thing("X-1", {"category": 12}),
    ]
    found = vocabulary_of(things, ["desk-lamps", "IMG", "2024", "사진", "냉장고"])
    wider = dict(zip(found.names, found.categories, strict=True))
    assert wider == {"kettle": "pots", "lamp": "조명", "냉장고": "", "toasters": ""}
    assert found.names[0] == "kettle"
    assert vocabulary_of([], []).names == ()
    assert same_thing("Kettles") == same_thing("kettle")
    assert same_thing("glass") == "glass"
    assert given([" kettle ", "kettle", ""]).names == ("kettle",)


def test_a_brand_is_no_thing():
    things = [Thing(f"Acme {name}", {}) for name in ("Kettle", "Toaster", "Lamp")]
    found = vocabulary_of([*things, Thing("Acme", {})], [])
    assert found.names == ("kettle", "lamp", "toaster")


def test_of_ten_thousand_names_the_most_frequent_are_kept():
    letters = "abcdefghij"
    names = ["".join(letters[int(d)] for d in f"{n:05d}") + "ware" for n in range(10_000)]
    things = [Thing(name, {}) for name in [*names, names[-1]]]
    kept = vocabulary_of(things, []).names
    assert len(kept) == 1000
    assert kept[0] == names[-1]


def test_probabilities_leave_room_for_none_and_shrink_with_more_names():
    scores = np.array([[6.0, 1.0]], np.float32)
    rivals = np.array([[0.0, 1.0, -1.0]], np.float32)
    few = probabilities(scores, rivals, SURE)
    assert few[0, 0] > 0.9
    assert few.sum() < 1
    many = probabilities(np.append(scores, [[5.0] * 20], axis=1), rivals, SURE)
    assert many[0, 0] < few[0, 0]
    unlike = probabilities(np.array([[0.0, 0.1]], np.float32), rivals + 6, SURE)
    assert unlike.max() < 0.01


def test_a_scale_is_fitted_so_that_numbers_mean_what_they_say():
    """Scores are drawn so that the odds are known; the fit finds them again."""
    random = np.random.default_rng(3)
    truth = Scale(0.6, -1.5)
    scores, rivals = random.normal(1, 2, (3000, 6)), random.normal(0, 1, (3000, 20))
    shares = probabilities(scores, rivals, truth)
    right = [int(random.choice(7, p=[*row, 1 - row.sum()])) for row in shares]
    found = fit([[Known(scores, rivals, np.array([r if r < 6 else -1 for r in right]))]])
    assert found.slope == pytest.approx(truth.slope, abs=0.1)
    assert found.others == pytest.approx(truth.others, abs=0.4)


def test_an_everyday_thing_that_is_a_name_is_no_rival():
    encoder = ThingsEncoder()
    background = Background(encoder.encode_texts(OTHERS))
    rivals = background.rivals_of(encoder.encode_texts(["kettle"]))
    assert not rivals[OTHERS.index("kettle")]
    assert rivals[OTHERS.index("dog")]


def test_what_is_no_sure_boot_may_be_footwear():
    encoder = ThingsEncoder()
    boot, sandal, rope = encoder.encode_texts(["boot", "sandal", "rope"])
    naming = Naming(
        ("boot", "rope", "sandal"),
        ("footwear", "", "footwear"),
        np.stack([boot, rope, sandal]),
        SURE,
    )
    between = (boot + sandal) / np.linalg.norm(boot + sandal)
    found = Tagger(encoder, TagsConfig(least=0.6)).name(np.stack([between, boot, -boot]), naming)
    assert [tag and tag.name for tag in found] == ["footwear", "boot", None]


class TaggedIndex:
    """An index whose pictures are tagged by a small encoder."""

    def __init__(self, small: SmallIndex) -> None:
        self.small = small
        self.encoder = ThingsEncoder()
        small.images = self.encoder
        self.config = TagsConfig()
        self.scale: Scale | None = SURE

    @property
    def tagger(self) -> Tagger:
        return Tagger(self.encoder, self.config, scale=self.scale)

    def build(self, folder: Path) -> IndexReport:
        with self.small.writer() as writer:
            pipeline = Pipeline(
                self.small.text, self.encoder, self.small.ingest, tagger=self.tagger
            )
            return pipeline.run(folder, writer, leave_out=self.small.path)

    def tags(self) -> dict[str, str | None]:
        reader = self.small.reader()
        pictures = reader.pictures(reader.item_ids("pictures"))
        return {p.name: p.tag.name if p.tag else None for p in pictures.values()}

    def search(self, text: str, where: Filter | None = None) -> list[Hit]:
        return self.small.retriever().search(Query(text, k=10, where=where, explain=True))


@pytest.fixture
def tagged(small_index: SmallIndex) -> TaggedIndex:
    return TaggedIndex(small_index)


@pytest.fixture
def shop(write: Write) -> Path:
    write("prices.csv", "sku,name\nA1,Kettle 1 l\nB2,Steel Toaster\nC3,흰색 냉장고\n")
    write("photos/IMG_1.png", drawing("red").getvalue())
    write("photos/IMG_2.png", drawing("blue").getvalue())
    return write("photos/IMG_3.png", drawing("#777777").getvalue())


def test_pictures_get_the_owners_names(tagged: TaggedIndex, shop: Path):
    tagged.build(shop)
    assert tagged.tags() == {
        "photos/IMG_1.png": "kettle",
        "photos/IMG_2.png": "냉장고",
        "photos/IMG_3.png": None,
    }


def test_a_tag_is_alternative_text_filter_and_explanation(tagged: TaggedIndex, shop: Path):
    tagged.build(shop)
    (hit,) = tagged.search("kettle", parse_conditions(["tag=Kettle", "kind=picture"]))
    assert hit.tag is not None
    assert hit.tag.name == "kettle"
    assert 0.5 <= hit.tag.probability <= 1
    assert hit.text == hit.alt == "Picture, probably: kettle"
    assert hit_values(hit)["tag"] == {"name": "kettle", "probability": hit.tag.probability}
    (korean,) = tagged.search("냉장고", parse_conditions(["tag=냉장고", "kind=picture"]))
    assert korean.alt == "사진, 추정: 냉장고"
    found = {
        h.picture for h in tagged.search("x", parse_conditions(["tag!=kettle", "kind=picture"]))
    }
    assert found == {"photos/IMG_2.png", "photos/IMG_3.png"}
    assert len(tagged.search("x", parse_conditions(["tag~ket", "kind=picture"]))) == 1
    assert tagged.search("x", parse_conditions(["tag=dragon"])) == []
    with pytest.raises(QueryError, match="name of a thing"):
        tagged.search("x", parse_conditions(["tag<5"]))


def test_a_caption_of_its_own_is_kept(tagged: TaggedIndex, write: Write):
    write("shelf.csv", "sku,name\nA1,Kettle\n")
    write("photo.png", drawing("red").getvalue())
    folder = write("page.md", "# News\n\n![Our best seller](photo.png)\n\nIt is here.")
    tagged.build(folder)
    (hit,) = tagged.search("seller", parse_conditions(["tag=kettle", "kind=picture"]))
    assert hit.text == hit.alt == "Our best seller"
    passages = tagged.search("seller", parse_conditions(["tag=kettle", "kind=chunk"]))
    assert [h.document for h in passages] == ["page.md"]


def test_a_new_name_and_a_name_that_is_gone_change_old_tags(
    tagged: TaggedIndex, shop: Path, write: Write
):
    write("prices.csv", "sku,name\nB2,Steel Toaster\n")
    tagged.build(shop)
    assert tagged.tags()["photos/IMG_1.png"] is None
    write("more.csv", "sku,name\nA1,Red Kettle\n")
    tagged.encoder.asked.clear()
    tagged.build(shop)
    assert tagged.tags()["photos/IMG_1.png"] == "kettle"
    assert tagged.encoder.asked.count("toaster") == OTHERS.count("toaster"), "it is known already"
    (shop / "more.csv").unlink()
    tagged.build(shop)
    assert tagged.tags()["photos/IMG_1.png"] is None


def test_other_settings_tag_anew_though_no_file_changed(tagged: TaggedIndex, shop: Path):
    tagged.build(shop)
    before = tagged.small.reader().generation
    tagged.build(shop)
    assert tagged.small.reader().generation == before
    tagged.config = TagsConfig(names=("toaster", "냉장고"))
    tagged.build(shop)
    assert set(tagged.tags().values()) == {None, "냉장고"}
    tagged.config = TagsConfig(enabled=False)
    tagged.build(shop)
    assert set(tagged.tags().values()) == {None}


def test_after_a_deletion_the_next_build_tags_anew(tagged: TaggedIndex, shop: Path):
    tagged.build(shop)
    with tagged.small.writer() as writer:
        writer.remove_document("prices.csv#A1")
        assert writer.tag_mark == ""
        writer.commit()


def test_without_names_or_pictures_nothing_is_made_up(tagged: TaggedIndex, write: Write):
    folder = write("IMG_1.png", drawing("red").getvalue())
    tagged.build(folder)
    assert tagged.tags() == {"IMG_1.png": None}
    assert tagged.encoder.asked == []


def test_an_encoder_of_unknown_scale_gives_no_tags_and_says_so(tagged: TaggedIndex, shop: Path):
    tagged.scale = None
    report = tagged.build(shop)
    assert set(tagged.tags().values()) == {None}
    assert any("Pictures have no tags" in note for note in report.notes)


def test_an_encoder_of_unknown_scale_learns_it_from_enough_pictures_of_products(
    small_index: SmallIndex,
):
    """Of 12 kinds of things, 20 pictures each, most of which look like what they are."""
    encoder, random = ThingsEncoder(), np.random.default_rng(5)
    kinds = [f"{letter}ware" for letter in "abcdefghijkl"]
    named = encoder.encode_texts(kinds)
    right = np.repeat(np.arange(12), 20)
    pictures = named[right] + random.normal(0, 0.1, (240, 64)).astype(np.float32)
    store = FewPictures(
        pictures / np.linalg.norm(pictures, axis=1, keepdims=True), [kinds[r] for r in right]
    )
    assert Tagger(encoder, TagsConfig()).tag(store) == []
    assert store.kept is not None
    assert store.kept.scale is not None
    agree = [tag.name == store.kinds[row] for row, tag in store.tags]
    assert len(agree) > 200
    assert np.mean(agree) > 0.95


class FewPictures:
    """A store of tags that holds pictures of products."""

    def __init__(self, vectors: NDArray[np.float32], kinds: list[str]) -> None:
        self.vectors, self.kinds = vectors, kinds
        self.kept: Naming | None = None
        self.tags: list[tuple[int, Tag]] = []

    def things(self) -> Iterator[Thing]:
        yield from (Thing(kind, {}) for kind in self.kinds)

    def folders(self) -> list[str]:
        return []

    def naming(self) -> Naming | None:
        return self.kept

    def pictures(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        yield np.arange(len(self.vectors)), self.vectors

    def belonging(self) -> Iterator[tuple[int, str]]:
        yield from enumerate(self.kinds)

    def replace(self, naming: Naming | None, tags: Iterable[tuple[int, Tag]], mark: str) -> None:
        self.kept, self.tags = naming, list(tags)


def test_names_are_data(tagged: TaggedIndex, shop: Path):
    """Only letters reach a name that is found; one that the owner gives is told as it is written."""
    hostile = "<img src=x onerror=alert(1)>"
    tagged.encoder.things = {**ThingsEncoder.things, "red": hostile}
    tagged.config = TagsConfig(names=(hostile, "{0.__class__}"))
    tagged.build(shop)
    (hit,) = tagged.search("x", parse_conditions(["tag~onerror", "kind=picture"]))
    assert hit.alt == f"Picture, probably: {hostile}"
    assert Tag(hostile, 0.9).words == hit.alt


def test_settings_are_checked():
    with pytest.raises(ConfigError, match=r"tags\.least"):
        TagsConfig(least=0)
    assert mmchat.load_config(overrides={"tags.names": "kettle, 주전자"}).tags.names == (
        "kettle",
        "주전자",
    )
