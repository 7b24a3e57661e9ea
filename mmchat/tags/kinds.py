"""The names of the things that an owner has: "Lumbrook Jug Kettle 1.7 l, red" is a kettle.

A picture shows a kind of thing, not an article number, a size or a brand. In English and in Korean the kind
stands last in a name, so it is what is left of a title when amounts, codes and what follows a comma are gone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmchat.stores.base import Thing

MOST_NAMES = 1000
"""The most frequent ones are taken."""
_MOST_WORDS = 8
"""A title of more words is a sentence."""

_CATEGORY_FIELDS = frozenset(
    "category categories subcategory productcategory type producttype itemtype kind class group productgroup "
    "카테고리 분류 상품분류 제품분류 종류 품목 유형 제품군 상품군".split()
)
# What says nothing by itself: a "maker" may be of coffee or of waffles.
_GENERIC = frozenset(
    "maker machine cleaner set kit tool cooker dryer case holder stand box bag pack cover bottle bar board "
    "메이커 기계 세트 용품 케이스 거치대 박스 가방".split()
)
# Titles and folders that end so are of documents, not of things.
_NOT_THINGS = frozenset(
    "manual guide guides policy policies faq faqs catalogue catalog page pages document documents "
    "instructions terms returns delivery warranty contact repairs parts information info notes readme "
    "questions answers image images img picture pictures photo photos pic pics media figure figures "
    "thumbnail thumbnails asset assets file files folder product products item items upload uploads "
    "data category other misc default new sale all gallery main test ko en "
    "설명서 안내 정책 약관 문서 사진 그림 이미지 상품 제품 기타 전체 자료 파일 폴더 신상품".split()
)
_TAIL = re.compile(
    r"[,;:|(\[{]|\s[-–—/]\s|\s(?:with|for|in|from|of|by|and|without)\s", re.IGNORECASE
)
_UNITS = frozenset(
    "l ml cl g kg mg lb oz w kw v mm cm m km inch in ft pcs pc pack x p hz mah ah".split()
)
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_HANGUL = re.compile(r"[가-힣]")
_BRAND_SHARE = 0.3
_BRAND_LEAST = 3


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of things."""

    names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """Of each name what it is a kind of; empty where that is not known."""


def vocabulary_of(things: Iterable[Thing], folders: Iterable[str]) -> Vocabulary:
    """Return the kinds that titles and folders name, each with its category.

    Where a title names none ("KT-101"), the category is the kind.

    Args:
        things: what is told of documents that may name a thing.
        folders: names of the folders that pictures lie in.
    """
    things = list(things)
    titles = [_words(thing.title) for thing in things]
    brands = _brands(titles)
    names: Counter[str] = Counter()
    categories: dict[str, Counter[str]] = defaultdict(Counter)
    for thing, words in zip(things, titles, strict=True):
        kind, wider = _kind(words, brands), _categories_of(thing)
        names.update([kind] if kind else wider)
        categories[same_thing(kind)].update(wider)
    folders = [folder.replace("-", " ") for folder in folders]
    names.update(kind for folder in folders if (kind := kind_of(folder)))
    shown = _most(names)
    return Vocabulary(shown, tuple(_widest(name, categories[same_thing(name)]) for name in shown))


def _widest(name: str, categories: Counter[str]) -> str:
    """Return the category that a thing is most often in; empty where that is the thing itself."""
    others = {c: n for c, n in categories.items() if same_thing(c) != same_thing(name)}
    return min(others, key=lambda c: (-others[c], c), default="")


def kind_of(title: str) -> str:
    """Return the kind of thing that a title names; empty where it names none."""
    return _kind(_words(title), frozenset())


def given(names: Sequence[str]) -> Vocabulary:
    """Return the vocabulary of an owner who names the things."""
    wanted = tuple(dict.fromkeys(clean for name in names if (clean := " ".join(name.split()))))
    return Vocabulary(wanted, ("",) * len(wanted))


def same_thing(name: str) -> str:
    """Return what is alike in the spellings of a name: "Kettles" and "kettle" have the same."""
    folded = unicodedata.normalize("NFC", " ".join(name.split())).casefold()
    if folded.endswith("ies") and len(folded) > 4:
        return f"{folded[:-3]}y"
    if re.search(r"(?:ch|sh|ss|x)es$", folded):
        return folded[:-2]
    return folded[:-1] if re.search(r"[^su]s$", folded) and len(folded) > 3 else folded


def _words(title: str) -> list[str]:
    """Return the words of a title before what only describes: without amounts, codes and units."""
    head = _TAIL.split(" ".join(unicodedata.normalize("NFC", title).split()), maxsplit=1)[0]
    if not head or head.endswith("?") or title.rstrip().endswith("?"):
        return []
    kept: list[str] = []
    after_number = False
    for token in head.replace("_", " ").split():
        is_unit = after_number and token.casefold().rstrip(".") in _UNITS
        after_number = bool(_DIGIT.search(token))
        word = _WORD.fullmatch(token.strip(".!\"'“”*"))
        if word and not is_unit:
            kept.append(word[0])
    return kept if len(kept) <= _MOST_WORDS else []


def _brands(titles: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the words that many titles begin with, before different things."""
    after: dict[str, set[str]] = defaultdict(set)
    count: Counter[str] = Counter()
    for words in titles:
        if len(words) > 1:
            after[words[0].casefold()].add(words[-1].casefold())
            count[words[0].casefold()] += 1
    least = max(_BRAND_LEAST, _BRAND_SHARE * len(titles))
    return frozenset(w for w, n in count.items() if n >= least and len(after[w]) >= _BRAND_LEAST)


def _kind(words: Sequence[str], brands: frozenset[str]) -> str:
    """Return the word that says what a thing is, with the one before it where that is needed."""
    if words and words[0].casefold() in brands:
        words = words[1:]
    if not words or words[-1].casefold() in _NOT_THINGS or not _is_name(words[-1]):
        return ""
    needed = 2 if words[-1].casefold() in _GENERIC else 1
    if len(words) < needed:
        return ""
    return " ".join(words[-needed:]).lower()


def _categories_of(thing: Thing) -> list[str]:
    return [
        name
        for field, value in thing.metadata.items()
        if _key(field) in _CATEGORY_FIELDS and isinstance(value, str)
        for name in _categories(value)
    ]


def _categories(value: str) -> list[str]:
    """Return the names in a category: the last of a path, each of "hoodies & sweatshirts"."""
    last = re.split(r"\s*(?:[>/|›]|::)\s*", value.strip().rstrip("/>|"))[-1]
    parts = re.split(r"\s*[,;&+·]\s*|\s+(?:and|및)\s+", last)
    names = [" ".join(part.split()).lower() for part in parts]
    return [
        name
        for name in names
        if name not in _NOT_THINGS and len(name.split()) <= 3 and _is_name(name)
    ]


def _is_name(name: str) -> bool:
    """Tell words from codes: letters alone, and enough of them."""
    letters = all(_WORD.fullmatch(word) for word in name.split())
    return letters and len(name) >= (1 if _HANGUL.search(name) else 3) and len(name) <= 40


def _most(count: Counter[str]) -> tuple[str, ...]:
    """Return the names, one spelling of each, the most frequent first."""
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for name, number in count.items():
        spelled[same_thing(name)][name] += number
    ranked = sorted(spelled.items(), key=lambda entry: (-entry[1].total(), entry[0]))
    shown = [min(forms, key=lambda form: (-forms[form], len(form), form)) for _, forms in ranked]
    return tuple(shown[:MOST_NAMES])


def _key(field: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", field).casefold())
