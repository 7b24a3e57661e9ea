"""The command line. Results go to stdout, everything else to stderr.

Exit codes: 0 done; 1 the disk or a port failed; 2 a flag, setting or input is not usable; 3 the index
cannot be used; 4 a model cannot be had; 130 interrupted.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

import mmchat
from mmchat.errors import ConfigError, IndexNotFound, InputError, MmchatError

if TYPE_CHECKING:
    from mmchat.app import Index
    from mmchat.config import Config
    from mmchat.types import Answer, Hit, IndexReport

app = typer.Typer(
    name="mmchat",
    help="Ask your own documents and pictures, and get answers with their sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(
    help="The models: what there is, what is here, fetch it.", no_args_is_help=True
)
app.add_typer(models_app, name="models")

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="The settings file (default: ./mmchat.toml).")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting, e.g. retrieval.depth=100."),
]
IndexPath = Annotated[
    Path | None,
    typer.Option(
        "--index", envvar="MMCHAT_INDEX", help="The index (default: the newest one below indexes/)."
    ),
]
ImageFile = Annotated[
    Path | None, typer.Option("--image", help="A photo that is asked with, or asked about.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> NoReturn:
    """Run the command line; every error of mmchat becomes one readable message."""
    try:
        app(standalone_mode=True)
    except MmchatError as error:
        _say(f"Error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _say(f"Error: {error.strerror or error}{where}. Check the disk's space and permissions.")
        sys.exit(1)
    except KeyboardInterrupt:
        _say("Interrupted. What was there before is as it was; run the command again to go on.")
        sys.exit(130)
    sys.exit(0)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"mmchat {mmchat.__version__}")
        raise typer.Exit


@app.command("index")
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
    settings = _settings(
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

        _print_json(report_values(report))
    else:
        _print_report(report, out)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What is looked for, in words.")] = "",
    image: ImageFile = None,
    k: Annotated[int | None, typer.Option("-k", help="How many hits (default: 5).")] = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Find passages and pictures by words, by a photo, or by both."""
    opened = _open(index, _settings(config, set_, {}))
    hits = opened.search(text=text, image=image, k=k)
    if as_json:
        from mmchat.serialise import hit_values

        _print_json([hit_values(hit) for hit in hits])
    else:
        _print_hits(hits)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question.")] = "",
    image: ImageFile = None,
    generator: Annotated[str | None, typer.Option(help="Setting answers.generator.")] = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the index, with the sources."""
    settings = _settings(config, set_, {"answers.generator": generator})
    with _assistant(_open(index, settings), settings) as assistant:
        if as_json:
            from mmchat.serialise import answer_values

            _print_json(answer_values(assistant.ask(question, image=image)))
            return
        answer = None
        for piece in assistant.stream(question, image=image):
            typer.echo(piece.text, nl=False)
            sys.stdout.flush()
            answer = piece.answer or answer
        typer.echo("")
        if answer is not None:
            _print_sources(answer)


@app.command()
def serve(
    index: IndexPath = None,
    host: Annotated[str | None, typer.Option(help="Setting web.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Setting web.port.")] = None,
    generator: Annotated[str | None, typer.Option(help="Setting answers.generator.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
) -> None:
    """Serve the chat in the browser."""
    overrides = {"web.host": host, "web.port": port, "answers.generator": generator}
    settings = _settings(config, set_, overrides)
    with _assistant(_open(index, settings), settings) as assistant:
        from mmchat.web import serve as serve_chat

        # Whoever asks in the first seconds waits for what is left of this.
        threading.Thread(target=assistant.warm_up, daemon=True).start()
        serve_chat(assistant, settings.web)


@app.command()
def info(
    index: IndexPath = None, config: ConfigFile = None, set_: Set = None, as_json: AsJson = False
) -> None:
    """Tell how an index was built, what it holds, and which files it could not read."""
    from mmchat.app import describe_index

    _settings(config, set_, {})
    values = describe_index(_index_path(index))
    if as_json:
        _print_json(values)
        return
    problems = values.pop("problems")
    for name, value in values.items():
        typer.echo(f"{name:>15}  {value}")
    for problem in problems:
        typer.echo(f"{'not indexed':>15}  {problem['reason']}")


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the models of the catalogue."""
    from mmchat.models import ModelStore, catalogue

    store = ModelStore()
    rows = [
        {
            "name": entry.name,
            "role": entry.role,
            "megabytes": round(entry.size / 1e6),
            "licence": entry.licence,
            "present": store.is_present(entry.name),
            "description": entry.description,
        }
        for entry in catalogue().values()
    ]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        mark = "here" if row["present"] else "-"
        typer.echo(
            f"{row['name']:24}{row['role']:11}{row['megabytes']:>6} MB  {mark:6}{row['licence']:12}"
            f"{row['description']}"
        )


@models_app.command("pull")
def models_pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names (default: what mmchat needs).")
    ] = None,
) -> None:
    """Fetch models, so that they are there when no network is."""
    from mmchat.app import default_models
    from mmchat.models import ModelStore
    from mmchat.progress import DownloadProgress

    store = ModelStore(progress=DownloadProgress())
    for name in names or default_models():
        typer.echo(f"{name}  {store.pull(name)}")


@models_app.command("verify")
def models_verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names (default: all that are here).")
    ] = None,
) -> None:
    """Check the files of models against their SHA-256; a wrong file is removed."""
    from mmchat.models import ModelStore, catalogue

    store = ModelStore()
    chosen = names or [name for name in catalogue() if store.is_present(name)]
    if not chosen:
        raise InputError("No model is here yet. Fetch some with 'mmchat models pull'.")
    for name in chosen:
        store.verify(name)
        typer.echo(f"{name}  ok")


@models_app.command("path")
def models_path(name: Annotated[str, typer.Argument(help="A name of the catalogue.")]) -> None:
    """Print where a model lies."""
    from mmchat.models import ModelStore

    path = ModelStore().path(name)
    if path is None:
        raise InputError(f"{name} is not here yet. Fetch it with 'mmchat models pull {name}'.")
    typer.echo(str(path))


def _settings(config: Path | None, pairs: Sequence[str] | None, flags: dict[str, Any]) -> Config:
    overrides: dict[str, object] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: expected KEY=VALUE, as in retrieval.depth=100.")
        overrides[key.strip()] = value.strip()
    overrides.update({key: value for key, value in flags.items() if value is not None})
    return mmchat.load_config(config, overrides)


def _open(path: Path | None, settings: Config) -> Index:
    from mmchat.progress import DownloadProgress

    return mmchat.open_index(
        _index_path(path), config=settings, download_progress=DownloadProgress()
    )


def _index_path(path: Path | None) -> Path:
    """Return the index that is meant: the one that is named, or the newest below indexes/."""
    if path is not None:
        return path
    found = sorted(Path("indexes").glob("*/CURRENT"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise IndexNotFound(
            "No index below indexes/. Make one with 'mmchat index FOLDER', or name one with --index."
        )
    if len(found) > 1:
        _say(f"Using {found[-1].parent}, the newest of {len(found)} indexes; choose with --index.")
    return found[-1].parent


@contextmanager
def _assistant(index: Index, settings: Config) -> Iterator[mmchat.Assistant]:
    from mmchat.progress import DownloadProgress

    assistant = mmchat.Assistant(index, config=settings, download_progress=DownloadProgress())
    try:
        yield assistant
    finally:
        assistant.close()


def _print_report(report: IndexReport, out: Path) -> None:
    for problem in report.problems:
        _say(f"Not indexed: {problem.reason}")
    typer.echo(
        f"{out}: {report.documents} documents, {report.chunks} passages, {report.pictures} pictures. "
        f"This time: {report.embedded} items embedded, {report.skipped} files unchanged, "
        f"{report.removed} removed, {report.errors} not readable, {report.seconds:.1f} s."
    )


def _print_hits(hits: Sequence[Hit]) -> None:
    if not hits:
        typer.echo("Nothing found.")
    for hit in hits:
        page = f", page {hit.page}" if hit.page else ""
        channels = ", ".join(f"{name} {rank}" for name, rank in hit.channels.items())
        typer.echo(f"{hit.rank:>2}. {hit.title}  [{hit.kind}, {hit.score:.2f}: {channels}]")
        typer.echo(f"    {hit.document}{page}")
        if hit.picture_path and hit.kind == "picture":
            typer.echo(f"    {hit.picture_path}")
        typer.echo(f"    {_shorten(hit.text)}")


def _print_sources(answer: Answer) -> None:
    typer.echo("")
    for source in answer.sources:
        page = f", page {source.page}" if source.page else ""
        typer.echo(f"[{source.n}] {source.document}{page}: {_shorten(source.text)}")
    for hit in answer.pictures:
        typer.echo(f"    picture: {hit.picture}")
    typer.echo(f"({answer.status.value}, {answer.seconds:.1f} s)")


def _shorten(text: str, limit: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _print_json(values: object) -> None:
    typer.echo(json.dumps(values, ensure_ascii=False, indent=2))


def _say(message: str) -> None:
    typer.echo(message, err=True)


if __name__ == "__main__":
    main()
