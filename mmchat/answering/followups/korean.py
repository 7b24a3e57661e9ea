"""What Korean leans on earlier questions with."""

from __future__ import annotations

import re

from mmchat.answering.followups.mentions import has_attribute, kind_of, mention

_OPENING = re.compile(r"^(?:(?:그럼|그러면|그리고|그런데|근데|혹시|아|네|또|그렇다면)[\s,]+)+")
_PRONOUN = re.compile(
    r"(?<![가-힣])(?:(?:이|그|저|해당)\s?(?:제품|상품|모델|기계|물건)|[이그저](?:거|것))"
    r"(?P<particle>은|는|이|가|을|를|의|도|로|으로)?(?![가-힣])"
    r"|(?<![가-힣])[이그저](?P<joined>건|게|걸)(?![가-힣])"
)
_JOINED = {"건": "은", "게": "이", "걸": "을"}
_HALF = re.compile(r"^(?P<what>.+?)(?:이?요|은요|는요|도요|은|는|도)$")
_VERB_END = re.compile(
    r"(?:나요|까요|가요|니까|어요|아요|해요|예요|에요|세요|데요|죠|지요|네요|습니다|입니다|주세요|니|냐|까)$"
)
_PLACE = re.compile(r"(?:에서|에는|에|으로|까지|부터|때|경우)$")
_COLOUR = re.compile(
    r"(?:빨간|빨강|검은|검정|까만|하얀|흰|파란|파랑|초록|녹|노란|노랑|회|분홍|보라|은|금|갈|주황|베이지)색?"
    r"|블랙|화이트|레드|블루|그린|실버|그레이|핑크"
)
_PROPERTIES = re.compile(
    r"(?:가격|값|배송비|배송|무게|크기|사이즈|색상|색깔|색|용량|소음|전력|보증|보증\s?기간|세척|관리|"
    r"부품|재고|높이|너비|길이|소재|재질|설명서)$"
)
_MOST_WORDS = 3
"""Words of a question that may be half of one."""


def readings(question: str, last: str, product: str) -> list[str] | None:
    """Return what a Korean question may mean, the likeliest first; None where it leans on nothing.

    Args:
        question: what was asked.
        last: the question before, as it was searched.
        product: the title of the product in focus, or nothing.
    """
    rest = _OPENING.sub("", question).strip()
    bare = rest.rstrip("?!. ")
    if not bare:
        return None
    if product and _PRONOUN.search(rest):
        return [_PRONOUN.sub(lambda match: _named(match, product), rest, count=1)]
    short = len(bare.split()) <= _MOST_WORDS
    if short and not _VERB_END.search(bare) and (half := _half(bare, opened=rest != question)):
        return _completed(half, bare, last, product)
    if product and short and mention(rest, product) is None and len(bare.split()) <= 2:
        return [f"{product} {rest}", rest]
    return [rest] if rest != question else None


def with_pronoun(question: str) -> str:
    """Return a question with "이거" in the place of "이 제품"."""
    return _PRONOUN.sub(lambda match: _named(match, "이거"), question)


def _half(bare: str, *, opened: bool) -> str:
    """Return what half a question is about ("검은색" of "검은색은요"), or nothing."""
    match = _HALF.match(bare)
    if match:
        return match["what"]
    return bare if opened or len(bare.split()) <= 2 else ""


def _completed(what: str, bare: str, last: str, product: str) -> list[str]:
    stem = last.rstrip("?!. ")
    joined = f"{last} {bare}?"
    if _PLACE.search(what):
        return [joined]
    about_product = f"{product} {what}?" if product else ""
    if _PROPERTIES.search(what) and not _COLOUR.search(what):
        return [text for text in (about_product, joined) if text]
    swapped = _swapped(what, stem, product) if product else ""
    return [text for text in (swapped, about_product, joined) if text]


def _swapped(what: str, stem: str, product: str) -> str:
    """Put another product, or another colour of the same, where the last question names one."""
    found = mention(stem, product)
    if found is None:
        return ""
    start, end = found
    what = re.sub(r"\s*(?:거|것|제품|모델)$", "", what).strip()
    if not what:
        return ""
    if _COLOUR.fullmatch(what) or has_attribute(what):
        named = stem[start:end]
        kind = kind_of(product) if named == product else _COLOUR.sub("", named).strip()
        what = f"{what} {kind or kind_of(product)}"
    # The particle after a name belongs to the name: "주전자는" becomes "토스터는".
    return f"{stem[:start]}{what}{stem[end:]}?"


def _named(match: re.Match[str], product: str) -> str:
    particle = match["particle"] or _JOINED.get(match["joined"] or "", "")
    return product + with_particle(product, particle)


def with_particle(word: str, particle: str) -> str:
    """Return the form that a particle has after `word`: 은 or 는, 이 or 가, 을 or 를, 으로 or 로."""
    pairs = {"은": "는", "이": "가", "을": "를", "으로": "로"}
    closed = {open_: closed for closed, open_ in pairs.items()} | {each: each for each in pairs}
    if particle not in closed:
        return particle
    last = word.rstrip()[-1:]
    final = (ord(last) - 0xAC00) % 28 if "가" <= last <= "힣" else 0
    ends_closed = final not in ((0, 8) if closed[particle] == "으로" else (0,))
    return closed[particle] if ends_closed else pairs[closed[particle]]
