"""Tags of the sample shop's pictures with the real mmchat-lite."""

from __future__ import annotations

from pathlib import Path

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
    found = shop.search("appliance", k=50, where={"kind": "picture", "tag": {"contains": ""}})
    told = {hit.picture: hit.tag.name for hit in found if hit.picture and hit.tag}
    right = [name.replace(" ", "-").rstrip("s") in picture for picture, name in told.items()]
    assert len(told) >= 3
    assert np.mean(right) >= 0.6


def test_a_photo_is_told_what_it_looks_like(shop: mmchat.Index):
    tag = shop.looks_like(PICTURES / "toaster-steel-4-slice.webp")
    assert tag is not None
    assert tag.name == "toaster"
    assert 0.5 <= tag.probability <= 1
    assert shop.looks_like(Image.new("RGB", (300, 300), "white")) is None


def test_korean_names(shop: mmchat.Index):
    names = ("토스터", "다리미", "세탁기", "선풍기")
    encoder = shop.encoders.image
    tagger = Tagger(encoder, TagsConfig(names=names, least=0.3), scale=LITE)
    naming = Naming(names, ("",) * 4, encoder.encode_texts(names), LITE)
    files: list[Path] = [PICTURES / "toaster-steel-4-slice.webp", PICTURES / "steam-iron.webp"]
    vectors = encoder.encode_images([shop.open_image(file) for file in files])
    assert [tag and tag.name for tag in tagger.name(vectors, naming)] == ["토스터", "다리미"]
