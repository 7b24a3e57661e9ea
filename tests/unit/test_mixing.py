from mmchat.retrieval.fusion import Fused
from mmchat.retrieval.mixing import choose
from mmchat.types import Chunk


def chunk(item: str, document: str, text: str = "", title: str = "") -> Chunk:
    return Chunk(item, document, 0, text or f"text of {item}", 0, 9, (title,) if title else ())


def page(chunks: list[Chunk], scores: list[float], k: int, **options: float) -> list[str]:
    ranking = [Fused(c.id, s, {}) for c, s in zip(chunks, scores, strict=True)]
    limits = {"share": 0.6, "enough": 0.5, **options}
    return [c.fused.item for c in choose(ranking, {c.id: c for c in chunks}, {}, k, **limits)]


def test_one_document_does_not_fill_the_page():
    chunks = [chunk(f"a{i}", "a") for i in range(6)] + [chunk("b", "b"), chunk("c", "c")]
    scores = [0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.8, 0.7]
    assert page(chunks, scores, 5) == ["a0", "a1", "a2", "b", "c"]


def test_it_does_where_the_others_have_nothing_to_say():
    chunks = [chunk(f"a{i}", "a") for i in range(6)] + [chunk("b", "b"), chunk("c", "c")]
    scores = [0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.8, 0.2]
    assert page(chunks, scores, 5) == ["a0", "a1", "a2", "a3", "b"]
    assert page(chunks[:6], scores[:6], 5) == ["a0", "a1", "a2", "a3", "a4"]


def test_what_says_the_same_is_shown_once_and_named():
    text = "The kettle is made of steel and holds one litre and a half of water"
    chunks = [
        chunk("one", "a.md", text),
        chunk("two", "b.md", f"{text}."),
        chunk("three", "c.md", f"{text} now"),
        chunk("other", "d.md", text.replace("kettle is made of steel", "jug was blown from glass")),
    ]
    ranking = [Fused(c.id, 0.9 - i / 10, {}) for i, c in enumerate(chunks)]
    chosen = choose(ranking, {c.id: c for c in chunks}, {}, 5, share=1.0, enough=0.5)
    assert [(c.fused.item, c.duplicates) for c in chosen] == [
        ("one", ["two", "three"]),
        ("other", []),
    ]


def test_the_same_words_about_another_thing_are_not_the_same():
    chunks = [
        chunk("red", "a.md", "It weighs 2 kg.", "The red kettle"),
        chunk("blue", "b.md", "It weighs 2 kg.", "The blue toaster"),
    ]
    assert page(chunks, [0.9, 0.8], 5) == ["red", "blue"]
