"""Questions to begin with, taken from the index itself, so that they fit whatever was indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from mmchat.sentences import is_korean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmchat.app import Assistant
    from mmchat.types import Hit

_PROBES = ("What do customers ask most often?", "자주 묻는 질문")
"""Searches that meet what an owner wrote for customers, whatever the trade, in both languages."""
_TOPICS = 3


class Example(TypedDict, total=False):
    """An example as Gradio's chatbot takes it: what is asked, and what the button says."""

    text: str
    display_text: str
    files: list[str]


def examples(assistant: Assistant) -> list[Example]:
    """Return a few topics and a photo that the index knows; none for an index without documents."""
    if not assistant.index.manifest.documents:
        return []
    hits = [hit for probe in _PROBES for hit in assistant.index.search(probe, k=12)]
    topics = list(dict.fromkeys(_topics(hits)))
    english = [title for title in topics if not is_korean(title)]
    korean = [title for title in topics if is_korean(title)]
    # One topic in Korean where there is any, the rest in English: the page greets in both.
    chosen = [*english[: _TOPICS - bool(korean)], *korean[:1]]
    return [*({"text": title} for title in chosen), *_photo(hits)]


def _topics(hits: Sequence[Hit]) -> Iterator[str]:
    return (hit.title for hit in hits if hit.kind == "chunk" and hit.title)


def _photo(hits: Sequence[Hit]) -> Iterator[Example]:
    """Yield a picture of the index, to be asked about without words."""
    for hit in hits:
        path = hit.thumb_path or hit.picture_path
        if path is not None and path.is_file():
            yield {
                "text": "",
                "files": [str(path)],
                "display_text": "What is this? · 이것은 무엇인가요?",
            }
            return
