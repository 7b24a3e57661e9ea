"""Check the files of Word, PowerPoint and Excel before a library opens them.

They are zip archives of XML. What they would unpack to is read from the list of their contents before
anything is unpacked; then each entry is unpacked once, in small pieces that are thrown away, because
that list may lie. A DTD, with which a few lines of XML grow to gigabytes or read other files, is never
part of an Office file and is refused wherever it stands.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import SourcePath

_MAX_ENTRIES = 20_000
# Real sheets reach a hundred; deflate's limit, which bombs come near to, is 1,032.
_MAX_RATIO = 250
_RATIO_MATTERS = 20e6
_AT_ONCE = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DTDS = [b"<!DOCTYPE", b"<!ENTITY"]
_DTDS += [mark.decode().encode(code) for mark in _DTDS for code in ("utf-16-le", "utf-16-be")]
_ENCRYPTED_ENTRY = 0x1


def check_archive(
    source: SourcePath, config: IngestConfig, *, main: str, max_main_mb: float | None = None
) -> None:
    """Make sure that a file is what its name says and unpacks to no more than the limit.

    Args:
        source: the file.
        config: the limits.
        main: the beginning of the names of the entries that hold the content: `word/`.
        max_main_mb: megabytes of XML in these, at most, where the whole of it is kept in memory.

    Raises:
        FileRejected: it is damaged, protected with a password, of an older format, or too large unpacked.
    """
    with source.path.open("rb") as content:
        if content.read(len(_OLE)) == _OLE:
            raise FileRejected(_not_a_zip(source, content))
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = archive.infolist()
            _check_list(source, config, entries)
            if not any(entry.filename.startswith(main) for entry in entries):
                raise FileRejected(
                    f"{source.relative} is a zip archive, but not a {source.path.suffix} file. Open it in "
                    "the program that it is from, and save it again."
                )
            _check_main(source, [e for e in entries if e.filename.startswith(main)], max_main_mb)
            for entry in entries:
                with archive.open(entry) as unpacked:
                    _check_entry(source, entry, unpacked)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise FileRejected(
            f"{source.relative} is damaged ({error}). Open it in the program that it is from, and save it "
            "again."
        ) from error


@contextmanager
def damage_told(source: SourcePath, program: str) -> Iterator[None]:
    """Turn whatever a library raises about a damaged file into a message with the way out.

    Raises:
        FileRejected: the file cannot be read.
    """
    try:
        yield
    except (FileRejected, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk failed, not the file
        # These libraries report damage by any exception at all, from KeyError to RecursionError.
        raise FileRejected(
            f"{source.relative} cannot be read ({type(error).__name__}: {error}). Open it in {program} and "
            f"save it again as {source.path.suffix}."
        ) from error


def _not_a_zip(source: SourcePath, content: IO[bytes]) -> str:
    content.seek(0)
    data = content.read(1 << 22)
    if _ENCRYPTED in data:
        return f"{source.relative} is protected with a password. Save a copy without one."
    suffix = source.path.suffix.lower()
    return (
        f"{source.relative} has the ending {suffix} but an older format. Open it in the program that it is "
        f"from, and save it as {suffix}."
    )


def _check_list(source: SourcePath, config: IngestConfig, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > _MAX_ENTRIES:
        raise FileRejected(
            f"{source.relative} has {len(entries):,} entries; the limit is {_MAX_ENTRIES:,}. Split it."
        )
    if any(entry.flag_bits & _ENCRYPTED_ENTRY for entry in entries):
        raise FileRejected(
            f"{source.relative} is protected with a password. Save a copy without one."
        )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > config.max_unpacked_mb * 1e6:
        raise FileRejected(
            f"{source.relative} unpacks to {unpacked / 1e6:,.0f} MB; the limit is "
            f"{config.max_unpacked_mb:,.0f} MB. Split it, or raise ingest.max_unpacked_mb."
        )
    packed = source.path.stat().st_size
    if unpacked > _RATIO_MATTERS and unpacked > _MAX_RATIO * packed:
        raise FileRejected(
            f"{source.relative} unpacks to {unpacked / packed:,.0f} times its size, as only a zip bomb does. "
            "Open it in the program that it is from, and save it again."
        )


def _check_main(
    source: SourcePath, entries: list[zipfile.ZipInfo], max_main_mb: float | None
) -> None:
    if max_main_mb is None:
        return
    size_mb = sum(e.file_size for e in entries if e.filename.lower().endswith(".xml")) / 1e6
    if size_mb > max_main_mb:
        raise FileRejected(
            f"{source.relative} holds {size_mb:,.0f} MB of text and its markup; the limit is "
            f"{max_main_mb:,.0f} MB. Split it."
        )


def _check_entry(source: SourcePath, entry: zipfile.ZipInfo, unpacked: IO[bytes]) -> None:
    """Unpack an entry and throw it away; zipfile fails where it is not what the list says."""
    is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
    overlap = max(map(len, _DTDS))
    before = b""
    while data := unpacked.read(_AT_ONCE):
        if is_xml and any(mark in before + data for mark in _DTDS):
            raise FileRejected(
                f"{source.relative} holds XML with a DTD ({entry.filename}), as no Office program writes it. "
                "Save it again from the program that it is from."
            )
        before = data[-overlap:]
