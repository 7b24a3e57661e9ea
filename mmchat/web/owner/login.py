"""Who may see the owner's pages: a name, a password, and what slows down whoever guesses it."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mmchat.config import OwnerConfig

_BYTES = 15
"""Random bytes of a password that is made up: 20 characters."""
_FREE = 3
"""Wrong guesses that cost no time: people mistype."""
_LONGEST_WAIT = 30.0
"""Seconds; with one guess at a time from an address that is 2880 guesses a day."""
_REMEMBERED = 10_000
"""Addresses whose wrong guesses are remembered."""


@dataclass(frozen=True, slots=True)
class Login:
    """What lets the owner in."""

    name: str
    password: str = field(repr=False)
    made_up: bool = False
    """Whether the password is for this run alone."""

    @classmethod
    def of(cls, config: OwnerConfig) -> Login:
        """Return the login of the settings, with a password made up where they have none."""
        if config.password:
            return cls(config.name, config.password)
        return cls(config.name, secrets.token_urlsafe(_BYTES), made_up=True)

    def checker(self) -> Callable[[str, str], Awaitable[bool]]:
        """Return what Gradio asks about a name and a password. How long it takes tells nothing of them."""

        async def admits(name: str, password: str) -> bool:
            right_name = hmac.compare_digest(name.encode(), self.name.encode())
            right_password = hmac.compare_digest(password.encode(), self.password.encode())
            return right_name & right_password

        return admits


class Guesses:
    """Wrong guesses by address. Each beyond the third waits twice as long as the one before it."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, int] = OrderedDict()
        self._waiting: set[str] = set()

    def wait(self, address: str) -> float | None:
        """Begin a guess; return the seconds that it has to wait, or None where another one is under way."""
        whose = _network(address)
        if whose in self._waiting:
            return None
        self._waiting.add(whose)
        beyond = self._wrong.get(whose, 0) - _FREE
        return min(2.0**beyond, _LONGEST_WAIT) if beyond >= 0 else 0.0

    def end(self, address: str, *, right: bool) -> None:
        """End a guess that `wait` began."""
        whose = _network(address)
        self._waiting.discard(whose)
        if right:
            self._wrong.pop(whose, None)
            return
        self._wrong[whose] = self._wrong.pop(whose, 0) + 1
        if len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)


def _network(address: str) -> str:
    """Return what one person has at least: an address, or 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
