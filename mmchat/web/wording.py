"""The words of the page. What stands still follows the browser; what is said follows the question."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """What the page says in one language. Fields in braces are filled in by `render`."""

    placeholder: str
    new: str
    sources: str
    beside: str
    pictures: str
    conversation: str
    waiting: str
    in_line: str
    searching: str
    reading: str
    reading_one: str
    writing: str
    stopped: str
    unknown: str
    partial: str
    refused: str
    with_person: str
    failed: str
    unreadable: str
    seconds: str
    page: str
    score: str
    picture: str
    no_sources: str
    open_document: str
    photo_question: str
    person: str
    ask_person: str
    conversations: str
    search: str
    rename: str
    delete: str
    delete_sure: str
    delete_yes: str
    delete_no: str
    more: str
    more_asked: str
    similar: str
    closest: str
    same_tag: str
    same_category: str
    same_look: str
    with_person_stays: str
    deleted: str


ENGLISH = Wording(
    placeholder="Ask in words, with a photo, or both",
    new="New conversation",
    sources="Sources",
    beside="Sources of the last answer",
    pictures="Pictures",
    conversation="Conversation",
    waiting="Waiting for a free place…",
    in_line="You are number {number} in the queue…",
    searching="Searching the documents…",
    reading="Reading {count} sources…",
    reading_one="Reading one source…",
    writing="Writing…",
    stopped="Stopped.",
    unknown="Not in the documents",
    partial="Only what the sources support is shown",
    refused="Not talked about here",
    with_person="A person has this conversation",
    failed="Something went wrong on our side. Please try again in a moment.",
    unreadable=(
        "This photo is not a picture that can be read here, or it is too large. "
        "Please send another one, as JPEG, PNG, WebP or HEIC."
    ),
    seconds="{seconds:.1f} s",
    page="page {page}",
    score="score {score:.3f}",
    picture="picture",
    no_sources="No source holds an answer to this question.",
    open_document="Open in the document",
    photo_question="What is this?",
    person="Talk to a person",
    ask_person="I would like to talk to a person.",
    conversations="Your conversations",
    search="Search your conversations",
    rename="Name of this conversation",
    delete="Delete this conversation",
    delete_sure="It is deleted for good, with its pictures.",
    delete_yes="Delete",
    delete_no="Keep it",
    more="More like this",
    more_asked="More like this: {title}",
    similar="Similar products",
    closest="Closest to your photo",
    same_tag="Looks like: {kind}",
    same_category="Same category: {kind}",
    same_look="Looks alike",
    with_person_stays="A person has this already, so it stays as it is.",
    deleted="This conversation was deleted. Your next question begins a new one.",
)

KOREAN = Wording(
    placeholder="글, 사진 또는 둘 다로 질문해 주세요",
    new="새 대화",
    sources="출처",
    beside="마지막 답변의 출처",
    pictures="사진",
    conversation="대화",
    waiting="차례를 기다리고 있습니다…",
    in_line="대기 순서 {number}번째입니다…",
    searching="문서를 찾고 있습니다…",
    reading="출처 {count}개를 읽고 있습니다…",
    reading_one="출처 1개를 읽고 있습니다…",
    writing="답변을 쓰고 있습니다…",
    stopped="중지했습니다.",
    unknown="문서에 없는 내용",
    partial="출처로 확인된 내용만 표시합니다",
    refused="여기에서 다루지 않는 주제",
    with_person="담당자가 이 대화를 맡았습니다",
    failed="저희 쪽에 문제가 생겼습니다. 잠시 후 다시 시도해 주세요.",
    unreadable=(
        "이 사진은 읽을 수 없거나 너무 큽니다. "
        "JPEG, PNG, WebP 또는 HEIC 형식의 다른 사진을 보내 주세요."
    ),
    seconds="{seconds:.1f}초",
    page="{page}쪽",
    score="점수 {score:.3f}",
    picture="사진",
    no_sources="이 질문에 대한 답이 있는 출처가 없습니다.",
    open_document="문서에서 열기",
    photo_question="이것은 무엇인가요?",
    person="상담원과 이야기하기",
    ask_person="상담원과 이야기하고 싶어요.",
    conversations="내 대화",
    search="내 대화에서 찾기",
    rename="이 대화의 이름",
    delete="이 대화 삭제",
    delete_sure="사진까지 모두 완전히 삭제됩니다.",
    delete_yes="삭제",
    delete_no="취소",
    more="비슷한 상품 보기",
    more_asked="비슷한 상품 보기: {title}",
    similar="비슷한 상품",
    closest="사진과 가장 비슷함",
    same_tag="닮은 것: {kind}",
    same_category="같은 분류: {kind}",
    same_look="모양이 비슷함",
    with_person_stays="담당자가 이미 받은 내용이라 그대로 둡니다.",
    deleted="삭제된 대화입니다. 다음 질문부터 새 대화가 시작됩니다.",
)

COMPLAINTS = ("Wrong · 틀린 답변", "Incomplete · 부족한 답변", "Off the point · 질문과 다른 답변")
"""Why an answer was not useful, where more than a thumb is given."""
GREETINGS = ("Welcome to {company}. How can we help?", "{company}에 오신 것을 환영합니다.")
NEUTRAL_GREETINGS = ("Welcome. How can we help?", "안녕하세요. 무엇을 도와드릴까요?")
SOURCES_APPEAR = ("The sources of each answer appear here.", "답변의 출처가 여기에 표시됩니다.")


def wording(korean: bool) -> Wording:
    """Return the words of a language."""
    return KOREAN if korean else ENGLISH


def translations() -> dict[str, dict[str, str]]:
    """Return the words by language code and name, as the page hands them to the browser."""
    return {"en": asdict(ENGLISH), "ko": asdict(KOREAN)}
