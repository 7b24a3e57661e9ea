"""Tags of the sample shop's pictures with the real mmchat-lite."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from support import SAMPLE_SHOP

import mmchat
from mmchat.config import TagsConfig
from mmchat.stores.base import Naming
from mmchat.stores.local import LocalReader
from mmchat.tags.tagger import LITE, Tagger

pytestmark = pytest.mark.slow
PICTURES = SAMPLE_SHOP / "pictures"


def test_the_names_are_the_shops_own(shop: mmchat.Index):
    naming = LocalReader(shop.path).naming()
    assert naming is not None
    assert {"kettle", "toaster", "espresso machine", "vacuum"} <= set(naming.names)
    assert not {"lumbrook", "payment", "privacy", "카드"} & set(naming.names)
    assert naming.categories[naming.names.index("rice cooker")] == "cooking"


def test_most_tags_are_right(shop: mmchat.Index):
    reader = LocalReader(shop.path)
    naming = reader.naming()
    assert naming is not None
    pictures = reader.pictures(reader.item_ids("pictures")).values()
    right = []
    for picture in pictures:
        if picture.tag is not None:
            said = zip(naming.names, naming.categories, strict=True)
            kinds = [k for k in said if k[0].replace(" ", "-") in picture.name]
            right.append(any(picture.tag.name in kind for kind in kinds))
    assert len(right) >= 3  # 4
    assert np.mean(right) >= 0.7  # 1.0


def test_a_filter_finds_tagged_pictures(shop: mmchat.Index):
    found = shop.search("coffee", k=5, where={"kind": "picture", "tag": "espresso machine"})
    assert "pictures/espresso-machine.webp" in [hit.picture for hit in found]
    assert found[0].alt.startswith("Brushed-steel"), "its own alternative text stays"


def test_a_photo_is_told_what_it_looks_like(shop: mmchat.Index):
    tag = shop.looks_like(PICTURES / "espresso-machine.webp")
    assert tag is not None
    assert tag.name == "espresso machine"
    assert 0.5 <= tag.probability <= 1
    assert shop.looks_like(Image.new("RGB", (300, 300), "white")) is None


def test_korean_names(shop: mmchat.Index):
    names = ("토스터", "다리미", "세탁기", "선풍기", "주전자", "냉장고")
    encoder = shop.encoders.image
    tagger = Tagger(encoder, TagsConfig(names=names, least=0.4), scale=LITE)
    naming = Naming(names, ("",) * len(names), encoder.encode_texts(names), LITE)
    files = ("toaster-steel-4-slice.webp", "toaster-cream-2-slice.webp", "kitchen-scale.webp")
    vectors = encoder.encode_images([shop.open_image(PICTURES / file) for file in files])
    told = [tag and tag.name for tag in tagger.name(vectors, naming)]
    assert told == ["토스터", "토스터", None]
