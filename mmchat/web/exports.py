"""A visitor's own conversation as a file: `/conversations/ID.md` and `/conversations/ID.json`; and the photos
that were sent in it: `/conversations/ID/pictures/PICTURE.jpg`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Cookie, HTTPException, Response

from mmchat.app import conversation_markdown, conversation_values
from mmchat.errors import MmchatError
from mmchat.web.guard import OWNER_COOKIE

if TYPE_CHECKING:
    from mmchat.app import Desk
    from mmchat.sessions import Conversation


def exports(desk: Desk) -> APIRouter:
    """Return the addresses of the files. Somebody else's conversation is as unknown as none."""
    router = APIRouter()

    def kept(conversation: str, owner: str) -> Conversation:
        try:
            return desk.store.of(owner).get(conversation)
        except MmchatError as error:
            raise HTTPException(404, "No such conversation of yours.") from error

    @router.get("/conversations/{conversation}.md")
    def markdown(
        conversation: str, owner: Annotated[str, Cookie(alias=OWNER_COOKIE)] = ""
    ) -> Response:
        text = conversation_markdown(kept(conversation, owner))
        return _file(text, "text/markdown; charset=utf-8", "conversation.md")

    @router.get("/conversations/{conversation}.json")
    def values(
        conversation: str, owner: Annotated[str, Cookie(alias=OWNER_COOKIE)] = ""
    ) -> Response:
        text = json.dumps(
            conversation_values(kept(conversation, owner)), ensure_ascii=False, indent=2
        )
        return _file(text, "application/json", "conversation.json")

    @router.get("/conversations/{conversation}/pictures/{picture}.jpg")
    def photo(
        conversation: str, picture: str, owner: Annotated[str, Cookie(alias=OWNER_COOKIE)] = ""
    ) -> Response:
        try:
            jpeg = desk.store.of(owner).picture(conversation, picture)
        except MmchatError as error:
            raise HTTPException(404, "No such picture of yours.") from error
        return Response(jpeg, media_type="image/jpeg", headers={"cache-control": "no-store"})

    return router


def _file(text: str, kind: str, name: str) -> Response:
    """Return a text as a file to keep, which no cache keeps besides."""
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return Response(text, media_type=kind, headers=headers)
