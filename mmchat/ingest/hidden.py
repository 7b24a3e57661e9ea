"""Tell what of a web page a reader does not see: scripts, navigation, and text that is hidden.

Hidden text must not reach an answer: it says what the page's owner did not mean to say, or what somebody
else wrote for machines alone. What a style sheet hides is kept, though: pages of questions fold their
answers away that way until one of them is opened.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

_NEVER_SHOWN = (
    "script, style, template, noscript, iframe, object, embed, canvas, svg, math annotation, audio, "
    "video, map, select, datalist, textarea, input, head, [hidden]:not([hidden='until-found' i]), "
    "dialog:not([open]), .sr-only, .visually-hidden"
)
_MAY_BE_HIDDEN = "[style], font[color]"
_AROUND_THE_CONTENT = (
    "nav, header, footer, aside[role], [role='navigation' i], [role='banner' i], "
    "[role='contentinfo' i], [role='search' i], [role='alertdialog' i], "
    + ", ".join(
        f"[{attribute}*='{name}' i]"
        for attribute in ("id", "class")
        for name in (
            "cookie-banner", "cookie-bar", "cookie-consent", "cookie-notice", "cookiebanner",
            "cookiebar", "cookieconsent", "cookiebot", "consent-banner", "gdpr", "onetrust",
            "breadcrumb", "skip-link",
        )
    )
)  # fmt: skip
# A header within one of these is the head of an article, not of the page.
_CONTENT = frozenset({"article", "main", "section"})
_WHITE = re.compile(
    r"white|#fff(?:fff)?(?:ff)?|#fff[0-9a-f]|transparent"
    r"|rgba?\(255[, ]+255[, ]+255[^)]*\)|rgba\([^)]*[, /]0(?:\.0*)?\)|hsla?\([^)]*[, ]100%\)"
)
_HIDING = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0*)?%?"
    r"|font-size:0(?:\.\d+)?(?:px|pt|em|rem|%)?|mso-hide:all"
    r"|(?:left|top|right|text-indent|margin-left|margin-top):-\d{3,}[a-z]*"
    r"|clip:rect\((?:0|1px)[^)]*\)|clip-path:inset\((?:50|100)%\))(?:!important)?(?:;|$)"
)


def left_out(root: LexborNode, *, around: bool) -> set[int]:
    """Return the ids (`mem_id`) of the elements that are not content, with all that is in them.

    Args:
        root: the element that holds the page.
        around: whether what stands around the content of a web page (navigation, header, footer, notices
            about cookies) is left out too.
    """
    found = {node.mem_id for node in root.css(_NEVER_SHOWN)}
    found |= {node.mem_id for node in root.css(_MAY_BE_HIDDEN) if _is_hidden(node)}
    if around:
        found |= {node.mem_id for node in root.css(_AROUND_THE_CONTENT) if _is_around(node)}
    return found


def first_shown(root: LexborNode | None, selector: str, *, around: bool) -> str:
    """Return the text of the first element that a selector finds and a reader sees, in one line."""
    if root is None:
        return ""
    skipped = left_out(root, around=around)
    for node in root.css(selector):
        at: LexborNode | None = node
        while at is not None and at.mem_id not in skipped:
            at = at.parent
        if at is None and (text := " ".join(node.text(deep=True).split())):
            return text
    return ""


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    style = _declarations(attributes.get("style"))
    if _HIDING.search(style) or ("overflow:hidden" in style and _is_flat(style)):
        return True
    colour = _value(style, "color") or (attributes.get("color") or "").strip().lower()
    return bool(_WHITE.fullmatch(colour)) and not _has_dark_ground(node)


def _is_flat(style: str) -> bool:
    return bool(re.search(r"(?:^|;)(?:height|width|max-height):[01](?:px)?(?:;|$)", style))


def _has_dark_ground(node: LexborNode) -> bool:
    """Tell whether something behind white text gives it a colour to stand out from."""
    at: LexborNode | None = node
    while at is not None and at.is_element_node:
        style = _declarations(at.attributes.get("style"))
        ground = _value(style, "background-color") or _value(style, "background")
        ground = ground or (at.attributes.get("bgcolor") or "").strip().lower()
        if ground:
            return not _WHITE.fullmatch(ground)
        at = at.parent
    return False


def _declarations(style: str | None) -> str:
    bare = re.sub(r"/\*.*?\*/", "", style or "", flags=re.S).strip().lower()
    return re.sub(r"\s*([:;!])\s*", r"\1", bare)


def _value(style: str, name: str) -> str:
    match = re.search(rf"(?:^|;){name}:([^;]+)", style)
    return match[1].replace("!important", "").strip() if match else ""


def _is_around(node: LexborNode) -> bool:
    if node.tag in _CONTENT or node.tag in {"body", "html"}:
        return False
    if node.tag in {"header", "footer"} and not node.attributes.get("role"):
        at = node.parent
        while at is not None:
            if at.tag in _CONTENT:
                return False
            at = at.parent
    return node.css_first("main, article") is None
