"""Commands that build an index, keep it in step, and tell of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mmchat
from mmchat.cli.options import (
    AsJson,
    ConfigFile,
    IndexPath,
    Set,
    index_path,
    load_settings,
    print_json,
    say,
)

if TYPE_CHECKING:
    from mmchat.config import Config
    from mmchat.types import IndexReport


Watch = Annotated[
    bool, typer.Option("--watch", help="Follow the folder until interrupted (Ctrl-C).")
]


def index_command(
    folder: Annotated[Path, typer.Argument(help="The folder with documents and pictures.")],
    out: Annotated[
        Path | None, typer.Option(help="The index (default: indexes/ and the folder's name).")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option(help="Keep nothing of an earlier index but what was added by hand.")
    ] = False,
    watch: Watch = False,
    text_encoder: Annotated[str | None, typer.Option(help="Setting encoders.text.")] = None,
    image_encoder: Annotated[str | None, typer.Option(help="Setting encoders.image.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Build the index of a folder, or bring it up to date: only what changed is read again."""
    settings = load_settings(
        config, set_, {"encoders.text": text_encoder, "encoders.image": image_encoder}
    )
    from mmchat.progress import BuildProgress, DownloadProgress

    out = out or Path("indexes") / (folder.resolve().name or "index")
    with BuildProgress() as progress:
        report = mmchat.build_index(
            folder,
            out,
            config=settings,
            rebuild=rebuild,
            progress=progress,
            download_progress=DownloadProgress(),
        )
    _print_report(report, out, as_json)
    if watch:
        _follow(out, None, settings, as_json)


def sync(
    index: IndexPath = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the folder of the index is now, if it has moved.")
    ] = None,
    watch: Watch = False,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Bring an index in step with the folder that it was built from, with the settings of then."""
    settings, path = load_settings(config, set_, {}), index_path(index)
    if watch:
        _follow(path, folder, settings, as_json)
        return
    from mmchat.progress import BuildProgress, DownloadProgress

    with BuildProgress() as progress:
        report = mmchat.sync(
            path,
            folder=folder,
            config=settings,
            progress=progress,
            download_progress=DownloadProgress(),
        )
    _print_report(report, path, as_json)


def add(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders, from anywhere.")],
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="What one file or folder is called there.")
    ] = "",
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Add files or folders to an index, which keeps a copy of them."""
    settings, path = load_settings(config, set_, {}), index_path(index)
    from mmchat.progress import BuildProgress, DownloadProgress

    with BuildProgress() as progress:
        report = mmchat.add(
            path,
            paths,
            name=name,
            config=settings,
            progress=progress,
            download_progress=DownloadProgress(),
        )
    _print_report(report, path, as_json)


def delete(
    documents: Annotated[
        list[str],
        typer.Argument(metavar="DOC...", help="Files, folders or rows of the index: faq.md, old/."),
    ],
    index: IndexPath = None,
    as_json: AsJson = False,
) -> None:
    """Take documents out of an index. They stay out until their content changes."""
    path = index_path(index)
    _print_report(mmchat.delete(path, documents), path, as_json)


def info(
    index: IndexPath = None, config: ConfigFile = None, set_: Set = None, as_json: AsJson = False
) -> None:
    """Tell how an index was built, what it holds, and which files it could not read."""
    from mmchat.app import describe_index

    load_settings(config, set_, {})
    values = describe_index(index_path(index))
    if as_json:
        print_json(values)
        return
    problems = values.pop("problems")
    for name, value in values.items():
        typer.echo(f"{name:>15}  {value}")
    for problem in problems:
        typer.echo(f"{'not indexed':>15}  {problem['reason']}")


def _follow(index: Path, folder: Path | None, settings: Config, as_json: bool) -> None:
    from mmchat.progress import DownloadProgress

    say(f"Following the folder of {index}. Ctrl-C ends it.")
    rounds = mmchat.watch(
        index,
        folder=folder,
        config=settings,
        download_progress=DownloadProgress(),
        on_error=lambda error: say(f"Error: {error} It goes on following."),
    )
    try:
        for report in rounds:
            _print_report(report, index, as_json)
            sys.stdout.flush()
    except KeyboardInterrupt:
        say("Ended.")


def _print_report(report: IndexReport, out: Path, as_json: bool) -> None:
    if as_json:
        from mmchat.serialise import report_values

        print_json(report_values(report))
        return
    for note in report.notes:
        say(note)
    for problem in report.problems:
        say(f"Not indexed: {problem.reason}")
    typer.echo(
        f"{out}: {report.documents} documents, {report.chunks} passages, {report.pictures} pictures."
    )
    if report.duplicates:
        typer.echo(f"{report.duplicates} pictures look like another one, which stands for them.")
    if report.dropped:
        typer.echo(f"{report.dropped} pictures show nothing (icons, lines, blanks): left out.")
    typer.echo(
        f"This time: {report.embedded} items embedded, {report.skipped} files unchanged, "
        f"{report.removed} removed, {report.errors} not readable, {report.seconds:.1f} s."
    )
