"""The real assistant over four small documents, with a scripted generator: no models, no index on disk."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from test_assistant import Script, Shelf, WordsEncoder

import mmchat
from mmchat.config import AnswerConfig, Config, HandoffConfig, SessionsConfig
from mmchat.pictures import open_image


class ShelfIndex:
    """What an assistant needs of an index."""

    path = Path("indexes/shelf")

    def __init__(self, config: Config) -> None:
        self.config = config
        self.shelf = Shelf()
        self.encoders = SimpleNamespace(text=WordsEncoder())

    def retriever(self) -> Shelf:
        return self.shelf

    def open_image(self, image: Any) -> Any:
        return open_image(image)


def shelf_desk(folder: Path, *replies: str | Exception, **handoff: Any) -> mmchat.Desk:
    """Return a desk over the documents of `test_assistant`; keywords are settings of `[handoff]`."""
    config = Config(
        answers=AnswerConfig(quoted_languages=""),
        handoff=HandoffConfig(**handoff),
        sessions=SessionsConfig(database=str(folder / "conversations.sqlite")),
    )
    assistant = mmchat.Assistant(ShelfIndex(config), generator=Script(*replies))  # type: ignore[arg-type]
    return mmchat.Desk(assistant)
