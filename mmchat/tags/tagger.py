"""Give each picture of a store its tag. Cheap: the pictures' vectors are there, only names are encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmchat.config import TagsConfig
from mmchat.stores.base import Naming, Scale, TagStore, Vectors
from mmchat.tags.kinds import Vocabulary, given, kind_of, same_thing, vocabulary_of
from mmchat.tags.others import OTHERS
from mmchat.tags.probability import Background, Known, fit
from mmchat.types import Tag

LITE = Scale(slope=0.364, others=-3.381)
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
        vocabulary = self._vocabulary(store)
        if not vocabulary.names:
            store.replace(None, (), self.mark)
            return []
        vectors = self._encoded(vocabulary.names, store.naming())
        naming = Naming(vocabulary.names, vocabulary.categories, vectors, self._scale)
        scale = self._scale or self._fitted(naming, store)
        naming = replace(naming, scale=scale)
        store.replace(naming, list(self._tags(naming, store)) if scale else (), self.mark)
        if scale is not None:
            return []
        return [
            f"Pictures have no tags: what scores of this image encoder mean is learnt from {_OWN_PICTURES} "
            f"pictures or more, of {_OWN_KINDS} kinds of products, that belong to one product each."
        ]

    def name(self, pictures: Vectors, naming: Naming | None) -> list[Tag | None]:
        """Return what each of some pictures (pictures, dimension) probably shows.

        Where no name is probable enough, the names of one category may be so together: what is a boot or
        a sandal is footwear (as in Deng et al., "Hedging your bets", CVPR 2012).
        """
        if naming is None or naming.scale is None:
            return [None] * len(pictures)
        shares = self.background.probabilities(pictures, naming.vectors, naming.scale)
        categories = sorted({category for category in naming.categories if category})
        belongs = np.array([[c == wider for wider in categories] for c in naming.categories])
        named = np.concatenate([shares, shares @ belongs], axis=1) if categories else shares
        sure = named >= self._config.least
        told = (*naming.names, *categories)
        # The first that is probable enough: names stand before what they are a kind of.
        return [self._tag(told, row, enough) for row, enough in zip(named, sure, strict=True)]

    def _tag(self, told: Sequence[str], shares: Vectors, enough: NDArray[np.bool_]) -> Tag | None:
        if not enough.any():
            return None
        place = int(enough.argmax())
        return Tag(told[place], round(float(shares[place]), 3))

    @property
    def background(self) -> Background:
        """Everyday things as the encoder sees them."""
        if self._background is None:
            self._background = Background(self._encode(OTHERS))
        return self._background

    def _vocabulary(self, store: TagStore) -> Vocabulary:
        if not self._config.enabled:
            return Vocabulary()
        if self._config.names:
            return given(self._config.names)
        return vocabulary_of(store.things(), store.folders())

    def _encoded(self, names: Sequence[str], before: Naming | None) -> Vectors:
        """Return the vectors of names (names, dimension); only those that are new are encoded."""
        known = dict(zip(before.names, before.vectors, strict=True)) if before else {}
        new = [name for name in names if name not in known]
        if new:
            known |= dict(zip(new, self._encode(new), strict=True))
        return np.stack([known[name] for name in names])

    def _encode(self, names: Sequence[str]) -> Vectors:
        return self._encoder.encode_texts([self._prompt.format(name) for name in names])

    def _tags(self, naming: Naming, store: TagStore) -> Iterator[tuple[int, Tag]]:
        for rows, vectors in store.pictures():
            for row, tag in zip(rows.tolist(), self.name(vectors, naming), strict=True):
                if tag is not None:
                    yield row, tag

    def _fitted(self, naming: Naming, store: TagStore) -> Scale | None:
        """Learn the scale from pictures that belong to one product; None where they are too few."""
        known = self._known(naming, store)
        if len(known.right) < _OWN_PICTURES or len(np.unique(known.right)) < _OWN_KINDS:
            return None
        some = slice(None, None, _LEFT_OUT)
        left_out = Known(known.scores[some], known.rivals[some], known.right[some]).without_right()
        return fit([[known, left_out]])

    def _known(self, naming: Naming, store: TagStore) -> Known:
        place = {same_thing(name): number for number, name in enumerate(naming.names)}
        kinds: dict[int, set[int]] = {}
        for row, title in store.belonging():
            number = place.get(same_thing(kind_of(title)))
            if number is not None:
                kinds.setdefault(row, set()).add(number)
        right: list[int] = []
        chosen = [np.zeros((0, naming.vectors.shape[1]), np.float32)]
        for rows, vectors in store.pictures():
            sure = [n for n, row in enumerate(rows.tolist()) if len(kinds.get(row, ())) == 1]
            right += [number for n in sure for number in kinds[int(rows[n])]]
            chosen.append(vectors[sure])
            if len(right) >= _OWN_MOST:
                break
        pictures = np.concatenate(chosen)[:_OWN_MOST]
        scores, others = self.background.scores(pictures, naming.vectors)
        rivals = others[:, self.background.rivals_of(naming.vectors)]
        return Known(scores, rivals, np.array(right[:_OWN_MOST], np.int64))
