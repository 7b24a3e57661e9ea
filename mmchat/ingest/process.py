"""Read files in a process of its own, so that a hostile one costs itself and nothing else.

A parser that crashes, hangs or eats the memory is ended with its process; the file is noted with the
reason, and the next one is read by a new process. It is started with `subprocess`, not with
`multiprocessing`, which would run the script of whoever calls `mmchat.build_index` once more.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO, BinaryIO

from mmchat.errors import FileRejected, MmchatError
from mmchat.ingest.base import SourcePath
from mmchat.ingest.frames import (
    FileEnd,
    FileFailed,
    ReadRequest,
    Ready,
    read_frame,
    write_frame,
)
from mmchat.ingest.reading import FileUnreadable, ReadPart, ReadSettings

_log = logging.getLogger(__name__)

_START_SECONDS = 120.0
_TICK_SECONDS = 0.1


class ProcessReading:
    """Reads in a process that is started with the first file, and again after it was lost.

    `read` is for one thread at a time; `close` may come from another.
    """

    def __init__(self, settings: ReadSettings, command: Sequence[str] | None = None) -> None:
        """Take the settings.

        Args:
            settings: what loaders go by, with the limits that are kept.
            command: what is started; `mmchat.ingest.child` where not given.
        """
        self._settings = settings
        # -P: no module of the working folder takes the place of a library's.
        self._command = command or [sys.executable, "-P", "-m", "mmchat.ingest.child"]
        self._child: _Child | None = None

    def read(self, source: SourcePath, content_hash: str) -> Iterator[ReadPart]:
        """Yield the parts of a file; see `mmchat.ingest.reading.Reading`."""
        child = self._started()
        ended = False
        try:
            child.ask(ReadRequest(source, content_hash))
            left = self._settings.seconds_for(source)
            while True:
                # Only waiting counts: while the encoders are busy the reader may well stand still.
                started = time.monotonic()
                message = child.next_message(left)
                left -= time.monotonic() - started
                if isinstance(message, ReadPart):
                    yield message
                    continue
                ended = not (isinstance(message, FileFailed) and message.out_of_memory)
                break
        except EOFError:
            raise self._lost(child, source) from None
        finally:
            if not ended:
                self._drop(child)
        if isinstance(message, FileFailed):
            raise (FileUnreadable if message.again else FileRejected)(message.reason)

    def close(self) -> None:
        """End the process; another `read` starts one anew."""
        if (child := self._child) is not None:
            self._drop(child)

    def _started(self) -> _Child:
        if self._child is None:
            self._child = _Child(self._command, self._settings)
        return self._child

    def _drop(self, child: _Child) -> None:
        child.end()
        self._child = None

    def _lost(self, child: _Child, source: SourcePath) -> Exception:
        relative = source.relative
        if child.was_late:
            return FileRejected(
                f"{relative} took longer to read than {self._settings.seconds_for(source):g} s. "
                "Split it or save it again, or raise ingest.max_seconds."
            )
        _log.warning("Reading %s ended the reader. %s", relative, child.last_words())
        return FileRejected(
            f"{relative} crashed the reader ({child.how_it_ended()}). "
            "Open it in the program that it is from, and save it again."
        )


class _Child:
    """A reading process, and the watch that ends it when it takes too long."""

    def __init__(self, command: Sequence[str], settings: ReadSettings) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # The same packages as here, wherever they were imported from.
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdin and self._process.stdout
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._answers: BinaryIO = self._process.stdout  # type: ignore[assignment]
        self.was_late = False
        self._deadline = float("inf")
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="mmchat-reader-watch").start()
        try:
            write_frame(self._requests, settings)
            assert isinstance(self.next_message(_START_SECONDS), Ready)
        except (EOFError, OSError):
            self.end()
            raise MmchatError(
                f"The process that reads files does not start ({self.how_it_ended()}). "
                f"{self.last_words()}"
            ) from None

    def ask(self, request: ReadRequest) -> None:
        """Send a request.

        Raises:
            EOFError: the process is gone.
        """
        try:
            write_frame(self._requests, request)
        except OSError:
            raise EOFError from None

    def next_message(self, seconds: float) -> ReadPart | FileEnd | FileFailed | Ready:
        """Wait for what it says next, for so long.

        Raises:
            EOFError: it is gone, or was ended because it took too long (`was_late`).
        """
        self._deadline = time.monotonic() + seconds
        try:
            message = read_frame(self._answers)
        except (OSError, ValueError):
            raise EOFError from None
        finally:
            self._deadline = float("inf")
        assert isinstance(message, (ReadPart, FileEnd, FileFailed, Ready))
        return message

    def end(self) -> None:
        """End the process, at once."""
        self._ended.set()
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()

    def how_it_ended(self) -> str:
        """Say how the process ended, in a few words."""
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return "it went silent"
        if code >= 0:
            return f"exit code {code}"
        with_name = (
            signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        )
        if -code == getattr(signal, "SIGKILL", 0):
            return f"{with_name}, as from a system that is out of memory"
        return with_name

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error."""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2000))
        return self._errors.read().decode(errors="replace").strip()

    def _watch(self) -> None:
        while not self._ended.wait(_TICK_SECONDS):
            if time.monotonic() > self._deadline:
                self.was_late = True
                self._process.kill()
                return
