"""The command line without a model: help, errors and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from support import SmallIndex

from mmchat.cli import main


def mmchat(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mmchat.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
    )


Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Do the same in this process, in an empty folder: a second sooner, which counts where there are many."""

    def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["mmchat", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int), code
        return subprocess.CompletedProcess(arguments, code or 0, said.out, said.err)

    return run_here


@pytest.mark.parametrize(
    "command",
    [
        *([], ["index"], ["sync"], ["add"], ["delete"], ["info"]),
        *(["search"], ["ask"], ["serve"], ["models"], ["models", "pull"], ["report"]),
        *(["conversations"], ["conversations", "list"], ["conversations", "export"], ["draft"]),
        *(["draft", "reply"], ["draft", "description"], ["draft", "faq"], ["translate"]),
        *(["tune"], ["tune", "text"], ["tune", "photos"], ["eval"]),
    ],
)
def test_every_command_has_help(run: Run, command: Sequence[str]):
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_version():
    assert mmchat("--version").stdout.startswith("mmchat ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["index", "gone"], 2, "gone does not exist"),
        (["index", "file.txt"], 2, "file.txt is a file"),
        (["index", ".", "--out", "."], 2, "is the folder itself"),
        (["index", ".", "--set", "retrieval.kk=3"], 2, "retrieval.k"),
        (["index", ".", "--set", "retrieval.k"], 2, "KEY=VALUE"),
        (["eval", ".", "--answers", "--against", "a", "b"], 2, "expected one of them"),
        (["eval", "nowhere", "--answers"], 2, "expected a folder with queries.jsonl"),
        (["index", ".", "--config", "gone.toml"], 2, "gone.toml"),
        (["search", "x"], 3, "No index below indexes/"),
        (["search", "x", "--index", "gone"], 3, "No index at gone"),
        (["ask", "x", "--index", "gone"], 3, "mmchat index"),
        (["serve", "--index", "gone"], 3, "gone"),
        (["info", "--index", "gone"], 3, "gone"),
        (["models", "path", "qwen"], 4, "qwen2.5-coder"),
        (["models", "pull", "nonsense"], 4, "nonsense"),
        (["tune", "text", "gone.csv"], 2, "gone.csv is not there"),
        (["tune", "text", "pairs.csv"], 2, "expected one of questions"),
        (["tune", "text", "pairs.csv", "--epochs", "0"], 2, "epochs = 0"),
        (["tune", "text", "pairs.csv", "--index", "gone"], 3, "No index at gone"),
        (["tune", "text", "pairs.csv", "--out", "."], 2, ". is there already"),
        (["tune", "photos"], 2, "There are no photos"),
        (["nonsense"], 2, "No such command"),
        (["conversations", "export", "last"], 2, "There are no conversations yet"),
        (["conversations", "export", "x"], 2, "No conversation x here"),
        (["conversations", "list", "--set", "sessions.database=file.txt"], 6, "not a database"),
        (["report"], 3, "No index below indexes/"),
        (["search", "--nonsense"], 2, "No such option"),
        (["search", "x", "--where", "price", "--index", "gone"], 2, "price<50"),
    ],
)
def test_errors_say_what_to_do_and_end_with_a_code(
    run: Run, tmp_path: Path, arguments: list[str], code: int, said: str
):
    (tmp_path / "file.txt").write_text("words")
    (tmp_path / "pairs.csv").write_text("ask,reply\nwhy?,because\n")
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_info_tells_how_an_index_was_built(small_index: SmallIndex, write, tmp_path: Path):
    folder = write("a.txt", "words")
    write("zero.jpg", b"")
    small_index.build(folder)
    done = mmchat("info", "--index", small_index.path, "--json")
    assert done.returncode == 0
    values = json.loads(done.stdout)
    assert (values["documents"], values["chunks"], values["errors"]) == (1, 1, 1)
    assert values["text_encoder"] == "words-1"
    assert "zero.jpg" in mmchat("info", "--index", small_index.path).stdout


def test_delete_needs_no_model_and_says_what_it_did(small_index: SmallIndex, write, tmp_path: Path):
    folder = write("a.txt", "words")
    write("b.txt", "more words")
    small_index.build(folder)
    done = mmchat("delete", "b.txt", "--index", small_index.path, "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["removed"]) == (0, 1)
    unknown = mmchat("delete", "c.text", "--index", small_index.path, cwd=tmp_path)
    assert unknown.returncode == 2 and "'a.txt'" in unknown.stderr


def test_the_models_are_listed_as_json():
    done = mmchat("models", "list", "--json")
    names = {row["name"] for row in json.loads(done.stdout)}
    assert {"multilingual-e5-small", "efficientnet-lite2", "qwen2.5-coder-0.5b"} <= names


def test_conversations_are_listed_exported_renamed_and_deleted(tmp_path: Path):
    from mmchat.sessions import SessionStore, new_owner
    from mmchat.types import Answer, Handoff, HandoffReason, Status

    store = SessionStore.open(str(tmp_path / "conversations.sqlite"))
    own = store.of(new_owner())
    key = own.start()
    turn = own.begin_turn(key, "상담원 연결해 주세요")
    own.end_turn(turn, Answer("Passed on.", Status.HANDED_OVER, (), 0.0))
    own.hand_over(key, Handoff(HandoffReason.REQUEST), turn=turn, summary="Asked.", webhook=False)
    store.close()

    def run(*arguments: str) -> str:
        done = mmchat("conversations", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert key in run("list") and "[with a person]" in run("list", "상담원")
    assert run("list", "kettle") == "No conversations.\n"
    (head,) = json.loads(run("list", "--json"))
    assert (head["id"], head["turns"], head["handed_over"]) == (key, 1, True)
    assert "Asked." in run("handoffs")
    (waiting,) = json.loads(run("handoffs", "--json"))
    assert (waiting["reason"], waiting["delivery"]) == ("request", "none")
    assert "**Customer:** 상담원 연결해 주세요" in run("export", "last")
    assert run("export", key, "--json", "--out", "talk.json") == "Wrote talk.json.\n"
    assert json.loads((tmp_path / "talk.json").read_text())["turns"][0]["status"] == "handed over"
    assert "Asks for Bob" in run("rename", "last", "Asks for  Bob")
    assert key in run("delete", "last")
    assert run("list") == "No conversations.\n"
    assert run("handoffs") == "Nobody waits for a person.\n"
