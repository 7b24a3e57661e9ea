"""The steps of the panels of conversations, figures, searches and the map, without a browser."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from small_shop import small_shop

import mmchat
from mmchat.app import Atlas, Bench, Day, Tally
from mmchat.types import Answer, Handoff, HandoffReason, Status
from mmchat.web.owner.figures import numbers_html, outcomes_plot, table_html, times_plot
from mmchat.web.owner.figures_words import WORDS as FIGURES
from mmchat.web.owner.map import MapSteps
from mmchat.web.owner.search import SearchSteps
from mmchat.web.owner.talks import TalksSteps

ENGLISH: Any = SimpleNamespace(headers={"accept-language": "en-GB"})
KOREAN: Any = SimpleNamespace(headers={"accept-language": "ko-KR,ko;q=0.9"})
HOSTILE = "<script>alert(1)</script> {{7*7}}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mmchat.Desk]:
    with small_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


def photo(folder: Path, colour: str = "red") -> str:
    Image.new("RGB", (64, 48), colour).save(folder / "photo.png")
    return str(folder / "photo.png")


class TestConversations:
    @pytest.fixture
    def steps(self, desk: mmchat.Desk) -> TalksSteps:
        return TalksSteps(desk.assistant, desk)

    @pytest.fixture
    def passed(self, desk: mmchat.Desk) -> Iterator[str]:
        """A conversation with everything in it, passed to a person."""
        own = desk.store.of(mmchat.new_owner())
        talk = own.start()
        turn = own.begin_turn(talk, HOSTILE, Image.new("RGB", (900, 600), "red"))
        own.end_turn(
            turn, Answer("I don't know.", Status.ABSTAINED, (), 0.5, nearest=("<i>A</i>",))
        )
        own.rate(turn, useful=False, reason="<b>bad</b>")
        own.hand_over(
            talk, Handoff(HandoffReason.TOPIC, "<u>law</u>"), turn=turn, summary="s", webhook=True
        )
        yield talk
        own.delete(talk)

    def test_what_was_said_is_text(self, steps: TalksSteps, passed: str):
        opened, shown, tools, finish, reopen, *_ = steps.read(passed, ENGLISH)
        assert (opened, tools.visible, finish.visible, reopen.visible) == (
            passed,
            True,
            True,
            False,
        )
        assert not re.search(r"<(script|b|i|u)>", shown)
        for said in ("&lt;script&gt;", "&lt;b&gt;bad", "&lt;i&gt;A", "&lt;u&gt;law"):
            assert said in shown
        assert "has not been told yet (attempts: 0)" in shown
        assert shown.count('src="data:image/jpeg;base64,') == 1
        listed = steps.show("", "", passed, 30, ENGLISH)[1]
        assert "<script>" not in listed and 'aria-current="true"' in listed

    def test_done_and_open_again(self, steps: TalksSteps, passed: str):
        waiting = steps.show("waiting", "", "", 30, ENGLISH)
        assert passed in waiting[1] and "(1)" in str(waiting[0].choices)
        *_, finish, reopen, _, _ = steps.finish(passed, ENGLISH)
        assert (finish.visible, reopen.visible) == (False, True)
        assert passed not in steps.show("waiting", "", "", 30, ENGLISH)[1]
        assert passed in steps.show("passed on", "", "", 30, ENGLISH)[1]
        steps.reopen(passed, KOREAN)
        assert "담당자 대기 중" in steps.show("waiting", "", "", 30, KOREAN)[1]

    def test_a_picture_is_made_small(self, steps: TalksSteps, passed: str, desk: mmchat.Desk):
        ((_, jpeg),) = steps._pictures(desk.store.everything().get(passed)).items()
        assert Image.open(io.BytesIO(jpeg)).size == (480, 320)

    def test_what_is_not_there(self, steps: TalksSteps):
        opened, shown, tools, _, _, said, _ = steps.read("../../etc/passwd", ENGLISH)
        assert (opened, shown, tools.visible) == ("", "", False)
        assert "not there any more" in said
        steps.finish("nonsense", ENGLISH)
        said, reply = steps.draft("nonsense", ENGLISH)
        assert "No conversation nonsense" in said and reply.visible is False
        assert "No conversation is like that" in steps.find("nonsense", "zzz", "", ENGLISH)[1]

    def test_more_are_listed(
        self, steps: TalksSteps, desk: mmchat.Desk, monkeypatch: pytest.MonkeyPatch
    ):
        from mmchat.web.owner import talks

        monkeypatch.setattr(talks, "_LISTED", 2)
        own = desk.store.of(mmchat.new_owner())
        made = [own.start() for _ in range(3)]
        first = steps.find("", "", "", ENGLISH)
        assert (first[1].count("<li>"), first[2].visible) == (2, True)
        assert steps.more("", "", "", 2, ENGLISH)[1].count("<li>") == 3
        for each in made:
            own.delete(each)


class TestFigures:
    def test_plots_have_every_day(self):
        words = FIGURES["en"]
        busy = Tally(3, answered=2, abstained=1, median_seconds=1.25, slow_seconds=2.0)
        days = [
            Day(datetime.date(2026, 12, 31), busy),
            Day(datetime.date(2027, 1, 1), Tally()),
        ]
        plot = outcomes_plot(days, words)
        assert len(plot["data"]) == 2 * 6
        told = [(count, *rest) for _, count, *rest in plot["data"]]
        assert (2, "Answered", "2026-12-31") in told and (0, "Answered", "2027-01-01") in told
        times = [(seconds, *rest) for _, seconds, *rest in times_plot(days, words)["data"]]
        assert (1.25, "Median", "2026-12-31") in times and (None, "Median", "2027-01-01") in times
        assert times_plot(days, words)["mark"] == "point", "a line shows nothing of one day"
        assert times_plot([Day(each.date, busy) for each in days], words)["mark"] == "line"
        autumn = [datetime.date(2026, 12, 10) + datetime.timedelta(days=each) for each in range(30)]
        rows = outcomes_plot([Day(each, Tally()) for each in autumn], words)["data"]
        labels = list(dict.fromkeys(row[0] for row in rows))
        assert labels == sorted(labels), "also over the end of a year"
        assert len(labels) == 30
        shown = [each for label in labels if (each := label.strip("\u200b\u200c"))]
        assert shown == ["12-12", "12-17", "12-22", "12-27", "01-01", "01-06"]
        table = table_html(days, words)
        assert table.index("2027-01-01") < table.index("2026-12-31")
        assert table.count("<tr>") == 3
        numbers = numbers_html(busy, Tally(), 2, words)
        assert "67%" in numbers and "1.2 s" in numbers and "before: –" in numbers


class TestSearches:
    @pytest.fixture
    def steps(self, desk: mmchat.Desk) -> SearchSteps:
        index = desk.assistant.index
        return SearchSteps(Bench(index), index.config)

    def searched(self, steps: SearchSteps, text: str, hits: str = "", **changes: str) -> str:
        from mmchat.web.owner.search import _FIGURES

        assert changes.keys() <= set(_FIGURES)
        settings = [changes.get(name, "") for name in _FIGURES]
        query = {"text": text, "files": []}
        return steps.search(query, "", hits, ENGLISH, False, *settings)

    def test_one_list_or_two(self, steps: SearchSteps):
        one = self.searched(steps, "warranty", "2")
        assert one.count('<li class="hit') == 2 and one.count("<section") == 1
        two = self.searched(steps, "warranty", "2", weight_bm25="3", k="3")
        assert two.count("<section") == 2 and two.count('<li class="hit') == 5
        assert "weight_bm25 = 3 (now 7.1)" in two and "k = 3 (now 5)" in two

    @pytest.mark.parametrize(
        ("k", "changes", "said"),
        [
            ("0", {}, "retrieval.k = 0"),
            ("many", {}, "a whole number"),
            ("", {"depth": "2.5"}, "retrieval.depth"),
            ("", {"document_share": "7"}, "above 0, up to 1"),
        ],
    )
    def test_refusals_are_sentences(self, steps: SearchSteps, k: str, changes, said: str):
        shown = self.searched(steps, "warranty", k, **changes)
        assert 'class="bad"' in shown and said in shown

    def test_a_photo_and_a_filter(self, steps: SearchSteps, tmp_path: Path):
        query = {"text": "", "files": [photo(tmp_path)]}
        empty = [None] * 11
        shown = steps.search(query, "kind=picture; title~kettle", "", KOREAN, False, *empty)
        assert shown.count('<li class="hit') == 1 and "kettle.png" in shown
        assert "gradio_api/file=" in shown
        nothing = steps.search(query, "kind=picture; title~zzz", "", KOREAN, False, *empty)
        assert "찾은 것이 없습니다" in nothing


class TestMap:
    def test_the_last_question_is_on_it(self, desk: mmchat.Desk, tmp_path: Path):
        steps = MapSteps(Atlas(desk.assistant.index), desk.store)
        owner = mmchat.new_owner()
        talk = desk.start(owner)
        desk.ask(owner, talk, "How long is the warranty?")
        kind, drawn, query = steps.open(None, {"text": "", "files": []}, ENGLISH)
        assert (kind.value, query.value["text"]) == ("chunk", "How long is the warranty?")
        assert drawn.count("<circle cx") == desk.assistant.index.manifest.chunks
        assert drawn.count('class="query"') == 1
        kind, drawn = steps.draw("picture", {"text": "", "files": [photo(tmp_path)]}, KOREAN)
        assert drawn.count("<circle cx") == desk.assistant.index.manifest.pictures
        assert "사진 1개 가운데 1개" in drawn
        desk.store.of(owner).delete(talk)

    def test_a_photo_that_is_none(self, desk: mmchat.Desk, tmp_path: Path):
        (tmp_path / "fake.png").write_text("no picture")
        steps = MapSteps(Atlas(desk.assistant.index), None)
        query = {"text": "", "files": [str(tmp_path / "fake.png")]}
        assert 'class="bad"' in steps.draw("picture", query, ENGLISH)[1]
