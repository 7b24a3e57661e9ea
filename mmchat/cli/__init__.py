"""The command line. Results go to stdout, everything else to stderr.

Exit codes: 0 done; 1 the disk or a port failed; 2 a flag, setting or input is not usable; 3 the index
cannot be used; 4 a model cannot be had; 6 the conversations cannot be used; 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

import mmchat
from mmchat.cli import (
    asking,
    conversing,
    drafting,
    evaluating,
    indexing,
    models,
    tuning,
)
from mmchat.cli.options import say
from mmchat.errors import MmchatError

app = typer.Typer(
    name="mmchat",
    help="Ask your own documents and pictures, and get answers with their sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("index")(indexing.index_command)
app.command()(indexing.sync)
app.command()(indexing.add)
app.command()(indexing.delete)
app.command()(asking.search)
app.command()(asking.ask)
app.command()(asking.serve)
app.command()(indexing.info)
app.command("eval")(evaluating.evaluate)
app.command()(conversing.report)
app.command()(drafting.translate)
app.add_typer(drafting.app, name="draft")
app.add_typer(conversing.app, name="conversations")
app.add_typer(models.app, name="models")
app.add_typer(tuning.app, name="tune")


def main() -> NoReturn:
    """Run the command line; every error of mmchat becomes one readable message."""
    try:
        app(standalone_mode=True)
    except MmchatError as error:
        say(f"Error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        say(f"Error: {error.strerror or error}{where}. Check the disk's space and permissions.")
        sys.exit(1)
    except KeyboardInterrupt:
        say("Interrupted. What was there before is as it was; run the command again to go on.")
        sys.exit(130)
    sys.exit(0)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"mmchat {mmchat.__version__}")
        raise typer.Exit
