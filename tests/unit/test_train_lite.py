"""The training of mmchat-lite's heads, on inputs that a test can make up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lite_training import words as training_words
from lite_training.pictures import DIRECTIONS, Pictures, fit_pictures
from lite_training.wordnet import FOOD, first_meanings, read_nouns
from lite_training.words import Vocabulary, fit_words, vocabulary

from mmchat.encoders.runtime import unit_rows

LICENCE = "  1 This software and database is being provided to you\n"
NOUNS = LICENCE + (
    "00000100 13 n 02 apple 0 eating_apple 0 001 @ 00000200 n 0000 | fruit with red skin\n"
    "00000200 13 n 01 food 0 000 | what is eaten\n"
    "00000300 06 n 01 Kettle 0 000 | a metal pot\n"
    "00000400 05 n 01 cat 0 000 | a feline\n"
)
INDEX = LICENCE + (
    "apple n 1 1 @ 1 0 00000100  \n"
    "eating_apple n 1 1 @ 1 0 00000100  \n"
    "food n 1 0 1 0 00000200  \n"
    "kettle n 2 0 2 1 00000300 00000400  \n"
    "cat n 1 0 1 0 00000400  \n"
)


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    (tmp_path / "data.noun").write_text(NOUNS)
    (tmp_path / "index.noun").write_text(INDEX)
    return tmp_path


def things(seed: int) -> Pictures:
    """Photos of 12 things that differ in 8 numbers, and by lighting in the ninth; cut-outs beside."""
    random = np.random.default_rng(seed)
    what = np.repeat(np.arange(12), 6)
    own = random.normal(size=(12, 8))
    lighting = 4 * random.normal(size=(len(what), 1))
    scenes = np.hstack([own[what] + 0.1 * random.normal(size=(len(what), 8)), lighting])
    ground = np.full((12, 1), 9.0)
    cut_outs = np.hstack([own, ground])
    pad = [(0, 0), (0, 70)]
    return Pictures(unit_rows(np.pad(scenes, pad)), what, [unit_rows(np.pad(cut_outs, pad))])


def test_the_head_finds_the_thing_in_another_light():
    pictures = things(0)
    head = fit_pictures(pictures)
    scores = head.visual(pictures.scenes) @ head.visual(pictures.scenes).T
    np.fill_diagonal(scores, -1)
    plain = pictures.scenes @ pictures.scenes.T
    np.fill_diagonal(plain, -1)
    right = (pictures.things[scores.argmax(1)] == pictures.things).mean()
    assert right > (pictures.things[plain.argmax(1)] == pictures.things).mean()
    assert right > 0.95


def test_the_gate_tells_cut_outs_from_scenes():
    pictures = things(0)
    head = fit_pictures(pictures)
    assert (pictures.scenes @ head.gate[:-1] + head.gate[-1] < 0).mean() > 0.9
    assert (pictures.cut_outs[0] @ head.gate[:-1] + head.gate[-1] > 0).all()


def test_the_directions_are_orthonormal_and_only_shrink():
    head = fit_pictures(things(0))
    assert len(head.basis) <= DIRECTIONS
    np.testing.assert_allclose(head.basis @ head.basis.T, np.eye(len(head.basis)), atol=1e-4)
    assert ((head.gains >= -1) & (head.gains <= 0)).all()


def test_nouns_are_read_with_their_words_and_most_usual_meaning(wordnet: Path):
    nouns = read_nouns(wordnet)
    assert nouns["00000100"].words == ("apple", "eating apple")
    assert nouns["00000100"].file == FOOD
    assert first_meanings(wordnet)["kettle"] == "00000300"


def test_words_are_foods_things_and_labels_but_no_animals(wordnet: Path, monkeypatch):
    monkeypatch.setattr(training_words, "korean_names", lambda: [("사과", "red apple")])
    words = vocabulary(wordnet, ["Tench"], seed=0)
    assert set(words.english) == {
        "tench", "apple", "eating apple", "food", "kettle", "red apple"
    }  # fmt: skip


def encode(texts: list[str]) -> np.ndarray:
    """Count letters: an encoder by spelling alone."""
    rows = [[text.count(letter) + 0.1 for letter in "abcdefghijklmnoprstuvw사과"] for text in texts]
    return unit_rows(np.array(rows))


def test_words_mean_what_they_mean_in_a_phrase_and_korean_names_what_english_ones_do():
    words = Vocabulary(["apple", "kettle", "spoon", "melon"], [("사과", "apple")])
    labels = ["apple", "kettle", "spoon"]
    head, meanings = fit_words(words, labels, encode, seed=0)
    assert (meanings @ head.labels.T)[:3].argmax(axis=1).tolist() == [0, 1, 2]
    again, _ = fit_words(words, labels, encode, seed=0)
    np.testing.assert_array_equal(head.words_map, again.words_map)
