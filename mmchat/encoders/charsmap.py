"""The character map of a SentencePiece normaliser, packed as the tokenizers library reads it.

SentencePiece normalises text by a table that maps characters to their replacements (mostly NFKC,
without its reordering of combining marks). `tokenizers.normalizers.Precompiled` takes that table as
bytes: a double-array trie over the UTF-8 of the keys, then the replacements, each ended by a NUL.

    bytes 0 to 3     size of the trie in bytes, little endian
    the trie         one 32-bit unit a position
    the rest         replacements; the value of a key is the byte offset of its replacement

Source of the layout: sentencepiece/src/normalizer.cc (`EncodePrecompiledCharsMap`) and the unit
format of darts-clone. A node stands at a position and has a base; its child over byte `c` stands at
`base ^ c`, and its value, where it has one, at `base ^ 0`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_HAS_VALUE = 1 << 8
_IS_VALUE = 1 << 31
_OFFSET_SHIFT = 10
_MAX_OFFSET = 1 << 21
# A reader looks at `base ^ c` for any byte c: the array must reach to the end of that block.
_BLOCK = 256


def pack_charsmap(replacements: Mapping[str, str]) -> bytes:
    """The bytes that `tokenizers.normalizers.Precompiled` takes.

    Args:
        replacements: character to what stands in its place (empty removes it); no NUL in either.
    """
    blob = bytearray()
    root = _Node()
    offsets: dict[str, int] = {}
    for source, target in sorted(replacements.items()):
        if target not in offsets:
            offsets[target] = len(blob)
            blob += target.encode() + b"\0"
        node = root
        for byte in source.encode():
            node = node.children.setdefault(byte, _Node())
        node.value = offsets[target]
    units = _DoubleArray().fill(root)
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + bytes(blob)


@dataclass(slots=True)
class _Node:
    children: dict[int, _Node] = field(default_factory=dict)
    value: int | None = None

    def labels(self) -> list[int]:
        """Bytes of the children in order; 0 stands for the node's own value."""
        return ([] if self.value is None else [0]) + sorted(self.children)


class _DoubleArray:
    """Places the nodes of a trie into one array of units, first fit."""

    def __init__(self) -> None:
        self._units: dict[int, int] = {0: 0}
        self._bases: set[int] = {0}
        self._first_free = 1

    def fill(self, root: _Node) -> list[int]:
        """The units, padded to a whole block."""
        waiting = [(0, root)]
        while waiting:
            position, node = waiting.pop()
            base = self._free_base(node.labels())
            self._bases.add(base)
            offset = base ^ position
            if offset >= _MAX_OFFSET:
                raise ValueError(
                    f"The map is too large: offset {offset}, the format ends at 2**21."
                )
            self._units[position] |= offset << _OFFSET_SHIFT
            if node.value is not None:
                self._units[position] |= _HAS_VALUE
                self._units[base] = _IS_VALUE | node.value
            for byte, child in node.children.items():
                self._units[base ^ byte] = byte
                waiting.append((base ^ byte, child))
        length = (max(*self._units, *self._bases) // _BLOCK + 1) * _BLOCK
        return [self._units.get(position, 0) for position in range(length)]

    def _free_base(self, labels: list[int]) -> int:
        """A base that no other node has (two nodes with one base would share their children)."""
        while self._first_free in self._units:
            self._first_free += 1
        position = self._first_free
        while True:
            base = position ^ labels[0]
            if base not in self._bases and all(base ^ c not in self._units for c in labels):
                return base
            position += 1
