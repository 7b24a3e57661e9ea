"""The process that reads files: `python -m mmchat.ingest.child`, started by `mmchat.ingest.process`.

It ends when its standard input does, so that it never outlives the process that started it.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext
from mmchat.ingest.frames import (
    FileEnd,
    FileFailed,
    ReadRequest,
    Ready,
    read_frame,
    write_frame,
)
from mmchat.ingest.reading import FileUnreadable, ReadSettings, read_file


def main() -> None:
    """Read the files that standard input asks for, until it ends."""
    requests, answers = sys.stdin.buffer, _own_stdout()
    # Ctrl-C reaches the whole group of processes; the parent decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        settings = read_frame(requests)
        assert isinstance(settings, ReadSettings)
        _limit_memory(settings.ingest.max_memory_mb)
        context = settings.context()
        write_frame(answers, Ready())
        while True:
            request = read_frame(requests)
            assert isinstance(request, ReadRequest)
            _limit_time(settings.seconds_for(request.source))
            _answer(request, context, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # nobody listens any more: nothing is left to be tidied up


def _answer(request: ReadRequest, context: LoadContext, answers: BinaryIO) -> None:
    relative = request.source.relative
    try:
        for part in read_file(request.source, request.content_hash, context):
            write_frame(answers, part)
    except FileRejected as error:
        write_frame(answers, FileFailed(str(error), again=False))
    except FileUnreadable as error:
        write_frame(answers, FileFailed(str(error), again=True))
    except MemoryError:
        reason = (
            f"{relative} needs more memory to read than {context.config.max_memory_mb} MB. "
            "Split it, or raise ingest.max_memory_mb."
        )
        write_frame(answers, FileFailed(reason, again=False, out_of_memory=True))
    else:
        write_frame(answers, FileEnd())


def _own_stdout() -> BinaryIO:
    """Keep standard output for our messages: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _limit_memory(megabytes: int) -> None:
    """Limit the memory that this process may claim, where the system can.

    RLIMIT_DATA counts what is written to, not files that are mapped (libraries, models). macOS accepts
    it and does nothing; Windows has none.
    """
    try:
        import resource
    except ImportError:
        return
    size = megabytes * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        size = min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def _limit_time(seconds: float) -> None:
    """End this process when a file has cost far more time of the processor than it may.

    The parent keeps the limit; this is for the case that a parser loops and the parent is gone. The
    signal's own action ends even a loop that never comes back to Python.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, 2 * seconds * (os.cpu_count() or 1))


if __name__ == "__main__":
    main()
