import numpy as np
import pytest

from mmchat.errors import QueryError
from mmchat.retrieval.queries import checked, shifted
from mmchat.types import Query

CENTRE = np.zeros(3, np.float32)
NONE = np.zeros((0, 3), np.float32)
X, Y, Z = np.eye(3, dtype=np.float32)


def test_a_vector_moves_towards_plus_and_away_from_minus():
    moved = shifted(X, Y[None], Z[None], centre=CENTRE, neighbours=NONE)
    assert moved @ Y > 0 > moved @ Z
    assert np.linalg.norm(moved) == pytest.approx(1)
    assert shifted(X, NONE, NONE, centre=CENTRE, neighbours=NONE) == pytest.approx(X)


def test_what_all_texts_share_is_no_step():
    centre = 0.9 * X
    word = (0.9 * X + 0.4 * Y).astype(np.float32)
    moved = shifted(Z, word[None], NONE, centre=centre, neighbours=NONE)
    assert abs(moved @ X) < 1e-6 < moved @ Y


def test_a_step_counts_as_much_as_the_start_however_small_its_cosines_are():
    # The items differ by 0.3 along the start, and by a thirtieth of that along the step.
    items = np.array([[0.9, 0.00, 0], [0.6, 0.01, 0], [0.3, 0.02, 0]], np.float32)
    moved = shifted(X, Y[None], NONE, centre=CENTRE, neighbours=items)
    assert moved @ Y > 0.9


@pytest.mark.parametrize("minus", [("leather",), ("", " ")])
def test_minus_alone_finds_nothing(minus: tuple[str, ...]):
    with pytest.raises(QueryError, match="empty"):
        checked(Query(minus=minus))


def test_words_are_cleaned():
    words = checked(Query("a\x00b", plus=("\tblue ", ""), minus=("  ",)))
    assert (words.text, words.plus, words.minus) == ("a b", ("blue",), ())
    assert words.wanted == "a b blue"
