"""The price and the category of a product, as its row of a table or the head of its page has them."""

from __future__ import annotations

import re
import unicodedata

from mmchat.types import Metadata, MetadataValue

_MOST = 40
"""Characters of a price or a category that are shown."""
# What shops call the price that a customer pays, most telling first. What the goods cost the shop is none.
_PRICES = (
    "saleprice specialprice discountprice offerprice currentprice sellingprice finalprice price ourprice "
    "unitprice productprice itemprice retailprice regularprice listprice 판매가 판매가격 할인가 할인가격 "
    "특가 가격 상품가격 제품가격 단가 정가 소비자가 소비자가격"
).split()
_CURRENCIES = "currency currencycode pricecurrency 통화 통화코드".split()
_CATEGORIES = (
    "category productcategory producttype categoryname categories type kind 카테고리 분류 상품분류 "
    "상품카테고리 제품분류 종류 품목"
).split()
_CODES = {
    code: code.upper()
    for code in "eur usd gbp krw jpy cny chf sek nok dkk pln czk cad aud nzd inr sgd hkd twd brl mxn".split()
} | {"원": "원", "won": "KRW", "euro": "EUR", "euros": "EUR", "dollars": "USD"}
_CODED = re.compile(
    rf"^(?P<before>{'|'.join(_CODES)})?(?P<name>.+?)(?P<after>{'|'.join(_CODES)})?$"
)


def price_of(metadata: Metadata) -> str:
    """Return what a product costs, with its currency where that is known: `39.90 EUR`; empty where unknown.

    A number is written with two decimals or none, and a comma for the thousands; a text as it stands.
    """
    fields = {_key(name): value for name, value in metadata.items()}
    own: dict[str, tuple[MetadataValue, str]] = {}
    for key, value in fields.items():
        coded = _CODED.match(key)
        name = coded["name"] if coded and coded["name"] in _PRICES else key
        code = (coded["before"] or coded["after"] or "") if coded and name != key else ""
        if name in _PRICES and value != "" and not isinstance(value, bool):
            own.setdefault(name, (value, _CODES.get(code, "")))
    priced = next((own[name] for name in _PRICES if name in own), None)
    if priced is None:
        return ""
    value, currency = priced
    beside = next((str(fields[key]) for key in _CURRENCIES if fields.get(key)), "")
    return _short(f"{_amount(value)} {currency or beside}".strip())


def category_of(metadata: Metadata) -> str:
    """Return the category of a product; empty where none is known."""
    fields = {_key(name): value for name, value in metadata.items()}
    named = (fields[key] for key in _CATEGORIES if isinstance(fields.get(key), str))
    return _short(str(next(named, "")))


def _amount(value: MetadataValue) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _key(name: str) -> str:
    """Return a name without what people write differently: capitals, spaces, brackets, `_` and `-`."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST else f"{line[: _MOST - 1]}…"
