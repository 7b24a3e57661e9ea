"""The chat in somebody's own page: the script `/embed.js`, and how the chat behaves in a frame."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, Response

_SCRIPT = Path(__file__).with_name("embed.js")
_ORIGINS = "const allowed = [];"
_CACHE_SECONDS = 3600

IN_A_FRAME = """() => {
    if (window.parent === window) return;
    const toBox = () => {
        const box = document.querySelector("#box textarea:not(:disabled)");
        // A keyboard that covers half of a phone comes when it is asked for.
        const wanted = document.hasFocus() && document.activeElement === document.body;
        if (box && wanted && matchMedia("(pointer: fine)").matches) box.focus();
        return box;
    };
    const waiting = new MutationObserver(() => { if (toBox()) waiting.disconnect(); });
    if (!toBox()) waiting.observe(document.body, {childList: true, subtree: true, attributes: true});
    window.addEventListener("focus", toBox);
    window.addEventListener("keydown", (event) => {
        const ours = event.key === "Escape" && !event.isComposing;
        if (ours && !document.querySelector("#pictures .preview, #large[open]"))
            window.parent.postMessage("mmchat:close", "*");
    }, true);
}"""
"""The focus goes into the box when the frame is opened, and Escape is handed on: a page does not hear what
is pressed in a frame. The word that is sent tells nothing, so that it may go to whoever shows the frame."""


def embedding(origins: Sequence[str]) -> APIRouter:
    """Return the address of the script that shows the chat in the pages of these origins."""
    router = APIRouter()
    script = _SCRIPT.read_text(encoding="utf-8").replace(
        _ORIGINS, f"const allowed = {json.dumps(list(origins))};"
    )

    @router.get("/embed.js")
    def embed() -> Response:
        headers = {
            "cache-control": f"public, max-age={_CACHE_SECONDS}",
            # For shops whose pages are isolated (COEP): they take from others what says that they may.
            "cross-origin-resource-policy": "cross-origin",
        }
        return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)

    return router
