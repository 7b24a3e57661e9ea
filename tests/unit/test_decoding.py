import random
import tracemalloc
from pathlib import Path

import pytest

from mmchat.config import IngestConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, SourcePath
from mmchat.ingest.decoding import read_text, text_blocks, text_lines
from mmchat.ingest.loading import load_file


def source(tmp_path: Path, content: bytes, name: str = "a.txt") -> SourcePath:
    (tmp_path / name).write_bytes(content)
    return SourcePath(tmp_path / name, name, "A")


KOREAN = "배송은 이틀 걸립니다. 반품은 30일 이내에 가능합니다.\n"
WESTERN = "The café on Müllerstraße opens at nine – the crème brûlée is naïve.\n"


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("utf-8", KOREAN),
        ("cp949", KOREAN),
        ("utf-16", KOREAN),
        ("utf-32", KOREAN),
        ("cp1252", WESTERN),
        ("utf-8-sig", WESTERN),
    ],
)
def test_a_long_file_is_read_as_it_was_written(tmp_path: Path, encoding: str, line: str):
    text = line * 60_000
    assert read_text(source(tmp_path, text.encode(encoding))) == text


def test_the_first_odd_letter_may_come_late(tmp_path: Path):
    plain = "Plain words only.\n" * 200_000
    assert read_text(source(tmp_path, plain.encode() + KOREAN.encode("cp949"))) == plain + KOREAN


def test_no_piece_ends_within_a_letter_or_between_what_belongs_together(tmp_path: Path):
    # Hangul in single jamo, as macOS writes it, without a space or a line break anywhere.
    jamo = "\u1112\u1161\u11ab" * 1_200_000
    blocks = list(text_blocks(source(tmp_path, jamo.encode())))
    assert len(blocks) > 1
    assert "".join(blocks) == "한" * 1_200_000


def test_all_kinds_of_line_ends(tmp_path: Path):
    content = b"one\r\ntwo\rthree\nfour\x0bstill four\xe2\x80\xa8and still"
    assert list(text_lines(source(tmp_path, content))) == [
        "one\n", "two\n", "three\n", "four\x0bstill four\u2028and still",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"\xef\xbb\xbf\n", "is empty"),
        (b"words\0words", "binary"),
        (random.Random(1).randbytes(5000), "Save it as UTF-8"),
        (b"\xff\xfea", "Save it as UTF-8"),
        (b"good words\n" * 200_000 + b"\0", "binary"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, said: str):
    with pytest.raises(FileRejected, match=said) as caught:
        list(load_file(source(tmp_path, content), LoadContext(IngestConfig())))
    assert "a.txt" in str(caught.value)


def test_a_line_of_endless_length_is_refused_in_a_table(tmp_path: Path):
    with pytest.raises(FileRejected, match="line 2: it has more than"):
        list(text_lines(source(tmp_path, b"id\n" + b"x" * 9_000_000)))


@pytest.mark.parametrize(
    ("name", "row", "million", "megabytes"),
    [
        ("long.txt", "{line}\n\n", 8, 30),
        ("oneline.txt", "{line}", 8, 30),
        ("long.md", "## Heading\n\n{line}\n\n", 3, 40),
        ("long.csv", '"{line}",1\n', 4, 12),
        ("long.jsonl", '{{"text": "{line}"}}\n', 4, 12),
    ],
)
def test_a_long_file_comes_in_parts_and_takes_little_memory(
    tmp_path: Path, name: str, row: str, million: int, megabytes: int
):
    line = "The kettle boils water in three minutes. 주전자는 물을 끓입니다. " * 20
    text = row.format(line=line)
    head = "text,n\n" if name.endswith(".csv") else ""
    file = source(tmp_path, (head + text * (million * 1_000_000 // len(text))).encode(), name)
    sizes, paths = [], []
    tracemalloc.start()
    try:
        for part in load_file(file, LoadContext(IngestConfig())):
            sizes.append(sum(len(d.document.text) for d in part.documents))
            paths += [d.document.path for d in part.documents]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert max(sizes) < 1_200_000 and sum(sizes) > 0.9e6 * million
    assert len(set(paths)) == len(paths) >= million - 1
    assert peak < megabytes * 1e6
