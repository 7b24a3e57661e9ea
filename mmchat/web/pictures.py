"""Pictures as HTML: beside the sentence of an answer that they belong to, and as products below it.

They are files of the index, which Gradio serves from its media and thumbs alone. A click opens one large
(page.js); without scripts it opens in a tab of its own.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from mmchat.types import Hit, Likeness, Similar
from mmchat.web.conversation import Shown, Turn, file_of, pictures_beside, pictures_of
from mmchat.web.wording import Wording


def told(shown: Shown) -> str:
    """Return what a picture is called, with what it shows where that is known."""
    called = shown.title or shown.picture or ""
    alt = shown.alt if isinstance(shown, Hit) else ""
    return f"{called} – {alt}" if alt and alt != called else called


def gallery(turn: Turn | None) -> list[tuple[str, str]]:
    """Return the pictures of an answer as paths and captions, each picture once."""
    return [(str(file_of(each)), told(each)) for each in pictures_beside(turn)] if turn else []


def beside_sentences(turn: Turn, at: int, words: Wording) -> Mapping[int, str]:
    """Return the picture of each source that has one, by the number of the source, each picture once.

    What stands among the products below the answer is not shown twice.

    Args:
        turn: with its answer.
        at: its place in the conversation, from 0.
        words: of the language of the turn.
    """
    if turn.answer is None:
        return {}
    shown = pictures_beside(turn)
    below = {file_of(each.hit) for each in turn.answer.similar}
    places = {
        path: place for place, each in enumerate(shown) if (path := file_of(each)) not in below
    }
    found: dict[int, str] = {}
    for source in turn.answer.sources:
        place = places.pop(file_of(source), None)
        if place is not None:
            picture = f"{_picture(shown[place])}{_more(at, place, words)}"
            found[source.n] = f'<span class="shown">{picture}</span>'
    return found


def products_html(turn: Turn, at: int, words: Wording) -> str:
    """Return the products that look like a picture: what each is called, its price, and why it is shown."""
    similar = [each for each in turn.answer.similar if file_of(each.hit)] if turn.answer else []
    if not similar:
        return ""
    first = len(pictures_of(turn)) - len(similar)
    cards = "".join(
        _product(each, _more(at, place, words), words) for place, each in enumerate(similar, first)
    )
    return (
        f'<span class="similar"><span class="heading">{html.escape(words.similar)}</span>'
        f'<span class="products" role="list">{cards}</span></span>'
    )


def reason(similar: Similar, words: Wording) -> str:
    """Return why a product is shown, in words."""
    template = {
        Likeness.CLOSEST: words.closest,
        Likeness.TAG: words.same_tag,
        Likeness.CATEGORY: words.same_category,
        Likeness.LOOK: words.same_look,
    }[similar.likeness]
    return template.format(kind=similar.kind)


def chosen(turns: Sequence[Turn], value: str) -> Shown | None:
    """Return the picture whose button has this value (`TURN.PICTURE`, from 0); None where there is none."""
    turn, _, place = value.partition(".")
    if not (turn.isdecimal() and place.isdecimal()) or int(turn) >= len(turns):
        return None
    shown = pictures_of(turns[int(turn)])
    return shown[int(place)] if int(place) < len(shown) else None


def _product(similar: Similar, more: str, words: Wording) -> str:
    price = f'<span class="price">{html.escape(similar.price)}</span>' if similar.price else ""
    return (
        f'<span class="product" role="listitem">{_picture(similar.hit)}'
        f'<span class="name">{html.escape(similar.name)}</span>{price}'
        f'<span class="why">{html.escape(reason(similar, words))}</span>{more}</span>'
    )


def _picture(shown: Shown) -> str:
    large, small = shown.picture_path or shown.thumb_path, shown.thumb_path or shown.picture_path
    assert large is not None and small is not None, "only what has a picture is shown"
    return (
        f'<a class="picture" href="{_address(large)}">'
        f'<img src="{_address(small)}" alt="{html.escape(told(shown))}" loading="lazy"></a>'
    )


def _more(at: int, place: int, words: Wording) -> str:
    label = html.escape(words.more)
    return f'<button class="more" type="button" value="{at}.{place}">{label}</button>'


def _address(path: Path) -> str:
    """Return the address at which Gradio serves a file of the index."""
    return html.escape(f"gradio_api/file={quote(path.resolve().as_posix())}")
