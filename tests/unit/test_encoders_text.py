"""The sentence encoder: prompts, tokens, limits, and what it says about folders that are no models."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import tiny_models

from mmchat.encoders.text import Prompts, SentenceEncoder
from mmchat.errors import ModelError

PROMPTS = {"query": "query: ", "passage": "passage: "}
CPU = {"device": "cpu", "dtype": "float32"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> SentenceEncoder:
    folder = tmp_path_factory.mktemp("plain") / "tiny"
    return SentenceEncoder(tiny_models.sentence_folder(folder), **CPU)


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> SentenceEncoder:
    folder = tmp_path_factory.mktemp("prompted") / "tiny"
    return SentenceEncoder(tiny_models.sentence_folder(folder, prompts=PROMPTS), **CPU)


def test_spans_are_the_characters_of_the_tokens(plain: SentenceEncoder):
    text = "  How do I\nreturn it?"
    spans = plain.token_spans(text)
    assert [text[start:end] for start, end in spans] == ["How", "do", "I", "return", "it", "?"]
    assert plain.count_tokens(text) == len(spans)


def test_a_long_text_has_all_its_tokens(plain: SentenceEncoder):
    assert plain.count_tokens("milk " * 500) == 500


def test_starts_never_go_back(plain: SentenceEncoder):
    spans = plain.token_spans("환불 🙂 e\u0301clair — naïve\u00a0milk")
    assert all(a[0] <= b[0] and b[0] <= b[1] for a, b in itertools.pairwise(spans))


def test_the_limit_leaves_room_for_prompt_and_special_tokens(plain, prompted):
    assert plain.max_tokens == 48 - 2
    assert prompted.max_tokens == 48 - 2 - 2  # "query" and ":"


def test_a_text_at_the_limit_is_read_to_its_end(prompted: SentenceEncoder):
    fits = "milk " * (prompted.max_tokens - 1)
    read, changed = prompted.encode_passages([fits + "milk", fits + "banana"])
    assert np.abs(read - changed).max() > 1e-4
    cut, also_cut = prompted.encode_passages([fits + "milk milk", fits + "milk banana"])
    np.testing.assert_allclose(cut, also_cut, atol=1e-6)


def test_prompts_stand_before_the_text(plain: SentenceEncoder, prompted: SentenceEncoder):
    np.testing.assert_allclose(
        prompted.encode_queries(["banana"]), plain.encode_queries(["query: banana"]), atol=1e-5
    )
    np.testing.assert_allclose(
        prompted.encode_passages(["banana"]), plain.encode_passages(["passage: banana"]), atol=1e-5
    )


def test_prompts_are_part_of_the_fingerprint(plain: SentenceEncoder, prompted: SentenceEncoder):
    assert plain.fingerprint != prompted.fingerprint


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("multilingual-e5-small", Prompts("query: ", "passage: ")),
        ("e5", Prompts("query: ", "passage: ")),
        ("multilingual-e5-large-instruct", Prompts()),
        ("mine5-small", Prompts()),
    ],
)
def test_e5_models_get_their_prompts_by_name(plain: SentenceEncoder, name: str, expected: Prompts):
    assert SentenceEncoder(plain.folder, name=name).prompts == expected


def test_loading_is_put_off(plain: SentenceEncoder):
    encoder = SentenceEncoder(plain.folder)
    _ = encoder.fingerprint, encoder.dimension, encoder.max_tokens, encoder.token_spans("milk")
    assert encoder._model is None
    assert "_onnx_or_none" not in vars(encoder)


def test_the_name_of_the_fingerprint_can_be_given(plain: SentenceEncoder):
    named = SentenceEncoder(plain.folder, name="mine").fingerprint
    assert named == plain.fingerprint.replace("tiny", "mine")


def test_a_newer_pooling_setting_is_read(plain: SentenceEncoder, tmp_path: Path):
    folder = tiny_models.sentence_folder(tmp_path / "new")
    settings = {"embedding_dimension": 16, "pooling_mode": "cls"}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    assert (plain.pooling, SentenceEncoder(folder).pooling) == ("mean", "cls")


def test_folders_that_hold_no_model_are_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="There is no folder"):
        _ = SentenceEncoder(tmp_path / "nowhere").fingerprint
    with pytest.raises(ModelError, match=r"holds no model: expected config\.json"):
        _ = SentenceEncoder(tmp_path).fingerprint


def test_a_hub_id_without_a_network_says_what_to_do(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="mmchat models list"):
        _ = SentenceEncoder("nobody/no-such-model").fingerprint


def test_broken_weights_are_told(tmp_path: Path):
    folder = tiny_models.sentence_folder(tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot load"):
        SentenceEncoder(folder, **CPU).encode_queries(["banana"])


def test_letters_that_a_token_stands_for(plain: SentenceEncoder):
    assert plain.letters_per_token("the red kettle") == pytest.approx(4)
    assert plain.letters_per_token("반품") == 0, "a script that the tokenizer does not know"
    assert plain.letters_per_token("") == 0
