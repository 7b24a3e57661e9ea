"""Panel: what the assistant answers from. Documents are looked through, added and taken out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from mmchat.app import delete, list_documents, overview, take_in
from mmchat.errors import IndexLocked, InputError, MmchatError
from mmchat.web.owner.house import House, Words, spoken
from mmchat.web.owner.index_html import (
    intake_html,
    problems_html,
    said_html,
    standing_html,
    table_html,
)
from mmchat.web.showing import QUIET

if TYPE_CHECKING:
    from mmchat.app import Index

_log = logging.getLogger(__name__)

WORDS: Words = {
    "en": {
        "index_tab": "Documents",
        "index_add": "Add documents and pictures",
        "index_search": "Search by name or title",
        "index_document": "Document",
        "index_documents": "Documents",
        "index_passages": "Passages",
        "index_pictures": "Pictures",
        "index_unread": "Not read",
        "index_facts": "Last change {changed} · {generation} · built from the folder “{source}” · "
        "text by {text}, pictures by {image}",
        "index_none": "No document has these words in its name or title.",
        "index_remove": "Remove",
        "index_remove_it": "Remove {path}",
        "index_by_hand": "added here",
        "index_problems": "Files that could not be read: {count}",
        "index_added": "Added, and answered from as of now: {names}",
        "index_refused": "Not taken:",
        "index_reading": "Reading {count} files",
        "index_sure": "Remove {path} from what the assistant answers from? The file itself stays where it "
        "is; it comes back when it changes or is added again.",
        "index_yes": "Remove",
        "index_no": "Keep it",
        "index_removed": "Removed: {path}",
        "index_locked": "The documents are being changed by somebody else, or a build is running. Nothing "
        "of yours was changed; try again when it has finished.",
        "index_failed": "That did not work, and nothing was changed. The log of the server says why.",
        "index_before": "Earlier",
        "index_next": "Next",
        "index_shown": "{first} to {last} of {total}",
    },
    "ko": {
        "index_tab": "문서",
        "index_add": "문서와 사진 추가",
        "index_search": "이름이나 제목으로 찾기",
        "index_document": "문서",
        "index_documents": "문서",
        "index_passages": "단락",
        "index_pictures": "사진",
        "index_unread": "읽지 못함",
        "index_facts": "마지막 변경 {changed} · {generation} · 원본 폴더 “{source}” · "
        "글 {text}, 사진 {image}",
        "index_none": "이름이나 제목에 이 낱말이 있는 문서가 없습니다.",
        "index_remove": "삭제",
        "index_remove_it": "{path} 삭제",
        "index_by_hand": "여기에서 추가",
        "index_problems": "읽지 못한 파일: {count}개",
        "index_added": "추가했습니다. 지금부터 답변에 쓰입니다: {names}",
        "index_refused": "추가하지 못한 파일:",
        "index_reading": "파일 {count}개를 읽고 있습니다",
        "index_sure": "{path}: 이 문서를 답변에서 뺄까요? 원본 파일은 그대로 남고, "
        "내용이 바뀌거나 다시 추가하면 되돌아옵니다.",
        "index_yes": "삭제",
        "index_no": "취소",
        "index_removed": "삭제했습니다: {path}",
        "index_locked": "다른 사람이 문서를 바꾸고 있거나 색인을 만드는 중입니다. "
        "바뀐 것은 없으니 끝난 뒤에 다시 시도해 주세요.",
        "index_failed": "처리하지 못했고, 바뀐 것은 없습니다. 이유는 서버 기록에 있습니다.",
        "index_before": "이전",
        "index_next": "다음",
        "index_shown": "전체 {total}개 중 {first}–{last}",
    },
}
_ROWS = 25
"""Documents on a page."""
_MAX_SEARCH = 200
"""Characters of a search that are looked at."""
# A button says which document it stands for; the server checks that there is such a one. What is
# called "path" Gradio takes for a file.
_CHOOSE = """element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-path]");
    if (button) trigger("click", {chosen: button.dataset.path});
});"""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The components of the panel."""

    standing: gr.HTML
    files: gr.File
    said: gr.HTML
    search: gr.Textbox
    table: gr.HTML
    before: gr.Button
    shown: gr.HTML
    next: gr.Button
    problems: gr.HTML
    sure: gr.Column
    question: gr.HTML
    yes: gr.Button
    no: gr.Button
    offset: gr.State
    chosen: gr.State

    @property
    def listed(self) -> list[Any]:
        """What a list of documents is shown in."""
        return [self.table, self.before, self.shown, self.next, self.offset]

    @property
    def everything(self) -> list[Any]:
        """The same, and how the index stands."""
        return [self.standing, self.problems, *self.listed]


class IndexSteps:
    """What happens in the panel. Decides nothing: `mmchat.app` does."""

    def __init__(self, index: Index) -> None:
        """Take the index of the assistant."""
        self._index = index

    def show(self, search: str, offset: int, request: gr.Request) -> list[Any]:
        """Show how the index stands, and the documents of the page that was open."""
        words, seen = spoken(WORDS, request), overview(self._index)
        return [
            standing_html(seen, words),
            problems_html(seen.problems, words),
            *self._listed(search, offset, words),
        ]

    def find(self, search: str, request: gr.Request) -> list[Any]:
        """Show the first of the documents with these words."""
        return self._listed(search, 0, spoken(WORDS, request))

    def turn_back(self, search: str, offset: int, request: gr.Request) -> list[Any]:
        """Show the page before."""
        return self._listed(search, offset - _ROWS, spoken(WORDS, request))

    def turn_over(self, search: str, offset: int, request: gr.Request) -> list[Any]:
        """Show the next page."""
        return self._listed(search, offset + _ROWS, spoken(WORDS, request))

    def add(
        self,
        files: list[str] | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio knows that it is wanted
    ) -> Iterator[tuple[Any, Any]]:
        """Take uploaded files in, and say what became of each; the box for files is emptied."""
        words = spoken(WORDS, request)
        paths = [Path(file) for file in files or []]
        if not paths:
            yield gr.skip(), gr.skip()
            return
        yield gr.skip(), ""
        try:
            live = LiveProgress(progress, words["index_reading"].format(count=len(paths)))
            said = intake_html(take_in(self._index, paths, progress=live), words)
        except MmchatError as error:
            said = refusal(error, request)
        for path in paths:
            path.unlink(missing_ok=True)  # the index keeps copies; uploads lie where visitors' do
        yield None, said

    def choose(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        """Ask whether the document whose button was clicked is to be taken out."""
        path = str(getattr(event, "chosen", ""))
        question = spoken(WORDS, request)["index_sure"].format(path=path)
        return [path, said_html(question, good=True), gr.Column(visible=bool(path))]

    def remove(self, path: str, request: gr.Request) -> tuple[str, Any]:
        """Take a document out."""
        words = spoken(WORDS, request)
        try:
            delete(self._index.path, path)
        except MmchatError as error:
            return refusal(error, request), gr.Column(visible=False)
        said = said_html(words["index_removed"].format(path=path), good=True)
        return said, gr.Column(visible=False)

    def _listed(self, search: str, offset: int, words: Mapping[str, str]) -> list[Any]:
        wanted, offset = search[:_MAX_SEARCH], max(0, int(offset))
        page = list_documents(self._index, wanted, limit=_ROWS, offset=offset)
        if not page.rows and page.total:  # others have removed what stood there
            offset = (page.total - 1) // _ROWS * _ROWS
            page = list_documents(self._index, wanted, limit=_ROWS, offset=offset)
        last = offset + len(page.rows)
        shown = words["index_shown"].format(first=offset + 1, last=last, total=page.total)
        several = page.total > _ROWS
        return [
            table_html(page, words),
            gr.Button(interactive=offset > 0, visible=several),
            f'<p class="facts">{shown}</p>' if several else "",
            gr.Button(interactive=last < page.total, visible=several),
            offset,
        ]


class LiveProgress:
    """Tells Gradio how far a build is."""

    def __init__(self, progress: gr.Progress, words: str) -> None:
        """Take what shows it, and what is said beside it."""
        self._show, self._words = progress, words
        self._files, self._done = 0, 0

    def start(self, files: int) -> None:
        """Begin with so many files that have to be read."""
        self._files, self._done = files, 0
        self._tell()

    def embedded(self, items: int) -> None:
        """So many more chunks and pictures are encoded: what counts here are files."""

    def advance(self, failed: bool) -> None:
        """One file is read, or failed."""
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        self._show((self._done, self._files or 1), desc=self._words)


def refusal(error: MmchatError, request: gr.Request) -> str:
    """Return why something was not done, in a sentence for the owner."""
    words = spoken(WORDS, request)
    if isinstance(error, IndexLocked):
        return said_html(words["index_locked"], good=False)
    if isinstance(error, InputError):
        return said_html(str(error), good=False)
    _log.error("The index could not be changed: %s", error)
    return said_html(words["index_failed"], good=False)


def index_panel(house: House, text: gr.I18n, tab: gr.Tab) -> None:
    """Build and connect the panel inside of its tab."""
    parts = _build(text)
    _connect(parts, IndexSteps(house.assistant.index), house.opens(tab))


def _build(text: gr.I18n) -> _Parts:
    standing = gr.HTML(elem_id="index-standing")
    files = gr.File(
        label=text("index_add"), file_count="multiple", height=140, elem_id="index-files"
    )
    said = gr.HTML(elem_id="index-said")
    with gr.Column(visible=False, elem_id="index-sure") as sure:
        question = gr.HTML()
        with gr.Row():
            yes = gr.Button(str(text("index_yes")), size="sm", variant="stop", elem_id="index-yes")
            no = gr.Button(str(text("index_no")), size="sm", elem_id="index-no")
    search = gr.Textbox(
        label=text("index_search"),
        show_label=False,
        container=False,
        placeholder=str(text("index_search")),
        elem_id="index-search",
    )
    table = gr.HTML(js_on_load=_CHOOSE, elem_id="index-table")
    with gr.Row(elem_id="index-pages"):
        before = gr.Button(str(text("index_before")), size="sm", visible=False)
        shown = gr.HTML()
        following = gr.Button(str(text("index_next")), size="sm", visible=False)
    problems = gr.HTML(js_on_load=_CHOOSE, elem_id="index-problems")
    return _Parts(
        *(standing, files, said, search, table, before, shown, following, problems),
        *(sure, question, yes, no, gr.State(0), gr.State("")),
    )


def _connect(parts: _Parts, steps: IndexSteps, opens: list[Any]) -> None:
    where = [parts.search, parts.offset]
    showing = (steps.show, where, parts.everything)
    gr.on(opens, *showing, queue=False, **QUIET)
    parts.search.change(
        steps.find, [parts.search], parts.listed, queue=False, trigger_mode="always_last", **QUIET
    )
    for button, turn in ((parts.before, steps.turn_back), (parts.next, steps.turn_over)):
        button.click(turn, where, parts.listed, queue=False, **QUIET)
    asked = [parts.chosen, parts.question, parts.sure]
    for listed in (parts.table, parts.problems):
        listed.click(steps.choose, None, asked, queue=False, **QUIET)
    parts.no.click(lambda: gr.Column(visible=False), None, parts.sure, queue=False, **QUIET)
    # Whoever changes the index waits for whoever does so already.
    one: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "index"}
    added = parts.files.upload(
        steps.add,
        [parts.files],
        [parts.files, parts.said],
        api_visibility="private",
        show_progress_on=parts.said,
        **one,
    )
    removed = parts.yes.click(
        steps.remove, [parts.chosen], [parts.said, parts.sure], **one, **QUIET
    )
    for changed in (added, removed):
        changed.then(*showing, queue=False, **QUIET)
