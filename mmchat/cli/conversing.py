"""Commands about conversations that were kept, for whoever runs the shop."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmchat.cli.options import (
    AsJson,
    ConfigFile,
    IndexPath,
    Set,
    load_settings,
    open_named,
    print_json,
    say,
    shorten,
)
from mmchat.errors import UnknownConversation

if TYPE_CHECKING:
    from mmchat.app import Gap
    from mmchat.config import Config
    from mmchat.sessions import HandoffRecord, OwnConversations, SessionStore

app = typer.Typer(
    name="conversations",
    help="What was asked and answered: list, export, rename and delete it; see who waits for a person.",
    no_args_is_help=True,
)
Conversation = Annotated[
    str, typer.Argument(help="The id of a conversation, or `last` for the newest.")
]


@app.command("list")
def list_(
    words: Annotated[str, typer.Argument(help="Only those with these words.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Conversations at most.")] = 20,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """List conversations, the newest first."""
    with opened_store(load_settings(config, set_, {})) as store:
        heads = store.everything().list(words, limit=limit)
    if as_json:
        print_json(
            [
                {
                    "id": head.id,
                    "title": head.title,
                    "created": head.created.isoformat(timespec="seconds"),
                    "updated": head.updated.isoformat(timespec="seconds"),
                    "turns": head.turns,
                    "handed_over": head.handed_over,
                }
                for head in heads
            ]
        )
        return
    for head in heads:
        person = "  [with a person]" if head.handed_over else ""
        typer.echo(f"{head.id}  {head.updated:%Y-%m-%d %H:%M}  {head.turns:>3} turns{person}")
        typer.echo(f"    {shorten(head.title, 100) or '(no words)'}")
    if not heads:
        typer.echo("No conversations.")


@app.command()
def export(
    conversation: Conversation,
    out: Annotated[Path | None, typer.Option(help="Write into this file.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Print a conversation with its evidence, as Markdown or as JSON."""
    import json

    from mmchat.app import conversation_markdown, conversation_values

    with opened_store(load_settings(config, set_, {})) as store:
        kept = store.everything().get(named(store.everything(), conversation))
    text = (
        json.dumps(conversation_values(kept), ensure_ascii=False, indent=2) + "\n"
        if as_json
        else conversation_markdown(kept)
    )
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"Wrote {out}.")


@app.command()
def rename(
    conversation: Conversation,
    title: Annotated[str, typer.Argument(help="The new title.")],
    config: ConfigFile = None,
    set_: Set = None,
) -> None:
    """Give a conversation another title."""
    with opened_store(load_settings(config, set_, {})) as store:
        everything = store.everything()
        key = named(everything, conversation)
        everything.rename(key, title)
    typer.echo(f"{key} is called: {' '.join(title.split())}")


@app.command()
def delete(
    conversation: Conversation,
    config: ConfigFile = None,
    set_: Set = None,
) -> None:
    """Delete a conversation for good, with its pictures."""
    with opened_store(load_settings(config, set_, {})) as store:
        everything = store.everything()
        key = named(everything, conversation)
        everything.delete(key)
    typer.echo(f"Deleted {key}.")


@app.command()
def handoffs(config: ConfigFile = None, set_: Set = None, as_json: AsJson = False) -> None:
    """List the conversations that were passed to a person, the newest first."""
    from mmchat.app import handoff_values

    with opened_store(load_settings(config, set_, {})) as store:
        records = store.queue.all()
    if as_json:
        print_json([handoff_values(record) for record in records])
        return
    for record in records:
        detail = f" ({shorten(record.handoff.detail, 60)})" if record.handoff.detail else ""
        typer.echo(
            f"{record.conversation}  {record.created:%Y-%m-%d %H:%M}  "
            f"{record.handoff.reason.value}{detail}  webhook: {record.delivery.value}{_done(record)}"
        )
        if record.error:
            typer.echo(f"    {record.attempts} attempts; {record.error}")
        for line in record.summary.splitlines():
            typer.echo(f"    {shorten(line, 120)}")
    if not records:
        typer.echo("Nobody waits for a person.")


def _done(record: HandoffRecord) -> str:
    return f"  done: {record.done:%Y-%m-%d %H:%M}" if record.done else ""


@app.command()
def done(
    conversation: Conversation,
    undo: Annotated[bool, typer.Option("--undo", help="It waits for a person again.")] = False,
    config: ConfigFile = None,
    set_: Set = None,
) -> None:
    """Mark a conversation that was passed to a person as done. Its customer sees that."""
    with opened_store(load_settings(config, set_, {})) as store:
        key = named(store.everything(), conversation)
        if undo:
            store.queue.reopen(key)
        else:
            store.queue.finish(key)
    typer.echo(f"{key} waits for a person again." if undo else f"{key} is done.")


def report(
    days: Annotated[int | None, typer.Option(min=1, help="Only the last days.")] = None,
    index: IndexPath = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Tell what customers asked and got no answer to: what to write next."""
    from mmchat.app import report as made

    settings = load_settings(config, set_, {})
    since = None
    if days is not None:
        since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    with opened_store(settings) as store:
        gaps = made(open_named(index, settings), store, since=since)
    if as_json:
        print_json([_gap_values(gap) for gap in gaps])
    else:
        _print_gaps(gaps)


def named(everything: OwnConversations, conversation: str) -> str:
    """Return the id that is meant: `last` is the conversation that was last spoken in."""
    if conversation != "last":
        return conversation
    newest = everything.list(limit=1)
    if not newest:
        raise UnknownConversation(
            "There are no conversations yet. They are kept by 'mmchat serve' and by "
            "'mmchat ask --conversation new', in what the setting sessions.database names."
        )
    return newest[0].id


@contextmanager
def opened_store(settings: Config) -> Iterator[SessionStore]:
    """Give the conversations that the settings name."""
    from mmchat.app import open_store

    store = open_store(settings.sessions.database)
    try:
        yield store
    finally:
        store.close()


def _gap_values(gap: Gap) -> dict[str, object]:
    near = gap.nearest
    return {
        "questions": list(gap.questions),
        "count": gap.count,
        "abstained": gap.abstained,
        "disliked": gap.disliked,
        "reasons": list(gap.reasons),
        "conversations": list(gap.conversations),
        "last_asked": gap.last_asked.isoformat(timespec="seconds"),
        "nearest": {
            "document": near.document,
            "title": near.title,
            "page": near.page,
            "score": round(near.score, 3),
            "text": near.text,
        }
        if near
        else None,
    }


def _print_gaps(gaps: list[Gap]) -> None:
    if not gaps:
        typer.echo("Every question was answered, and nobody complained.")
        return
    say("Times asked, of them not in the documents and thumbs down; then what comes closest now.")
    for gap in gaps:
        first, *others = gap.questions
        typer.echo(
            f"{gap.count:>4} ({gap.abstained} unknown, {gap.disliked} down)  {shorten(first, 100)}"
        )
        for question in others:
            typer.echo(f"{'':>6}{shorten(question, 100)}")
        if gap.reasons:
            typer.echo(f"{'':>6}said: {shorten('; '.join(gap.reasons), 120)}")
        if gap.nearest:
            typer.echo(f"{'':>6}nearest: {gap.nearest.document}: {shorten(gap.nearest.text, 100)}")
