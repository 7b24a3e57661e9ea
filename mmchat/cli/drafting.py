"""Commands that draft texts for the owner from the documents and from conversations."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmchat.cli.asking import open_assistant
from mmchat.cli.conversing import Conversation, named, opened_store
from mmchat.cli.options import (
    AsJson,
    ConfigFile,
    ImageFile,
    IndexPath,
    Set,
    load_settings,
    open_named,
    print_json,
    say,
    shorten,
)

if TYPE_CHECKING:
    from mmchat.app import DraftText

app = typer.Typer(
    name="draft",
    help="Draft a reply, a product's description or an FAQ entry, with the sources of each sentence.",
    no_args_is_help=True,
)
Generator = Annotated[str | None, typer.Option(help="Setting answers.generator.")]
Language = Literal["en", "ko"]


@app.command()
def reply(
    conversation: Conversation,
    generator: Generator = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Draft an e-mail that answers what was asked in a conversation."""
    from mmchat.app import draft_reply

    settings = load_settings(config, set_, {"answers.generator": generator})
    with opened_store(settings) as store:
        kept = store.everything().get(named(store.everything(), conversation))
    with open_assistant(open_named(index, settings), settings) as assistant:
        _print(draft_reply(assistant, kept), as_json)


@app.command()
def description(
    document: Annotated[str, typer.Argument(help="A page or a row: prices.csv#LB-KT-170R.")],
    image: ImageFile = None,
    language: Annotated[
        Language | None, typer.Option(help="In which it is written (default: the document's).")
    ] = None,
    generator: Generator = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Draft the description of a product from its page or row, and a photo of it."""
    from mmchat.app import draft_description

    settings = load_settings(config, set_, {"answers.generator": generator})
    with open_assistant(open_named(index, settings), settings) as assistant:
        _print(draft_description(assistant, document, image=image, language=language), as_json)


@app.command()
def faq(
    question: Annotated[str, typer.Argument(help="The question, such as one of 'mmchat report'.")],
    generator: Generator = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Draft an FAQ entry: the answer of the documents, or what they lack for one."""
    from mmchat.app import draft_faq

    settings = load_settings(config, set_, {"answers.generator": generator})
    with open_assistant(open_named(index, settings), settings) as assistant:
        _print(draft_faq(assistant, question), as_json)


def translate(
    text: Annotated[str, typer.Argument(help="An answer or a passage; `-` reads it from stdin.")],
    to: Annotated[Language, typer.Option(help="The language.")],
    generator: Generator = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Translate a text with the generator; its numbers and its marks [1] survive."""
    from mmchat.app import translate as translated

    settings = load_settings(config, set_, {"answers.generator": generator})
    with open_assistant(open_named(index, settings), settings) as assistant:
        made = translated(assistant, sys.stdin.read() if text == "-" else text, to)
    if as_json:
        print_json({"text": made.text, "kept": list(made.kept)})
        return
    typer.echo(made.text)
    for sentence in made.kept:
        say(f"Left as it was, since no translation of it held: {shorten(sentence)}")


def _print(draft: DraftText, as_json: bool) -> None:
    if as_json:
        from mmchat.serialise import source_values

        print_json(
            {
                "draft": True,
                "kind": draft.kind,
                "text": draft.text,
                "sources": [source_values(source) for source in draft.sources],
                "missing": list(draft.missing),
                "nearest": list(draft.nearest),
                "dropped": list(draft.dropped),
                "picture": draft.picture,
            }
        )
        return
    typer.echo(f"DRAFT ({draft.kind}): read it before it is used\n\n{draft.text}\n")
    for source in draft.sources:
        page = f", page {source.page}" if source.page else ""
        typer.echo(f"[{source.n}] {source.document}{page}: {shorten(source.text)}")
    if draft.picture:
        typer.echo(f"    picture: {draft.picture}")
    for question in draft.missing:
        typer.echo(f"Not in the documents: {question}")
    if draft.nearest:
        typer.echo(f"Nearest topics: {', '.join(draft.nearest)}")
    for sentence in draft.dropped:
        say(f"Left out, since no source supports it: {shorten(sentence)}")
