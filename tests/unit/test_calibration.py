import numpy as np
import pytest
from support import ColoursEncoder, SmallIndex, WordsEncoder

from mmchat.everyday import EVERYDAY
from mmchat.retrieval.calibration import Calibration, Chance, confidence


def test_chance_is_robust_to_a_sentence_that_the_collection_is_about():
    assert Chance.of([1.0, 1.1, 0.9, 1.0, 9.0], 0.01).median == 1.0
    assert Chance.of([1.0, 1.0], 0.5) == Chance(1.0, 0.5)
    assert Chance.of([], 0.5).surprise(2.0) == 2.0


def test_confidence_rises_with_surprise():
    assert confidence(0) == 0.5
    assert 0 < confidence(-1e9) < confidence(-1) < confidence(3) < confidence(1e9) <= 1


def test_the_background_of_an_encoder_is_measured_once():
    class Counting(WordsEncoder):
        calls = 0

        def encode_queries(self, texts):
            self.calls += 1
            return super().encode_queries(texts)

    encoder = Counting()
    calibration = Calibration(encoder, ColoursEncoder())
    vector = encoder.encode_queries(["a kettle"])[0]
    expected = np.sort(encoder.encode_queries(EVERYDAY) @ vector)[:-1].mean()
    before = encoder.calls
    for _ in range(3):
        assert calibration.background(vector) == pytest.approx(expected)
        assert calibration.spread > 0
    assert encoder.calls == before + 1


def test_chance_grows_with_the_collection(small_index: SmallIndex, write):
    folder = write("a.md", "The meeting about kettles.")
    small_index.build(folder)
    reader = small_index.reader()
    calibration = Calibration(small_index.text, small_index.images)
    asked: list[str] = []

    def best(text: str, vector: np.ndarray) -> float:
        asked.append(text)
        return reader.search_text(vector, 1)[0].score

    first = calibration.of_passages(reader, best)
    assert calibration.of_passages(reader, best) == first
    assert asked == list(EVERYDAY)
    write("b.md", "She plays. The river flows. Press the button. You can wash it.")
    small_index.build(folder)
    assert calibration.of_passages(small_index.reader(), best) is not first
