"""Questions and passages to tune with: how they are read, put together and held out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import SmallIndex, WordsEncoder

from mmchat.app.pairs import pairs_of
from mmchat.config import ColumnsConfig, Config
from mmchat.errors import InputError
from mmchat.ingest.examples import read_pairs
from mmchat.tuning.pairs import Asked, Pairs, Passage, gather, split


class Encoders:
    """What is asked of the encoders before anything is trained: the tokens of a text."""

    text = WordsEncoder()


def gathered(source: Path, index: SmallIndex | None = None) -> Pairs:
    return pairs_of(source, Encoders(), Config(), index.reader() if index else None)


def table(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def relevant(pairs: Pairs) -> dict[str, set[str]]:
    """Return question to the first passages of what answers it."""
    texts = {passage.unit: passage.text for passage in reversed(pairs.passages)}
    return {one.text: {texts[unit] for unit in one.relevant} for one in pairs.questions}


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("a.csv", "question,answer\nHow long?,Two days.\n배송은?,이틀입니다.\n", "utf-8"),
        ("a.csv", "질문;답변\nHow long?;Two days.\n배송은?;이틀입니다.\n", "cp949"),
        ("a.tsv", "Passage\tQuery\nTwo days.\tHow long?\n이틀입니다.\t배송은?\n", "utf-8-sig"),
        (
            "a.jsonl",
            '{"question": "How long?", "passage": "Two days."}\n'
            '{"question": "배송은?", "passage": "이틀입니다.", "thumb": 1}\n',
            "utf-8",
        ),
    ],
)
def test_tables_of_pairs(tmp_path: Path, name: str, content: str, encoding: str):
    pairs = gathered(table(tmp_path / name, content, encoding))
    assert relevant(pairs) == {"How long?": {"Two days."}, "배송은?": {"이틀입니다."}}
    assert not pairs.left_out


def test_the_columns_can_be_named(tmp_path: Path):
    path = table(tmp_path / "a.csv", "ask,reply text\nHow long?,Two days.\n")
    with pytest.raises(InputError, match=r"columns ask, reply text; expected one of questions"):
        list(read_pairs(path, ColumnsConfig()))
    (pair,) = read_pairs(path, ColumnsConfig(question="ask", answer="reply text"))
    assert (pair.given, pair.wanted) == ("How long?", "Two days.")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.csv", None, "is not there"),
        ("a.docx", "x", r"is no \.csv"),
        ("a.jsonl", '{"question": "x"', "line 1: it is not valid JSON"),
        ("a.csv", 'question,answer\n"How,x\n', "a quote is not closed"),
        ("a.csv", "\n", "is empty|has the columns"),
    ],
)
def test_files_that_hold_no_pairs_are_refused(
    tmp_path: Path, name: str, content: str | None, said: str
):
    path = tmp_path / name
    if content is not None:
        table(path, content)
    with pytest.raises(InputError, match=said):
        gathered(path)


def test_what_is_empty_or_double_is_left_out_and_counted(tmp_path: Path):
    rows = "question,answer\nHow long?,Two days.\n how  LONG?,Two  days.\n,Two days.\nWhy?,\nWhy?\n"
    pairs = gathered(table(tmp_path / "a.csv", rows))
    assert [(one.text, len(one.relevant)) for one in pairs.questions] == [("How long?", 1)]
    assert pairs.left_out == {
        "that were there already": 1,
        "without a question": 1,
        "without a passage": 2,
    }


def test_a_dataset_brings_its_passages(tmp_path: Path):
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "How long?"}\n')
    (tmp_path / "qrels.tsv").write_text("q\td1\t2\nq\tgone\t1\n")
    with pytest.raises(InputError, match=r"has no corpus\.jsonl"):
        gathered(tmp_path)
    rows = [
        {"_id": "d1", "title": "Delivery", "text": "Two days."},
        {"_id": "d2", "text": "Nine euros."},
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pairs = gathered(tmp_path)
    assert relevant(pairs) == {"How long?": {"Delivery\nTwo days."}}
    assert [passage.unit for passage in pairs.passages] == ["d1", "d2"]
    assert pairs.left_out == {"without a passage": 1}


def test_an_index_gives_the_passages_by_path_id_and_text(shop: SmallIndex, tmp_path: Path):
    chunks = {
        chunk.document: chunk
        for chunk in shop.reader().chunks(shop.reader().item_ids("chunks")).values()
    }
    rows = [
        {"question": "How much does it weigh?", "passage": "kettle.md"},
        {"question": "What does delivery cost?", "passage": chunks["delivery.md"].text},
        {"question": "How do I clean it?", "passage": chunks["toaster.md"].id},
        {"question": "Who are you?", "passage": "A shop in Busan."},
    ]
    path = table(tmp_path / "clicks.jsonl", "\n".join(map(json.dumps, rows)))
    units = {one.text: set(one.relevant) for one in gathered(path, shop).questions}
    assert units == {
        "How much does it weigh?": {"kettle.md"},
        "What does delivery cost?": {chunks["delivery.md"].id},
        "How do I clean it?": {chunks["toaster.md"].id},
        "Who are you?": {"line 4"},
    }
    # Of a document of which one passage is named, the others are units as well.
    toaster = {p.unit for p in gathered(path, shop).passages if "toaster" in p.text}
    assert chunks["toaster.md"].id in toaster
    assert "toaster.md" not in toaster


def many(count: int, per_passage: int = 1) -> Pairs:
    asked = [Asked(f"question {n}?", {f"p{n // per_passage}": 1}) for n in range(count)]
    passages = [Passage(f"p{n}", f"passage {n}") for n in range(count // per_passage + 5)]
    return gather(asked, passages)


def test_what_is_held_out_is_never_trained_on():
    parts = split(many(200, per_passage=4), seed=0)
    trained = {unit for one in parts.train for unit in one.relevant}
    held_out = {unit for one in parts.held_out for unit in one.relevant}
    assert not trained & held_out
    assert len(parts.train) + len(parts.held_out) == 200
    assert 45 <= len(parts.held_out) <= 62
    assert len(parts.pool) == 55, "a small collection is searched whole"


def test_questions_that_share_a_passage_stay_together():
    asked = [Asked(f"q{n}", {f"own {n}": 1, f"shared {n // 10}": 1}) for n in range(100)]
    units = sorted({unit for one in asked for unit in one.relevant})
    parts = split(gather(asked, [Passage(unit, unit) for unit in units]), seed=3)
    assert len(parts.held_out) % 10 == 0
    trained = {unit for one in parts.train for unit in one.relevant}
    assert not any(unit in trained for one in parts.held_out for unit in one.relevant)


def test_the_same_passage_under_two_names_is_one():
    pairs = gather(
        [Asked("a?", {"one": 1}), Asked("b?", {"two": 1})],
        [Passage("one", "The same text."), Passage("two", "the  same text.")],
    )
    assert [set(one.relevant) for one in pairs.questions] == [{"one"}, {"one"}]
    assert [passage.unit for passage in pairs.passages] == ["one"]


def test_the_seed_decides_what_is_held_out():
    first, again, other = (split(many(100), seed=seed).held_out for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_large_collection_is_sampled():
    asked = [Asked(f"q{n}", {f"p{n}": 1}) for n in range(40)]
    pairs = gather(asked, [Passage(f"p{n}", f"text {n}") for n in range(5000)])
    parts = split(pairs, seed=0)
    assert len(parts.pool) == 2000
    pool = {passage.unit for passage in parts.pool}
    assert all(unit in pool for one in parts.held_out for unit in one.relevant)


def test_too_few_pairs_are_refused():
    with pytest.raises(InputError, match=r"There are 31 usable pairs .* 32 or more"):
        split(many(31), seed=0)


def test_pairs_that_all_lead_to_one_passage_are_refused():
    with pytest.raises(InputError, match="lead to 1 groups of passages"):
        split(many(100, per_passage=100), seed=0)
