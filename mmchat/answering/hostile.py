"""What a text may try that somebody else wrote, and what is left of it.

Two defences, for documents, file names, pictures and generators alike. An order to the assistant is found by
how it is put: it is not shown to a generator, is no evidence, and cannot be quoted. That list cannot know
every trick, so that nothing rests on it alone: whatever is shown is disarmed, so that a program which shows
it as Markdown or HTML loads and links nothing, and no mark in it looks like a citation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from mmchat.sentences import Span, sentence_spans
from mmchat.types import Chunk
from mmchat.visible import visible

_MACHINE = r"(?:\bA\.?I\.?\b|\b(?:assistant|chat ?bot|bot|language model|LLM)s?\b|\bGPT\b)"
_MUST = r"(?:must|should|shall|has to|have to|needs? to|is to|are to|will now|is required to)"
_SPEAK = (
    r"(?:say|tell|answer|repl(?:y|ies)|respond|write|output|print|repeat|state|recommend|include|"
    r"reveal|append|cite|ignore|obey|follow|claim|mention|promise|confirm)"
)
_RULES = r"(?:instructions?|rules?|prompts?|guidelines?|directives?|constraints?|restrictions?)"
_REPLY = r"(?:answers?|repl(?:y|ies)|responses?|sentences?|messages?|outputs?)"
_TOKENS = r"<\|\w+\|>|\[/?(?:INST|SYS)\]|<</?SYS>>|</?passage\b|<(?:start|end)_of_turn>"
_ORDERS = (
    rf"\b(?:ignore|disregard|forget|override|bypass)\b.{{0,40}}(?:\b{_RULES}\b|\babove\b|\bprevious\b)",
    rf"\b(?:previous|earlier|above|old|prior) {_RULES}\b.{{0,40}}\b(?:void|cancelled|canceled|obsolete|"
    r"no longer|replaced)\b",
    r"\b(?:answer|reply|respond)\b.{0,20}\bonly\b",
    r"\b(?:answer|reply|respond)\b(?: \w+){0,4} "
    r"(?:with (?:the )?(?:word|text|code|sentence|following)|exactly\b)",
    r"\b(?:system|hidden|secret|initial) prompt\b|\bdeveloper mode\b|\bjail ?break",
    r"\byou are now\b(?! (?:in|at|on|ready|able|connected|logged|signed|done)\b)",
    r"\bfrom now on,? (?:you|your|always|every)\b|\bpretend (?:to be|you are|that you)\b",
    rf"\byour (?:new|real|true|hidden|next|only|first) (?:{_RULES}|task|role|goal|job)\b",
    rf"\bnew {_RULES}\s*:",
    r"^\W*(?:assistant|system|developer)\s*:",  # but "Lacing system: eyelets"
    _TOKENS,
    rf"\b(?:notes?|instructions?|messages?|attention|notice|orders?)\b,? (?:to|for)\b.{{0,20}}{_MACHINE}",
    rf"\b(?:dear|hey|hello|hi|attention),? (?:the )?{_MACHINE}",
    rf"{_MACHINE}.{{0,60}}\b{_MUST}\b.{{0,20}}\b{_SPEAK}\b",
    r"\b(?:when|if|once|whenever)\b.{0,30}\b(?:asked|asks?|queried)\b.{0,60}"
    r"\b(?:say|answer|reply|respond|tell|claim|cite|output)\b",
    rf"\b(?:reveal|print|repeat|show|output|leak|disclose|quote)\b.{{0,30}}"
    rf"\b(?:your|all|these|the)\b.{{0,20}}(?:\b{_RULES}\b|\b(?:words|text|lines|everything) above\b)",
    rf"\b(?:begin|start|end|finish|prefix|close)\b.{{0,20}}"
    rf"\b(?:your|every|each|all|the) {_REPLY} (?:with|by|in)\b",
    rf"\b(?:append|add|insert|put|include|attach)\b.{{0,80}}\b(?:to|in|into|at the end of|before|after) "
    rf"(?:your|every|each|all|the) (?:\w+ )?{_REPLY}\b",
    r"\bcite\b.{0,80}(?:\[\d|\bas (?:the|your) source\b)",
    r"(?:지시|명령|규칙|지침|프롬프트|안내문).{0,20}(?:무시|잊|무효|따르지)",
    r"시스템 ?프롬프트|개발자 ?모드",
    r"(?:이제|지금)부터 (?:너는|넌|당신은|모든 (?:답|질문))",
    r"(?:당신|너)의 (?:새로?운?|진짜|다음) (?:역할|임무|규칙|지시|지침)",
    r"(?:\bAI\b|AI[는은가에]|인공지능|챗봇|어시스턴트|언어 ?모델|상담 ?봇).{0,60}"
    r"(?:해야|하세요|하십시오|하라|할 것|말해|답해|답하|대답|출력|응답)",
    r"(?:라고|다고)만? ?(?:답하|대답하|답변하|출력하|응답하|답해|대답해|출력해)",
    r"(?:프롬프트|지시문|지시|지침|규칙|위의? (?:글|내용|문장))[을를]?.{0,15}(?:보여|출력|공개|반복|그대로)",
    r"(?:모든|매) (?:답변|대답|응답)(?:의 끝|의 앞|마다|에|을)?.{0,30}(?:붙이|붙여|추가|넣|시작|끝내)",
)  # fmt: skip
_CONTROL = re.compile(_TOKENS, re.IGNORECASE)
_ORDER = re.compile("|".join(_ORDERS), re.IGNORECASE | re.DOTALL)

_ADDRESS = re.compile(
    r"(?:https?|ftp)://[^\s<>()\[\]\"'”’]+|\bwww\.[^\s<>()\[\]\"'”’]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|invalid|example|co|kr|shop|info|biz|app|dev|me|ru|cn|xyz)\b"
    r"(?:/[^\s<>()\[\]\"'”’]*)?",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\[\]]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*(?:\([^()]*\)[^()]*)*\)")
_SCRIPT = re.compile(r"\b(?:(?:java|vb)script\s*:|data:[\w.+-]+/[\w.+-]+[;,])\S*", re.IGNORECASE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_MARK = re.compile(r"[\[【]\s*\^?(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*(?:†[^\]】]*)?[\]】]")


def is_order(text: str) -> bool:
    """Tell whether a sentence speaks to the assistant, not to the customer."""
    plain = unicodedata.normalize("NFKC", visible(text))
    return bool(_ORDER.search(" ".join(plain.split())))


# A passage is looked at for its evidence, for the prompt, and for each sentence that is checked.
@lru_cache(maxsize=64)
def order_spans(text: str) -> tuple[Span, ...]:
    """Return where the sentences of a text are that are orders.

    What stands between two control tokens of a chat ("<|im_end|>", "</passage 1>") is one, whatever it says.
    """
    spans = sentence_spans(text)
    tokens = [at for at, (start, end) in enumerate(spans) if _CONTROL.search(text[start:end])]
    played = range(tokens[0], tokens[-1] + 1) if tokens else range(0)
    return tuple(
        span for at, span in enumerate(spans) if at in played or is_order(text[slice(*span)])
    )


def orders_in(text: str) -> list[str]:
    """Return the sentences of a text that are orders."""
    return [text[start:end] for start, end in order_spans(text)]


def without_orders(text: str, *, but_questions: bool = False) -> str:
    """Return a text without the sentences that are orders; what is left stays as it was.

    `but_questions` keeps those that ask: of a customer they want an answer, not obedience.
    """
    for start, end in reversed(order_spans(text)):
        if not (but_questions and text[start:end].endswith(("?", "？"))):
            text = text[:start] + text[end:]
    return text


def headings_of(breadcrumb: Sequence[str]) -> list[str]:
    """Return the headings of a passage that are no orders: a file may be called anything."""
    return [each for each in breadcrumb if not is_order(each)]


def orders_of(chunk: Chunk) -> str:
    """Return the orders of a passage and of its headings."""
    return " ".join([*orders_in(chunk.text), *filter(is_order, chunk.breadcrumb)])


def addresses(text: str) -> frozenset[str]:
    """Return the addresses of pages and people in a text, in lower case."""
    return frozenset(found.rstrip(".,;:!?").lower() for found in _ADDRESS.findall(text))


def disarmed(text: str) -> str:
    """Return a text that loads nothing, links nothing and cites nothing, whoever shows it and how.

    The words of a picture or a link stay, and so does an address that is written out. A number in square
    brackets is put into round ones: only the answer itself numbers its sources.
    """
    text = visible(text)
    for _ in range(3):  # a picture may stand in a link
        text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _TAG.sub("‹", _SCRIPT.sub("", text))
    text = text.replace("![", "[").replace("](", "] (").replace("][", "] [").replace("]:", "] :")
    return _MARK.sub(r"(\1)", text)
