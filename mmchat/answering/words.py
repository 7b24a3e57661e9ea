"""What a sentence says in words, numbers, names and negations, for comparing two sentences.

English words are cut to a light stem. Korean words lose their particle and become pairs of
neighbouring syllables, which stay the same through most inflection (Lee & Ahn, SIGIR 1996, found
syllable bigrams as good as morphological analysis for retrieval).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mmchat.sentences import is_korean

Language: TypeAlias = Literal["en", "ko"]

_TOKEN = re.compile(r"[가-힣]+|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,:]\d+)*|[.,;:!?()]")
_HANGUL = re.compile(r"[가-힣]")
_CODE = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z][\w-]*\b")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STOP = _set("""
    a an the this that these those it its they them their there here he she his her him i me my we
    us our you your and or but so if then than as at by for from in into of on onto to up out with
    about over under between per via is are was were be been being am do does did done has have had
    having can could may might must shall should will would also just only very too more most such
    what which who whom whose when where why how any some all each both either other same own get
    got yes no not nor never none cannot dont doesnt isnt wont cant please tell know want like one
    ones answer passage according based information following
""")
# Verbs and fillers that fit any fact: an answer may add them to what its source says.
_WEAK = _set("""
    contain include make use come go keep take put need offer provide give require mean work become
    say suitable available possible good best well product item also sure thing way kind type
""")
# Longest first; what an ending leaves must be three letters at least.
_SUFFIXES = (
    ("ization", "ize"), ("ational", "ate"), ("fulness", "ful"), ("ousness", "ous"),
    ("iveness", "ive"), ("ically", "ic"), ("ations", "at"), ("ements", ""), ("ation", "at"),
    ("ement", ""), ("ments", ""), ("ingly", ""), ("ably", "able"), ("ment", ""), ("ness", ""),
    ("edly", ""), ("ings", ""), ("ies", "y"), ("ied", "y"), ("ing", ""), ("ers", ""), ("er", ""),
    ("ed", ""), ("es", ""), ("ly", ""), ("s", ""),
)  # fmt: skip
_VERB_ENDINGS = _set(
    "습니다 습니까 합니다 합니까 됩니다 됩니까 입니다 입니까 하세요 하나요 되나요 인가요 한다 된다"
)
_PARTICLES = _set("""
    으로부터 에서부터 이라고 이라는 에서는 에서도 에게서 으로는 으로도 까지는 에서 에게
    으로 까지 부터 이나 이란 라고 라는 처럼 보다 마다 조차 밖에 이며 이고 한테 하고 에는
    에도 은 는 이 가 을 를 의 에 로 와 과 도 만 나 란
""")
_LONGEST_FIRST = sorted(_PARTICLES, key=len, reverse=True)
_KOREAN_STOP = _set("""
    무엇 어떤 어떻게 언제 어디 누구 얼마나 얼마 몇 그 이 저 것 수 등 및 또는 그리고 하지만
    있나요 있습니까 있습니다 있는 있다 무엇인가 좀 제 저는 우리 대해 대한 위해 경우 있 하 되 이게 이건
    이것은 뭐예요 뭐에요 뭐야 뭔가요 무엇인가요 무엇입니까 알려주세요
""")


def language_of(text: str) -> Language:
    """Return the language that a reader of `text` expects to be answered in."""
    return "ko" if is_korean(text) else "en"


def stem(word: str) -> str:
    """Cut an English word to a light stem: `stored`, `storing` and `stores` become one."""
    word = word.lower().replace("’", "'")
    word = word.removesuffix("'s").replace("'", "")
    for suffix, ending in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word[: len(word) - len(suffix)] + ending
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def content_words(text: str) -> frozenset[str]:
    """Return the stems (English) and pairs of syllables (Korean) that carry the meaning."""
    return frozenset(key for token in _TOKEN.findall(text) for key in _keys(token))


def telling_words(text: str) -> frozenset[str]:
    """Return the content words without those that fit any fact ("contain") or measure ("how long")."""
    return content_words(_MEASURE.sub(" ", text)) - _WEAK_STEMS


_MEASURE = re.compile(r"\bhow (?:long|much|many|far|often|soon)\b", re.IGNORECASE)
_WEAK_STEMS = frozenset(stem(word) for word in _WEAK)


def _keys(token: str) -> tuple[str, ...]:
    if _HANGUL.match(token):
        return _korean_keys(token)
    if not token[0].isalpha() or token.lower().replace("'", "") in _STOP or len(token) == 1:
        return ()
    return (stem(token),)


def _korean_keys(word: str) -> tuple[str, ...]:
    for ending in _VERB_ENDINGS:
        if word.endswith(ending):
            word = word.removesuffix(ending)
            break
    else:
        for particle in _LONGEST_FIRST:
            if word.endswith(particle) and len(word) - len(particle) >= 2:
                word = word.removesuffix(particle)
                break
    if not word or word in _KOREAN_STOP or _KOREAN_NEGATION.match(word):
        return ()
    return tuple(word[at : at + 2] for at in range(len(word) - 1)) or (word,)


def names(sentence: str) -> frozenset[str]:
    """Return, in lower case, capitalised words inside the sentence and codes such as `KT-101`.

    The first word is capitalised anyway and tells nothing; as a content word it is looked at too.
    """
    found = {code.lower() for code in _CODE.findall(sentence)}
    inner = re.findall(r"(?<=[\w,;)] )[A-Z][\w’'-]+", sentence)
    return frozenset(found | {stem(name) for name in inner if name.lower() not in _STOP})


@dataclass(frozen=True, slots=True)
class Polarity:
    """The content words of a sentence that it asserts, and those that it denies."""

    asserted: frozenset[str]
    denied: frozenset[str]

    def contradicts(self, other: Polarity) -> bool:
        """True where more words are denied by one of the two and asserted by the other than by both.

        "Never keep it in a fridge, but cool" and "it should not be kept in a fridge" deny the same
        fridge, though only one of them denies the keeping.
        """
        here, there = self.denied - self.asserted, other.denied - other.asserted
        opposed = here & (other.asserted - other.denied) | there & (self.asserted - self.denied)
        return len(opposed) > len(here & there)


# Negator to the content words after it that it denies: "not" reaches to the end of its clause.
_NEGATORS = {
    "not": 4, "never": 4, "cannot": 4, "nor": 4, "no": 4, "without": 1, "neither": 2, "none": 3,
    "unable": 2, "nothing": 2,
}  # fmt: skip
_CLAUSE_ENDS = frozenset(
    [*".,;:!?()", "but", "and", "or", "unless", "except", "because", "if", "only"]
)
_KOREAN_NEGATION = re.compile(
    r"않|없|못|아니|아닙|불가|금지|마십|마세|말아|말고|안(?=[되돼됩된하합할해한])"
)
_KOREAN_REACH = 2


def polarity(sentence: str) -> Polarity:
    """Sort the content words of a sentence into asserted and denied ones."""
    tokens = _TOKEN.findall(sentence)
    denied_at: set[int] = set()
    for at, word in enumerate(tokens):
        if _HANGUL.match(word):
            if word == "안":
                denied_at.update(range(at, at + 2))
            elif _KOREAN_NEGATION.search(word):
                denied_at.update(range(max(0, at - _KOREAN_REACH), at + 1))
        else:
            denied_at.update(_denied_after(tokens, at))
    asserted = {
        key for at, token in enumerate(tokens) if at not in denied_at for key in _keys(token)
    }
    denied = {key for at in denied_at if at < len(tokens) for key in _keys(tokens[at])}
    return Polarity(frozenset(asserted), frozenset(denied))


def _denied_after(tokens: list[str], at: int) -> Iterator[int]:
    word = tokens[at].lower().replace("’", "'")
    reach = 4 if word.endswith("n't") else _NEGATORS.get(word, 0)
    if word == "not" and tokens[at + 1 : at + 2] == ["only"]:
        return
    for later in range(at + 1, len(tokens)):
        if reach == 0 or tokens[later].lower() in _CLAUSE_ENDS:
            return
        if _keys(tokens[later]):
            reach -= 1
            yield later
        elif word == "no":
            # "No special fee for returns" denies the fee, whatever it is like, and says nothing of returns.
            return


_VERDICT = re.compile(
    r"^(?:(?P<yes>yes|네|예)|(?P<no>no|아니요|아니오))\b[,.!:]?\s+", re.IGNORECASE
)


def without_unproven_verdict(sentence: str) -> str:
    """Cut off a "Yes," before a negation, or a "No," before none: only the rest can be checked."""
    match = _VERDICT.match(sentence)
    if match is None:
        return sentence
    rest = sentence[match.end() :]
    if bool(match["no"]) == negates(rest) or not rest:
        return sentence
    return rest[0].upper() + rest[1:]


_NO = re.compile(r"\s*(?:no|nope|아니요|아니오)[,.!]", re.IGNORECASE)


def says_no(sentence: str) -> bool:
    """True for a sentence that begins as an answer to a question of yes or no does: "No, only online"."""
    return bool(_NO.match(sentence))


def negates(sentence: str) -> bool:
    """True for a sentence that denies something."""
    words = _TOKEN.findall(sentence.lower().replace("’", "'"))
    return any(
        word in _NEGATORS or word.endswith("n't") or bool(_KOREAN_NEGATION.search(word))
        for word in words
    )


_LEANING = re.compile(
    r"^(?:and|what about|how about|or)\b|\b(?:it|its|they|them|this one|that one|those)\b"
    r"|그거|그건|그것|이거|이건|이것|그럼|그러면|거기",
    re.IGNORECASE,
)


_YES_NO = re.compile(
    r"^(?:(?:and|so|but|also|then) )?(?:is|are|was|were|am|do|does|did|can|could|may|might|must|should|"
    r"shall|will|would|has|have|had)\b|\bor\b",
    re.IGNORECASE,
)
_KOREAN_QUESTION_WORD = re.compile(r"무엇|무슨|뭐|뭔|어떤|어떻|어느|언제|어디|누구|누가|얼마|몇|왜")


def asks_yes_or_no(question: str) -> bool:
    """True for a question that its own words can answer: yes or no, this or that."""
    if language_of(question) == "ko":
        return not _KOREAN_QUESTION_WORD.search(question)
    last = re.split(r"[.!|]\s+|\|", question.strip())[-1]
    return bool(_YES_NO.search(last.strip()))


_HOW_LONG = re.compile(
    r"\bhow long\b|얼마나 (?:오래|걸)|며칠|몇 (?:시간|분|주|개월|달|년)", re.IGNORECASE
)


def asks_how_long(question: str) -> bool:
    """True for a question that a length of time answers, or in English another length."""
    return bool(_HOW_LONG.search(question))


def leans_on_history(question: str) -> bool:
    """True for a question that is understood only with the one before it."""
    return bool(_LEANING.search(question)) or not content_words(question)
