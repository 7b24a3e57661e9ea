"""The arrays of a safetensors file, mapped from disk: what is not touched takes no memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Tensors: TypeAlias = dict[str, NDArray[Any]]


def map_tensors(path: Path) -> Tensors:
    """Return the floating-point arrays of a file by name, read-only.

    The layout is the format's own: eight bytes of length, a header in JSON, the data. The library
    safetensors reads whole arrays; of a table of 250,000 tokens, a question needs a dozen rows.

    Raises:
        ValueError: the file is not of that layout, or shorter than its header says.
        OSError: it cannot be read.
    """
    data = np.memmap(path, np.uint8, mode="r")
    length = int.from_bytes(data[:8].tobytes(), "little")
    if not 0 < length <= data.size - 8:
        raise ValueError(f"{path.name}: a header of {length} bytes in a file of {data.size}")
    header = json.loads(data[8 : 8 + length].tobytes())
    types = _types()
    body = data[8 + length :]
    return {
        name: body[slice(*entry["data_offsets"])]
        .view(types[entry["dtype"]])
        .reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] in types
    }


def _types() -> dict[str, np.dtype[Any]]:
    # numpy itself has no bfloat16.
    import ml_dtypes

    return {
        "F64": np.dtype(np.float64),
        "F32": np.dtype(np.float32),
        "F16": np.dtype(np.float16),
        "BF16": np.dtype(ml_dtypes.bfloat16),
    }
