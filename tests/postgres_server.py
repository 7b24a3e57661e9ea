"""A PostgreSQL of the tests' own: reached by a socket in a folder of its own, and gone with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version; they are not on the path."""
ACCOUNT = "postgres"
"""Who runs the server where the tests run as root, as whom it refuses to run."""


def programs() -> Path | None:
    """Return the folder with `initdb` and `pg_ctl` of the newest version, or None where there is none."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).parent
    installed = [each.parent for each in PROGRAMS.glob("*/bin/pg_ctl")]
    return max(installed, key=lambda folder: int(folder.parent.name), default=None)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a server by the programs in `folder`, and give the URL of its database."""
    account = ACCOUNT if os.geteuid() == 0 else None

    def call(program: str, *arguments: str) -> None:
        # What it prints goes to a file: the server would keep a pipe open that someone waits for.
        with (home / "log").open("a") as log:
            subprocess.run(
                [folder / program, "-D", home / "data", *arguments],
                user=account, cwd=home, stdout=log, stderr=log, timeout=60, check=True,
            )  # fmt: skip

    # Not below a folder of pytest, which none but its owner may enter; a socket's path has to be short.
    home = Path(tempfile.mkdtemp(prefix="mmchat-pg-"))
    try:
        if account:
            shutil.chown(home, account)
        call("initdb", "--auth=trust", f"--username={ACCOUNT}", "--locale=C.UTF-8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off"
        call("pg_ctl", "start", "--wait", "-o", options)
        try:
            yield f"postgresql+psycopg://{ACCOUNT}@/{ACCOUNT}?host={home}"
        finally:
            call("pg_ctl", "stop", "--wait", "-m", "immediate")
    finally:
        shutil.rmtree(home)
