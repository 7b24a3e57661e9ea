"""When a person should take over: on request, after too much that is not known, on anger, on a topic.

Words and patterns, in English and Korean: they cost nothing, can be read, and the owner can add to them.
Nothing here is about the documents; a question is looked at before it is searched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmchat.answering.numbers import amounts
from mmchat.config import HandoffConfig, Patterns
from mmchat.types import Exchange, Handoff, HandoffReason, Status

_SOMEBODY = (
    r"(?:person|human(?: being)?|people|agents?|representatives?|reps?|operators?|staff|managers?|"
    r"supervisors?|advis[eo]rs?|employees?|somebody|someone|colleagues?)"
)
_KIND = (
    r"(?:(?:a|an|the|your|some|one of your|another|real|live|actual|human|customer|service|support|"
    r"sales)\s+)*"
)
_REQUESTS = (
    rf"\b(?:talk|speak|chat)\s+(?:to|with)\s+{_KIND}{_SOMEBODY}\b",
    r"\b(?:connect|transfer|put|forward|escalate|pass|hand)\s+(?:me|us|this|my \w+)\b.{0,25}"
    rf"\b{_SOMEBODY}\b",
    r"\b(?:want|need|like|get|give|have|reach|contact|call|ask)\s+(?:me\s+)?(?:a|an|the|your|some)\s+"
    rf"{_KIND}{_SOMEBODY}(?=\s*(?:please|now|instead|,|[.!?]|$))",
    rf"^\W*{_KIND}{_SOMEBODY}(?:\s+please)?\W*$",
    r"\b(?:real person|live agent|live chat|human agent|human being)\b",
    r"(?:상담원|상담사|담당자|직원|관리자|매니저|책임자|사람)\s?분?"
    r"(?:과|와|이랑|랑|하고|에게|한테|께|을|를|으로|로)?\s*(?:직접|좀|바로|빨리|\s)*"
    r"(?:연결|통화|대화|상담|이야기|얘기|말하|말씀|바꿔|불러)",
    r"^\W*(?:상담원|상담사|담당자)(?:이요|요|을|를)?\s*(?:부탁\S*|요청\S*|주세요|필요\S*)?\W*$",
)
# Who asks for the hours of the operators does not ask for one.
_ABOUT_CONTACT = re.compile(
    r"\b(?:hours|phone number|numbers?|what time|when|how much|salary|jobs?)\b|시간|몇 시|번호|언제",
    re.IGNORECASE,
)
_YES = re.compile(
    r"^\W*(?:(?:yes|yeah|yep|sure|ok|okay|please(?: do)?|go ahead|that would be (?:great|nice))[\s,.!]*)+"
    r"(?:thanks?(?: you)?)?\W*$"
    r"|^\W*(?:(?:네|예|응|넵|좋아요|그래요|그렇게 해 ?주세요|부탁\S*|연결\S*|해 ?주세요)[\s,.!]*)+\W*$",
    re.IGNORECASE,
)
_ANGER = (
    r"\b(?:fuck\w*|shit\w*|bullshit|wtf|damn(?:ed)?|asshole|bastards?|screw you)\b",
    r"\b(?:ridiculous|unacceptable|disgraceful|outrageous|infuriating|furious|disgusting|pathetic|"
    r"scam(?:mers?|med)?|rip[- ]?off|ripped off|waste of (?:my )?(?:time|money))\b",
    r"\b(?:i'?m|i am|we'?re|we are|so|very|really)\s+(?:\w+\s+)?"
    r"(?:angry|mad at|fed up|sick of|livid|pissed)\b",
    r"\b(?:you|you're|you are|this|your \w+)\b[^.?!]{0,20}"
    r"\b(?:useless|terrible|horrible|awful|idiots?|stupid|worst|a joke)\b",
    r"\b(?:worst|terrible|horrible|awful) (?:service|company|shop|store|support|experience)\b",
    # "전화나" is a telephone, "사기 전에" is before buying.
    r"(?<![가-힣])화가? ?(?:나|났|납니다)|짜증|열 ?받|어이가? ?없|황당|최악|장난 ?(?:하|해|합|치)|미치겠",
    r"답답해 ?(?:죽|미치)|실망|사기꾼|사기 ?(?:치|쳤|당|잖|아니|네요|죠)|엉망|뭐 ?하는 ?(?:거|짓)",
    r"씨발|시발|ㅅㅂ|ㅆㅂ|개새|병신|젠장|지랄",
)
TOPICS = {
    "legal": (
        *(
            "lawyer",
            "attorney",
            "solicitor",
            "lawsuit",
            "legal action",
            "legal advice",
            "small claims",
        ),
        *("consumer protection", "ombudsman", "/\\b(?:sue|suing)\\b/"),
        "/\\b(?:take|see) (?:you|this|it|them) (?:to|in) court\\b/",
        *("변호사", "소송", "고소", "고발", "법적", "소비자원", "소비자보호원", "내용증명"),
    ),
    "medical": (
        "/\\b(?:allergic reaction|anaphyla\\w+|poison(?:ed|ing)|overdose|ambulance)\\b/",
        "/\\b(?:hospital(?:i[sz]ed)?|injur(?:y|ed|ies)|electrocuted|electric shock)\\b/",
        "/\\b(?:my doctor|pacemakers?|pregnan(?:t|cy))\\b/",
        "/\\b(?:burn(?:ed|t)|cut|hurt) (?:my|his|her|our|myself|himself|herself)\\b/",
        "/\\b(?:medical (?:advice|emergency|condition)|medications?|prescriptions?|side effects?)\\b/",
        *(
            "알레르기 반응",
            "다쳤",
            "부상",
            "화상",
            "감전",
            "병원",
            "의사에게",
            "의사 선생",
        ),
        *("임신", "복용", "처방", "부작용", "응급", "중독됐", "중독되"),
    ),
}
"""What the names of `handoff.topics` stand for."""
_MONEY = frozenset({"dollar", "euro", "won", "sterling", "pound"})
_SIGN_AFTER = re.compile(r"(\d[\d.,]*)\s?([€$£₩])")
_CODE_BEFORE = re.compile(r"\b(usd|eur|krw)\s?(\d[\d.,]*)", re.IGNORECASE)
_SHOUTED = 12
"""Letters of a message that is angry because all of it is in capitals."""


class HandoffRules:
    """Tells when a conversation is to be passed to a person, and why."""

    def __init__(self, config: HandoffConfig) -> None:
        self._config = config
        own = Patterns(config.phrases, "handoff.phrases")
        self._own_requests = own
        self._topics = [
            (topic, Patterns(TOPICS.get(topic, (topic,)), "handoff.topics"))
            for topic in config.topics
        ]
        self._amount_words = Patterns(config.amount_words, "handoff.amount_words")

    def before(self, question: str, history: Sequence[Exchange]) -> Handoff | None:
        """Return why a person should answer `question`, before anything is searched; None: nobody needs to.

        Args:
            question: what the customer wrote.
            history: what was said before, oldest first.
        """
        if not self._config.enabled or not question:
            return None
        if asked := self._asks_for_person(question, history):
            return Handoff(HandoffReason.REQUEST, asked)
        for topic, patterns in self._topics:
            if patterns.find(question):
                return Handoff(HandoffReason.TOPIC, topic)
        if amount := self._claimed(question, history):
            return Handoff(HandoffReason.TOPIC, amount)
        if self._config.on_anger and (words := _anger(question)):
            return Handoff(HandoffReason.ANGER, words)
        return None

    def after(self, status: Status, history: Sequence[Exchange]) -> Handoff | None:
        """Return why a person should take over after an answer that ended with `status`."""
        if status != Status.ABSTAINED or not self.is_last_straw(history):
            return None
        count = self._config.after_abstentions
        return Handoff(HandoffReason.UNANSWERED, f"{count} in a row" if count > 1 else "")

    def is_last_straw(self, history: Sequence[Exchange]) -> bool:
        """True where one more answer that is not known passes the conversation on."""
        needed = self._config.after_abstentions
        if not self._config.enabled or needed < 1:
            return False
        before = list(history)[len(history) - (needed - 1) :] if needed > 1 else []
        return len(before) == needed - 1 and all(each.status == Status.ABSTAINED for each in before)

    def _asks_for_person(self, question: str, history: Sequence[Exchange]) -> str:
        if found := self._own_requests.find(question):
            return found
        offered = bool(history) and history[-1].status == Status.ABSTAINED
        if offered and _YES.match(question):
            return question
        if _ABOUT_CONTACT.search(question):
            return ""
        return _first(_REQUEST_PATTERNS, question)

    def _claimed(self, question: str, history: Sequence[Exchange]) -> str:
        """Return an amount of money above the limit that is claimed back, here or just before."""
        context = " ".join([*(each.question for each in history[-1:]), question])
        if not self._config.amount or not self._amount_words.find(context):
            return ""
        written = _CODE_BEFORE.sub(r"\2 \1", _SIGN_AFTER.sub(r"\2\1", question))
        for found in amounts(written):
            if found.unit in _MONEY and _number(found.value) > self._config.amount:
                return f"{found.value} {found.unit}"
        return ""


_REQUEST_PATTERNS = tuple(re.compile(each, re.IGNORECASE) for each in _REQUESTS)
_ANGER_PATTERNS = tuple(re.compile(each, re.IGNORECASE) for each in _ANGER)


def _anger(question: str) -> str:
    if found := _first(_ANGER_PATTERNS, question):
        return found
    letters = [each for each in question if each.isalpha() and each.isascii()]
    shouted = len(letters) >= _SHOUTED and all(each.isupper() for each in letters)
    return question if shouted and "!" in question else ""


def _first(patterns: Sequence[re.Pattern[str]], text: str) -> str:
    found = (pattern.search(text) for pattern in patterns)
    return next((" ".join(match[0].split()) for match in found if match), "")


def _number(value: str) -> float:
    """Return the value of a number whose decimals may stand behind a comma."""
    if "," in value:
        value = value.replace(".", "").replace(",", ".")
    try:
        return float(value)
    except ValueError:  # "1.2.3" is a version, not money
        return 0.0
