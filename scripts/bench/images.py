"""Measure how pictures are encoded and found: figures, not tests.

    python scripts/bench/images.py [--data ../shared/data] [--pictures 96] [--json]

Prints pictures a second of mmchat-lite and of ViT-B-32 with random weights (which takes as long as any);
for how many pictures the right one of all names is nearest, in English and Korean; how often a shelf photo
finds its product. No name of a picture was seen in training. But the directions in which photos differ were
learnt from these photos: `scripts/train_lite.py --check` has the figure for kinds that were left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ingest import RandomWeights
from numpy.typing import NDArray
from PIL import Image

from mmchat.app.encoders import Encoders
from mmchat.config import Config
from mmchat.encoders.image import OpenClipEncoder
from mmchat.encoders.runtime import Vectors
from mmchat.models import ModelStore

ROOT = Path(__file__).parents[2]
CLOTHES = (
    *("hoodie", "sweatshirt", "jacket", "t-shirt", "tank top"),
    *("sports bra", "pants", "leggings", "capri pants", "shorts"),
)
CLOTHES_KOREAN = (
    *("후드티", "스웨트셔츠", "재킷", "티셔츠", "민소매"),
    *("스포츠 브라", "바지", "레깅스", "칠부바지", "반바지"),
)
GROCERIES_KOREAN = (
    *("사과", "아보카도", "바나나", "키위", "레몬", "라임", "망고", "멜론", "천도복숭아", "오렌지"),
    *("파파야", "패션프루트", "복숭아", "배", "파인애플", "자두", "석류", "자몽", "귤", "주스"),
    *("우유", "귀리 요거트", "귀리 우유", "사워크림", "발효유", "두유 요거트", "두유", "요구르트"),
    *("아스파라거스", "가지", "양배추", "당근", "오이", "마늘", "생강", "대파", "버섯", "양파"),
    *("피망", "감자", "비트", "토마토", "애호박"),
)
_AT_ONCE = 32
_KIND_OF_SKU = {"j": 2, "s": 3, "t": 4, "b": 5, "sh": 9}


def read(files: Sequence[Path]) -> list[Image.Image]:
    """Read picture files whole."""
    images = []
    for file in files:
        with Image.open(file) as image:
            images.append(image.convert("RGB"))
    return images


def encode(encoder: OpenClipEncoder, files: Sequence[Path], *, asked: bool = False) -> Vectors:
    """Encode picture files a few at a time, so that not all are in memory."""
    how = encoder.encode_image_queries if asked else encoder.encode_images
    starts = range(0, len(files), _AT_ONCE)
    return np.concatenate([how(read(files[start : start + _AT_ONCE])) for start in starts])


def pictures_per_second(encoder: OpenClipEncoder, files: Sequence[Path]) -> float:
    """Return the best of three, once the model is loaded."""
    images = read(files)
    encoder.encode_images(images[:8])
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        encoder.encode_images(images)
        seconds.append(time.perf_counter() - started)
    return len(images) / min(seconds)


def named(
    encoder: OpenClipEncoder, pictures: Vectors, names: Sequence[str], kinds: NDArray[np.int64]
) -> float:
    """Return the share of pictures whose own name is nearest among all names."""
    scores = pictures @ encoder.encode_texts(list(names)).T
    return float((scores.argmax(axis=1) == kinds).mean())


def read_groceries(folder: Path) -> tuple[list[list[str]], list[dict[str, str]], list[str]]:
    """Return the products, the shelf photos with what each shows, and the names of the kinds."""
    classes = list(csv.reader((folder / "classes.csv").read_text("utf-8").splitlines()))[1:]
    rows = list(csv.DictReader((folder / "photos.csv").read_text("utf-8").splitlines()))
    names = {int(row[3]): row[2].replace("-", " ").lower() for row in classes}
    return classes, rows, [names[kind] for kind in sorted(names)]


def groceries(encoder: OpenClipEncoder, folder: Path) -> dict[str, float]:
    """Name the shelf photos, and find their products in the catalogue."""
    classes, rows, names = read_groceries(folder)
    files = {path.name: path for path in folder.glob("catalog/**/*_Iconic.jpg")}
    kind_of_product = np.array([int(row[3]) for row in classes])
    products = np.array([int(row["class_id"]) for row in rows])
    kinds = np.array([int(row["coarse_class_id"]) for row in rows])
    photos = [folder / row["photo"] for row in rows]
    seen, asked = encode(encoder, photos), encode(encoder, photos, asked=True)
    catalogue = encode(encoder, [files[Path(row[4]).name] for row in classes])
    order = np.argsort(-(asked @ catalogue.T), axis=1)
    others = asked @ seen.T
    np.fill_diagonal(others, -1)
    return {
        "grocery_kind_by_name_of_43": named(encoder, seen, names, kinds),
        "grocery_kind_by_korean_name": named(encoder, seen, GROCERIES_KOREAN, kinds),
        "photo_to_photo_kind": float((kinds[others.argmax(axis=1)] == kinds).mean()),
        "photo_to_product_kind_first": float((kind_of_product[order[:, 0]] == kinds).mean()),
        "photo_to_product_first": float((order[:, 0] == products).mean()),
        "photo_to_product_in_5": float((order[:, :5] == products[:, None]).any(axis=1).mean()),
    }


def read_clothes(folder: Path) -> tuple[list[Path], list[int]]:
    """Return the main pictures of the shop for clothes, each with its place in `CLOTHES`."""
    files, kinds = [], []
    for line in (folder / "styles.jsonl").read_text("utf-8").splitlines():
        style = json.loads(line)
        for image in style["images"]:
            if image["view"] == "main":
                files.append(folder / image["file"])
                kinds.append(kind_of_clothing(style["sku"], style["name"].lower()))
    return files, kinds


def clothes(encoder: OpenClipEncoder, folder: Path) -> dict[str, float]:
    """Name the main pictures of the shop for clothes, ten kinds."""
    files, kinds = read_clothes(folder)
    seen, right = encode(encoder, files), np.array(kinds)
    return {
        "clothing_kind_by_name_of_10": named(encoder, seen, CLOTHES, right),
        "clothing_kind_by_korean_name": named(encoder, seen, CLOTHES_KOREAN, right),
    }


def kind_of_clothing(sku: str, name: str) -> int:
    """Return the place in `CLOTHES`, told by the letters of the article number and the name."""
    letters = re.match(r"[mw]([a-z]+)", sku)
    code = letters[1] if letters else ""
    if code == "h":
        return 0 if "hood" in name else 1
    if code in _KIND_OF_SKU:
        return _KIND_OF_SKU[code]
    if "capri" in name:
        return 8
    return 7 if "legging" in name or "tight" in name else 6


def main() -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--pictures", type=int, default=96, help="pictures to be timed with")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    encoder = Encoders(Config().encoders, ModelStore()).image
    timed = sorted((arguments.data / "grocery" / "photos").rglob("*.jpg"))[: arguments.pictures]
    figures = {"lite_pictures_per_second": pictures_per_second(encoder, timed)}
    other = pictures_per_second(OpenClipEncoder(RandomWeights()), timed)
    figures["vit_b_32_pictures_per_second"] = other
    figures["ratio"] = figures["lite_pictures_per_second"] / other
    figures |= groceries(encoder, arguments.data / "grocery")
    figures |= clothes(encoder, arguments.data / "apparel")
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:34}{value:>8.3f}")


if __name__ == "__main__":
    main()
