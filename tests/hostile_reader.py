"""The reading process with a loader that does what a file of the ending .hostile tells it to."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator

from mmchat.ingest import child, loading
from mmchat.ingest.base import LoadContext, LoadedPart, SourcePath
from mmchat.ingest.text import load_plain_text


def load(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    order = source.path.read_text().split()
    match order[0]:
        case "crash":
            yield from load_plain_text(source, context)
            ctypes.string_at(0)
        case "exit":
            os._exit(3)
        case "hang":
            yield from load_plain_text(source, context)
            while True:
                time.sleep(1)
        case "eat":
            held = []
            while True:
                held.append(bytearray(16_000_000))
        case "print":
            sys.stdout.write("a library that prints\n" * 1000)
            os.write(1, b"and one in C\n")
            yield from load_plain_text(source, context)
        case "change":
            yield from load_plain_text(source, context)
            source.path.write_text("change again")
        case _:
            yield from load_plain_text(source, context)


if __name__ == "__main__":
    loading._LOADERS[".hostile"] = "hostile_reader:load"
    sys.modules["mmchat.ingest.hostile_reader"] = sys.modules["__main__"]
    child.main()
