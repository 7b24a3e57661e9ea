"""The settings of how customers are served: how they are spoken to, who takes over, what is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mmchat.config.checks import require
from mmchat.config.patterns import check_patterns
from mmchat.errors import ConfigError

LANGUAGES = ("en", "ko")
"""The languages that the assistant's own sentences are written in."""
_MAX_TONE = 200


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """How the assistant speaks, and what about."""

    tone: str = ""
    """How it speaks, in a few words for the generator: "friendly and short", "formal"."""
    languages: tuple[str, ...] = LANGUAGES
    """The languages that it speaks, `en` and `ko`; who writes in another is answered in the first."""
    forbidden_topics: tuple[str, ...] = ()
    """What it does not talk about: words, phrases, or `/patterns/` (Python's regular expressions). A question
    with one of them is refused before anything is searched or written."""
    examples: str = ""
    """A file with worked examples for the generator in place of ours: JSON Lines, or TOML with
    `[[examples]]`, each with `passage`, `question`, `answer` and, where it has one, `title`."""

    def __post_init__(self) -> None:
        tone_fits = len(self.tone) <= _MAX_TONE and self.tone.isprintable()
        require(tone_fits, "service.tone", self.tone, f"one line of {_MAX_TONE} characters at most")
        known = set(self.languages) <= set(LANGUAGES) and len(self.languages) > 0
        require(known, "service.languages", list(self.languages), "one or more of en, ko")
        check_patterns(self.forbidden_topics, "service.forbidden_topics")


@dataclass(frozen=True, slots=True)
class HandoffConfig:
    """When a conversation is passed to a person, and who is told."""

    enabled: bool = True
    """Whether conversations are passed on at all."""
    phrases: tuple[str, ...] = ()
    """Further words, phrases or `/patterns/` by which customers ask for a person; the usual ones in English
    and Korean are known."""
    after_abstentions: int = 2
    """So many answers in a row that are "I don't know" pass a conversation on; 0 never."""
    on_anger: bool = True
    """Whether an angry customer is passed on."""
    topics: tuple[str, ...] = ("legal", "medical")
    """What a person should answer: words, phrases or `/patterns/`. `legal` and `medical` stand for lists of
    words in English and Korean."""
    amount: float = 0.0
    """A refund or a claim of more than this is for a person, whatever the currency; 0 never."""
    amount_words: tuple[str, ...] = (
        *("refund", "money back", "reimbursement", "reimburse", "compensation", "compensate"),
        *("damages", "chargeback", "환불", "보상", "배상"),
    )
    """What makes an amount one that `handoff.amount` looks at."""
    webhook: str = ""
    """The address (https://…) that is told of each handoff. Empty tells nobody: `mmchat conversations
    handoffs` lists them."""
    secret: str = field(default="", repr=False)
    """Signs what the webhook is sent; best given as MMCHAT_HANDOFF_SECRET."""
    time_limit: float = 10.0
    """Seconds that the webhook may take to answer."""

    def __post_init__(self) -> None:
        require(
            self.after_abstentions >= 0,
            "handoff.after_abstentions",
            self.after_abstentions,
            "0 or more",
        )
        require(self.amount >= 0, "handoff.amount", self.amount, "0 or more")
        require(self.time_limit > 0, "handoff.time_limit", self.time_limit, "above 0")
        for name in ("phrases", "topics", "amount_words"):
            check_patterns(getattr(self, name), f"handoff.{name}")
        if self.webhook:
            _check_address("handoff.webhook", self.webhook)


@dataclass(frozen=True, slots=True)
class SessionsConfig:
    """What is kept of conversations."""

    database: str = "conversations.sqlite"
    """Where conversations are kept: a file (SQLite), or a URL of SQLAlchemy such as
    postgresql://user@host/name, which needs `pip install 'mmchat[postgres]'`."""
    keep: bool = True
    """Whether the chat keeps conversations; without, they are gone with the page."""

    def __post_init__(self) -> None:
        require(bool(self.database.strip()), "sessions.database", self.database, "a file or a URL")


def _check_address(key: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        # The address itself may hold a password or a token.
        raise ConfigError(f"{key} is no web address. Expected one such as https://host/path.")
