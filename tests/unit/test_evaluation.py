import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from mmchat.dataset import Asked, read_asked, read_corpus, read_questions
from mmchat.errors import InputError
from mmchat.evaluation import (
    answer_figures,
    as_values,
    ask_all,
    differences,
    measure,
    ranking,
)
from mmchat.measures import estimate, paired_test, share
from mmchat.types import Answer, Hit, Source, Status


class Fixed:
    """Finds what it was told to, and notes how it was asked."""

    def __init__(self, found: Mapping[str, Sequence[Hit]]) -> None:
        self.found = found
        self.kinds: list[str | None] = []

    def search(self, text="", image=None, k=None, *, where=None):
        self.kinds.append(where["kind"] if where else None)
        return self.found.get(text, ())


def hit(
    document: str, item: str = "", kind: str = "chunk", duplicates: tuple[str, ...] = ()
) -> Hit:
    return Hit(1, 1.0, kind, item or document, document, None, "", None, {}, duplicates=duplicates)


def dataset(
    folder: Path, queries: list[dict], qrels: str, corpus: list[dict] | None = None
) -> Path:
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) for row in queries]
    (folder / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text(qrels, encoding="utf-8")
    if corpus is not None:
        rows = [json.dumps(row, ensure_ascii=False) for row in corpus]
        (folder / "corpus.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder


def results_of(tmp_path: Path, qrels: str, *found: Hit) -> dict[str, dict[str, float]]:
    folder = dataset(tmp_path / "set", [{"_id": "q", "text": "질문"}], qrels)
    searcher = Fixed({"질문": found})
    return as_values(measure(searcher, read_questions(folder, corpus=True)))


def test_metrics_of_a_case_worked_out_by_hand(tmp_path: Path):
    # Grades 2, 1 and 1; found at the places 3 (grade 1) and 1 (grade 2), and one not at all.
    values = results_of(
        tmp_path, "q\ta\t2\nq\tb\t1\nq\tc\t1\n", hit("a"), hit("x"), hit("b"), hit("y")
    )["text→text"]
    ideal = 2 + 1 / math.log2(3) + 1 / 2
    assert values["ndcg@10"] == pytest.approx((2 + 1 / 2) / ideal, abs=1e-4)
    assert values["recall@5"] == pytest.approx(2 / 3, abs=1e-4)
    assert (values["hit@1"], values["mrr@10"], values["queries"]) == (1, 1, 1)


def test_the_first_right_answer_makes_the_reciprocal_rank(tmp_path: Path):
    others = [hit(f"x{i}") for i in range(5)]
    values = results_of(tmp_path, "query-id\tcorpus-id\tscore\nq\ta\t1\n", *others, hit("a"))
    assert values["text→text"]["mrr@10"] == pytest.approx(1 / 6, abs=1e-4)
    assert values["text→text"]["recall@5"] == 0
    assert values["text→text"]["recall@10"] == 1
    late = results_of(tmp_path, "q\ta\t1\n", *others, *[hit(f"y{i}") for i in range(5)], hit("a"))
    assert late["text→text"]["mrr@10"] == late["text→text"]["ndcg@10"] == 0
    assert results_of(tmp_path, "q\ta\t1\n")["text→text"]["ndcg@10"] == 0


def test_a_document_counts_once_and_a_twin_counts_too(tmp_path: Path):
    folder = dataset(tmp_path / "set", [{"_id": "q", "text": "t"}], "q\td\t1\n")
    (question,) = read_questions(folder, corpus=True)
    found = [hit("a", "a1"), hit("a", "a2"), hit("b", duplicates=("d", "a")), hit("c")]
    assert ranking(Fixed({"t": found}), question) == ["a", "b", "d", "c"]


def test_a_corpus_id_may_be_an_item_or_a_folder(tmp_path: Path):
    folder = dataset(
        tmp_path / "set", [{"_id": "q", "text": "t"}], "q\tfruit/apple/\t1\nq\tp7\t1\n"
    )
    (question,) = read_questions(folder, corpus=False)
    found = [hit("fruit/pear/a.md"), hit("fruit/apple/a.md"), hit("b.md", "p7")]
    assert ranking(Fixed({"t": found}), question) == ["fruit/pear/a.md", "fruit/apple/", "p7"]


def test_directions(tmp_path: Path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "photo.jpg").write_bytes(b"")
    queries = [
        {"_id": "tt", "text": "a"},
        {"_id": "tp", "text": "b"},
        {"_id": "pp", "image": "photo.jpg"},
        {"_id": "pt", "image": "photo.jpg"},
        {"_id": "both", "text": "c", "image": "photo.jpg"},
        {"_id": "either", "text": "d"},
        {"_id": "unanswered", "text": "e"},
    ]
    qrels = "tt\ta.md\t1\ntp\ta.png\t1\npp\ta.png\t1\npt\tx.csv#1\t1\nboth\ta.md\t1\n"
    qrels += "either\ta.md\t1\neither\ta.png\t1\nunanswered\ta.md\t0\n"
    folder = dataset(tmp_path / "set", queries, qrels)
    directions = {q.id: q.direction for q in read_questions(folder, corpus=False)}
    assert directions == {
        "tt": "text→text",
        "tp": "text→picture",
        "pp": "picture→picture",
        "pt": "picture→text",
        "both": "mixed",
        "either": "mixed",
    }
    searcher = Fixed({})
    assert set(measure(searcher, read_questions(folder, corpus=False))) == set(directions.values())
    assert sorted(map(str, searcher.kinds)) == sorted(
        ["chunk", "picture", "picture", "chunk", "None", "None"]
    )


def test_intervals_hold_the_mean_and_shrink_with_the_questions():
    values = np.array([0.0, 1.0] * 50)
    few, many = estimate(values[:10]), estimate(values)
    assert few.low < many.low < 0.5 == many.value < many.high < few.high
    assert estimate(np.ones(7)) == estimate(np.ones(7))
    # The standard error of a hundred fair coins is 0.05.
    assert many.high - many.low == pytest.approx(4 * 0.05, rel=0.15)


def test_the_paired_test_tells_a_difference_from_none():
    random = np.random.default_rng(1)
    a = random.random(200)
    assert paired_test(a, a) == 1
    assert paired_test(a, a + 0.1 + 0.1 * random.normal(size=200)) < 0.001
    assert paired_test(a, a + 0.1 * random.normal(size=200)) > 0.05
    # All differences in one direction: 2 of the 2^4 sign patterns are as large.
    assert paired_test(np.zeros(4), np.ones(4)) == pytest.approx(2 / 16, abs=0.02)


def test_differences_are_second_against_first():
    a, b = (
        {"text→text": dict.fromkeys(("ndcg@10", "recall@5", "recall@10", "hit@1", "mrr@10"), v)}
        for v in (np.zeros(9), np.ones(9))
    )
    change = differences(a, b)["text→text"]["ndcg@10"]
    assert change["difference"] == 1 and change["interval"] == [1, 1] and change["p"] < 0.01


@pytest.mark.parametrize(
    ("queries", "qrels", "said"),
    [
        ([{"_id": "q"}], "q\ta\t1\n", "line 1"),
        ([{"text": "t"}], "q\ta\t1\n", "line 1"),
        ([{"_id": "q", "text": "t"}], "q a 1\n", "tabs"),
        ([{"_id": "q", "text": "t"}], "q\ta\thigh\n", "whole score"),
        ([{"_id": "q", "text": "t"}], "other\ta\t1\n", "score above 0"),
        ([{"_id": "q", "image": "gone.jpg"}], "q\ta\t1\n", "gone.jpg"),
    ],
)
def test_a_broken_dataset_says_where(tmp_path: Path, queries: list[dict], qrels: str, said: str):
    with pytest.raises(InputError, match=said):
        read_questions(dataset(tmp_path / "set", queries, qrels), corpus=True)


def test_a_missing_or_broken_file_says_which(tmp_path: Path):
    with pytest.raises(InputError, match=r"qrels\.tsv"):
        read_questions(tmp_path, corpus=True)
    folder = dataset(tmp_path / "set", [], "", [{"_id": "a", "text": "t", "title": "T"}])
    assert [(r.id, r.title, r.text) for r in read_corpus(folder)] == [("a", "T", "t")]
    (folder / "corpus.jsonl").write_text('{"_id": "a"}\n')
    with pytest.raises(InputError, match="line 1"):
        list(read_corpus(folder))
    (folder / "corpus.jsonl").write_text("nothing\n")
    with pytest.raises(InputError, match="not JSON"):
        list(read_corpus(folder))


def source(n: int, passage: str) -> Source:
    return Source(n, "guide.md", None, (0, len(passage)), passage, None, passage, "Guide")


class Scripted:
    """Gives written answers."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers

    def ask(self, text: str = "", image: Path | None = None) -> Answer:
        return self.answers[text]


WEIGHS = source(1, "The pack weighs 1.2 kg.")
RINSE = source(2, "Rinse the bottle with vinegar.")


def test_figures_of_answers_worked_out_by_hand():
    assistant = Scripted(
        right=Answer("The pack weighs 1.2 kg [1].", Status.ANSWERED, (WEIGHS,), 1.0),
        wrong=Answer(
            "The bottle holds two litres of water [2]. Rinse it with vinegar [2].",
            Status.ANSWERED,
            (WEIGHS, RINSE),
            3.0,
        ),
        silent=Answer("I don't know.", Status.ABSTAINED, (), 2.0),
        refused=Answer("I don't talk about that.", Status.REFUSED, (), 2.0),
        false=Answer("The pack weighs 1.2 kg [7].", Status.ANSWERED, (WEIGHS,), 5.0),
    )
    questions = [
        Asked("right", ("It weighs 1.2 kilograms.",)),
        Asked("wrong", ("Dry the bottle upside down.", "Leave it open.")),
        Asked("silent", ("Yes.",)),
        Asked("refused"),
        Asked("false"),
    ]
    figures = answer_figures(list(ask_all(assistant, questions)))
    assert (figures.answerable, figures.unanswerable) == (3, 2)
    assert figures.right == share(1, 3)
    assert figures.abstained == share(1, 3)
    assert figures.false_answers == share(1, 2)
    # Four citations: two hold, one sentence is not in its passage, and one names no source.
    assert figures.citation_precision == share(2, 4)
    assert figures.unsupported == share(2, 4)
    assert figures.seconds == 2.0


def test_the_interval_of_a_share():
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998: 81 of 263.
    found = share(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert share(0, 20).low == 0.0 < share(0, 20).high < 0.17
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)


@pytest.mark.parametrize("answers", ["yes", [1], {"a": "b"}])
def test_answers_are_a_list_of_texts(tmp_path: Path, answers: object):
    folder = dataset(tmp_path / "set", [{"_id": "q", "text": "a", "answers": answers}], "")
    with pytest.raises(InputError, match=r"query q: got answers .*, expected a list of texts"):
        read_asked(folder)


def test_queries_without_answers_are_not_asked(tmp_path: Path):
    queries = [
        {"_id": "1", "text": "방수가 되나요?", "answers": ["네.", " "]},
        {"_id": "2", "text": "b"},
        {"_id": "3", "text": "c", "answers": []},
    ]
    assert read_asked(dataset(tmp_path / "set", queries, "")) == [
        Asked("방수가 되나요?", ("네.",)),
        Asked("c"),
    ]
    with pytest.raises(InputError, match='no query has "answers"'):
        read_asked(dataset(tmp_path / "none", queries[1:2], ""))
