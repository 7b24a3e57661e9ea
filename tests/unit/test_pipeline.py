import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support import SmallIndex

from mmchat.errors import InputError
from mmchat.ingest.scanning import scan

Write = Callable[[str, str | bytes], Path]


def test_a_second_build_of_the_same_folder_embeds_nothing(small_index, write, draw):
    folder = write("a.md", "# A\n\nSome text.")
    draw("a.jpg")
    first = small_index.build(folder)
    second = small_index.build(folder)
    assert (first.documents, first.chunks, first.pictures, first.embedded) == (2, 1, 1, 2)
    assert (second.embedded, second.skipped, second.removed) == (0, 2, 0)
    assert len(list(small_index.path.glob("g*"))) == 1


def test_one_edited_file_is_read_again_alone(small_index: SmallIndex, write: Write):
    folder = write("a.txt", "first")
    write("b.txt", "second")
    small_index.build(folder)
    small_index.text.encoded.clear()
    write("b.txt", "changed")
    report = small_index.build(folder)
    assert (report.embedded, report.skipped) == (1, 1)
    assert small_index.text.encoded == ["B\nchanged"]
    assert not small_index.reader().search_words("second", 5)


def test_change_is_decided_by_content_not_by_time(small_index: SmallIndex, write: Write):
    folder = write("a.txt", "first")
    small_index.build(folder)
    os.utime(folder / "a.txt", (1, 1))
    assert small_index.build(folder).embedded == 0


def test_a_deleted_and_a_renamed_file_leave_nothing_behind(small_index, write):
    folder = write("a.txt", "alpha words")
    write("b.txt", "beta words")
    small_index.build(folder)
    (folder / "a.txt").unlink()
    (folder / "b.txt").rename(folder / "c.txt")
    report = small_index.build(folder)
    assert (report.removed, report.documents) == (2, 1)
    documents = {
        chunk.document
        for chunk in small_index.reader()
        .chunks([s.item for s in small_index.reader().search_words("words", 9)])
        .values()
    }
    assert documents == {"c.txt"}


def test_an_updated_index_equals_a_clean_build(small_index, write, draw, tmp_path: Path):
    folder = write("a.md", "# A\n\n![x](p.jpg) Alpha.")
    draw("p.jpg", "red")
    small_index.build(folder)
    write("a.md", "# A\n\n![x](q.jpg) Alpha again.")
    draw("q.jpg", "blue")
    write("b.txt", "Beta.")
    small_index.build(folder)
    (folder / "p.jpg").unlink()
    small_index.build(folder)
    clean = SmallIndex(tmp_path / "clean")
    clean.build(folder)

    def content(index: SmallIndex) -> object:
        reader = index.reader()
        chunks = reader.chunks([s.item for s in reader.search_words("alpha beta", 99)])
        found = reader.search_images(index.images.encode_texts(["blue"])[0], 99)
        pictures = reader.pictures([s.item for s in found])
        return chunks, pictures, reader.chunks_of(list(pictures))

    assert content(small_index) == content(clean)


def test_one_bad_file_never_stops_the_rest(small_index: SmallIndex, write: Write):
    folder = write("good.txt", "Good words.")
    write("zero.jpg", b"")
    write("bad.pdf", b"%PDF nothing")
    report = small_index.build(folder)
    assert (report.chunks, report.errors) == (1, 2)
    assert {p.document for p in report.problems} == {"zero.jpg", "bad.pdf"}
    assert all(p.document in p.reason for p in report.problems)
    assert not any(str(folder) in p.reason for p in report.problems)


def test_a_bad_file_is_not_tried_again_until_it_changes(small_index, write, draw):
    folder = write("good.txt", "Good words.")
    write("photo.jpg", b"")
    small_index.build(folder)
    again = small_index.build(folder)
    assert (again.skipped, again.errors, again.embedded) == (2, 1, 0)
    draw("photo.jpg")
    mended = small_index.build(folder)
    assert (mended.errors, mended.pictures) == (0, 1)


@pytest.mark.parametrize("files", [{}, {"zero.jpg": b""}, {"a.exe": b"x", "b.txt": b""}])
def test_a_folder_with_nothing_in_it_is_refused_and_costs_nothing(
    small_index: SmallIndex, tmp_path: Path, files: dict[str, bytes]
):
    good = tmp_path / "good"
    good.mkdir()
    (good / "a.txt").write_text("Precious words.")
    small_index.build(good)
    bad = tmp_path / "bad"
    bad.mkdir()
    for name, content in files.items():
        (bad / name).write_bytes(content)
    with pytest.raises(InputError, match="bad"):
        small_index.build(bad)
    assert small_index.reader().search_words("precious", 1)


def test_the_index_may_lie_inside_of_the_folder(tmp_path: Path):
    (tmp_path / "a.txt").write_text("words")
    inside = SmallIndex(tmp_path / "my-index")
    assert inside.build(tmp_path).documents == 1
    assert inside.build(tmp_path).skipped == 1


def test_links_hidden_files_and_odd_names(write: Write, tmp_path: Path):
    folder = write("a.txt", "x")
    write(".hidden/b.txt", "x")
    write(".secret", "x")
    write("한글 이름.txt", "x")
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "leaves.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "stays.txt").symlink_to(folder / "a.txt")
    (folder / "broken.txt").symlink_to(folder / "gone.txt")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / os.fsdecode(b"bad\xff.txt")).write_text("x")
    found = {file.source.relative: file.problem for file in scan(folder)}
    assert {name for name, problem in found.items() if not problem} == {
        "a.txt",
        "stays.txt",
        "한글 이름.txt",
    }
    assert "leaves the folder" in found["leaves.txt"]
    assert "broken link" in found["broken.txt"]
    assert "not UTF-8" in found["bad\\xff.txt"]


def test_a_path_that_is_not_a_folder(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        list(scan(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("date.md", "---\ndate: 2024-02-30\n---\nBody words."),
        ("brace.md", "{\nBody words."),
        ("blank.csv", "id,name\nrow-3,Body\n,words\n\n"),
        ("nul.md", '---\nnote: "a\\0b"\n---\nBody words.'),
    ],
)
def test_odd_but_readable_files_are_indexed(small_index, write, name: str, content: str):
    folder = write("good.txt", "Good.")
    write(name, content)
    assert small_index.build(folder).errors == 0
    assert small_index.reader().search_words("body", 1)


def test_a_parser_that_fails_in_its_own_way_costs_one_file(small_index, write, monkeypatch):
    from mmchat.ingest import reading

    folder = write("good.txt", "Good.")
    write("odd.txt", "x")
    real = reading.load_file

    def load(source, context):
        if source.relative == "odd.txt":
            raise ZeroDivisionError("inside a parser")
        return real(source, context)

    monkeypatch.setattr(reading, "load_file", load)
    report = small_index.build(folder)
    assert (report.chunks, report.errors) == (1, 1)
    assert "odd.txt" in report.problems[0].reason


def test_a_full_disk_ends_the_build_and_blames_no_file(small_index, write, draw, monkeypatch):
    from mmchat.stores.writing import LocalWriter

    folder = write("good.txt", "Precious.")
    small_index.build(folder)
    draw("photo.jpg")

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LocalWriter, "put_media", full)
        with pytest.raises(OSError, match="No space"):
            small_index.build(folder)
    assert small_index.reader().search_words("precious", 1)
    assert small_index.build(folder).pictures == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root opens every folder")
def test_a_folder_that_cannot_be_opened_loses_nothing(small_index, write):
    folder = write("a.txt", "Alpha.")
    write("sub/b.txt", "Beta.")
    small_index.build(folder)
    (folder / "sub").chmod(0)
    try:
        report = small_index.build(folder)
    finally:
        (folder / "sub").chmod(0o755)
    assert (report.removed, report.errors) == (0, 1)
    assert small_index.reader().search_words("beta", 1)


def test_another_index_inside_of_the_folder_is_no_content(write, tmp_path: Path):
    folder = write("a.txt", "words")
    SmallIndex(folder / "indexes" / "one").build(folder)
    assert SmallIndex(folder / "indexes" / "two").build(folder).documents == 1


def test_a_caption_that_is_gone_from_the_document_is_gone(small_index, write, draw):
    folder = write("a.md", "![Old name](p.jpg) Words.")
    draw("p.jpg")
    small_index.build(folder)
    write("a.md", "Words alone.")
    small_index.build(folder)
    reader = small_index.reader()
    (found,) = reader.search_images(small_index.images.encode_texts(["red"])[0], 1)
    assert reader.pictures([found.item])[found.item].caption == ""
