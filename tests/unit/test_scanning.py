"""Folders as they are met: links, pipes, odd names, depth and size."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from support import SmallIndex

from mmchat.errors import InputError
from mmchat.ingest.scanning import names_of, scan

Write = Callable[[str, str | bytes], Path]


def problems(folder: Path) -> dict[str, str]:
    return {file.source.relative: file.problem for file in scan(folder)}


def test_links_in_a_circle_end(write: Write):
    folder = write("a.txt", "x")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to("self")
    found = problems(folder)
    assert found.pop("a.txt") == ""
    assert "link to a folder" in found["loop"] and "broken link" in found["self"]


def test_pipes_and_sockets_do_not_block(small_index: SmallIndex, write: Write, monkeypatch):
    folder = write("a.txt", "Words.")
    os.mkfifo(folder / "pipe.txt")
    (folder / "link.txt").symlink_to(folder / "pipe.txt")
    monkeypatch.chdir(folder)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.txt")
        report = small_index.build(folder)
    assert report.documents == 1
    assert {p.document for p in report.problems} == {"link.txt", "pipe.txt", "socket.txt"}


def test_odd_names_are_indexed_or_named(small_index: SmallIndex, write: Write):
    folder = write("two\nlines.txt", "Words of two lines.")
    write("quote' \"[x].txt", "Words of quotes.")
    (folder / os.fsdecode(b"\xc7\xd1.txt")).write_text("Words in EUC-KR.")
    report = small_index.build(folder)
    assert report.documents == 2
    assert [p.document for p in report.problems] == ["\\xc7\\xd1.txt"]
    lines = (next(small_index.path.glob("g*")) / "errors.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert small_index.build(folder).embedded == 0


def test_two_spellings_of_one_name_are_one_file(small_index: SmallIndex, write: Write):
    folder = write("caf\u00e9.txt", "Composed.")
    write("cafe\u0301.txt", "Decomposed.")
    if len(list(folder.iterdir())) == 1:
        pytest.skip("this disk knows one spelling only")
    assert small_index.build(folder).documents == 1
    assert small_index.build(folder).embedded == 0


def test_deep_folders(tmp_path: Path):
    folder = tmp_path / "deep"
    here = folder
    for _ in range(700):
        here = here / "d"
    here.mkdir(parents=True)
    (here / "a.txt").write_text("x")
    (found,) = scan(folder)
    assert found.source.relative == "d/" * 700 + "a.txt"


def test_the_order_is_that_of_the_names(write: Write):
    for name in ("b/2.txt", "b/10.txt", "a.txt", "c.txt", "a/1.txt"):
        folder = write(name, "x")
    found = [file.source.relative for file in scan(folder)]
    assert found == ["a.txt", "c.txt", "a/1.txt", "b/10.txt", "b/2.txt"]


def test_an_index_is_no_folder_of_documents(small_index: SmallIndex, write: Write):
    small_index.build(write("a.txt", "x"))
    with pytest.raises(InputError, match="is an index"):
        list(scan(small_index.path))


def test_what_files_are_called():
    names = ["x/Kettle_Iconic.jpg", "x/Kettle_Description.txt", "x/red-kettle_02.md"]
    assert names_of(names) == ["Kettle", "Kettle", "Red kettle 02"]
