"""When the pictures of a store are tagged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mmchat.stores.base import TagStore, Writer


class Tagger(Protocol):
    """Names what pictures show."""

    @property
    def mark(self) -> str:
        """What the tags of a store depend on besides its content."""
        ...

    def tag(self, store: TagStore) -> Sequence[str]:
        """Give all pictures of a store their tags anew; return what their owner should know."""
        ...


def tag_pictures(tagger: Tagger | None, writer: Writer, *, changed: bool) -> Sequence[str]:
    """Tag all pictures where anything changed: a new name may suit an old picture better.

    Returns:
        what their owner should know.
    """
    if tagger is None or not writer.counts()["pictures"]:
        return ()
    if not changed and writer.tag_mark == tagger.mark:
        return ()
    return tagger.tag(writer.tag_store())
