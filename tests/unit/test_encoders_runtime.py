"""Where the encoders run, and the repair of torchvision, in a fresh process for each order of imports."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

import mmchat
from mmchat.encoders import runtime
from mmchat.encoders.fingerprint import fingerprint
from mmchat.errors import ConfigError, ModelError

CPU = torch.device("cpu")


def run(code: str) -> str:
    """Run Python code in a process of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(mmchat.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_torchvision_can_be_imported_afterwards():
    printed = run(
        "from mmchat.encoders.runtime import ensure_torchvision as ensure\n"
        "ensure(); ensure()\n"
        "import open_clip, timm, sentence_transformers\n"
        "from transformers import CLIPImageProcessor\n"
        "print('all there')"
    )
    assert "all there" in printed


def test_it_repairs_what_failed_before():
    printed = run(
        "for name in ('sentence_transformers', 'open_clip', 'timm', 'torchvision'):\n"
        "    try:\n"
        "        __import__(name)\n"
        "    except Exception:\n"
        "        pass\n"
        "from mmchat.encoders.runtime import ensure_torchvision\n"
        "ensure_torchvision()\n"
        "import sentence_transformers, open_clip, timm\n"
        "print('all there')"
    )
    assert "all there" in printed


def test_nothing_is_declared_where_torchvision_works(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runtime, "_declared", {})
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    runtime.ensure_torchvision()
    assert runtime._declared == {}


def test_a_missing_torchvision_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ModelError, match="belongs to the installed torch"):
        runtime.ensure_torchvision()


def test_importing_the_encoders_does_not_load_torch():
    printed = run(
        "import sys, mmchat.encoders.text, mmchat.encoders.image, mmchat.encoders.lite\n"
        "print({'torch', 'open_clip', 'transformers'} & set(sys.modules))"
    )
    assert printed.strip() == "set()"


@pytest.mark.parametrize("name", ["gpu", "cuda:99", ""])
def test_a_device_that_is_not_there_is_refused(name: str):
    with pytest.raises(ConfigError, match=r"encoders\.device"):
        runtime.pick_device(name)


def test_types_of_numbers():
    assert runtime.pick_dtype("float32", CPU) == torch.float32
    assert runtime.pick_dtype("bfloat16", CPU) == torch.bfloat16
    with pytest.raises(ConfigError, match=r"encoders\.dtype = 'int8': expected auto"):
        runtime.pick_dtype("int8", CPU)


@pytest.mark.parametrize(
    ("found", "expected"), [({"amx_bf16": True}, True), ({"avx2": True}, False)]
)
def test_auto_takes_bfloat16_only_where_it_is_native(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, bool], expected: bool
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    runtime._cpu_computes_bfloat16.cache_clear()
    assert (runtime.pick_dtype("auto", CPU) == torch.bfloat16) is expected
    runtime._cpu_computes_bfloat16.cache_clear()


def test_a_row_of_zeros_stays():
    np.testing.assert_array_equal(
        runtime.unit_rows(np.array([[0.0, 0.0], [3.0, 4.0]])), np.float32([[0, 0], [0.6, 0.8]])
    )


def test_the_fingerprint_of_a_large_file_sees_a_changed_layer(tmp_path: Path):
    path = tmp_path / "weights.safetensors"
    content = np.zeros(12 << 20, np.uint8)
    content.tofile(path)
    before = fingerprint([path])
    content[5 << 20 : (5 << 20) + (256 << 10)] = 1
    content.tofile(path)
    assert fingerprint([path]) != before
    assert fingerprint([path], "another prompt") != fingerprint([path])
