"""The owner's own worked examples, read from a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmchat.answering.prompt import Example, Passage
from mmchat.errors import ConfigError

_FIELDS = {"passage", "question", "answer"}
_OPTIONAL = {"title"}
_MOST = 8
"""More would leave little of the context of a small model."""


def read_examples(path: Path) -> tuple[Example, ...]:
    """Read the worked examples that take the place of ours.

    Args:
        path: JSON Lines, an example a line; or TOML (`.toml`) with `[[examples]]`.

    Raises:
        ConfigError: the file cannot be read, or an example is not complete; the message says which.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows = list(_toml(text) if path.suffix.lower() == ".toml" else _lines(text))
    except OSError as error:
        raise ConfigError(
            f"service.examples = '{path}' cannot be read: {error.strerror}. "
            "Expected a file of JSON Lines, or of TOML."
        ) from error
    except ValueError as error:  # broken JSON, TOML and UTF-8 are all of them
        raise ConfigError(f"service.examples = '{path}': {error}. Correct that place.") from error
    if not 1 <= len(rows) <= _MOST:
        raise ConfigError(
            f"service.examples = '{path}' has {len(rows)} examples, expected 1 to {_MOST}. Three are "
            "enough: one that is answered, one that the passage does not answer, one in each language."
        )
    return tuple(_example(path, number, row) for number, row in enumerate(rows, start=1))


def _lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number} is no JSON ({error.msg})") from error


def _toml(text: str) -> Iterator[Any]:
    rows = tomllib.loads(text).get("examples", [])
    yield from rows if isinstance(rows, list) else [rows]


def _example(path: Path, number: int, row: Any) -> Example:
    wrong = ""
    if not isinstance(row, dict):
        wrong = "is no object"
    elif missing := _FIELDS - row.keys():
        wrong = f"has no {', '.join(sorted(missing))}"
    elif unknown := row.keys() - _FIELDS - _OPTIONAL:
        wrong = f"has {', '.join(sorted(unknown))}, which an example does not have"
    elif empty := [name for name in sorted(row) if not str(row[name]).strip()]:
        wrong = f"has nothing in {', '.join(empty)}"
    if wrong:
        raise ConfigError(
            f"service.examples = '{path}': example {number} {wrong}. Expected passage, question, "
            "answer and, where it has one, title."
        )
    title, passage, question, answer = (
        str(row.get(name, "")).strip() for name in ("title", "passage", "question", "answer")
    )
    return Example(Passage(title, passage), question, answer)
