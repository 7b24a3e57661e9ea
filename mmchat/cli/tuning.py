"""Commands that tune the models to one's own data."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmchat.cli.options import AsJson, ConfigFile, Set, load_settings, print_json, say

if TYPE_CHECKING:
    from mmchat.measures import Estimate
    from mmchat.tuning.base import TuningReport

app = typer.Typer(
    help="Fit the models to your own questions and photos, and keep what became better.",
    no_args_is_help=True,
)

# What is trained on, what judges, and what is searched.
_UNITS = {
    "text": ("pairs", "questions", "passages"),
    "photos": ("photos", "photos", "products"),
}

Index = Annotated[
    Path | None, typer.Option("--index", help="The index that the questions or photos are about.")
]
Out = Annotated[
    Path | None, typer.Option(help="The tuned model (default: models/ and the source's name).")
]
Keep = Annotated[bool, typer.Option(help="Keep the tuned model even where it is no better.")]
Seed = Annotated[int, typer.Option(help="What chance starts from.")]


@app.command()
def text(
    source: Annotated[
        Path,
        typer.Argument(
            help="A CSV or JSONL file of questions and passages (or answers), or a dataset's folder."
        ),
    ],
    index: Index = None,
    base: Annotated[
        str | None, typer.Option(help="The model to begin with: setting encoders.text.")
    ] = None,
    out: Out = None,
    epochs: Annotated[int, typer.Option(help="Times that every pair is seen.")] = 3,
    seed: Seed = 0,
    keep: Keep = False,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Fine-tune the text encoder on questions and the passages that answer them.

    Held-out questions decide whether it became better. Interrupted, it goes on where it was.
    """
    settings = load_settings(config, set_, {"encoders.text": base})
    from mmchat.app import Training, tune_text
    from mmchat.progress import DownloadProgress, StepProgress

    report = tune_text(
        source,
        index=index,
        out=out,
        config=settings,
        training=Training(epochs=epochs, seed=seed),
        keep=keep,
        progress=StepProgress(),
        download_progress=DownloadProgress(),
    )
    _told(report, as_json)


@app.command()
def photos(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="A folder with a folder of photos for each product, or a CSV of picture and product."
        ),
    ] = None,
    index: Index = None,
    out: Out = None,
    seed: Seed = 0,
    keep: Keep = False,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Fit the head of mmchat-lite to photos of your products.

    Products that it was not fitted to decide whether it became better.
    """
    settings = load_settings(config, set_, {})
    from mmchat.app import tune_photos
    from mmchat.progress import DownloadProgress, StepProgress

    report = tune_photos(
        source,
        index=index,
        out=out,
        config=settings,
        seed=seed,
        keep=keep,
        progress=StepProgress(),
        download_progress=DownloadProgress(),
    )
    _told(report, as_json)


def _told(report: TuningReport, as_json: bool) -> None:
    if as_json:
        print_json(report.values())
    else:
        print_report(report)


def print_report(report: TuningReport) -> None:
    """Print what came of tuning, for people."""
    trained, judged, searched = _UNITS[report.kind]
    for reason, count in report.left_out.items():
        say(f"Left out: {count} {trained} {reason}.")
    typer.echo(
        f"{report.base}: trained on {report.trained} {trained}, judged by {report.judged} held-out {judged} "
        f"among {report.among} {searched}, in {_duration(report.seconds)}."
    )
    typer.echo(f"{'':10}{'base':>24}{'tuned':>24}{'difference':>26}{'p':>9}")
    for change in report.changes:
        cells = "".join(_cell(value) for value in (change.base, change.tuned))
        low, high = change.difference.low, change.difference.high
        typer.echo(
            f"{change.measure:10}{cells}{change.difference.value:>+9.3f} [{low:+.3f}, {high:+.3f}]"
            f"{change.p:>9.4f}"
        )
    typer.echo(_verdict(report))


def _verdict(report: TuningReport) -> str:
    first = report.changes[0].measure
    if report.kept is None:
        return (
            f"The tuned model is not better by more than chance ({first}, p < 0.05), and was not kept. More "
            "and more various data help most; --keep keeps it all the same."
        )
    flag = "--text-encoder" if report.kind == "text" else "--image-encoder"
    name = f"{report.kept}" if report.kind == "text" else f"mmchat-lite@{report.kept}"
    told = "better" if report.is_better else "not better by more than chance, but kept as you asked"
    return (
        f"The tuned model is {told}: {report.kept}\nBuild an index with it: "
        f"mmchat index FOLDER --out indexes/tuned {flag} {name}"
    )


def _cell(value: Estimate) -> str:
    mean, low, high = astuple(value)
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]".rjust(24)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
