"""Read the settings from flags, the environment, a file and defaults.

The first that says something wins: an override (a flag of the command line), an environment variable
(`MMCHAT_RETRIEVAL_K=8`), the file (`mmchat.toml`, `[retrieval]` `k = 8`), the default. A name that
does not exist is refused and the nearest that does is named: a misspelt setting that is silently
ignored costs its owner an afternoon.
"""

from __future__ import annotations

import difflib
import os
import tomllib
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from mmchat.config.sections import Config
from mmchat.errors import ConfigError

CONFIG_FILE = "mmchat.toml"
ENV_PREFIX = "MMCHAT_"
# Variables with our prefix that are not settings of a part.
_OTHER_ENV = frozenset({"MMCHAT_HOME", "MMCHAT_INDEX", "MMCHAT_API_KEY"})


def load_config(
    path: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read the settings.

    Args:
        path: the file; without one, `mmchat.toml` of the working folder where there is one.
        overrides: `section.key` to value, as flags give them; a value of None says nothing.
        environ: the environment; `os.environ` where not given.

    Raises:
        ConfigError: the file is missing or broken, a name is unknown, or a value is not usable.
    """
    layers = [
        _read_file(path),
        _read_environ(os.environ if environ is None else environ),
        {key: value for key, value in (overrides or {}).items() if value is not None},
    ]
    values: dict[str, object] = {}
    for layer in layers:
        values.update(layer)
    sections = {}
    for section in fields(Config):
        cls = _section_class(section.name)
        hints = get_type_hints(cls)
        given = {
            name: _coerce(value, hints[name], f"{section.name}.{name}")
            for name in hints
            if (value := values.pop(f"{section.name}.{name}", None)) is not None
        }
        sections[section.name] = cls(**given)
    for unknown in values:
        raise ConfigError(_unknown(unknown, "setting", _all_keys()))
    return Config(**sections)


def nearest(name: str, known: Iterable[str]) -> str:
    """Words for an error message: the known name that is nearest to an unknown one."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "known: " + ", ".join(known)


def _section_class(name: str) -> type[Any]:
    cls = get_type_hints(Config)[name]
    assert isinstance(cls, type)
    return cls


def _all_keys() -> list[str]:
    return [f"{s.name}.{f.name}" for s in fields(Config) for f in fields(_section_class(s.name))]


def _read_file(path: Path | None) -> dict[str, object]:
    if path is None:
        path = Path(CONFIG_FILE)
        if not path.is_file():
            return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"Cannot read the settings file {path}: {error.strerror}. "
            "Give the path of an mmchat.toml, or leave --config away."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}. Correct that line.") from error
    flat: dict[str, object] = {}
    for section, content in data.items():
        if not isinstance(content, dict):
            raise ConfigError(
                f"{path}: '{section}' stands outside of a section. "
                f"Expected one of the sections {', '.join(f'[{f.name}]' for f in fields(Config))}."
            )
        flat.update({f"{section}.{key}": value for key, value in content.items()})
    return flat


def _read_environ(environ: Mapping[str, str]) -> dict[str, object]:
    known = {ENV_PREFIX + key.replace(".", "_").upper(): key for key in _all_keys()}
    found: dict[str, object] = {}
    for name, value in environ.items():
        if not name.startswith(ENV_PREFIX) or name in _OTHER_ENV:
            continue
        if name not in known:
            raise ConfigError(_unknown(name, "environment variable", [*known, *_OTHER_ENV]))
        found[known[name]] = value
    return found


def _coerce(value: object, kind: type[Any], key: str) -> object:
    """Turn a value of a file, the environment or a flag into the type of its field."""
    wanted: type[Any] = kind.__args__[0] if isinstance(kind, types.UnionType) else kind
    if get_origin(wanted) is tuple:
        return _texts(value, key)
    if isinstance(value, bool) is not (wanted is bool) and not isinstance(value, str):
        raise ConfigError(f"{_shown(key, value)}: expected {_kind_name(wanted)}.")
    try:
        if wanted is bool and isinstance(value, str):
            return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
        if wanted is int and isinstance(value, float) and not value.is_integer():
            raise ValueError
        if wanted is str and not isinstance(value, str):
            raise ValueError
        return wanted(value)
    except (ValueError, TypeError, KeyError):
        raise ConfigError(f"{_shown(key, value)}: expected {_kind_name(wanted)}.") from None


def _shown(key: str, value: object) -> str:
    """Return a setting for an error message; what nobody should read is left out."""
    return f"The value of {key}" if key.endswith((".password", ".secret")) else f"{key} = {value!r}"


def _texts(value: object, key: str) -> tuple[str, ...]:
    """Return a list of a file, or a text with commas between of the environment or a flag."""
    if isinstance(value, str):
        value = [entry.strip() for entry in value.split(",")] if value.strip() else []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f'{key} = {value!r}: expected a list of texts, as in ["one", "two"].')
    return tuple(value)


def _kind_name(kind: type[Any]) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[kind]


def _unknown(name: str, what: str, known: Iterable[str]) -> str:
    return f"Unknown {what} '{name}': {nearest(name, known)}"
