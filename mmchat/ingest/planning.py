"""Find out what a folder has that an index has not, and the other way round."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.loading import refuse_large
from mmchat.ingest.reading import FileUnreadable, disk_failed, hash_file
from mmchat.ingest.scanning import FoundFile

# Hashing waits for the disk, most of all: more threads than cores keep it busy.
_THREADS = min(16, 4 * (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class FileToRead:
    """A file whose content is not in the index."""

    file: FoundFile
    content_hash: str
    """Empty where the disk did not give the file."""
    failure: FileRejected | FileUnreadable | None = None
    """Why it need not even be opened."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to bring an index in step."""

    changed: tuple[FileToRead, ...]
    unchanged: int
    """Files whose content the index holds, or which were deleted from it."""
    gone: frozenset[str]
    """Files that the index holds and that are not there any more."""


def make_plan(
    found: Iterable[FoundFile],
    known: Mapping[str, str],
    deleted: Mapping[str, str],
    config: IngestConfig,
) -> Plan:
    """Compare the content of files with what an index knows of them.

    Args:
        found: the files that there are, all of them.
        known: path to the hash of the content that was indexed or failed.
        deleted: path to the hash of the content that somebody took out of the index: it stays out.
        config: a file that is larger than it allows is not even opened.
    """
    files: dict[str, FoundFile] = {}
    for file in found:
        # Two names may differ in nothing but the way that an accent is written.
        files.setdefault(file.source.relative, file)
    changed: list[FileToRead] = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="mmchat-hash") as pool:
        for checked in pool.map(lambda file: _check(file, config), files.values()):
            path, content_hash = checked.file.source.relative, checked.content_hash
            if not content_hash or content_hash not in (known.get(path), deleted.get(path)):
                changed.append(checked)
    gone = known.keys() - files.keys()
    # What lies in a folder that cannot be opened today is not gone.
    closed = tuple(f"{file.source.relative}/" for file in files.values() if file.is_folder)
    gone = {path for path in gone if not path.startswith(closed)} if closed else gone
    return Plan(tuple(changed), len(files) - len(changed), frozenset(gone))


def _check(file: FoundFile, config: IngestConfig) -> FileToRead:
    try:
        if file.problem:
            raise FileRejected(file.problem)
        refuse_large(file.source, config)
        return FileToRead(file, hash_file(file.source.path))
    except FileRejected as error:
        mark = hashlib.blake2b(str(error).encode(), digest_size=16).hexdigest()
        return FileToRead(file, mark, error)
    except OSError as error:
        return FileToRead(file, "", FileUnreadable(disk_failed(file.source.relative, error)))
