"""Add documents to an index by hand, and take them out."""

from __future__ import annotations

import difflib
import os
import time
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mmchat.app.building import Builder, source_folder
from mmchat.config import Config, load_config
from mmchat.errors import InputError
from mmchat.ingest.base import SourcePath
from mmchat.ingest.pipeline import added_files, relink, report_of
from mmchat.ingest.scanning import FoundFile, scan
from mmchat.models import ModelStore
from mmchat.stores.base import Amendments
from mmchat.stores.local import LocalReader
from mmchat.stores.manifest import now
from mmchat.stores.writing import LocalWriter
from mmchat.types import FileProblem, IndexReport

if TYPE_CHECKING:
    from mmchat.app.encoders import Encoders
    from mmchat.ingest.pipeline import Progress as BuildProgress
    from mmchat.models import Progress as DownloadProgress


def add(
    index: str | Path,
    paths: str | Path | Sequence[str | Path],
    *,
    name: str = "",
    config: Config | None = None,
    progress: BuildProgress | None = None,
    download_progress: DownloadProgress | None = None,
    encoders: Encoders | None = None,
) -> IndexReport:
    """Add files or folders from anywhere to an index. They stay in it whatever becomes of its folder.

    The index keeps a copy of each. What lies inside of the folder that the index was built from is not
    copied, only brought up to date.

    Args:
        index: the index.
        paths: a file or folder, or several.
        name: the name that a single file or folder gets in the index; its own where not given. What was
            added under that name before is replaced.
        config: the settings, of which the limits count; see `build_index`.
        progress: is told how far it is.
        download_progress: is told how far the fetching of a missing model is.
        encoders: those of the index, where they are loaded already (`Index.encoders`).

    Raises:
        IndexNotFound: there is no index.
        InputError: a path is not there, a name is taken, or nothing can be indexed; the index stays as
            it was.
        IndexLocked: another process is writing the index.
    """
    index = Path(index)
    given = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    if name and len(given) != 1:
        raise InputError(f"A name fits one path; {len(given)} were given. Add them one by one.")
    models = ModelStore(progress=download_progress)
    builder = Builder.of_index(index, config or load_config(), models, progress, encoders)
    folder = source_if_there(index)
    with builder.writer(None) as writer:
        files: list[FoundFile] = []
        refused: list[FileProblem] = []
        for path in given:
            if folder and path.resolve().is_relative_to(folder):
                files += _bring_back(path, folder, writer)
            else:
                found = _from_elsewhere(path, name)
                refused += [FileProblem(n, f.problem) for n, f in found.items() if f.problem]
                ordinary = {n: f.source.path for n, f in found.items() if not f.problem}
                files += _keep(ordinary, name, folder, writer)
        if not files:
            raise InputError(_nothing_in(given, refused))
        report = builder.pipeline().update(files, writer)
    return replace(
        report,
        errors=report.errors + len(refused),
        problems=(*report.problems, *refused),
    )


def delete(index: str | Path, documents: str | Sequence[str]) -> IndexReport:
    """Take documents out of an index, at once and without an encoder.

    A file that still lies in the folder of the index stays out until its content changes or it is added
    again.

    Args:
        index: the index.
        documents: a file, a folder with all that lies in it, or a row of a table
            (`prices.csv#KT-101`), or several: as hits and sources name them.

    Raises:
        IndexNotFound: there is no index.
        InputError: the index holds no such document; the nearest is named, and nothing is taken out.
        IndexLocked: another process is writing the index.
    """
    started = time.perf_counter()
    index = Path(index)
    names = [documents] if isinstance(documents, str) else list(documents)
    folder = source_if_there(index)
    manifest = replace(LocalReader(index).manifest, created=now())
    with LocalWriter(index, manifest) as writer:
        chosen = {path: mark for name in names for path, mark in _named(name, writer, folder)}
        for path in chosen:
            if path in writer.known:
                writer.remove(path)
            else:
                writer.remove_document(path)
        before = writer.amendments
        added = {path: kept for path, kept in before.added.items() if path not in chosen}
        writer.amend(Amendments(added, {**before.deleted, **chosen}))
        relink(writer)
        report = report_of(writer, started, removed=len(chosen))
        writer.commit()
    return report


def source_if_there(index: Path) -> Path | None:
    """Return the folder that an index was built from; None where it is gone or not known."""
    try:
        return source_folder(index)
    except InputError:
        return None


def _bring_back(path: Path, folder: Path, writer: LocalWriter) -> list[FoundFile]:
    """Return the files at a path inside of the folder; none of them counts as deleted any more."""
    wanted = path.resolve()
    found = [f for f in scan(folder, writer.folder) if f.source.path.is_relative_to(wanted)]
    if not found:
        what = "holds no files" if wanted.is_dir() else "is hidden or not there"
        raise InputError(f"{path} {what}: nothing can be indexed. Check the path.")
    names = {file.source.relative for file in found}
    before = writer.amendments
    deleted = {p: m for p, m in before.deleted.items() if not _belongs_to(p, names)}
    if len(deleted) < len(before.deleted):
        # Rows may be missing of a file whose content is known: it has to be read again.
        for file in names & writer.known.keys():
            if any(_belongs_to(p, {file}) for p in before.deleted):
                writer.remove(file)
        writer.amend(replace(before, deleted=deleted))
    return found


def _from_elsewhere(path: Path, name: str) -> dict[str, FoundFile]:
    """Return the files at a path by the names that they get in the index."""
    label = _checked_name(name or path.resolve().name)
    if path.is_dir():
        return {f"{label}/{file.source.relative}": file for file in scan(path)}
    if not path.is_file():
        what = "is not a file or folder" if path.exists() else "does not exist"
        raise InputError(f"{path} {what}. Check the path.")
    return {label: FoundFile(SourcePath(path, label, path.stem))}


def _keep(
    files: Mapping[str, Path], name: str, folder: Path | None, writer: LocalWriter
) -> list[FoundFile]:
    """Copy files into the index, and return the copies."""
    before = writer.amendments
    added = dict(before.added)
    if name:
        for old in [p for p in added if p == name or p.startswith(f"{name}/")]:
            if old not in files:
                writer.remove(old)
                del added[old]
    for label, path in files.items():
        original = writer.put_original(path)
        in_folder = folder is not None and (folder / label).exists()
        other = label in added and added[label] != original and not name
        if in_folder or other or (label in writer.known and label not in added):
            whose = "added before with other content" if other else "of the folder of the index"
            replacing = f", or replace it with --as {label}" if other and len(files) == 1 else ""
            raise InputError(
                f"The index holds a '{label}' already, {whose}. Give {path} another name with "
                f"--as NAME{replacing}."
            )
        added[label] = original
    deleted = {p: m for p, m in before.deleted.items() if not _belongs_to(p, files.keys())}
    writer.amend(Amendments(added, deleted))
    return [file for file in added_files(writer) if file.source.relative in files]


def _checked_name(name: str) -> str:
    label = unicodedata.normalize("NFC", name).rstrip("/")
    path = PurePosixPath(label)
    if label in {"", "."} or label[0] == "/" or ".." in path.parts or label != path.as_posix():
        raise InputError(f"{name!r} is no name for a document. Expected one such as 'manual.pdf'.")
    if os.fsencode(label).decode("utf-8", "replace") != label:
        raise InputError(f"{label!a} is not UTF-8. Give it another name with --as NAME.")
    return label


def _named(name: str, writer: LocalWriter, folder: Path | None) -> list[tuple[str, str]]:
    """Return the files or the row that a name means, each with the content hash of its file."""
    known = writer.known
    for candidate in _spellings(name, folder):
        if candidate in known:
            return [(candidate, known[candidate])]
        inside = [path for path in known if path.startswith(f"{candidate}/")]
        if inside:
            return [(path, known[path]) for path in inside]
        pieces = candidate.split("#")
        for count in range(len(pieces) - 1, 0, -1):
            file = "#".join(pieces[:count])
            if file in known and candidate in writer.documents_of(file):
                return [(candidate, known[file])]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    such = f"Did you mean '{close[0]}'?" if close else _examples(known)
    raise InputError(f"The index {writer.folder} holds no document '{name}'. {such}")


def _spellings(name: str, folder: Path | None) -> list[str]:
    """Return a name as the index may know it: as it stands, or as a path to a file of the folder."""
    spelled = [unicodedata.normalize("NFC", name.strip("/"))]
    if folder is not None and name and Path(name).resolve().is_relative_to(folder):
        spelled.append(Path(name).resolve().relative_to(folder).as_posix())
    return [candidate.removeprefix("./") for candidate in spelled]


def _examples(known: Collection[str]) -> str:
    some = ", ".join(f"'{path}'" for path in sorted(known)[:3])
    return f"It holds {len(known)} files: {some} …" if known else "It is empty."


def _belongs_to(path: str, files: Collection[str]) -> bool:
    """Tell whether a path is one of these files, or a row of one."""
    pieces = path.split("#")
    return any("#".join(pieces[:count]) in files for count in range(1, len(pieces) + 1))


def _nothing_in(paths: Sequence[Path], refused: Sequence[FileProblem]) -> str:
    if refused:
        return refused[0].reason
    return f"{', '.join(map(str, paths))}: no files are there. Give a file, or a folder with files."
