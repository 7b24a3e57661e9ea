"""What the settings' classes check their values with."""

from __future__ import annotations

from mmchat.errors import ConfigError


def require(holds: bool, key: str, value: object, expected: str) -> None:
    """Refuse a value of a setting that does not hold what is expected of it."""
    if not holds:
        raise ConfigError(f"{key} = {value!r}: expected {expected}.")
