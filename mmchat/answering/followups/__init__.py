"""Follow-ups: a question that leans on earlier ones is turned into one that stands alone, by rules.

    english.py   what English leans with: "it", "the black one", "and in the freezer?", "how much?"
    korean.py    what Korean leans with: "그건", "검은색은요?", "냉동실에서는요?", "얼마예요?"
    mentions.py  the product in focus, and where a question names it

A small model rewrites badly and costs a second. Rules are at once and can be read; where they cannot tell
two meanings apart they give both, the likelier first, and whoever searches takes the first that is answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmchat.answering.followups import english, korean
from mmchat.answering.followups.mentions import product_in_focus
from mmchat.answering.words import leans_on_history
from mmchat.sentences import is_korean
from mmchat.types import Exchange

if TYPE_CHECKING:
    from PIL.Image import Image

LOOKED_BACK = 8
"""Exchanges that a question may lean on: who asks about something older names it again."""
_MOST_READINGS = 3
_PHOTO = re.compile(r"\b(?:photos?|pictures?|images?|pics?|screenshot)\b|사진|그림|이미지", re.I)
_THIS = re.compile(r"\b(?:this|these)\b|이거|이것|이건|이게|이걸", re.IGNORECASE)
_THIS_THING = re.compile(r"\b(?:this|these)\s+\w|(?<![가-힣])이\s+[가-힣]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a question may mean after what was said before."""

    readings: tuple[str, ...]
    """Questions that stand alone, the likeliest first; the question itself where it leans on nothing."""
    image: Image | None = None
    """The earlier picture that it is about."""


def understand(question: str, history: Sequence[Exchange]) -> FollowUp:
    """Return what a question means after what was asked and answered before.

    Args:
        question: in words, without white space around it.
        history: what was said before, oldest first. The last few exchanges are looked at.
    """
    recent = list(history)[-LOOKED_BACK:]
    if not recent or not question:
        return FollowUp((question,))
    product, last = product_in_focus(recent), recent[-1].question
    rules = korean if is_korean(question) else english
    found = rules.readings(question, last, product)
    image = _image(question, recent, leans=found is not None)
    if found is None and image is None and leans_on_history(question) and not product:
        # Nothing is in focus that a pronoun could stand for: the question before says what it is about.
        found = [f"{last} {question}"]
    return FollowUp(tuple(dict.fromkeys(found or [question]))[:_MOST_READINGS], image)


def about(question: str, product: str) -> str:
    """Return a question that is asked beside the photo of a product, as it is put to that product's pages.

    `product` is its name; empty where it is not known.
    They need not be told what they are about: of "this product" is left "it". Empty where the question is
    not about the product in the photo: "Which kettles are red?".
    """
    rules = korean if is_korean(question) else english
    shorter = rules.with_pronoun(question)
    leans = shorter != question or rules.readings(question, "", product or "thing") is not None
    named = bool(product) and product.casefold() in question.casefold()
    return shorter if leans or named or _THIS_THING.search(question) else ""


def _image(question: str, recent: Sequence[Exchange], *, leans: bool) -> Image | None:
    """Return the customer's last picture where the question is about it.

    Where a product was recognised in it, the product's name finds more than its photo.
    """
    shown = next((each for each in reversed(recent) if each.image is not None), None)
    if shown is None:
        return None
    if _PHOTO.search(question):
        return shown.image
    newer = recent[recent.index(shown) + 1 :]
    settled = shown.product or any(each.product for each in newer)
    return shown.image if not settled and (leans or _THIS.search(question)) else None
