"""Products that look like a picture: what they are called, what they cost, and why they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmchat.answering.finding import called, looks_like
from mmchat.answering.hostile import is_order
from mmchat.app.prices import category_of, price_of
from mmchat.types import Hit, Likeness, Metadata, MetadataValue, Similar, Source

if TYPE_CHECKING:
    from mmchat.app.index import Index

_MOST = 4
"""Products that are shown as alike: what a phone shows without much scrolling."""
_LOOKED_AT = 24
"""Items that are searched through: passages, and pictures of the same product, are among them."""


@dataclass(frozen=True, slots=True)
class _Product:
    """A product as one of its pictures stands for it."""

    hit: Hit
    name: str
    metadata: Metadata

    @property
    def tag(self) -> str:
        return self.hit.tag.name if self.hit.tag else ""

    @property
    def category(self) -> str:
        return category_of(self.metadata)

    def closest(self) -> Similar:
        """Return it as what a photo resembles most."""
        return Similar(self.hit, self.name, price_of(self.metadata), Likeness.CLOSEST)

    def like(self, other: _Product | None) -> Similar:
        """Return it as something that looks like another product, which may be unknown."""
        likeness, kind = Likeness.LOOK, ""
        if other and self.tag and self.tag == other.tag:
            likeness, kind = Likeness.TAG, self.tag
        elif other and self.category and self.category.casefold() == other.category.casefold():
            likeness, kind = Likeness.CATEGORY, self.category
        return Similar(self.hit, self.name, price_of(self.metadata), likeness, kind)


class SimilarProducts:
    """Finds what looks like a picture in an index. Safe to use from several threads."""

    def __init__(self, index: Index) -> None:
        """Take the index that has the pictures and what the catalogue tells of them."""
        self._index = index

    def named(self, hits: Sequence[Hit]) -> tuple[Similar, ...]:
        """Return the product that a photo resembles most, and those that look like it, best first.

        Args:
            hits: what a search with the photo found, best first.
        """
        closest = looks_like(hits)
        if closest is None:
            return ()
        first, *others = self._products([closest, *hits])
        return (first.closest(), *_alike(first, others))

    def like(self, shown: Hit | Source) -> tuple[Similar, ...]:
        """Return the products that look like one of the index's own pictures, best first; not its own.

        Raises:
            QueryError: the picture cannot be read any more: the index may have been built anew.
        """
        path = shown.picture_path or shown.thumb_path
        if path is None:
            return ()
        products = self._products(self._index.search(image=path, k=_LOOKED_AT))
        itself = next((each for each in products if each.hit.picture == shown.picture), None)
        return _alike(itself, [each for each in products if each is not itself])

    def _products(self, hits: Sequence[Hit]) -> list[_Product]:
        """Return the products that have the pictures among some hits, each once."""
        found: dict[str, _Product] = {}
        for hit in hits:
            name = called(hit)
            key = name.casefold()
            if hit.kind == "picture" and key not in found and not is_order(name):
                found[key] = _Product(hit, name, self._told_of(hit))
        return list(found.values())

    def _told_of(self, picture: Hit) -> Metadata:
        """Return what the catalogue tells of a product: on its page, and in its row of the same name."""
        paths = self._index.retriever().documents_of(picture.item) or [picture.document]
        found = [each for path in paths if (each := self._index.document(path)) is not None]
        told: dict[str, MetadataValue] = {}
        for each in found:
            # A page that only shows the picture, too, may tell the price of another product.
            if each is found[0] or each.title.casefold() == found[0].title.casefold():
                told = {**each.metadata, **told}
        return told


def _alike(to: _Product | None, others: Sequence[_Product]) -> tuple[Similar, ...]:
    """Return products as alike, best first; where some are of the same kind, those alone.

    Who shows a kettle looks for kettles, not for whatever else is red and round.
    """
    similar = [each.like(to) for each in others]
    same_kind = [each for each in similar if each.likeness is not Likeness.LOOK]
    return tuple((same_kind or similar)[:_MOST])
