"""Take files that the owner hands over into an index, each on its own merits."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.app.amending import add, source_if_there
from mmchat.app.overview import names_added
from mmchat.errors import IndexLocked, InputError
from mmchat.types import FileProblem

if TYPE_CHECKING:
    from mmchat.app.index import Index
    from mmchat.ingest.pipeline import Progress


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of files that were handed over."""

    added: tuple[str, ...]
    """The names of those that the assistant now answers from."""
    problems: tuple[FileProblem, ...]
    """Those that were not taken, and why. Of a file that was to be replaced the earlier content stays."""


def take_in(index: Index, paths: Sequence[Path], *, progress: Progress | None = None) -> Intake:
    """Add files to an index under their own names; one that was added before is replaced.

    What cannot be read keeps nothing else out, and what it was to replace stays.

    Args:
        index: the index, whose encoders are used.
        paths: files from anywhere; the index keeps copies.
        progress: is told how far it is.

    Raises:
        IndexLocked: another process is writing the index; nothing was changed.
    """
    fresh, again, problems = _sorted(index, paths)
    added: list[str] = []
    # What is new goes in at once. What replaces something goes alone: where it fails, all stays as it was.
    batches = [[path] for path in again]
    if fresh:
        batches.insert(0, fresh)
    while batches:
        batch = batches.pop(0)
        try:
            name = _name(batch[0]) if len(batch) == 1 else ""
            report = add(
                index.path,
                batch,
                name=name,
                config=index.config,
                progress=progress,
                encoders=index.encoders,
            )
        except IndexLocked as error:
            if not added:
                raise
            problems += [FileProblem(_name(path), str(error)) for path in batch]
            continue
        except InputError as error:
            if len(batch) > 1:  # nothing went in: each is told for what it is
                batches = [[path] for path in batch] + batches
            else:
                problems.append(FileProblem(_name(batch[0]), str(error)))
            continue
        failed = {problem.document: problem for problem in report.problems}
        names = [_name(path) for path in batch]
        problems += [failed[name] for name in names if name in failed]
        added += [name for name in names if name not in failed]
    return Intake(tuple(added), tuple(problems))


def _name(path: Path) -> str:
    """Return the name that a file gets: `add` composes letters, which some systems take apart."""
    return unicodedata.normalize("NFC", path.name)


def _sorted(
    index: Index, paths: Sequence[Path]
) -> tuple[list[Path], list[Path], list[FileProblem]]:
    """Return the files that are new, those that replace another, and those that cannot go in."""
    held, folder = names_added(index), source_if_there(index.path)
    fresh: dict[str, Path] = {}
    again: dict[str, Path] = {}
    problems: list[FileProblem] = []
    for path in paths:
        name = _name(path)
        if name in fresh or name in again:
            reason = (
                f"Two files are called {name}. The first was taken; give the other another name."
            )
            problems.append(FileProblem(name, reason))
        elif name in held:
            again[name] = path
        elif index.reader().knows(name) or (folder and (folder / name).exists()):
            reason = (
                f"The folder that the index was built from has a file {name}. Change it there, or give this "
                "one another name."
            )
            problems.append(FileProblem(name, reason))
        else:
            fresh[name] = path
    return list(fresh.values()), list(again.values()), problems
