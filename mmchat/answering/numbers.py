"""Numbers with their units, as two sentences may write the same amount differently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UNIT_NAMES = {
    "second": "second seconds sec secs s 초",
    "minute": "minute minutes min mins 분",
    "hour": "hour hours hr hrs h 시간",
    "day": "day days 일 일간",
    "week": "week weeks wk wks 주 주일 주간",
    "month": "month months 개월 달",
    "year": "year years yr yrs 년 년간",
    "percent": "percent % 퍼센트 프로",
    "dollar": "dollar dollars usd bucks 달러",
    "euro": "euro euros eur 유로",
    "won": "won krw 원",
    "pound": "lb lbs pound pounds 파운드",
    "gram": "g gram grams 그램",
    "kilogram": "kg kilogram kilograms kilo kilos 킬로그램",
    "ounce": "oz ounce ounces 온스",
    "millimetre": "mm millimeter millimeters millimetre millimetres 밀리미터",
    "centimetre": "cm centimeter centimeters centimetre centimetres 센티미터",
    "metre": "m meter meters metre metres 미터",
    "kilometre": "km kilometer kilometers kilometre kilometres 킬로미터",
    "inch": "inch inches 인치",
    "foot": "ft foot feet 피트",
    "millilitre": "ml milliliter milliliters millilitre millilitres 밀리리터",
    "litre": "l liter liters litre litres 리터",
    "gallon": "gallon gallons gal 갤런",
    "volt": "v volt volts 볼트",
    "watt": "w watt watts 와트",
    "kilowatt": "kw kilowatt kilowatts 킬로와트",
    "ampere": "a amp amps ampere amperes 암페어",
    "hertz": "hz hertz 헤르츠",
    "degree": "° degree degrees 도",
    "celsius": "°c celsius 섭씨",
    "fahrenheit": "°f fahrenheit 화씨",
    "person": "person persons people 명 인",
    "piece": "piece pieces pcs 개",
    "time": "time times 번 회",
}
_UNITS = {name: unit for unit, names in _UNIT_NAMES.items() for name in names.split()}
# "minute" and "inches" without the endings that a light stemmer takes off.
_UNIT_STEMS = frozenset(
    name.removesuffix("s").removesuffix("e") for name in _UNITS if len(name) > 3
)
_ENGLISH = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
    "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17",
    "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30", "forty": "40",
    "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "hundred": "100", "thousand": "1000", "million": "1000000", "dozen": "12",
}  # fmt: skip
_KOREAN = {
    "한": "1", "두": "2", "세": "3", "네": "4", "다섯": "5", "여섯": "6", "일곱": "7", "여덟": "8",
    "아홉": "9", "열": "10", "스무": "20",
}  # fmt: skip
# Words that are an amount by themselves.
_KOREAN_AMOUNTS = {
    "하루": ("1", "day"), "이틀": ("2", "day"), "사흘": ("3", "day"), "나흘": ("4", "day"),
    "열흘": ("10", "day"), "보름": ("15", "day"), "일주일": ("1", "week"), "반나절": ("0.5", "day"),
}  # fmt: skip
_MAGNITUDES = {"백": 100, "천": 1_000, "만": 10_000, "억": 100_000_000}
_CURRENCY = {"$": "dollar", "€": "euro", "₩": "won", "£": "sterling"}

_DIGITS = re.compile(
    r"(?P<currency>[$€₩£])?[ ]?(?<![\w.])(?P<number>\d+(?:[.,]\d+)*)(?P<magnitude>[백천만억])?"
    r"[ ]?-?(?P<unit>°[ ]?[CF]\b|%|°|[A-Za-z]+\b|[가-힣]+)?"
)
_WORDS = re.compile(r"[A-Za-z]+|[가-힣]+")
# How often something is, not how long: "every 4 to 8 weeks", and in Korean "2주마다".
_EVERY = re.compile(r"\bevery(?:\s+\d+\s*(?:to|or|-|–))?\s*$", re.IGNORECASE)
_LOOK_BACK = 40
"""Characters before a number in which its "every" stands: not all of a long text again for each number."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, written with digits only, and its unit where one is known."""

    value: str
    unit: str | None
    is_interval: bool = False
    """Whether it tells how often something is: "every 8 weeks"."""

    def agrees(self, other: Amount) -> bool:
        """True for the same value, unless both have a unit and those differ, or one alone is an interval."""
        if None in (self.unit, other.unit):
            return self.value == other.value
        return self == other


def amounts(text: str) -> list[Amount]:
    """Return every amount in a text: `7 days`, `$5`, `one week`, `a week`, `3만원`, `일주일`."""
    return [*_with_digits(text), *_in_words(text)]


def claims(text: str) -> list[Amount]:
    """Return the amounts that a sentence has to answer for.

    A number word without a unit is none: "this one", "one of them".
    """
    return [*_with_digits(text), *(found for found in _in_words(text) if found.unit)]


def _with_digits(text: str) -> Iterator[Amount]:
    return (amount for _, _, amount in placed(text))


def placed(text: str) -> Iterator[tuple[int, int, Amount]]:
    """Yield the amounts that are written with digits, each with where it begins and ends."""
    for match in _DIGITS.finditer(text):
        value = _plain(match["number"])
        if match["magnitude"]:
            value = f"{float(value) * _MAGNITUDES[match['magnitude']]:g}"
        unit = _CURRENCY.get(match["currency"] or "") or _unit(match["unit"] or "")
        if unit is None:
            # "3 full days": the unit may stand one word further on.
            after = _WORDS.match(text, match.end() + 1)
            unit = _unit(after.group()) if match["unit"] and after else None
        before = max(match.start() - _LOOK_BACK, 0)
        often = _EVERY.search(text, before, match.start()) or (match["unit"] or "").endswith("마다")
        yield match.start(), match.end(), Amount(value, unit, bool(often and unit))


def _in_words(text: str) -> Iterator[Amount]:
    words = [match.group().lower() for match in _WORDS.finditer(text)]
    for at, word in enumerate(words):
        following = words[at + 1 : at + 3]
        for whole, (value, unit) in _KOREAN_AMOUNTS.items():
            if word.startswith(whole):
                yield Amount(value, unit)
        number = _ENGLISH.get(word) or _KOREAN.get(word)
        if number is not None:
            units = (found for each in following if (found := _unit(each)))
            measured = next(units, None)
            often = bool(measured) and words[at - 1 : at] == ["every"]
            yield Amount(number, measured, often)
        elif word in {"a", "an"} and following and len(following[0]) > 2 and _unit(following[0]):
            yield Amount("1", _unit(following[0]))


def tells_intervals(text: str) -> bool:
    """Tell whether a text has amounts with a unit, all of which tell how often something is."""
    measured = [each for each in amounts(text) if each.unit]
    return bool(measured) and all(each.is_interval for each in measured)


def is_unit(word: str) -> bool:
    """Tell whether a word, or the stem of one, is a unit's name."""
    return _unit(word) is not None or word in _UNIT_STEMS


def _unit(word: str) -> str | None:
    word = word.lower().replace(" ", "")
    if word in _UNITS:
        return _UNITS[word]
    # A Korean unit carries its particle: 3일까지, 5분간.
    for length in range(len(word) - 1, 0, -1):
        if "가" <= word[0] <= "힣" and word[:length] in _UNITS:
            return _UNITS[word[:length]]
    return None


def _plain(number: str) -> str:
    """Write `1,500.0` and `1500` alike. A comma before three digits separates thousands."""
    number = re.sub(r",(?=\d{3}(?:\D|$))", "", number)
    if number.count(".") == 1 and "," not in number:
        number = number.rstrip("0").rstrip(".")
    return number.lstrip("0") or "0"
