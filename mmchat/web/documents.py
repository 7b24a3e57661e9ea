"""A document as a page of its own, opened where a source stands: `/document?path=…&start=…&end=…#here`."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from mmchat.sentences import is_korean

if TYPE_CHECKING:
    from mmchat.app import Index
    from mmchat.types import Document, Source

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 46rem; padding: 24px 20px 40vh; }}
body {{ font: 1rem/1.6 ui-sans-serif, system-ui, sans-serif; }}
h1 {{ font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; }}
.path {{ margin: 4px 0 24px; font-size: 0.85rem; overflow-wrap: anywhere; }}
.text {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
mark {{ background: #fde68a; color: #1c1917; border-radius: 3px; padding: 1px 2px; scroll-margin-top: 30vh; }}
</style>
</head>
<body><main><h1>{title}</h1><p class="path">{path}</p><div class="text">{text}</div></main></body>
</html>
"""


def link_to(source: Source) -> str:
    """Return the address that opens a source in its document; empty for a picture, which has no text."""
    if source.span is None:
        return ""
    start, end = source.span
    query = urlencode({"path": source.document, "start": start, "end": end})
    return f"document?{query}#here"


def documents(index: Index) -> APIRouter:
    """Return the address of the documents that were indexed. No other file of this machine is read."""
    router = APIRouter()

    @router.get("/document")
    def document(path: str, start: int = 0, end: int = 0) -> HTMLResponse:
        found = index.document(path)
        if found is None or not found.text:
            raise HTTPException(404, "No such document: the index may have been built anew.")
        return HTMLResponse(_page(found, start, end))

    return router


def _page(document: Document, start: int, end: int) -> str:
    """Return the page, with the characters from `start` to `end` highlighted."""
    text, start = document.text, max(start, 0)
    before, used, after = (
        html.escape(part) for part in (text[:start], text[start:end], text[max(start, end) :])
    )
    return _PAGE.format(
        language="ko" if is_korean(text) else "en",
        title=html.escape(document.title or document.path),
        path=html.escape(document.path),
        text=f'{before}<mark id="here">{used}</mark>{after}' if used else html.escape(text),
    )
