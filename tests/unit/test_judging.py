"""Hand-made cases of what a person would call right."""

import pytest

from mmchat.answering.judging import is_right

HOME = (
    "To change it, press the Home button on the remote control, go to Settings and then Network. "
    "Then choose Wi-Fi."
)
WARRANTY = "Yes, it has a 2-year limited warranty against defects."
RIGHT = [
    ("Yes, the tent comes with a 2-year limited warranty.", WARRANTY, "Is there a warranty?"),
    ("Express delivery costs €9.90.", "9.90 euro", "What does express delivery cost?"),
    ("프랑스의 수도는 파리입니다.", "파리", "프랑스의 수도는?"),
    ("Press the Home button and select Settings.", HOME, "How do I change the network?"),
    ("No, do not put it into one.", "It can't go into one.", "Is it dishwasher safe?"),
    ("It weighs 1.2 kg.", "The pack is 1.2 kilograms.", "How heavy is it?"),
    ("The tray is sold separately, though I did not buy it.", "Yes.", "Is the tray sold?"),
    ("Adjustable cuffs keep the wind out.", "Yes, they have Velcro.", "Are the cuffs adjustable?"),
    ("You do not need the straw.", "Yes, it works without it.", "Can I do without the straw?"),
    ("It did not come with a rack.", "No. It has no rack.", "Does it come with a rack?"),
    ("Material: 100% nylon.", "It is made of nylon.", "Is it nylon or cotton?"),
    ("무게는 1.2kg입니다.", "1.2킬로그램", "무게가 얼마나 되나요?"),
    ("네, 방수가 됩니다.", "네, 비에 젖지 않아요.", "방수가 되나요?"),
]
WRONG = [
    ("Yes, it fits the model.", "No, it does not fit the model.", "Does it fit?"),
    ("It costs €4.90.", "It costs €9.90.", "What does express delivery cost?"),
    ("It weighs 3 kg.", "It weighs 1.2 kg.", "How heavy is it?"),
    ("프랑스의 수도는 리옹입니다.", "파리", "프랑스의 수도는?"),
    ("The kettle is red.", "Descale it with vinegar.", "How do I clean the kettle?"),
    ("The warranty covers defects.", "Returns are free for thirty days.", "Can I return it?"),
    ("It is cotton.", "It is made of nylon.", "Is it nylon or cotton?"),
    ("It is not lactose free.", "Yes. It is dairy free.", "Is the powder dairy free?"),
    ("Zippered pockets.", "Two in front and two in the back.", "How many zippered pockets?"),
    ("아니요, 방수가 되지 않습니다.", "네, 방수가 됩니다.", "방수가 되나요?"),
    ("", "Returns are free for thirty days.", "Can I return it?"),
]


@pytest.mark.parametrize(("answer", "written", "question"), RIGHT)
def test_right(answer: str, written: str, question: str):
    assert is_right(answer, [written], question)
    assert is_right(answer, ["Something else entirely about bananas.", written], question)


@pytest.mark.parametrize(("answer", "written", "question"), WRONG)
def test_wrong(answer: str, written: str, question: str):
    assert not is_right(answer, [written], question)


def test_nothing_written_is_never_said():
    assert not is_right("Anything.", [])
    assert not is_right("Anything.", [" "])


def test_naming_what_is_asked_about_is_no_answer():
    written, question = ["The Trail 40 backpack holds a laptop."], "What does it hold?"
    assert not is_right("Trail 40 backpack, 60 euro", written, question, "Trail 40 backpack")
    line = "Trail 40 backpack | yes, a laptop"
    assert is_right(line, ["Yes. It holds a laptop."], "Does it hold one?", "Trail 40 backpack")
