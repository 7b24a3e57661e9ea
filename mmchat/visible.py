"""Characters that nobody sees, and that a program reads all the same.

Words can be written in them (Unicode's tag characters spell ASCII), cut by them so that no search finds
them (zero-width spaces), or turned round (bidirectional overrides). What a person reads is the text without.
"""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "[\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\ufeff\u180e\u3164\uffa0]"  # of no width
    "|[\u202a-\u202e\u2066-\u2069\u061c]"  # that turn the direction round
    "|[\U000e0000-\U000e01ef]"  # tags, and variants of characters that have none
)
# Joiners belong to emoji and to some scripts, but to neither Latin letters nor Hangul.
_JOINER = re.compile(
    "(?<=[A-Za-z\uac00-\ud7a3])[\u200c\u200d]+|[\u200c\u200d]+(?=[A-Za-z\uac00-\ud7a3])"
)


def visible(text: str) -> str:
    """Return a text without the characters that nobody sees; a soft hyphen stays."""
    if text.isascii():
        return text
    return _JOINER.sub("", _UNSEEN.sub("", text))
