"""What the commands share: flags, the index and settings that are meant, and how things are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import mmchat
from mmchat.errors import ConfigError, IndexNotFound

if TYPE_CHECKING:
    from mmchat.app import Index
    from mmchat.config import Config

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="The settings file (default: ./mmchat.toml).")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting, e.g. retrieval.depth=100."),
]
IndexPath = Annotated[
    Path | None,
    typer.Option(
        "--index", envvar="MMCHAT_INDEX", help="The index (default: the newest one below indexes/)."
    ),
]
ImageFile = Annotated[
    Path | None, typer.Option("--image", help="A photo that is asked with, or asked about.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def load_settings(
    config: Path | None, pairs: Sequence[str] | None, flags: dict[str, Any]
) -> Config:
    """Read the settings; `pairs` are KEY=VALUE of `--set`, `flags` beat them where not None."""
    overrides: dict[str, object] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: expected KEY=VALUE, as in retrieval.depth=100.")
        overrides[key.strip()] = value.strip()
    overrides.update({key: value for key, value in flags.items() if value is not None})
    return mmchat.load_config(config, overrides)


def open_named(path: Path | None, settings: Config) -> Index:
    """Open the index that is meant."""
    from mmchat.progress import DownloadProgress

    return mmchat.open_index(
        index_path(path), config=settings, download_progress=DownloadProgress()
    )


def index_path(path: Path | None) -> Path:
    """Return the index that is meant: the one that is named, or the newest below indexes/."""
    if path is not None:
        return path
    found = sorted(Path("indexes").glob("*/CURRENT"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise IndexNotFound(
            "No index below indexes/. Make one with 'mmchat index FOLDER', or name one with --index."
        )
    if len(found) > 1:
        say(f"Using {found[-1].parent}, the newest of {len(found)} indexes; choose with --index.")
    return found[-1].parent


def shorten(text: str, limit: int = 200) -> str:
    """Return a text in one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def print_json(values: object) -> None:
    """Print JSON that a person can read."""
    typer.echo(json.dumps(values, ensure_ascii=False, indent=2))


def say(message: str) -> None:
    """Print a message to stderr."""
    typer.echo(message, err=True)
