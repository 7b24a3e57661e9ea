"""The import rules of the design, read from the import statements."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mmchat

PACKAGE = Path(mmchat.__file__).parent
VOCABULARY = {
    "mmchat.types",
    "mmchat.conditions",
    "mmchat.errors",
    "mmchat.config",
    "mmchat.config.checks",
    "mmchat.config.loading",
    "mmchat.config.owner",
    "mmchat.config.patterns",
    "mmchat.config.sections",
    "mmchat.config.service",
    "mmchat.config.tags",
    "mmchat.everyday",
    "mmchat.sentences",
    "mmchat.visible",
    "mmchat.filters",
    "mmchat.pictures",
    "mmchat.drawings",
    "mmchat.serialise",
    "mmchat.measures",
    "mmchat.dataset",
}
PARTS = ("ingest", "encoders", "stores", "retrieval", "answering", "sessions", "tags", "tuning")
EDGES = ("cli", "web", "api", "evaluation")
# The file of a model becomes a model in its own folder: the converter reads what no other part does.
CONVERTERS = {("mmchat.models", "mmchat.encoders.e5_wheel")}
# The face of the stores: protocols and records without an implementation.
FACES = {"mmchat.stores.base"}
HEAVY = {
    "faiss": ("stores/vectors",),
    "gradio": ("web",),
    "torch": ("encoders/", "answering/generators", "retrieval/rerank.py", "tuning/training.py"),
    "xllamacpp": ("answering/generators",),
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_of(path: Path) -> set[str]:
    """Return what a module imports at run time, anywhere in it."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    known = {name for name, _ in modules()}
    return {name for name in found if not name.startswith("mmchat") or name in known} - {"mmchat"}


def part_of(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize(("name", "path"), list(modules()))
def test_import_rules(name: str, path: Path):
    ours = {i for i in imports_of(path) if i.startswith("mmchat.")}
    if name in {"mmchat.types", "mmchat.conditions", "mmchat.errors"}:
        assert not ours
    if part_of(name) in PARTS:
        allowed = {i for i in ours if i in VOCABULARY | FACES or part_of(i) == part_of(name)}
        assert ours <= allowed, (
            "a part imports the vocabulary alone; the rest arrives by constructor"
        )
    if part_of(name) in EDGES:
        assert not {part_of(i) for i in ours} & set(PARTS), "an edge imports app and the vocabulary"
    else:
        assert not {part_of(i) for i in ours} & set(EDGES), "nobody imports an edge"
    if part_of(name) in VOCABULARY:
        assert ours <= VOCABULARY


@pytest.mark.parametrize(("library", "homes"), HEAVY.items())
def test_heavy_libraries_stay_where_they_belong(library: str, homes: tuple[str, ...]):
    users = {
        path.relative_to(PACKAGE).as_posix()
        for _, path in modules()
        if any(i == library or i.startswith(f"{library}.") for i in imports_of(path))
    }
    assert users, f"nobody imports {library}: the rule is out of date"
    assert not {user for user in users if not user.startswith(homes)}


def test_files_and_functions_stay_short():
    for _, path in modules():
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") <= 400, f"{path.name} wants a split"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{path.name}: {node.name}"


def test_importing_does_no_work(tmp_path: Path):
    code = (
        "import sys, os; before = set(os.listdir()), dict(os.environ); import mmchat, mmchat.cli;"
        "assert (set(os.listdir()), dict(os.environ)) == before;"
        "heavy = {'torch', 'numpy', 'gradio', 'faiss', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_public_names():
    assert set(mmchat.__all__) == {
        "AllOf",
        "Answer",
        "AnyOf",
        "Assistant",
        "Config",
        "Contains",
        "Desk",
        "Equals",
        "Exchange",
        "Handoff",
        "Hit",
        "In",
        "Index",
        "IndexReport",
        "MmchatError",
        "Not",
        "Range",
        "Source",
        "Status",
        "add",
        "build_index",
        "delete",
        "load_config",
        "new_owner",
        "open_index",
        "sync",
        "tune_photos",
        "tune_text",
        "watch",
    }
    for name in mmchat.__all__:
        assert getattr(mmchat, name).__doc__
    with pytest.raises(AttributeError, match="nonsense"):
        _ = mmchat.nonsense
