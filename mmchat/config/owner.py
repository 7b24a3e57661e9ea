"""The settings of the owner's pages."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmchat.config.checks import require
from mmchat.errors import ConfigError

_SHORTEST = 12
"""Characters of a password: guessing is slowed, and this many are still not guessed."""


@dataclass(frozen=True, slots=True)
class OwnerConfig:
    """The pages for whoever runs the assistant, at `/owner` of the chat's address."""

    enabled: bool = True
    """Whether `mmchat serve` has these pages."""
    name: str = "owner"
    """The name to log in with."""
    password: str = field(default="", repr=False)
    """The password to log in with, of 12 characters or more; best given as MMCHAT_OWNER_PASSWORD. Without one
    `mmchat serve` makes one up each time that it starts, and prints it."""

    def __post_init__(self) -> None:
        fits = bool(self.name) and self.name == self.name.strip() and self.name.isprintable()
        require(fits, "owner.name", self.name, "a name without space around it")
        if self.password and len(self.password) < _SHORTEST:
            # The password itself is nobody's business.
            raise ConfigError(
                f"owner.password has {len(self.password)} characters: expected {_SHORTEST} or more. "
                "Leave it away to have one made up for each run."
            )
