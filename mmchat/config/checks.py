"""What the settings' classes check their values with."""

from __future__ import annotations

import re

from mmchat.errors import ConfigError


def require(holds: bool, key: str, value: object, expected: str) -> None:
    """Refuse a value of a setting that does not hold what is expected of it."""
    if not holds:
        raise ConfigError(f"{key} = {value!r}: expected {expected}.")


_ORIGIN = re.compile(
    # Lower case and ASCII, as browsers write it (`xn--…` for a name in another script).
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)


def is_origin(text: str) -> bool:
    """Whether a text is a scheme, a host and perhaps a port, written as browsers write an origin."""
    usual = text.endswith(":443" if text.startswith("https:") else ":80")
    return _ORIGIN.fullmatch(text) is not None and not usual
