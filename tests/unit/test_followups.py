"""Follow-ups that lean on earlier questions, in English and Korean, and what they are turned into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mmchat.answering.followups import LOOKED_BACK, understand
from mmchat.answering.followups.korean import with_particle
from mmchat.answering.followups.mentions import kind_of, mention, product_of
from mmchat.types import Exchange, Source

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "followups.jsonl").read_text("utf-8").splitlines()
]
KETTLE = "Lumbrook Jug Kettle 1.7 l, red"
PHOTO = Image.new("RGB", (8, 8))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["question"])
def test_hand_made_cases(case: dict):
    history = [Exchange(each["question"], product=each["product"]) for each in case["history"]]
    first = understand(case["question"], history).readings[0].lower()
    assert not [text for text in case["has"] if text.lower() not in first]
    assert not [text for text in case["has_not"] if text.lower() in first]


@pytest.mark.parametrize(
    "question", ["How much is it?", "and the black one?", "그거 얼마예요?", "x", ""]
)
def test_without_a_history_a_question_stays_as_it_is(question: str):
    assert understand(question, []).readings == (question,)


def test_without_a_product_the_question_before_says_what_is_meant():
    said = [Exchange("What does express delivery cost?")]
    readings = understand("By when must I order it?", said).readings
    assert readings == ("What does express delivery cost? By when must I order it?",)


def test_where_two_meanings_are_possible_both_are_tried():
    said = [Exchange("How much is the robot vacuum?", product="Lumbrook Robot Vacuum, white")]
    assert understand("And the filter?", said).readings == (
        "How much is the filter?",
        "Filter of the Lumbrook Robot Vacuum, white?",
        "How much is the robot vacuum? The filter?",
    )


def test_a_product_is_remembered_for_a_while():
    one = Exchange("How much is the kettle?", product=KETTLE)
    between = [Exchange("What does delivery cost?")] * (LOOKED_BACK - 1)
    assert KETTLE in understand("Is it loud?", [one, *between]).readings[0]
    assert KETTLE not in understand("Is it loud?", [one, one, *between, *between]).readings[0]


def test_a_named_product_is_not_named_twice():
    said = [Exchange("How much is the kettle?", product=KETTLE)]
    question = "Does the jug kettle switch off when it is empty?"
    assert understand(question, said).readings == (question,)


def test_the_first_pronoun_is_enough():
    said = [Exchange("How much is the kettle?", product="Kettle")]
    readings = understand("Is it safe, and does it leak?", said).readings
    assert readings == ("Is the Kettle safe, and does it leak?",)


class TestPictures:
    shown = Exchange("", image=PHOTO)

    @pytest.mark.parametrize(
        "question", ["What is in my photo?", "사진에 있는 게 뭐예요?", "that picture?"]
    )
    def test_a_question_about_the_picture(self, question: str):
        named = Exchange("How much is the kettle?", product=KETTLE)
        assert understand(question, [self.shown, named]).image is PHOTO

    @pytest.mark.parametrize("question", ["How do I clean this?", "이거 어떻게 청소해요?"])
    def test_a_picture_that_was_not_recognised_is_searched_with_again(self, question: str):
        assert understand(question, [self.shown]).image is PHOTO

    def test_a_product_that_was_recognised_is_named_instead(self):
        said = [Exchange("", product=KETTLE, image=PHOTO)]
        followed = understand("How do I clean it?", said)
        assert followed.image is None
        assert followed.readings == (f"How do I clean the {KETTLE}?",)

    def test_another_question_is_not_about_it(self):
        assert understand("What does express delivery cost?", [self.shown]).image is None


class TestMentions:
    def test_a_product_is_what_has_a_picture(self):
        policy = Source(1, "delivery.md", None, (0, 1), "x", None, title="Delivery")
        kettle = Source(2, "kettle.md", None, (0, 1), "x", "kettle.jpg", title=KETTLE)
        assert product_of([policy, kettle]) == KETTLE
        assert product_of([policy]) == ""

    @pytest.mark.parametrize(
        ("question", "named"),
        [
            ("How much is the red kettle?", "red kettle"),
            (f"How much is the {KETTLE}?", KETTLE),
            ("How do I clean it?", None),
        ],
    )
    def test_where_a_question_names_it(self, question: str, named: str | None):
        found = mention(question, KETTLE)
        assert (found and question[slice(*found)]) == named

    def test_the_sort_of_thing_that_it_is(self):
        assert kind_of(KETTLE) == "Lumbrook Jug Kettle"
        assert kind_of("Red") == "Red"


@pytest.mark.parametrize(
    ("word", "particle", "joined"),
    [
        ("주전자", "은", "주전자는"),
        ("밥솥", "는", "밥솥은"),
        ("밥솥", "가", "밥솥이"),
        ("주전자", "을", "주전자를"),
        ("칼", "으로", "칼로"),
        ("밥솥", "로", "밥솥으로"),
        ("Kettle", "은", "Kettle는"),
        ("밥솥", "의", "밥솥의"),
        ("밥솥", "", "밥솥"),
    ],
)
def test_korean_particles_fit_the_name(word: str, particle: str, joined: str):
    assert word + with_particle(word, particle) == joined
