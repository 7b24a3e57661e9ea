"""Find out what the columns of a table are: which one is the id, the title, the picture, and so on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from mmchat.config import ColumnsConfig

NONE = "none"
"""The setting that says that there is no such column."""

# What columns are called, most telling first. Korean shops export these from their back office.
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "id": tuple(
        "sku id productid itemid articleid variantid faqid questionid docid uid productcode itemcode "
        "articlecode productnumber itemnumber articlenumber productno itemno articleno partnumber partno "
        "code no 상품코드 제품코드 품목코드 상품번호 제품번호 품목번호 "
        "관리코드 판매자상품코드 상품id 제품id 아이디 품번 코드 번호 순번 연번".split()
    ),
    "title": tuple(
        "name title productname producttitle itemname itemtitle articlename displayname product label "
        "subject model 상품명 제품명 품명 품목명 상품이름 제품이름 제목 이름 명칭 모델명 상품 제품".split()
    ),
    "question": tuple(
        "question questiontext q query faq inquiry 질문 질문내용 질의 문의 문의내용".split()
    ),
    "answer": tuple(
        "answer answertext a reply response solution 답변 답변내용 답 응답 대답 해결방법".split()
    ),
    "picture": tuple(
        "image picture photo img pic imagepath imagefile imagefilename imagename imageurl imagelink "
        "imagesrc picturepath picturefile picturename pictureurl photopath photofile photoname photourl "
        "mainimage baseimage smallimage coverimage featuredimage productimage primaryimage "
        "additionalimage otherimage gallery galleryimage thumbnail thumbnailimage thumb mediagallery "
        "이미지 사진 그림 상품이미지 제품이미지 대표이미지 추가이미지 상세이미지 이미지경로 이미지파일 "
        "이미지파일명 이미지url 이미지주소 상품사진 제품사진 사진경로 사진파일".split()
    ),
    "url": tuple(
        "url link href producturl productlink productpage page pageurl weburl website permalink "
        "링크 상품url 상품링크 제품url 제품링크 페이지 웹주소 주소url".split()
    ),
}
_PLAIN = frozenset("text content contents body passage 본문 내용 텍스트".split())
_SEVERAL = frozenset({"picture", "url"})
"""Roles that more than one column may have."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns (by their place, from 0) are what."""

    id: int | None
    title: int | None
    question: int | None
    answer: int | None
    picture: tuple[int, ...]
    url: tuple[int, ...]

    def describe(self, header: Sequence[str]) -> str:
        """Say it in words: `id = sku, title = name, picture = image`."""
        told = []
        for role in fields(self):
            value = getattr(self, role.name)
            places = value if isinstance(value, tuple) else () if value is None else (value,)
            if places:
                told.append(f"{role.name} = {' + '.join(header[place] for place in places)}")
        if not told:
            return "no column is known by its name; say in [columns] of mmchat.toml what they are"
        return ", ".join(told)


def find_roles(header: Sequence[str], config: ColumnsConfig) -> Roles:
    """Tell what the columns of a table are, as the settings say or else by their names."""
    known = {_key(name): place for place, name in reversed(list(enumerate(header)))}
    found = {role: _places(role, header, known, config) for role in _GUESSES}
    # A table of questions: neither is what the other one is.
    question = next(iter(found["question"]), None)
    answer = next(iter(found["answer"]), None)
    if (question is None) != (answer is None) and not (config.question or config.answer):
        question = answer = None
    return Roles(
        id=next(iter(found["id"]), None),
        title=next(iter(found["title"]), None),
        question=question,
        answer=answer,
        picture=tuple(found["picture"]),
        url=tuple(found["url"]),
    )


def says_nothing(name: str) -> bool:
    """Tell whether the name of a column says nothing of what stands in it: nobody wants to read it."""
    return _key(name) in _PLAIN


def unique_names(header: Sequence[str]) -> list[str]:
    """Give every column a name of its own: one without gets its number, a second `image` a 2."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for number, name in enumerate(header, start=1):
        shown = " ".join(name.split()) or f"column {number}"
        seen[shown] = seen.get(shown, 0) + 1
        names.append(shown if seen[shown] == 1 else f"{shown} {seen[shown]}")
    return names


def _places(
    role: str, header: Sequence[str], known: Mapping[str, int], config: ColumnsConfig
) -> list[int]:
    given = str(getattr(config, role))
    if given.strip().lower() == NONE:
        return []
    wanted = [_key(name) for name in given.split(",") if name.strip()]
    places = [known[name] for name in wanted if name in known]
    if not places:
        guesses = {name: rank for rank, name in enumerate(_GUESSES[role])}
        ranked = [
            (rank, place)
            for place, name in enumerate(header)
            if (rank := guesses.get(_key(name), guesses.get(_bare(name)))) is not None
        ]
        ranked.sort(key=lambda pair: pair[1] if role in _SEVERAL else pair[0])
        places = [place for _, place in ranked]
    return places if role in _SEVERAL else places[:1]


def _key(name: str) -> str:
    """Return a name without what people write differently: capitals, spaces, `_`, `-` and dots."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def _bare(name: str) -> str:
    """Return a key without numbers and plurals: `Image URLs 2` and `images.2.url` are `imageurl`."""
    key = re.sub(r"\d+", "", _key(name))
    return re.sub(r"(?<=[a-z])s$", "", re.sub(r"(image|photo|picture)s(?=[a-z])", r"\1", key))
