"""Commands that build an index and tell of it."""

from __future__ import annotations

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
    from mmchat.types import IndexReport


def index_command(
    folder: Annotated[Path, typer.Argument(help="The folder with documents and pictures.")],
    out: Annotated[
        Path | None, typer.Option(help="The index (default: indexes/ and the folder's name).")
    ] = None,
    rebuild: Annotated[bool, typer.Option(help="Keep nothing of an earlier index.")] = False,
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
    if as_json:
        from mmchat.serialise import report_values

        print_json(report_values(report))
    else:
        _print_report(report, out)


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


def _print_report(report: IndexReport, out: Path) -> None:
    for problem in report.problems:
        say(f"Not indexed: {problem.reason}")
    typer.echo(
        f"{out}: {report.documents} documents, {report.chunks} passages, {report.pictures} pictures. "
        f"This time: {report.embedded} items embedded, {report.skipped} files unchanged, "
        f"{report.removed} removed, {report.errors} not readable, {report.seconds:.1f} s. "
        f"Of the pictures {report.duplicates} look like another one; {report.dropped} more that show nothing "
        "(icons, lines, blanks) were left out."
    )
