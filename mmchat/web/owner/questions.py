"""Panel: what customers asked and got no good answer to. The owner answers there and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from mmchat.app import Gap, draft_answer, report, write_answer, written_answers
from mmchat.errors import MmchatError
from mmchat.web.owner.house import House, Words, spoken
from mmchat.web.owner.index import refusal
from mmchat.web.owner.index_html import document_link, said_html
from mmchat.web.render import escape
from mmchat.web.showing import QUIET

if TYPE_CHECKING:
    from mmchat.app import Assistant, Desk

WORDS: Words = {
    "en": {
        "questions_tab": "Questions",
        "questions_open": "Asked, and not answered well",
        "questions_pick": "Choose a question to see it and to answer it.",
        "questions_none": "Every question was answered, and nobody complained.",
        "questions_unkept": "No conversations are kept (setting sessions.keep): nobody knows what was asked.",
        "questions_written": "Answers that you have written",
        "questions_label": "{question} · {count}×",
        "questions_counts": "Asked {count}×: {abstained} without an answer, {disliked} disliked. "
        "Last on {last}.",
        "questions_also": "Also asked as",
        "questions_reasons": "What customers said",
        "questions_nearest": "What comes closest now",
        "questions_question": "Question",
        "questions_answer": "Your answer",
        "questions_hint": "Write it as a customer should read it. It is kept as a document of its own "
        "and used at once.",
        "questions_draft": "Draft from the documents",
        "questions_no_draft": "The documents hold nothing that a draft could be made of.",
        "questions_save": "Save the answer",
        "questions_saved": "Saved. The assistant answers with it as of now: {question}",
    },
    "ko": {
        "questions_tab": "질문",
        "questions_open": "제대로 답하지 못한 질문",
        "questions_pick": "질문을 고르면 내용을 보고 답을 쓸 수 있습니다.",
        "questions_none": "모든 질문에 답했고, 불만도 없습니다.",
        "questions_unkept": "대화를 보관하지 않아(sessions.keep 설정) 어떤 질문이 있었는지 알 수 없습니다.",
        "questions_written": "직접 쓴 답변",
        "questions_label": "{question} · {count}번",
        "questions_counts": "{count}번 질문: 답하지 못함 {abstained}번, 도움 안 됨 {disliked}번. "
        "마지막 {last}.",
        "questions_also": "다른 표현",
        "questions_reasons": "고객의 의견",
        "questions_nearest": "지금 가장 가까운 내용",
        "questions_question": "질문",
        "questions_answer": "답변",
        "questions_hint": "고객이 읽을 말로 써 주세요. 따로 한 문서로 보관되고 바로 답변에 쓰입니다.",
        "questions_draft": "문서로 초안 만들기",
        "questions_no_draft": "초안을 만들 만한 내용이 문서에 없습니다.",
        "questions_save": "답변 저장",
        "questions_saved": "저장했습니다. 지금부터 이 답변이 쓰입니다: {question}",
    },
}
_LISTED = 100
"""Groups of questions, and answers, in the lists at most."""
_LABEL = 120
"""Characters of a question in a list."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The components of the panel."""

    note: gr.HTML
    gaps: gr.Radio
    written: gr.Dropdown
    about: gr.HTML
    question: gr.Textbox
    answer: gr.Textbox
    draft: gr.Button
    save: gr.Button
    said: gr.HTML
    found: gr.State
    """The groups that the list shows."""
    asked: gr.State
    """The words of the customer that the answer belongs to."""

    @property
    def lists(self) -> list[Any]:
        """What loading puts out."""
        return [self.note, self.gaps, self.written, self.found]

    @property
    def form(self) -> list[Any]:
        """What choosing puts out."""
        return [self.about, self.question, self.answer, self.asked]


class QuestionSteps:
    """What happens in the panel. Decides nothing: `mmchat.app` does."""

    def __init__(self, assistant: Assistant, desk: Desk | None) -> None:
        """Take what answers, and what keeps the conversations."""
        self._assistant = assistant
        self._desk = desk

    def show(self, request: gr.Request) -> list[Any]:
        """List what is open, the most frequent first, and what was written."""
        words = spoken(WORDS, request)
        gaps: list[Gap] = []
        if self._desk is not None:
            gaps = report(self._assistant.index, self._desk.store)[:_LISTED]
        note = words["questions_pick"] if gaps else words["questions_none"]
        if self._desk is None:
            note = words["questions_unkept"]
        choices = [(_label(gap, words), number) for number, gap in enumerate(gaps)]
        answers = written_answers(self._assistant.index)[:_LISTED]
        return [
            f'<p class="facts">{escape(note)}</p>',
            gr.Radio(choices, value=None, visible=bool(gaps)),
            gr.Dropdown([(_short(each.question), each.path) for each in answers], value=None),
            tuple(gaps),
        ]

    def open_gap(self, number: int | None, gaps: tuple[Gap, ...], request: gr.Request) -> list[Any]:
        """Show a group of questions, and a form to answer it with."""
        if number is None or not 0 <= int(number) < len(gaps):
            return [gr.skip()] * 4
        gap = gaps[int(number)]
        return [gap_html(gap, spoken(WORDS, request)), gap.questions[0], "", gap.questions[0]]

    def open_written(self, path: str | None) -> list[Any]:
        """Put an answer that was written before into the form."""
        for each in written_answers(self._assistant.index):
            if each.path == path:
                return ["", each.question, each.answer, each.asked]
        return [gr.skip()] * 4

    def draft(self, question: str, request: gr.Request) -> tuple[Any, Any]:
        """Draft an answer from the documents."""
        words = spoken(WORDS, request)
        try:
            text = draft_answer(self._assistant, question)
        except MmchatError as error:
            return gr.skip(), refusal(error, request)
        if not text:
            return gr.skip(), said_html(words["questions_no_draft"], good=False)
        return text, ""

    def save(
        self, question: str, answer: str, asked: str, request: gr.Request
    ) -> tuple[Any, Any, Any, Any, Any]:
        """Keep an answer and empty the form; where that fails, leave what was typed."""
        words = spoken(WORDS, request)
        try:
            write_answer(self._assistant.index, question, answer, asked=asked)
        except MmchatError as error:
            kept = [gr.skip()] * 4
            return *kept, refusal(error, request)
        said = words["questions_saved"].format(question=question.strip())
        return "", "", "", "", said_html(said, good=True)


def gap_html(gap: Gap, words: Mapping[str, str]) -> str:
    """Return what is known of a group of questions. What customers typed is escaped."""
    counts = words["questions_counts"].format(
        count=gap.count,
        abstained=gap.abstained,
        disliked=gap.disliked,
        last=f"{gap.last_asked.astimezone():%Y-%m-%d %H:%M}",
    )
    parts = [f"<h2>{escape(gap.questions[0])}</h2>", f'<p class="facts">{escape(counts)}</p>']
    for name, texts in (("questions_also", gap.questions[1:]), ("questions_reasons", gap.reasons)):
        if texts:
            items = "".join(f"<li>{escape(text)}</li>" for text in texts)
            parts.append(f"<h3>{escape(words[name])}</h3><ul>{items}</ul>")
    if gap.nearest is not None:
        near = gap.nearest
        link = (
            f'<a href="{escape(document_link(near.document))}" target="_blank" rel="noopener">'
            f"{escape(near.title or near.document)}</a>"
        )
        parts.append(
            f"<h3>{escape(words['questions_nearest'])}</h3>"
            f'<p>{link}</p><blockquote class="near">{escape(near.text)}</blockquote>'
        )
    return "".join(parts)


def questions_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    parts = _build(text)
    _connect(parts, QuestionSteps(house.assistant, house.desk), house.opens(tab))


def _build(text: gr.I18n) -> _Parts:
    with gr.Row(elem_id="questions-columns"):
        with gr.Column(scale=2, min_width=280):
            gr.Markdown(str(text("questions_open")), elem_classes="heading")
            note = gr.HTML()
            gaps = gr.Radio(
                [],
                label=text("questions_open"),
                show_label=False,
                container=False,
                visible=False,
                elem_id="questions-gaps",
            )
            written = gr.Dropdown(
                [], value=None, label=text("questions_written"), elem_id="questions-written"
            )
        with gr.Column(scale=3, min_width=280):
            about = gr.HTML(elem_id="questions-about")
            question = gr.Textbox(label=text("questions_question"), elem_id="questions-question")
            answer = gr.Textbox(
                label=text("questions_answer"),
                info=str(text("questions_hint")),
                lines=6,
                max_lines=20,
                elem_id="questions-answer",
            )
            with gr.Row():
                draft = gr.Button(str(text("questions_draft")), elem_id="questions-draft")
                save = gr.Button(
                    str(text("questions_save")), variant="primary", elem_id="questions-save"
                )
            said = gr.HTML(elem_id="questions-said")
    return _Parts(
        *(note, gaps, written, about, question, answer, draft, save, said),
        *(gr.State(()), gr.State("")),
    )


def _connect(parts: _Parts, steps: QuestionSteps, opens: list[Any]) -> None:
    gr.on(opens, steps.show, None, parts.lists, queue=False, **QUIET)
    parts.gaps.input(steps.open_gap, [parts.gaps, parts.found], parts.form, queue=False, **QUIET)
    parts.written.input(steps.open_written, [parts.written], parts.form, queue=False, **QUIET)
    parts.draft.click(
        steps.draft,
        [parts.question],
        [parts.answer, parts.said],
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=parts.answer,
    )
    parts.save.click(
        steps.save,
        [parts.question, parts.answer, parts.asked],
        [*parts.form, parts.said],
        concurrency_limit=1,
        concurrency_id="index",
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=parts.said,
    ).then(steps.show, None, parts.lists, queue=False, **QUIET)


def _label(gap: Gap, words: Mapping[str, str]) -> str:
    return words["questions_label"].format(question=_short(gap.questions[0]), count=gap.count)


def _short(text: str) -> str:
    return text if len(text) <= _LABEL else f"{text[: _LABEL - 1]}…"
