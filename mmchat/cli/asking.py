"""Commands that search an index and answer from it."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mmchat
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
from mmchat.errors import MissingExtra, ModelError, UnknownModel
from mmchat.filters import parse_conditions

if TYPE_CHECKING:
    from mmchat.app import Index
    from mmchat.config import Config
    from mmchat.types import Answer, AnswerStream, Hit, Tag

_log = logging.getLogger(__name__)


def search(
    text: Annotated[str, typer.Argument(help="What is looked for, in words.")] = "",
    image: ImageFile = None,
    k: Annotated[int | None, typer.Option("-k", help="How many hits (default: 5).")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Only what fits: price<50, colour=red,blue, name~kettle, date>=2026-01-01; repeatable.",
        ),
    ] = None,
    like: Annotated[
        str, typer.Option(metavar="ITEM", help="More like this item: its id, from a search.")
    ] = "",
    plus: Annotated[
        list[str] | None, typer.Option(metavar="WORDS", help="More of this: blue; repeatable.")
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option(metavar="WORDS", help="Less of this: leather; repeatable.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell which words matched.")] = False,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Find passages and pictures by words, by a photo, by an item that is known, or by all of them."""
    conditions = parse_conditions(where or ())
    opened = open_named(index, load_settings(config, set_, {}))
    hits = opened.search(
        text=text,
        image=image,
        k=k,
        where=conditions,
        like=like,
        plus=plus or (),
        minus=minus or (),
        explain=explain,
    )
    if as_json:
        from mmchat.serialise import hit_values

        print_json([hit_values(hit) for hit in hits])
    else:
        if explain and image is not None:
            typer.echo(f"The photo looks like: {_told(opened.looks_like(image))}")
        _print_hits(hits, explain=explain)


def ask(
    question: Annotated[str, typer.Argument(help="The question.")] = "",
    image: ImageFile = None,
    conversation: Annotated[
        str,
        typer.Option(help="Ask within a conversation that is kept: its id, `last`, or `new`."),
    ] = "",
    generator: Annotated[str | None, typer.Option(help="Setting answers.generator.")] = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the index, with the sources."""
    settings = load_settings(config, set_, {"answers.generator": generator})
    with (
        open_assistant(open_named(index, settings), settings) as assistant,
        _stream(assistant, conversation, question, image) as pieces,
    ):
        if as_json:
            from mmchat.serialise import answer_values

            *_, last = pieces
            assert last.answer is not None
            print_json(answer_values(last.answer))
            return
        answer = None
        for piece in pieces:
            typer.echo(piece.text, nl=False)
            sys.stdout.flush()
            answer = piece.answer or answer
        typer.echo("")
        if answer is not None:
            _print_sources(answer)


def serve(
    index: IndexPath = None,
    host: Annotated[str | None, typer.Option(help="Setting web.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Setting web.port.")] = None,
    generator: Annotated[str | None, typer.Option(help="Setting answers.generator.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
) -> None:
    """Serve the chat in the browser; by quotation alone where the generator cannot be had."""
    overrides = {"web.host": host, "web.port": port, "answers.generator": generator}
    settings = load_settings(config, set_, overrides)
    with (
        open_assistant(open_named(index, settings), settings, or_quote=True) as assistant,
        mmchat.Desk(assistant) if settings.sessions.keep else nullcontext() as desk,
    ):
        from mmchat.web import serve as serve_chat

        # Whoever asks in the first seconds waits for what is left of this.
        threading.Thread(target=assistant.warm_up, daemon=True).start()
        serve_chat(assistant, settings.web, desk=desk, owner=settings.owner)


@contextmanager
def open_assistant(
    index: Index, settings: Config, *, or_quote: bool = False
) -> Iterator[mmchat.Assistant]:
    """Give an assistant over an index; a model that is missing is fetched with a progress bar.

    With `or_quote`, one whose generator cannot be had quotes.
    """
    from mmchat.app import build_generator
    from mmchat.models import ModelStore
    from mmchat.progress import DownloadProgress

    generator = None
    try:
        generator = build_generator(settings, ModelStore(progress=DownloadProgress()))
    except (ModelError, MissingExtra) as error:
        # A name that does not exist is the owner's to correct now; the rest can be while the chat runs.
        if not or_quote or isinstance(error, UnknownModel):
            raise
        _log.error("Answers are quoted from the documents, since there is no generator: %s", error)
        settings = replace(settings, answers=replace(settings.answers, generator="none"))
    assistant = mmchat.Assistant(index, config=settings, generator=generator)
    try:
        yield assistant
    finally:
        assistant.close()


@contextmanager
def _stream(
    assistant: mmchat.Assistant, conversation: str, question: str, image: Path | None
) -> Iterator[AnswerStream]:
    """Give the pieces of an answer, within a conversation where one is named."""
    if not conversation:
        yield assistant.stream(question, image=image)
        return
    from mmchat.cli.conversing import named

    with mmchat.Desk(assistant) as desk:
        if conversation == "new":
            # Whoever may run this may read the database: nobody needs the token again.
            key = desk.start(mmchat.new_owner())
            say(f"Conversation {key}")
        else:
            key = named(desk.store.everything(), conversation)
        yield desk.stream(None, key, question, image)


def _print_hits(hits: Sequence[Hit], *, explain: bool) -> None:
    if not hits:
        typer.echo("Nothing found.")
    for hit in hits:
        page = f", page {hit.page}" if hit.page else ""
        channels = ", ".join(f"{name} {rank}" for name, rank in hit.channels.items())
        typer.echo(f"{hit.rank:>2}. {hit.title}  [{hit.kind}, {hit.score:.2f}: {channels}]")
        typer.echo(f"    {hit.document}{page}")
        if explain:
            typer.echo(f"    item {hit.item}, words: {', '.join(hit.words) or 'none'}")
            if hit.picture is not None:
                typer.echo(f"    looks like: {_told(hit.tag)}")
        if hit.duplicates:
            typer.echo(f"    the same in {', '.join(hit.duplicates)}")
        if hit.picture_path and hit.kind == "picture":
            typer.echo(f"    {hit.picture_path}")
        typer.echo(f"    {shorten(hit.text)}")


def _told(tag: Tag | None) -> str:
    return "nothing that is sure" if tag is None else f"{tag.name}, {tag.probability:.2f}"


def _print_sources(answer: Answer) -> None:
    typer.echo("")
    for source in answer.sources:
        page = f", page {source.page}" if source.page else ""
        typer.echo(f"[{source.n}] {source.document}{page}: {shorten(source.text)}")
    for hit in answer.pictures:
        typer.echo(f"    picture: {hit.picture}")
    for each in answer.similar:
        price = f", {each.price}" if each.price else ""
        kind = f": {each.kind}" if each.kind else ""
        typer.echo(f"    similar: {each.name}{price} ({each.likeness.value}{kind})")
    typer.echo(f"({answer.status.value}, {answer.seconds:.1f} s)")
