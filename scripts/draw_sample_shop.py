"""Draw the product pictures of the sample shop that ships with mmchat.

Usage: python scripts/draw_sample_shop.py [--out DIR] [--only SLUG ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_shop_art import PICTURES

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "mmchat" / "sample_shop" / "pictures"


def main() -> None:
    """Write one WebP picture for each product."""
    parser = argparse.ArgumentParser(description="Draw the sample shop's product pictures.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="folder to write to")
    parser.add_argument("--only", nargs="*", choices=sorted(PICTURES), help="just these products")
    options = parser.parse_args()
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    for slug in options.only or sorted(PICTURES):
        path = out / f"{slug}.webp"
        PICTURES[slug]().save(path)
        print(f"{path.name}  {path.stat().st_size / 1024:.1f} KiB")


if __name__ == "__main__":
    main()
