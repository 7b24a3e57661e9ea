import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmchat.config import IngestConfig
from mmchat.ingest.base import LoadedDocument, Section
from mmchat.ingest.chunking import chunk_document, pack
from mmchat.sentences import sentence_spans
from mmchat.types import Document


def spans_of(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+", text)]


def packed(text: str, size: int, overlap: int = 0) -> list[str]:
    return [text[start:end] for start, end in pack(text, spans_of(text), size, overlap)]


def test_sentences_are_packed_whole():
    assert packed("One two three. Four five six. Seven eight.", size=6) == [
        "One two three. Four five six.",
        "Seven eight.",
    ]


def test_overlap_repeats_whole_sentences_that_fit():
    assert packed("One two. Three four. Five six. Seven eight.", size=4, overlap=2) == [
        "One two. Three four.",
        "Three four. Five six.",
        "Five six. Seven eight.",
    ]


def test_a_sentence_longer_than_a_chunk_is_cut_between_tokens():
    text = " ".join(f"word{i}" for i in range(10)) + "."
    pieces = packed(text, size=4)
    assert all(len(piece.split()) <= 4 for piece in pieces)
    assert " ".join(piece.strip() for piece in pieces) == text


def test_korean_sentences_end_where_they_end():
    text = "배송은 2~3일 걸립니다. 가격은 3.5만원이에요! 반품되나요?"
    assert packed(text, size=2, overlap=0)[-2:] == ["가격은 3.5만원이에요!", "반품되나요?"]
    assert [text[slice(*span)] for span in sentence_spans(text)] == [
        "배송은 2~3일 걸립니다.",
        "가격은 3.5만원이에요!",
        "반품되나요?",
    ]


@given(
    st.text(alphabet=st.sampled_from("ab .!?\n가나다"), max_size=300),
    st.integers(1, 12),
    st.integers(0, 6),
)
def test_nothing_is_lost_and_no_span_is_too_long(text: str, size: int, overlap: int):
    overlap = min(overlap, size // 2)
    spans = pack(text, spans_of(text), size, overlap)
    covered = {position for start, end in spans for position in range(start, end)}
    assert all(text[p].isspace() for p in range(len(text)) if p not in covered)
    assert all(len(spans_of(text[start:end])) <= size for start, end in spans)
    assert spans == sorted(spans)


def test_a_chunk_never_crosses_a_heading_and_knows_where_it_stands():
    text = "First part.\nSecond part.\n"
    sections = (Section(0, 12, ("Page", "A")), Section(12, 25, ("Page", "B"), page=2))
    loaded = LoadedDocument(Document("page.md", "Page", text), sections)
    chunks = chunk_document(loaded, spans_of, IngestConfig())
    assert [(c.text, c.breadcrumb, c.page) for c in chunks] == [
        ("First part.", ("Page", "A"), None),
        ("Second part.", ("Page", "B"), 2),
    ]
    assert all(text[c.start : c.end] == c.text for c in chunks)
    assert chunks[0].context_text == "Page > A\nFirst part."


def test_ids_follow_the_content():
    def ids(text: str) -> list[str]:
        loaded = LoadedDocument(Document("a.txt", "A", text), (Section(0, len(text)),))
        return [chunk.id for chunk in chunk_document(loaded, spans_of, IngestConfig())]

    assert ids("Some text.") == ids("Some text.")
    assert ids("Some text.") != ids("Other text.")


@pytest.mark.parametrize("text", ["", "   \n\n  "])
def test_nothing_to_pack(text: str):
    assert pack(text, spans_of(text), 10, 2) == []
