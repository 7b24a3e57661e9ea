"""What the panel of the index shows, as HTML. Everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from mmchat.web.render import escape

if TYPE_CHECKING:
    from mmchat.app import DocumentPage, DocumentRow, Intake, Overview
    from mmchat.types import FileProblem


def standing_html(seen: Overview, words: Mapping[str, str]) -> str:
    """Return the numbers of an index, and how it was built."""
    numbers = (
        (seen.documents, "index_documents"),
        (seen.passages, "index_passages"),
        (seen.pictures, "index_pictures"),
        (len(seen.problems), "index_unread"),
    )
    shown = "".join(
        f"<div><dt>{escape(words[name])}</dt><dd>{number:,}</dd></div>" for number, name in numbers
    )
    facts = words["index_facts"].format(
        changed=f"{seen.changed.astimezone():%Y-%m-%d %H:%M}",
        generation=seen.generation,
        source=seen.source,
        text=seen.text_encoder,
        image=seen.image_encoder,
    )
    return f'<dl class="numbers">{shown}</dl><p class="facts">{escape(facts)}</p>'


def table_html(page: DocumentPage, words: Mapping[str, str]) -> str:
    """Return documents as a table, each with a button that takes it out."""
    if not page.rows:
        return f'<p class="facts">{escape(words["index_none"])}</p>'
    names = ("index_document", "index_passages", "index_pictures")
    heads = "".join(f'<th scope="col">{escape(words[name])}</th>' for name in names)
    rows = "".join(_row(row, words) for row in page.rows)
    return (
        f'<table class="documents"><thead><tr>{heads}'
        f'<th scope="col"><span class="unseen">{escape(words["index_remove"])}</span></th>'
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def problems_html(problems: Sequence[FileProblem], words: Mapping[str, str]) -> str:
    """Return the files that could not be read, folded away, each with a button that takes it out."""
    if not problems:
        return ""
    head = escape(words["index_problems"].format(count=len(problems)))
    listed = _problem_list(problems, words)
    return f"<details><summary>{head}</summary>{listed}</details>"


def intake_html(intake: Intake, words: Mapping[str, str]) -> str:
    """Return what became of the files that were handed over."""
    parts = []
    if intake.added:
        said = words["index_added"].format(names=", ".join(intake.added))
        parts.append(f'<p class="good">{escape(said)}</p>')
    if intake.problems:
        parts.append(f'<p class="bad">{escape(words["index_refused"])}</p>')
        parts.append(_problem_list(intake.problems))
    return f'<div role="status">{"".join(parts)}</div>'


def said_html(text: str, *, good: bool) -> str:
    """Return one sentence about what was done, or why it was not."""
    return f'<div role="status"><p class="{"good" if good else "bad"}">{escape(text)}</p></div>'


def document_link(path: str) -> str:
    """Return the address of a document as the chat's server shows it, seen from the owner's page."""
    return f"../document?{urlencode({'path': path})}"


def _row(row: DocumentRow, words: Mapping[str, str]) -> str:
    thumb = '<span class="thumb"></span>'
    if row.thumb is not None:
        address = f"gradio_api/file={quote(row.thumb.resolve().as_posix())}"
        thumb = f'<img class="thumb" src="{escape(address)}" alt="" loading="lazy">'
    title = escape(row.title or row.path)
    if row.has_text:
        address = escape(document_link(row.path))
        title = f'<a href="{address}" target="_blank" rel="noopener">{title}</a>'
    note = f' <span class="by-hand">{escape(words["index_by_hand"])}</span>' if row.added else ""
    return (
        f'<tr><td><div class="what">{thumb}<div>{title}{note}'
        f'<div class="path">{escape(row.path)}</div></div></div></td>'
        f"<td>{row.passages:,}</td><td>{row.pictures:,}</td>"
        f"<td>{_remove_button(row.path, words)}</td></tr>"
    )


def _problem_list(problems: Sequence[FileProblem], words: Mapping[str, str] | None = None) -> str:
    """Return problems as a list; with words, they can be taken out."""
    rows = "".join(
        f"<li>{_reason(each)} {_remove_button(each.document, words) if words else ''}</li>"
        for each in problems
    )
    return f'<ul class="problems">{rows}</ul>'


def _reason(problem: FileProblem) -> str:
    """Return why a file was not read, with its name where the reason does not begin with it."""
    named = problem.reason.startswith(problem.document)
    name = "" if named else f"<b>{escape(problem.document)}</b> "
    return name + escape(problem.reason)


def _remove_button(path: str, words: Mapping[str, str]) -> str:
    label = escape(words["index_remove_it"].format(path=path))
    return (
        f'<button type="button" data-path="{escape(path)}" aria-label="{label}">'
        f"{escape(words['index_remove'])}</button>"
    )
