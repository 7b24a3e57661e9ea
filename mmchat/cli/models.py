"""Commands about models: what there is, what is here, fetch it."""

from __future__ import annotations

from typing import Annotated

import typer

from mmchat.cli.options import AsJson, print_json
from mmchat.errors import InputError

app = typer.Typer(help="The models: what there is, what is here, fetch it.", no_args_is_help=True)


@app.command("list")
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
        print_json(rows)
        return
    for row in rows:
        mark = "here" if row["present"] else "-"
        typer.echo(
            f"{row['name']:24}{row['role']:11}{row['megabytes']:>6} MB  {mark:6}{row['licence']:12}"
            f"{row['description']}"
        )


@app.command("pull")
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


@app.command("verify")
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


@app.command("path")
def models_path(name: Annotated[str, typer.Argument(help="A name of the catalogue.")]) -> None:
    """Print where a model lies."""
    from mmchat.models import ModelStore

    path = ModelStore().path(name)
    if path is None:
        raise InputError(f"{name} is not here yet. Fetch it with 'mmchat models pull {name}'.")
    typer.echo(str(path))
