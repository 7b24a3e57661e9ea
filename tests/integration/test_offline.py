"""The default path asks nobody but the package index, and once the models are here nobody at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import SAMPLE_SHOP

pytestmark = pytest.mark.slow

# Loaded by every Python process of the test: only pip may connect to anything but this machine.
GUARD = """
import os, socket, sys
if "pip" not in sys.orig_argv:
    connect, resolve = socket.socket.connect, socket.getaddrinfo
    def refuse(host):
        if host not in ("127.0.0.1", "localhost", "::1"):
            with open(os.environ["GUARD_LOG"], "a") as log:
                log.write(f"{host}\\n")
            raise ConnectionRefusedError(f"the test refuses {host}")
    def guarded_connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address[0])
        return connect(self, address)
    def guarded_resolve(host, *rest, **options):
        refuse(host)
        return resolve(host, *rest, **options)
    socket.socket.connect, socket.getaddrinfo = guarded_connect, guarded_resolve
"""


@pytest.fixture
def guarded(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    (tmp_path / "asked.txt").touch()
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    return {
        **env,
        "PYTHONPATH": str(tmp_path / "guard"),
        "GUARD_LOG": str(tmp_path / "asked.txt"),
        "HF_HOME": str(tmp_path / "hub"),
    }


def run(env: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mmchat.cli", *map(str, arguments)],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def small_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "kettle.md").write_text("# Kettle\n\nThe kettle holds 1.7 litres.")
    picture = next((SAMPLE_SHOP / "pictures").iterdir())
    (folder / f"kettle{picture.suffix}").write_bytes(picture.read_bytes())
    return folder


def test_the_guard_guards(guarded: dict[str, str], tmp_path: Path):
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=guarded, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert "192.0.2.1" in (tmp_path / "asked.txt").read_text()


@pytest.mark.parametrize("hub_offline", [True, False])
def test_with_the_models_here_nobody_is_asked(
    guarded: dict[str, str], tmp_path: Path, generator_model: Path, hub_offline: bool
):
    if hub_offline:
        guarded["HF_HUB_OFFLINE"] = "1"
    index = tmp_path / "index"
    done = run(guarded, "index", small_folder(tmp_path), "--out", index)
    assert done.returncode == 0, done.stderr
    done = run(guarded, "ask", "How much does the kettle hold?", "--index", index, "--json")
    assert done.returncode == 0, done.stderr
    assert "1.7" in json.loads(done.stdout)["answer"]
    assert (tmp_path / "asked.txt").read_text() == ""


@pytest.mark.network
def test_on_a_fresh_machine_only_the_package_index_is_asked(
    guarded: dict[str, str], tmp_path: Path, models: object
):
    guarded["MMCHAT_HOME"] = str(tmp_path / "home")
    index = tmp_path / "index"
    done = run(guarded, "index", small_folder(tmp_path), "--out", index)
    assert done.returncode == 0, done.stderr
    done = run(guarded, "search", "kettle", "--index", index, "--json")
    assert {hit["kind"] for hit in json.loads(done.stdout)} == {"chunk", "picture"}
    assert (tmp_path / "asked.txt").read_text() == ""
    assert not (tmp_path / "hub").exists()
