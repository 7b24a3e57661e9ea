"""Answers that the owner writes to what customers asked, kept as documents of the index.

Each is a Markdown file `answers/….md` that was added by hand, so that it outlives every rebuild, is
searched as all documents are, and goes when it is deleted. Its title is the question; its front matter
says what was asked and when the answer was written, from which a report knows what is answered since.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmchat.app.amending import add
from mmchat.app.drafting import draft_faq
from mmchat.errors import InputError
from mmchat.stores.amending import read_amendments

if TYPE_CHECKING:
    from mmchat.app.assistant import Assistant
    from mmchat.app.index import Index
    from mmchat.ingest.pipeline import Progress
    from mmchat.types import Document, IndexReport

ANSWERS = "answers"
"""The folder of an index that they are kept in."""
_MOST_QUESTION = 500
_MOST_ANSWER = 20_000
"""Characters."""
_NAME = 40
"""Characters of the question in the name of its file."""
_BELOW_HEAD = "\n---\n"
_MARKS = re.compile(r"\s*\[\d{1,2}\]")


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer of the owner."""

    path: str
    question: str
    """As the owner words it."""
    asked: str
    """As a customer worded it."""
    answer: str
    """In Markdown."""
    written: datetime.datetime


def same_words(question: str) -> str:
    """Return a question without case and spacing: those that are alike in this are one."""
    return " ".join(unicodedata.normalize("NFC", question).casefold().split())


def write_answer(
    index: Index, question: str, answer: str, *, asked: str = "", progress: Progress | None = None
) -> IndexReport:
    """Keep an answer as a document of the index. An earlier one to the same question is replaced.

    Args:
        index: the index, whose encoders are used.
        question: as it is to stand above the answer.
        answer: in Markdown.
        asked: as a customer worded it, where that differs; the answer belongs to these words.
        progress: is told how far it is.

    Raises:
        InputError: question or answer is empty or too long.
        IndexLocked: another process is writing the index; nothing was changed.
    """
    question, answer = " ".join(question.split()), answer.strip()
    asked = " ".join(asked.split()) or question
    for what, text, most in (
        ("question", question, _MOST_QUESTION),
        ("answer", answer, _MOST_ANSWER),
    ):
        if not text or len(text) > most:
            raise InputError(
                f"The {what} has {len(text)} characters. Expected 1 to {most}; nothing was changed."
            )
    now = datetime.datetime.now(datetime.UTC).isoformat()
    head = {"title": question, "asked": asked, "created": now}
    # What JSON writes is YAML too, whatever a customer may have typed.
    fields = "\n".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.md"
        text = f"---\n{fields}{_BELOW_HEAD}\n{answer}\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        return add(
            index.path,
            path,
            name=_name(asked),
            config=index.config,
            progress=progress,
            encoders=index.encoders,
        )


def written_answers(index: Index) -> list[WrittenAnswer]:
    """Return the answers that the owner has written, the newest first."""
    documents = index.documents_in(ANSWERS)
    if not documents:
        return []
    reader = index.reader()
    kept = read_amendments(reader.generation).added
    found = [
        _read(document, reader.file(kept[document.path]))
        for document in documents
        if document.path in kept
    ]
    return sorted((each for each in found if each), key=lambda each: each.written, reverse=True)


def draft_answer(assistant: Assistant, question: str) -> str:
    """Return a draft of an answer from the documents, without marks; empty where they hold none."""
    draft = draft_faq(assistant, question)
    if draft.missing:
        return ""
    return _MARKS.sub("", draft.text.partition("\n\n")[2]).strip()


def _name(asked: str) -> str:
    """Return the path of the answer to a question: readable, and no other question's."""
    words = "-".join(re.findall(r"\w+", asked.casefold()))[:_NAME].strip("-_")
    mark = hashlib.blake2b(same_words(asked).encode(), digest_size=6).hexdigest()
    return f"{ANSWERS}/{words}-{mark}.md".replace("/-", "/")


def _read(document: Document, file: Path) -> WrittenAnswer | None:
    """Return an answer; of its document the text is without markup, which stands in the file alone."""
    asked, created = document.metadata.get("asked"), document.metadata.get("created")
    if not isinstance(asked, str) or not isinstance(created, str):
        return None  # somebody's own document
    try:
        written = datetime.datetime.fromisoformat(created)
        answer = file.read_text(encoding="utf-8").split(_BELOW_HEAD, 1)[1]
    except (ValueError, OSError, IndexError):
        return None
    if written.tzinfo is None:
        written = written.replace(tzinfo=datetime.UTC)
    return WrittenAnswer(document.path, document.title, asked, answer.strip(), written)
