"""Where the encoders run: the device, the number type, and one repair that torchvision needs.

Threads are left to torch, which takes one per core.
"""

from __future__ import annotations

import functools
import re
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmchat.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float32]
"""One row an item, of length one."""

# The operators that torchvision's Python files name while they are imported, as its compiled half
# declares them (torchvision/csrc/ops: nms.cpp and quantized/cpu/qnms_kernel.cpp).
_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_MISSING_OPERATOR = re.compile(r"operator torchvision::(\w+) does not exist")
# torch forgets an operator as soon as the Library that declared it is collected.
_declared: dict[str, Any] = {}


def pick_device(wanted: str) -> torch.device:
    """Return the device to compute on.

    Args:
        wanted: `auto` (CUDA, else Apple's MPS, else the processor) or a name that torch knows.

    Raises:
        ConfigError: torch does not know the name, or this machine has no such device.
    """
    import torch

    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise ConfigError(
            f"encoders.device = {wanted!r}: expected auto, cpu, cuda, cuda:1 or mps."
        ) from None
    absent = {"cuda": not cuda, "mps": not mps}.get(device.type, False)
    if absent or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise ConfigError(
            f"encoders.device = {wanted!r}: torch sees no such device here "
            f"({torch.cuda.device_count()} CUDA devices). Take auto or cpu, "
            "or install the build of torch for that device."
        )
    return device


def runs_on_cpu(wanted: str) -> bool:
    """Tell whether `pick_device` would return the processor.

    Importing torch takes seconds, so it is asked only where it may see a GPU.
    """
    if wanted == "cpu" or (wanted == "auto" and not _may_have_gpu()):
        return True
    return pick_device(wanted).type == "cpu"


def _may_have_gpu() -> bool:
    """Tell whether torch may see a GPU here; False is certain."""
    if version("torch").endswith("+cpu"):
        return False
    # The devices of NVIDIA's driver, of AMD's, and of Windows' subsystem for Linux.
    devices = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    return sys.platform != "linux" or any(Path(device).exists() for device in devices)


def pick_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """Return the number type to compute in.

    bfloat16 halves the memory and keeps the ranking where it is used here, but a processor that has
    no instructions for it emulates them, slower than float32: hence `auto` asks first.

    Args:
        wanted: `float32`, `bfloat16`, or `auto` (bfloat16 where the device computes in it).
        device: where the model is going to run.

    Raises:
        ConfigError: the type is not one of the three.
    """
    import torch

    if wanted == "auto":
        if device.type == "cuda":
            native = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            native = device.type == "cpu" and _cpu_computes_bfloat16()
        return torch.bfloat16 if native else torch.float32
    if wanted in {"float32", "bfloat16"}:
        return torch.bfloat16 if wanted == "bfloat16" else torch.float32
    raise ConfigError(f"encoders.dtype = {wanted!r}: expected auto, float32 or bfloat16.")


@functools.cache
def _cpu_computes_bfloat16() -> bool:
    """Tell whether the processor has instructions for bfloat16 (AMX, AVX512-BF16, Arm's BF16)."""
    import torch

    # Public since torch 2.10; before that, float32 is the safe answer.
    ask = getattr(torch.cpu, "get_capabilities", None)
    found: dict[str, Any] = ask() if ask is not None else {}
    return any(found.get(name) is True for name in ("amx_bf16", "avx512_bf16", "bf16"))


def ensure_torchvision() -> None:
    """Make `import torchvision` work where its compiled operators do not fit the build of torch.

    open_clip, timm and transformers import torchvision for its picture transforms, which are plain
    Python. But a package index carries torchvision for CUDA only, and beside the CPU build of torch
    its compiled half cannot be loaded. torchvision puts up with that until it attaches a shape
    function to operators which only the compiled half declares ("operator torchvision::nms does not
    exist"). So the missing operators are declared here, with no code behind them, and the import is
    tried again. Calling one (non-maximum suppression; nothing here does) still fails, as it must.

    Nothing is declared where the import works by itself. It may be called any number of times,
    before or after open_clip, timm, transformers or sentence-transformers were imported.

    Raises:
        ModelError: torchvision is not installed, or its import fails for another reason.
    """
    # Each pass declares one operator; a later torchvision may name more of them.
    for _ in range(32):
        try:
            with warnings.catch_warnings():
                # It warns about the picture codecs of its compiled half; Pillow reads ours.
                warnings.filterwarnings("ignore", message="Failed to load image Python extension")
                import torchvision  # noqa: F401
            return
        except (RuntimeError, ImportError) as error:
            missing = _MISSING_OPERATOR.search(str(error))
            if missing is None or missing[1] in _declared:
                raise ModelError(
                    f"torchvision cannot be imported: {error}. open_clip and timm need it. "
                    "Install the torchvision that belongs to the installed torch."
                ) from error
            _declare(missing[1])
    raise ModelError(
        f"torchvision lacks more operators than expected ({', '.join(_declared)}, …). "
        "Install the torchvision that belongs to the installed torch."
    )


def _declare(operator: str) -> None:
    import torch.library

    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    library.define(_SCHEMAS.get(operator, f"{operator}(Tensor input) -> Tensor"))
    _declared[operator] = library
    # A failed import leaves the submodules that had loaded; the next try must start from nothing.
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


def unit_rows(vectors: NDArray[Any]) -> Vectors:
    """Scale each row of (n, d) to length one, in float32; a row of zeros stays zero."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)
