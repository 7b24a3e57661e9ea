from mmchat.ingest.linking import link_pictures
from mmchat.stores.base import ChunkPlace, PicturePlace, Reference


def chunk(
    name: str, document: str, start: int = 0, page: int | None = None, file: str = ""
) -> ChunkPlace:
    return ChunkPlace(name, document, start, start + 10, page, file or document)


def row(name: str, document: str) -> ChunkPlace:
    return chunk(name, document, file=document.split("#", maxsplit=1)[0])


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
    chunks.append(row("row", "prices.csv#1"))
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


def test_the_nearest_of_a_page_come_first():
    chunks = [chunk(str(n), "m.pdf", n * 10, page=1 + n // 5) for n in range(10)]
    figure = PicturePlace("p:f", "m.pdf", "m.pdf#p2-1", 2, offset=77)
    found, _ = linked(chunks, [figure])
    assert found == {"p:f": ["7", "8", "6", "9", "5"]}


def test_without_pages_a_figure_belongs_to_what_is_around_it():
    chunks = [chunk(str(n), "m.docx", n * 10) for n in range(30)]
    found, _ = linked(chunks, [PicturePlace("p:f", "m.docx", "m.docx#1", None, offset=155)])
    assert found == {"p:f": ["15", "16", "14", "17"]}


def test_text_in_a_picture_belongs_to_it_beside_what_it_belongs_to_already():
    chunks = [chunk("k", "kettle.md"), chunk("label", "kettle.jpg"), chunk("in", "m.pdf#p1-1")]
    chunks.append(chunk("page", "m.pdf", page=1))
    figure = PicturePlace("p:f", "m.pdf", "m.pdf#p1-1", 1)
    found, _ = linked(chunks, [picture("kettle.jpg"), figure])
    assert found == {"p:kettle.jpg": ["k", "label"], "p:f": ["page", "in"]}


def test_text_in_a_picture_claims_no_other_pictures():
    chunks = [chunk("label", "Tent/1.jpg"), chunk("m", "Tent/manual.md")]
    found, _ = linked(chunks, [picture("Tent/1.jpg"), picture("Tent/2.jpg")])
    assert found == {"p:Tent/1.jpg": ["m", "label"], "p:Tent/2.jpg": ["m"]}


def test_one_picture_stands_for_others_of_other_documents():
    chunks = [chunk("a", "a.md"), chunk("b", "b.md")]
    links, _ = link_pictures(
        chunks, [picture("a.jpg"), picture("b.jpg")], [], {"p:b.jpg": "p:a.jpg"}
    )
    assert [(link.picture, link.chunk) for link in links] == [("p:a.jpg", "a"), ("p:a.jpg", "b")]


def test_a_picture_of_every_page_belongs_to_its_own_alone():
    chunks = [chunk(str(n), "m.pdf", n * 10, page=n) for n in range(1, 6)]
    logos = [PicturePlace(f"p{n}", "m.pdf", f"m.pdf#p{n}-1", n) for n in range(1, 6)]
    for shown, expected in ((5, ["1"]), (3, ["1", "2", "3"])):
        duplicates = {f"p{n}": "p1" for n in range(2, shown + 1)}
        links, _ = link_pictures(chunks, logos[:shown], [], duplicates)
        assert [link.chunk for link in links] == expected


def test_rows_of_a_catalogue_do_not_claim_pictures_by_name():
    found, _ = linked([row("r", "prices.csv#1")], [picture("prices.jpg")])
    assert found == {}


def test_a_number_sign_in_a_file_name_makes_no_row_of_it():
    chunks = [chunk("m", "C# Corner/guide #2.md"), row("r", "C# Corner/list.csv#1")]
    found, _ = linked(chunks, [picture("C# Corner/guide #2.jpg"), picture("C# Corner/0.png")])
    assert found == {"p:C# Corner/guide #2.jpg": ["m"], "p:C# Corner/0.png": ["m"]}


def test_a_later_part_of_a_long_text_claims_no_picture():
    chunks = [chunk("1", "guide.txt"), chunk("2", "guide.txt#part-2", file="guide.txt")]
    found, _ = linked(chunks, [picture("guide.jpg")])
    assert found == {"p:guide.jpg": ["1"]}


def test_a_row_may_name_the_file_alone_and_in_other_capitals():
    chunks = [row("k", "tables/shop.csv#K"), row("t", "tables/shop.csv#T"), chunk("m", "a.md")]
    references = [
        Reference("tables/shop.csv#K", "tables/Kettle.JPG", 0, "Kettle"),
        Reference("tables/shop.csv#T", "tables/twin.jpg", 0, "Toaster"),
        Reference("a.md", "gone/kettle.jpg", 0, "Another kettle"),
    ]
    names = ["media/red/kettle.jpg", "a/twin.jpg", "b/twin.jpg"]
    found, captions = linked(chunks, [picture(name) for name in names], references)
    assert found == {"p:media/red/kettle.jpg": ["k"]}, "two of a name are told apart by nobody"
    assert captions == {"p:media/red/kettle.jpg": "Kettle"}


def test_of_two_files_of_a_name_the_nearer_one_is_meant():
    references = [Reference("spring/shop.csv#1", "spring/0.jpg", 0, "Tent")]
    pictures = [picture("spring/pictures/0.jpg"), picture("autumn/pictures/0.jpg")]
    found, _ = linked([row("r", "spring/shop.csv#1")], pictures, references)
    assert found == {"p:spring/pictures/0.jpg": ["r"]}
