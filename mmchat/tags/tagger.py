"""Give each picture of a store its tag. Cheap: the pictures' vectors are there, only names are encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from mmchat.config import TagsConfig
from mmchat.stores.base import NamedLevel, Naming, Scale, TagStore, Vectors
from mmchat.tags.kinds import Vocabulary, given, kind_of, same_thing, vocabulary_of
from mmchat.tags.others import OTHERS
from mmchat.tags.probability import Background, Known, fit
from mmchat.types import Tag

LITE = Scale(slope=0.45, others=-3.5)
"""Of mmchat-lite; scripts/bench/tags.py fits and checks it."""
PHOTO_OF = "a photo of a {}"
"""What models that were trained on captions are asked with (Radford et al., 2021)."""
_REVISION = 1
_OWN_PICTURES, _OWN_KINDS, _OWN_MOST = 200, 10, 2000
"""Pictures whose thing is known, and kinds among them, from which on a scale is fitted to them; and how many
are enough."""
_LEFT_OUT = 3
"""One in so many of them has its right name left out."""


class NameEncoder(Protocol):
    """What tagging needs of an image encoder."""

    @property
    def fingerprint(self) -> str:
        """Name and content of the model."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...


class Tagger:
    """Names what pictures show."""

    def __init__(
        self,
        encoder: NameEncoder,
        config: TagsConfig,
        *,
        scale: Scale | None = None,
        prompt: str = "{}",
    ) -> None:
        """Take an encoder.

        Args:
            encoder: of the pictures in the store, and of words about them.
            config: which names, and how sure a tag must be.
            scale: what its scores are worth. Without it, that is learnt from the owner's own pictures whose
                things are known; where those are too few there are no tags, for a number would mean nothing.
            prompt: what a name is put into before it is encoded, for an encoder that learnt from sentences.
        """
        self._encoder = encoder
        self._config = config
        self._scale = scale
        self._prompt = prompt
        self._background: Background | None = None

    @property
    def mark(self) -> str:
        """What the tags of a store depend on besides its content."""
        told = (_REVISION, self._config, self._scale, self._prompt, self._encoder.fingerprint)
        return hashlib.blake2b(repr(told).encode(), digest_size=12).hexdigest()

    def tag(self, store: TagStore) -> list[str]:
        """Give all pictures of a store their tags anew; return what their owner should know."""
        names = self._vocabulary(store)
        if not names.levels:
            store.replace(Naming(), (), self.mark)
            return []
        levels = self._encoded(names, store.naming())
        scale = self._scale or self._fitted(levels[0], store)
        tags = self._tags(Naming(levels, scale), store) if scale else ()
        store.replace(Naming(levels, scale), list(tags), self.mark)
        if scale is not None:
            return []
        return [
            f"Pictures have no tags: what scores of this image encoder mean is learnt from {_OWN_PICTURES} "
            f"pictures or more, of {_OWN_KINDS} kinds of products, that belong to one product each."
        ]

    def name(self, pictures: Vectors, naming: Naming) -> list[Tag | None]:
        """Return what each of some pictures (pictures, dimension) probably shows.

        The finest level counts on which a name is probable enough: what is no sure boot may be footwear.
        """
        if naming.scale is None:
            return [None] * len(pictures)
        found: list[Tag | None] = [None] * len(pictures)
        for level in naming.levels:
            shares = self.background.probabilities(pictures, level.vectors, naming.scale)
            best = shares.argmax(axis=1)
            for row, place in enumerate(best):
                share = float(shares[row, place])
                if found[row] is None and share >= self._config.least:
                    found[row] = Tag(level.names[place], round(share, 3))
        return found

    @property
    def background(self) -> Background:
        """Everyday things as the encoder sees them."""
        if self._background is None:
            self._background = Background(self._encode(OTHERS))
        return self._background

    def _vocabulary(self, store: TagStore) -> Vocabulary:
        if not self._config.enabled:
            return Vocabulary(())
        if self._config.names:
            return given(self._config.names)
        return vocabulary_of(store.things(), store.folders())

    def _encoded(self, names: Vocabulary, before: Naming) -> tuple[NamedLevel, ...]:
        """Encode the names that are new."""
        known = {
            name: level.vectors[place]
            for level in before.levels
            for place, name in enumerate(level.names)
        }
        new = [name for name in names.names if name not in known]
        if new:
            known |= dict(zip(new, self._encode(new), strict=True))
        return tuple(
            NamedLevel(level, np.stack([known[name] for name in level])) for level in names.levels
        )

    def _encode(self, names: Sequence[str]) -> Vectors:
        return self._encoder.encode_texts([self._prompt.format(name) for name in names])

    def _tags(self, naming: Naming, store: TagStore) -> Iterator[tuple[int, Tag]]:
        for rows, vectors in store.pictures():
            for row, tag in zip(rows.tolist(), self.name(vectors, naming), strict=True):
                if tag is not None:
                    yield row, tag

    def _fitted(self, level: NamedLevel, store: TagStore) -> Scale | None:
        """Learn the scale from pictures that belong to one product; None where they are too few."""
        known = self._known(level, store)
        kinds = {each.right for each in known}
        if len(known) < _OWN_PICTURES or len(kinds) < _OWN_KINDS:
            return None
        left_out = [_without_right(each) for each in known[::_LEFT_OUT]]
        return fit([[*known, *left_out]])

    def _known(self, level: NamedLevel, store: TagStore) -> list[Known]:
        place = {same_thing(name): number for number, name in enumerate(level.names)}
        kinds: dict[int, set[int]] = {}
        for row, title in store.belonging():
            number = place.get(same_thing(kind_of(title)))
            if number is not None:
                kinds.setdefault(row, set()).add(number)
        rivals = self.background.rivals_of(level.vectors)
        known: list[Known] = []
        for rows, vectors in store.pictures():
            sure = [n for n, row in enumerate(rows.tolist()) if len(kinds.get(row, ())) == 1]
            scores, others = self.background.scores(vectors[sure], level.vectors)
            for number, at in enumerate(sure):
                (right,) = kinds[int(rows[at])]
                known.append(Known(scores[number], others[number, rivals], right))
            if len(known) >= _OWN_MOST:
                break
        return known[:_OWN_MOST]


def _without_right(known: Known) -> Known:
    assert known.right is not None
    return Known(np.delete(known.scores, known.right), known.rivals, None)
