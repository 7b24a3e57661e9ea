"""When a person takes over: which messages ask for one, which are angry, which topics and amounts."""

from __future__ import annotations

import pytest

from mmchat.answering.handoff import HandoffRules
from mmchat.config import HandoffConfig
from mmchat.types import Exchange, HandoffReason, Status

RULES = HandoffRules(HandoffConfig(amount=200))
UNKNOWN = Exchange("Do you sell mowers?", "I don't know.", status=Status.ABSTAINED)
KNOWN = Exchange("How much is it?", "€5.", status=Status.ANSWERED)


def reason(question: str, *history: Exchange, rules: HandoffRules = RULES) -> HandoffReason | None:
    found = rules.before(question, history)
    return found.reason if found else None


@pytest.mark.parametrize(
    "question",
    [
        "talk to a person",
        "I want to talk to a real person",
        "Can I speak with someone from customer service?",
        "Let me speak to your manager!",
        "connect me to an agent please",
        "Could you transfer me to a human",
        "Please put me through to a human being",
        "I need a human",
        "Give me an agent.",
        "agent",
        "Representative please",
        "human!!",
        "상담원 연결해 주세요",
        "상담원이랑 통화하고 싶어요",
        "담당자에게 연결해 주세요",
        "사람과 직접 이야기하고 싶어요",
        "상담사 좀 바꿔 주세요",
        "상담원",
        "상담원 부탁드립니다",
    ],
)
def test_a_person_is_asked_for(question: str):
    assert reason(question) == HandoffReason.REQUEST


@pytest.mark.parametrize(
    "question",
    [
        "How many people does the air fryer feed?",
        "Can someone else sign for my parcel?",
        "Is it safe for one person to carry?",
        "When can I talk to an agent?",
        "What is the phone number of your staff?",
        "Does the robot talk to my phone?",
        "Is the cleaning agent included?",
        "yes",
        "상담원 운영 시간이 어떻게 되나요?",
        "몇 사람이 먹을 수 있나요?",
        "직원 할인이 있나요?",
        "사람이 없을 때도 작동하나요?",
        "사람이 말하는 소리도 들리나요?",
        "",
    ],
)
def test_a_person_is_not_asked_for(question: str):
    assert reason(question) is None


@pytest.mark.parametrize(
    "answer",
    ["yes", "Yes, please!", "ok sure", "please do", "네", "네, 부탁드려요", "예 연결해 주세요"],
)
def test_the_offer_of_a_person_is_accepted(answer: str):
    assert reason(answer, KNOWN, UNKNOWN) == HandoffReason.REQUEST
    assert reason(answer, UNKNOWN, KNOWN) is None or "연결" in answer


@pytest.mark.parametrize(
    "question",
    [
        "This is ridiculous",
        "I am so fed up with this",
        "you are useless",
        "Your support is terrible!",
        "WHERE IS MY PARCEL!!!",
        "what the fuck",
        "worst service ever",
        "정말 화가 나네요",
        "짜증나게 하지 마세요",
        "이건 사기잖아요",
        "최악이네요",
        "장난하세요?",
    ],
)
def test_anger(question: str):
    assert reason(question) == HandoffReason.ANGER
    assert reason(question, rules=HandoffRules(HandoffConfig(on_anger=False))) is None


@pytest.mark.parametrize(
    "question",
    [
        "Does it make a mad noise?",
        "Is the filter useless after six months?",
        "What is the worst-case delivery time?",
        "IS THE LB-KT-170R IN STOCK?",
        "DOES IT COME IN RED?",
        "사기 전에 색상을 볼 수 있나요?",
        "불이 나면 어떻게 하나요?",
        "화면이 나오지 않아요",
        "전화나 메일로 물어볼 수 있나요?",
    ],
)
def test_calm(question: str):
    assert reason(question) is None


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("My lawyer will hear of this", "legal"),
        ("I will sue you", "legal"),
        ("I'll take you to court", "legal"),
        ("변호사와 상의하겠습니다", "legal"),
        ("소비자원에 신고할게요", "legal"),
        ("I had an allergic reaction to the blanket", "medical"),
        ("I burnt my hand on the kettle", "medical"),
        ("Is the blanket safe with a pacemaker?", "medical"),
        ("주전자 때문에 화상을 입었어요", "medical"),
        ("감전된 것 같아요", "medical"),
        ("I want a refund of $250", "250 dollar"),
        ("Refund my €1,299.00 now", "1299 euro"),
        ("I claim 1.299,50 € in damages", "1.299,50 euro"),
        ("30만원 환불해 주세요", "300000 won"),
        ("USD 400 chargeback", "400 dollar"),
    ],
)
def test_topics_and_amounts(question: str, topic: str):
    found = RULES.before(question, ())
    assert found is not None
    assert (found.reason, found.detail) == (HandoffReason.TOPIC, topic)


@pytest.mark.parametrize(
    "question",
    [
        "I want a refund of $150",
        "Is the tennis court lamp in stock?",
        "The kettle costs $250, is it loud?",
        "refund of order 123456",
        "Refund within 300 days?",
        "How do I pursue a return?",
        "환불은 언제 되나요?",
        "구매 의사가 있습니다",
    ],
)
def test_other_topics_and_amounts(question: str):
    assert reason(question) is None


def test_the_amount_may_come_a_turn_later():
    assert reason("It was 300 euros", Exchange("I want my money back")) == HandoffReason.TOPIC
    assert reason("It was 300 euros", KNOWN) is None


def test_the_owner_adds_words_and_topics():
    config = HandoffConfig(phrases=("get me bob",), topics=("recall", "/gas (leak|smell)/"))
    rules = HandoffRules(config)
    assert reason("get me Bob!", rules=rules) == HandoffReason.REQUEST
    assert reason("is there a recall?", rules=rules) == HandoffReason.TOPIC
    assert reason("there is a gas smell", rules=rules) == HandoffReason.TOPIC
    assert reason("I will sue you", rules=rules) is None


@pytest.mark.parametrize(
    ("needed", "history", "passed"),
    [
        (2, [UNKNOWN], True),
        (2, [KNOWN], False),
        (2, [UNKNOWN, KNOWN], False),
        (2, [], False),
        (1, [], True),
        (3, [UNKNOWN, UNKNOWN], True),
        (3, [UNKNOWN], False),
        (0, [UNKNOWN] * 5, False),
    ],
)
def test_unanswered_questions_in_a_row(needed: int, history: list[Exchange], passed: bool):
    rules = HandoffRules(HandoffConfig(after_abstentions=needed))
    found = rules.after(Status.ABSTAINED, history)
    assert (found is not None) is passed
    assert rules.after(Status.ANSWERED, history) is None


def test_nothing_is_passed_on_where_nobody_is_there():
    rules = HandoffRules(HandoffConfig(enabled=False))
    assert reason("talk to a person", rules=rules) is None
    assert rules.after(Status.ABSTAINED, [UNKNOWN]) is None
