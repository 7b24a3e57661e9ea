"""The command that measures retrieval, or answers, on a dataset."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
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
from mmchat.errors import InputError

if TYPE_CHECKING:
    from mmchat.config import Config
    from mmchat.evaluation import AnswerFigures, Results


def evaluate(
    dataset: Annotated[
        Path, typer.Argument(help="A folder with queries.jsonl, qrels.tsv and mostly corpus.jsonl.")
    ],
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Ask the queries that have written answers, and grade."),
    ] = False,
    generator: Annotated[str | None, typer.Option(help="Setting answers.generator.")] = None,
    index: IndexPath = None,
    against: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", help="Two settings files, or two indexes, to be compared."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep the index of corpus.jsonl here, and use it where it is there."),
    ] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well a dataset's questions find what answers them, or how well they are answered.

    Without --index the dataset's own corpus.jsonl is indexed, each row as a document.
    """
    from mmchat import evaluation

    settings = load_settings(config, set_, {"answers.generator": generator})
    if answers:
        if against is not None:
            raise InputError(
                "Got --answers and --against, expected one of them. Measure each side's answers by itself."
            )
        _print_figures(_answered(dataset, index, settings, keep), as_json=as_json)
        return
    if against is None:
        results = _measured(dataset, index, settings, keep)
        if as_json:
            print_json(evaluation.as_values(results))
        else:
            _print_results(results)
        return
    _compare(
        against, [_side(side, dataset, index, set_, keep) for side in against], as_json=as_json
    )


def _compare(against: tuple[Path, Path], compared: Sequence[Results], *, as_json: bool) -> None:
    """Print both sides, and how far the second is above the first."""
    from mmchat import evaluation

    first, second = compared
    difference = evaluation.differences(first, second)
    if as_json:
        names = ("a", "b")
        values = {n: evaluation.as_values(r) for n, r in zip(names, compared, strict=True)}
        print_json({**values, "difference": difference})
        return
    for side, results in zip(against, compared, strict=True):
        typer.echo(f"{side}")
        _print_results(results)
    typer.echo("difference, second against first")
    for direction, metrics in difference.items():
        for name, value in metrics.items():
            low, high = value["interval"]
            typer.echo(
                f"{direction:18}{name:>10}  {value['difference']:+.4f}  [{low:+.4f}, {high:+.4f}]"
                f"  p = {value['p']:.4f}"
            )


def _side(
    side: Path, dataset: Path, index: Path | None, pairs: list[str] | None, keep: Path | None
) -> Results:
    """Return the results of one side: a settings file, or an index."""
    if side.is_dir():
        return _measured(dataset, side, load_settings(None, pairs, {}), keep)
    if not side.is_file():
        raise InputError(f"--against {side}: expected a settings file or the folder of an index.")
    return _measured(dataset, index, load_settings(side, pairs, {}), keep)


def _measured(dataset: Path, index: Path | None, settings: Config, keep: Path | None) -> Results:
    from mmchat import dataset as datasets
    from mmchat import evaluation

    corpus = _brings_corpus(dataset, index)
    questions = datasets.read_questions(dataset, corpus=corpus)
    with _opened(dataset, index, settings, keep, corpus=corpus) as path:
        opened = mmchat.open_index(path, config=settings)
        return evaluation.measure(opened, questions)


def _answered(
    dataset: Path, index: Path | None, settings: Config, keep: Path | None
) -> AnswerFigures:
    """Ask every query that has written answers."""
    from mmchat.cli.asking import open_assistant
    from mmchat.dataset import read_asked
    from mmchat.evaluation import answer_figures, ask_all
    from mmchat.progress import StepProgress

    corpus = _brings_corpus(dataset, index)
    questions = read_asked(dataset)
    with (
        _opened(dataset, index, settings, keep, corpus=corpus) as path,
        open_assistant(mmchat.open_index(path, config=settings), settings) as assistant,
    ):
        answered = []
        bar = StepProgress()
        bar.start("Asking", len(questions))
        try:
            for each in ask_all(assistant, questions):
                answered.append(each)
                bar.advance(1)
        finally:
            bar.finish()
    return answer_figures(answered)


def _brings_corpus(dataset: Path, index: Path | None) -> bool:
    from mmchat import dataset as datasets

    if not dataset.is_dir():
        raise InputError(f"{dataset}: expected a folder with queries.jsonl and qrels.tsv.")
    return index is None and datasets.has_corpus(dataset)


@contextmanager
def _opened(
    dataset: Path, index: Path | None, settings: Config, keep: Path | None, *, corpus: bool
) -> Iterator[Path]:
    """Give the path of the index that is measured; build it where the dataset brings its own corpus."""
    if not corpus:
        yield index_path(index)
        return
    if keep is not None and (keep / "CURRENT").is_file():
        yield keep
        return
    from mmchat.app import build_corpus
    from mmchat.dataset import read_corpus
    from mmchat.progress import DownloadProgress

    with tempfile.TemporaryDirectory() as scratch:
        path = keep or Path(scratch) / dataset.resolve().name
        rows = build_corpus(
            read_corpus(dataset), path, config=settings, download_progress=DownloadProgress()
        )
        say(f"Indexed {rows} rows of {dataset / 'corpus.jsonl'}.")
        yield path


def _print_results(results: Results) -> None:
    from mmchat.measures import METRICS, estimate

    typer.echo(f"{'direction':18}{'queries':>8}" + "".join(f"{name:>24}" for name in METRICS))
    for direction, metrics in results.items():
        cells = ""
        for name in METRICS:
            value, low, high = astuple(estimate(metrics[name]))
            cells += f"{value:>10.3f} [{low:.3f}, {high:.3f}]".rjust(24)
        typer.echo(f"{direction:18}{len(metrics[METRICS[0]]):>8}{cells}")


def _print_figures(figures: AnswerFigures, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(figures))
        return
    typer.echo(f"{figures.answerable} answerable questions, {figures.unanswerable} that are not")
    for name, value in (
        ("right", figures.right),
        ("not answered", figures.abstained),
        ("answered although unanswerable", figures.false_answers),
        ("citations that hold", figures.citation_precision),
        ("unsupported sentences shown", figures.unsupported),
    ):
        typer.echo(f"{name:32}{value.value:>8.3f} [{value.low:.3f}, {value.high:.3f}]")
    typer.echo(f"{'seconds, median':32}{figures.seconds:>8.2f}")
