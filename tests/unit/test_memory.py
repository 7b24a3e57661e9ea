"""Long conversations in a few lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mmchat.answering.memory import summarise
from mmchat.answering.prompt import estimate_tokens
from mmchat.types import Exchange

KETTLE = [
    Exchange(f"How do I descale the kettle, step {n}?", f"Use vinegar {n}. Then rinse.", "Kettle")
    for n in range(50)
]
WEATHER = Exchange("Nice weather today?", "I don't know.")


def test_a_short_conversation_stands_whole():
    assert summarise([WEATHER], 200) == "- Nice weather today? → I don't know."
    assert summarise([], 200) == ""


def test_the_newest_stay_and_the_order_too():
    lines = summarise([WEATHER, *KETTLE], 300).splitlines()
    assert lines[-1] == "- How do I descale the kettle, step 49? → Use vinegar 49. Then rinse."
    assert lines[-2].endswith("Then rinse.")
    steps = [int(line.split("step ")[1].split("?")[0]) for line in lines]
    assert steps == sorted(steps)
    assert all(
        line.endswith("→ Use vinegar " + str(n) + ".")
        for line, n in zip(lines[:-2], steps[:-2], strict=True)
    )


def test_what_most_turns_are_about_stays_before_what_one_was_about():
    text = summarise([WEATHER, *KETTLE], 300)
    assert "weather" not in text
    assert text.count("descale") > 5


def test_a_picture_without_words():
    assert summarise([Exchange("", "This looks like Banana [1].")], 99).startswith(
        "- (a picture) →"
    )


@given(st.lists(st.text(max_size=200), max_size=12), st.integers(0, 200))
def test_it_is_never_longer_than_asked(questions: list[str], most: int):
    text = summarise([Exchange(each, each) for each in questions], most)
    assert sum(estimate_tokens(line) for line in text.split("\n") if line) <= most
