"""Words, phrases and patterns by which the owner names what people may write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mmchat.errors import ConfigError
from mmchat.sentences import is_korean


class Patterns:
    """Finds the first of several words, phrases and patterns in a text, without regard to case.

    A word or phrase has to stand there whole ("art" is not in "start"), but Korean, to whose words
    particles are joined, anywhere. What stands between two `/` is a regular expression.
    """

    def __init__(self, entries: Iterable[str], key: str) -> None:
        """Take the entries of the setting `key`.

        Raises:
            ConfigError: an entry is empty, or no regular expression.
        """
        self._patterns = [(entry, _compiled(entry, key)) for entry in entries]

    def find(self, text: str) -> str:
        """Return the entry that is found first in the list, or an empty text."""
        return next((entry for entry, pattern in self._patterns if pattern.search(text)), "")


def check_patterns(entries: Sequence[str], key: str) -> None:
    """Refuse entries that cannot be searched for (ConfigError)."""
    Patterns(entries, key)


def _compiled(entry: str, key: str) -> re.Pattern[str]:
    if not entry.strip("/ "):
        raise ConfigError(f"{key} has an empty entry. Expected a word, a phrase, or /a pattern/.")
    if len(entry) > 2 and entry.startswith("/") and entry.endswith("/"):
        try:
            return re.compile(entry[1:-1], re.IGNORECASE)
        except re.error as error:
            raise ConfigError(
                f"{key} has '{entry}', which is no regular expression: {error}. Correct it, or leave "
                "the slashes away to look for the words as they are."
            ) from None
    words = r"\s+".join(re.escape(word) for word in entry.split())
    return re.compile(words if is_korean(entry) else rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
