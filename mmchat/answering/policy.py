"""What the owner decides of every answer: how it is written, in which language, and about what it is not."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmchat.answering.phrases import PHRASES, Phrases
from mmchat.answering.prompt import PLAIN, Style
from mmchat.answering.words import Language, language_of
from mmchat.config import Patterns, ServiceConfig


@dataclass(frozen=True, slots=True)
class Policy:
    """The owner's decisions. The default ones leave everything as it is."""

    style: Style = PLAIN
    languages: tuple[str, ...] = ServiceConfig().languages
    forbidden: Patterns = field(default_factory=lambda: Patterns((), ""))
    offers_person: bool = True
    """Whether an answer that is not known offers a person."""

    def language(self, text: str) -> Language:
        """Return the language in which who wrote `text` is answered."""
        wanted = language_of(text)
        if wanted in self.languages:
            return wanted
        return "ko" if self.languages[0] == "ko" else "en"

    def phrases(self, text: str) -> Phrases:
        """Return the sentences of that language."""
        return PHRASES[self.language(text)]

    def refuses(self, text: str) -> bool:
        """True where `text` is about something that is not talked about."""
        return bool(self.forbidden.find(text))
