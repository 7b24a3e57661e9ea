from mmchat.ingest.linking import link_pictures
from mmchat.stores.base import ChunkPlace, PicturePlace, Reference


def chunk(name: str, document: str, start: int = 0, page: int | None = None) -> ChunkPlace:
    return ChunkPlace(name, document, start, start + 10, page)


def picture(name: str) -> PicturePlace:
    return PicturePlace(f"p:{name}", name, name, None)


def linked(chunks, pictures, references=()):
    links, captions = link_pictures(chunks, pictures, references)
    found: dict[str, list[str]] = {}
    for link in links:
        assert link.position == len(found.setdefault(link.picture, []))
        found[link.picture].append(link.chunk)
    return found, captions


def test_the_same_stem_in_the_same_folder():
    chunks = [
        chunk("d", "Fruit/Apple_Description.txt"),
        chunk("i", "Fruit/Apple_Information.txt"),
        chunk("other", "Fruit/Pear_Description.txt"),
        chunk("elsewhere", "Veg/Apple_Description.txt"),
    ]
    found, _ = linked(chunks, [picture("Fruit/Apple_Iconic.jpg")])
    assert found == {"p:Fruit/Apple_Iconic.jpg": ["d", "i"]}


def test_words_that_only_begin_alike_are_not_the_same_thing():
    chunks = [chunk("t", "red-toaster.md"), chunk("k", "red-kettle.md")]
    found, _ = linked(chunks, [picture("red-kettle-2.jpg"), picture("red-fan.jpg")])
    assert found == {"p:red-kettle-2.jpg": ["k"]}


def test_a_reference_leads_first_to_the_chunk_that_holds_it():
    chunks = [chunk("a", "kettle.md", 0), chunk("b", "kettle.md", 10), chunk("c", "kettle.md", 20)]
    references = [
        Reference("kettle.md", "pictures/k.webp", 12, "A red kettle"),
        Reference("prices.csv#1", "pictures/k.webp", 0, "Kettle"),
    ]
    chunks.append(chunk("row", "prices.csv#1"))
    found, captions = linked(chunks, [picture("pictures/k.webp")], references)
    assert found == {"p:pictures/k.webp": ["b", "row", "a", "c"]}
    assert captions == {"p:pictures/k.webp": "A red kettle"}


def test_the_only_document_of_a_folder():
    chunks = [chunk("m", "Tent/manual.md"), chunk("x", "Mixed/a.md"), chunk("y", "Mixed/b.md")]
    found, _ = linked(chunks, [picture("Tent/0.jpg"), picture("Mixed/0.jpg")])
    assert found == {"p:Tent/0.jpg": ["m"]}


def test_a_figure_belongs_to_its_page():
    chunks = [chunk("1", "m.pdf", 0, page=1), chunk("2", "m.pdf", 10, page=2)]
    figure = PicturePlace("p:f", "m.pdf", "m.pdf#p2-1", 2)
    found, _ = linked(chunks, [figure])
    assert found == {"p:f": ["2"]}


def test_rows_of_a_catalogue_do_not_claim_pictures_by_name():
    found, _ = linked([chunk("r", "prices.csv#1")], [picture("prices.jpg")])
    assert found == {}
