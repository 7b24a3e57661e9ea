"""Keeping an index in step through the public functions, with small encoders in place of models."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ColoursEncoder, WordsEncoder

import mmchat
from mmchat.app import building
from mmchat.config import Config, IngestConfig, TagsConfig
from mmchat.errors import IndexNotFound, InputError
from mmchat.stores.local import LocalReader, read_manifest
from mmchat.stores.manifest import EncoderRecord
from mmchat.tags.tagger import Tagger

Write = Callable[[str, str | bytes], Path]


class SmallEncoders:
    """Stands for `mmchat.app.encoders.Encoders`."""

    def __init__(self, *_: object) -> None:
        self.text, self.image = WordsEncoder(), ColoursEncoder()

    def tagger(self, config: TagsConfig) -> Tagger:
        return Tagger(self.image, config)

    def records(self) -> tuple[EncoderRecord, EncoderRecord]:
        return (
            EncoderRecord("words", self.text.fingerprint, self.text.dimension),
            EncoderRecord("colours", self.image.fingerprint, self.image.dimension),
        )


@pytest.fixture(autouse=True)
def _small_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "Encoders", SmallEncoders)


@pytest.fixture
def shop(write: Write, draw) -> Path:
    write("faq.md", "# Returns\n\nYou may return things within thirty days.")
    write("prices.csv", "sku,name\nA1,Kettle\nB2,Toaster\n")
    draw("kettle.png", "red")
    return write("guides/descale.txt", "Descale with vinegar.")


@pytest.fixture
def index(shop: Path, tmp_path: Path) -> Path:
    out = tmp_path / "indexes" / "shop"
    mmchat.build_index(shop, out, config=Config())
    return out


def found(index: Path, words: str) -> set[str]:
    reader = LocalReader(index)
    items = [s.item for s in reader.search_words(words, 99)]
    return {chunk.document for chunk in reader.chunks(items).values()}


def test_sync_knows_its_folder(index: Path, shop: Path):
    assert mmchat.sync(index, config=Config()).embedded == 0
    (shop / "faq.md").write_text("You may return things within sixty days.")
    report = mmchat.sync(index, config=Config())
    assert (report.embedded, report.skipped) == (1, 3)
    assert found(index, "sixty") == {"faq.md"} and not found(index, "thirty")


def test_an_index_and_its_folder_move_together(index: Path, shop: Path, tmp_path: Path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(tmp_path / "indexes", moved / "indexes")
    shutil.move(shop, moved / "folder")
    assert mmchat.sync(moved / "indexes" / "shop", config=Config()).skipped == 4
    assert str(tmp_path) not in read_manifest(moved / "indexes" / "shop").source_path


def test_a_folder_that_is_gone_costs_nothing_and_may_have_moved(index: Path, shop: Path):
    new = shop.rename(shop.with_name("new"))
    with pytest.raises(InputError, match=r"not there.*--folder"):
        mmchat.sync(index, config=Config())
    assert found(index, "vinegar")
    assert mmchat.sync(index, folder=new, config=Config()).embedded == 0
    assert mmchat.sync(index, config=Config()).skipped == 4


def test_an_emptied_folder_costs_nothing(index: Path, shop: Path, tmp_path: Path):
    (tmp_path / "note.txt").write_text("A note from elsewhere.")
    mmchat.add(index, tmp_path / "note.txt", config=Config())
    shutil.rmtree(shop)
    shop.mkdir()
    with pytest.raises(InputError, match="holds no files"):
        mmchat.sync(index, config=Config())
    assert found(index, "vinegar")


def test_sync_keeps_the_settings_that_shaped_the_index(shop: Path, tmp_path: Path):
    out = tmp_path / "small"
    mmchat.build_index(
        shop, out, config=Config(ingest=IngestConfig(chunk_tokens=40, chunk_overlap=8))
    )
    assert mmchat.sync(out, config=Config()).embedded == 0
    assert read_manifest(out).ingest["chunk_tokens"] == 40
    assert mmchat.build_index(shop, out, config=Config()).embedded > 0


def test_another_limit_tries_what_was_refused_and_nothing_else(shop: Path, tmp_path: Path):
    (shop / "large.txt").write_text("Large words. " * 1000)
    out = tmp_path / "limited"
    first = mmchat.build_index(shop, out, config=Config(ingest=IngestConfig(max_text_mb=0.01)))
    assert first.errors == 1
    second = mmchat.build_index(shop, out, config=Config())
    assert (second.errors, second.skipped) == (0, 4)


def test_the_index_of_another_folder_is_not_replaced(index: Path, tmp_path: Path):
    other = tmp_path / "other" / "folder"
    other.mkdir(parents=True)
    (other / "x.txt").write_text("Other words.")
    with pytest.raises(InputError, match=r"--out.*--rebuild"):
        mmchat.build_index(other, index, config=Config())
    assert found(index, "vinegar")
    mmchat.build_index(other, index, config=Config(), rebuild=True)
    assert found(index, "other") and not found(index, "vinegar")


def test_what_was_added_survives_everything(index: Path, shop: Path, tmp_path: Path):
    note = tmp_path / "note.txt"
    note.write_text("A note about warranty.")
    assert mmchat.add(index, note, config=Config()).embedded == 1
    note.unlink()
    mmchat.sync(index, config=Config())
    mmchat.build_index(shop, index, config=Config(), rebuild=True)
    mmchat.build_index(
        shop, index, config=Config(ingest=IngestConfig(chunk_tokens=50, chunk_overlap=9))
    )
    assert found(index, "warranty") == {"note.txt"}
    shutil.move(index, tmp_path / "moved")
    assert mmchat.sync(tmp_path / "moved", folder=shop, config=Config()).embedded == 0
    assert found(tmp_path / "moved", "warranty")


def test_a_folder_is_added_with_its_structure(index: Path, tmp_path: Path, draw):
    manuals = tmp_path / "manuals"
    manuals.mkdir()
    (manuals / "mixer.md").write_text("![The mixer](mixer.png) Whisk slowly.")
    shutil.copy(draw("spare.png", "blue"), manuals / "mixer.png")
    mmchat.add(index, manuals, config=Config())
    assert found(index, "whisk") == {"manuals/mixer.md"}
    reader = LocalReader(index)
    (item,) = [s.item for s in reader.search_words("whisk", 1)]
    assert len(reader.pictures_of([item])[item]) == 1


def test_a_taken_name_is_refused_with_the_way_out(index: Path, tmp_path: Path):
    (tmp_path / "faq.md").write_text("Another faq.")
    with pytest.raises(InputError, match=r"faq\.md.*--as NAME"):
        mmchat.add(index, tmp_path / "faq.md", config=Config())
    mmchat.add(index, tmp_path / "faq.md", name="faq-2.md", config=Config())
    assert found(index, "another") == {"faq-2.md"}
    (tmp_path / "faq.md").write_text("A third faq.")
    mmchat.add(index, tmp_path / "faq.md", name="faq-2.md", config=Config())
    assert found(index, "third") == {"faq-2.md"} and not found(index, "another")


@pytest.mark.parametrize("name", ["../x.txt", "/x.txt", "a//b.txt", ".", "a/../b"])
def test_a_name_that_leads_elsewhere_is_refused(index: Path, tmp_path: Path, name: str):
    (tmp_path / "note.txt").write_text("A note.")
    with pytest.raises(InputError, match="no name for a document"):
        mmchat.add(index, tmp_path / "note.txt", name=name, config=Config())
    assert not found(index, "note")


def test_what_cannot_be_read_is_not_added(index: Path, tmp_path: Path):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF nothing")
    with pytest.raises(InputError, match=r"broken\.pdf"):
        mmchat.add(index, tmp_path / "broken.pdf", config=Config())
    with pytest.raises(InputError, match="does not exist"):
        mmchat.add(index, tmp_path / "gone.pdf", config=Config())
    report = mmchat.sync(index, config=Config())
    assert (report.errors, report.documents) == (0, 5)


def test_a_path_inside_of_the_folder_is_brought_up_to_date(index: Path, shop: Path):
    (shop / "faq.md").write_text("Changed returns.")
    (shop / "guides" / "descale.txt").write_text("Changed vinegar.")
    report = mmchat.add(index, shop / "faq.md", config=Config())
    assert report.embedded == 1
    assert found(index, "changed") == {"faq.md"}
    assert not list(index.glob("originals/*"))


def test_what_was_deleted_stays_out_until_it_changes(index: Path, shop: Path):
    assert mmchat.delete(index, "faq.md").removed == 1
    assert not found(index, "thirty")
    assert mmchat.sync(index, config=Config()).embedded == 0
    mmchat.build_index(shop, index, config=Config(), rebuild=True)
    assert not found(index, "thirty")
    (shop / "faq.md").write_text("Within ninety days.")
    mmchat.sync(index, config=Config())
    assert found(index, "ninety")


def test_what_was_deleted_comes_back_when_it_is_added(index: Path, shop: Path):
    mmchat.delete(index, ["faq.md", "prices.csv#A1"])
    assert mmchat.add(index, shop, config=Config()).embedded == 3
    assert found(index, "thirty") and found(index, "kettle") == {"prices.csv#A1"}


def test_a_row_and_a_folder_can_be_deleted(index: Path, shop: Path):
    mmchat.delete(index, ["prices.csv#A1", "guides/"])
    assert not found(index, "vinegar")
    assert found(index, "kettle toaster") == {"prices.csv#B2"}
    mmchat.build_index(shop, index, config=Config(), rebuild=True)
    assert found(index, "kettle toaster") == {"prices.csv#B2"} and not found(index, "vinegar")
    (shop / "prices.csv").write_text("sku,name\nA1,Kettle\nB2,Toaster\nC3,Mixer\n")
    mmchat.sync(index, config=Config())
    assert found(index, "kettle toaster mixer") == {
        f"prices.csv#{sku}" for sku in ("A1", "B2", "C3")
    }


def test_a_file_may_be_named_by_its_path(index: Path, shop: Path, monkeypatch):
    monkeypatch.chdir(shop.parent)
    mmchat.delete(index, "folder/faq.md")
    assert not found(index, "thirty")


def test_an_unknown_name_deletes_nothing(index: Path):
    with pytest.raises(InputError, match=r"Did you mean 'guides/descale\.txt'"):
        mmchat.delete(index, ["faq.md", "guides/descal.txt"])
    assert found(index, "thirty")


def test_an_added_document_can_be_deleted_and_its_copy_goes(
    index: Path, shop: Path, tmp_path: Path
):
    (tmp_path / "note.txt").write_text("A note about warranty.")
    mmchat.add(index, tmp_path / "note.txt", config=Config())
    mmchat.delete(index, "note.txt")
    (shop / "new.txt").write_text("New words.")
    mmchat.sync(index, config=Config())
    assert not found(index, "warranty")
    assert not list(index.glob("originals/*"))


def test_no_index_no_change(tmp_path: Path):
    for change in (
        lambda: mmchat.sync(tmp_path / "none", config=Config()),
        lambda: mmchat.add(tmp_path / "none", tmp_path, config=Config()),
        lambda: mmchat.delete(tmp_path / "none", "a.txt"),
        lambda: next(mmchat.watch(tmp_path / "none", config=Config())),
    ):
        with pytest.raises(IndexNotFound):
            change()
    assert not (tmp_path / "none").exists()


def test_watching_takes_in_what_changes(index: Path, shop: Path):
    rounds = mmchat.watch(index, config=Config(), stop=(stop := threading.Event()))
    guard = threading.Timer(60, stop.set)
    guard.start()
    assert next(rounds).embedded == 0
    (shop / "new.txt").write_text("Brand new words.")
    (shop / "guides" / "descale.txt").unlink()
    report = next(rounds)
    while not (found(index, "brand") and not found(index, "vinegar")):
        report = next(rounds)
    assert report.documents == 5
    stop.set()
    guard.cancel()
    assert list(rounds) == []


def test_watching_survives_a_folder_that_goes_and_comes_back(index: Path, shop: Path):
    stop = threading.Event()
    errors: list[str] = []

    def said(error: Exception) -> None:
        errors.append(str(error))
        shutil.copytree(away, shop)
        (shop / "faq.md").write_text("Within ninety days.")

    rounds = mmchat.watch(index, config=Config(), stop=stop, on_error=said)
    guard = threading.Timer(60, stop.set)
    guard.start()
    assert next(rounds).embedded == 0
    away = shop.rename(shop.with_name("away"))
    while not found(index, "ninety"):
        next(rounds)
    stop.set()
    guard.cancel()
    assert len(errors) == 1 and "does not exist" in errors[0]
    assert found(index, "vinegar")
