"""Amounts of the wrong thing."""

from __future__ import annotations

import pytest

from mmchat.answering.numbers import claims
from mmchat.answering.owning import owned, told_of_another

LIST = "24 months for most products, 36 for the microwave, juicer and mini fridge, and 60 for the washer."
TABLE = "Microwave, induction hob, juicer, mini fridge: 36 Washing machine: 60"
PRICES = "Standard delivery costs €4.90 and is free from €50; express costs €9.90."
HOURS = "9 to 17 on weekdays, 10 to 14 on Saturdays"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("The juicer has a warranty of 60 months.", LIST),
        ("The washer has 24 months of warranty.", LIST),
        ("The juicer has 60 months.", TABLE),
        ("Express delivery costs €4.90.", "Standard costs €4.90; express costs €9.90."),
        ("We are open on Saturdays until 17.", HOURS),
        ("주스기의 보증은 60개월입니다.", "주스기: 36개월, 세탁기: 60개월"),
    ],
)
def test_an_amount_of_something_else_is_found(sentence: str, evidence: str) -> None:
    (claim,) = claims(sentence)
    assert told_of_another(sentence, claim, evidence)


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("The juicer has a warranty of 36 months.", LIST),
        ("Most products have 24 months.", LIST),
        ("The washing machine has 60 months.", TABLE),
        ("Standard delivery is free from €50.", PRICES),
        ("Express costs €9.90.", PRICES),
        ("On weekdays we open at 9.", HOURS),
        ("On weekdays we close at 17.", HOURS),
        ("The kettle holds 1.7 litres.", "The kettle holds 1.7 litres and boils 1 litre quickly."),
        ("It takes 3 minutes.", "The kettle holds 1.7 litres, boils in 3 minutes, costs €30."),
        ("Express costs €9.90.", "Delivery costs €4.90 by standard and €9.90 by express."),
        ("세탁기의 보증은 60개월입니다.", "주스기: 36개월, 세탁기: 60개월"),
    ],
)
def test_an_amount_of_the_same_thing_is_left(sentence: str, evidence: str) -> None:
    (claim,) = claims(sentence)
    assert told_of_another(sentence, claim, evidence) == ""


def test_of_a_sentence_without_amounts_nothing_is_known() -> None:
    assert owned("The kettle is red.") == []
