import base64

import pytest
from support import drawing, sections

from mmchat.errors import FileRejected

PAGE = """<!doctype html>
<html lang="ko"><head><title>주전자 안내</title><meta name="description" content="물을 끓이는 법">
<style>p { color: red }</style></head><body>
<header><h1>Our shop</h1></header><nav><a href="/">Home</a></nav>
<div id="Cookie-Banner">We use cookies</div>
<main><header><h1>주전자</h1></header>
<p>It boils <b>fast</b>.<br>Really<script>steal()</script>!</p><!-- a comment -->
<h2>Specifications</h2>
<table><thead><tr><th rowspan=2>Part</th><th colspan=2>Delivery</th></tr><tr><th>Days</th><th>Price</th>
</tr></thead><tbody><tr><td rowspan=2>Lid</td><td>2</td><td>₩3,000</td></tr><tr><td>5</td><td>₩0</td></tr>
</tbody></table>
<table><tr><td>Capacity</td><td>1.7 l</td></tr></table>
<h2>Questions</h2>
<dl><dt>Delivery</dt><dd>Two days</dd><dt>Can I return it?</dt><dd>Within 30 days</dd>
<dt>Parts</dt><dd><ul><li>Lid<li>Filter<ol start=3><li>fine<li>coarse</ol></ul></dd></dl>
<h3><button>Can I pay by card?</button></h3><div>Yes.</div>
<details><summary>How long is the warranty?</summary><p>Two years.</p></details>
<h2>Code</h2><pre>if hot:
    stop()</pre><p>Wasch&shy;maschine</p>
</main><footer>Imprint</footer></body></html>"""


def test_a_page_becomes_what_its_reader_sees(load):
    loaded = load("docs/kettle.html", PAGE)
    document = loaded.documents[0].document
    assert (document.title, document.metadata["lang"]) == ("주전자 안내", "ko")
    assert sections(loaded) == {
        "주전자 안내": "물을 끓이는 법",
        "주전자": "It boils fast.\nReally!",
        "Specifications": "Part: Lid; Delivery Days: 2; Delivery Price: ₩3,000\n"
        "Part: Lid; Delivery Days: 5; Delivery Price: ₩0\n\nCapacity: 1.7 l",
        "Questions": "Delivery: Two days\nCan I return it? Within 30 days\n"
        "Parts\n- Lid\n- Filter\n  3. fine\n  4. coarse",
        "Can I pay by card?": "Yes.",
        "How long is the warranty?": "Two years.",
        "Code": "if hot:\n    stop()\n\nWaschmaschine",
    }


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display: none">secret</p>',
        '<p style="VISIBILITY:hidden !important">secret</p>',
        '<p style="font-size:0">secret</p>',
        '<p style="color:#FFF">secret</p>',
        '<p style="color: white; background: #ffffff">secret</p>',
        '<p style="color: rgba(0, 0, 0, 0)">secret</p>',
        '<p style="color:/* */white">secret</p>',
        '<p style="position:absolute; left:-9999px">secret</p>',
        "<div hidden><div><p>secret</p></div></div>",
        '<font color="#ffffff">secret</font>',
        "<template>secret</template><noscript>secret</noscript>",
        "<textarea>secret</textarea><dialog>secret</dialog>",
        "<table><tr><td>a</td><td style='display:none'>secret</td></tr></table>",
        "<h2 hidden>secret</h2>",
    ],
)
@pytest.mark.parametrize("name", ["page.html", "page.md"])
def test_what_is_hidden_is_left_out(load, name: str, hidden: str):
    loaded = load(name, f"<p>Shown.</p>\n\n{hidden}\n\n<p>Also shown.</p>\n")
    texts = [document.document.text for document in loaded.documents]
    crumbs = [s.breadcrumb for document in loaded.documents for s in document.sections]
    assert "secret" not in f"{texts}{crumbs}"
    assert "Shown." in texts[0] and "Also shown." in texts[0]


@pytest.mark.parametrize(
    "shown",
    [
        '<div style="background:#000"><p style="color:white">words</p></div>',
        '<table bgcolor="#333333"><tr><td><font color="white">words</font></table>',
        '<div hidden="until-found">words</div>',
        '<div aria-hidden="true" class="panel collapse">words</div>',
        '<p style="color:#fff8dc">words</p>',
        "<article><header>words</header></article>",
    ],
)
def test_what_only_looks_hidden_is_kept(load, shown: str):
    assert "words" in load("page.html", f"<p>Text.</p>{shown}").documents[0].document.text


def test_pictures_know_their_caption_and_their_place(load):
    page = """<h2>Front</h2><p>Seen from the front.</p><img src="../p/front%20side.webp?v=2" alt="Front">
    <h2>Back</h2><figure><img data-src="back.jpg" src="data:image/gif;base64,R0lGODlh" alt="x">
    <figcaption>The back</figcaption></figure><img src="https://example.com/a.png">
    <img src="../../../etc/a.png"><img src="cid:1">"""
    (loaded,) = load("docs/page.html", page).documents
    told = [(r.target, r.alt) for r in loaded.references]
    assert told == [("p/front side.webp", "Front"), ("docs/back.jpg", "The back")]
    front, back = loaded.references
    # A picture that closes a section belongs to it, not to the one that begins there.
    assert front.offset < loaded.sections[0].end <= back.offset < loaded.sections[1].end


def test_a_picture_inside_of_the_page_becomes_a_figure(load):
    address = "data:image/png;base64," + base64.b64encode(drawing("red").getvalue()).decode()
    for name, text in (
        (
            "a.html",
            f'<p>See:</p><img src="{address}" alt="A kettle"><img src="{address}" alt="Again">',
        ),
        ("a.md", f"See:\n\n![A kettle]({address})\n"),
    ):
        loaded = load(name, text)
        (picture,) = loaded.pictures
        assert (picture.name, picture.document) == (f"{name}#figure-1", name)
        assert (picture.size, picture.caption) == ((200, 120), "A kettle")
        assert picture.offset == loaded.documents[0].document.text.index("See") + 3
        assert address[:40] not in loaded.documents[0].document.text


def test_a_broken_picture_inside_of_the_page_costs_nothing_else(load):
    page = '<p>Text.</p><img src="data:image/png;base64,AAAA"><img src="data:image/png;base64,%%%">'
    loaded = load("a.html", page)
    assert loaded.documents[0].document.text.strip() == "Text."
    assert not loaded.pictures
    assert any("1 of the pictures" in note for note in loaded.notes)


def test_the_encoding_that_a_page_declares(load):
    page = '<meta charset="euc-kr"><title>짧다</title><p>반품</p>'.encode("cp949")
    assert load("a.html", page).documents[0].document.title == "짧다"
    page = '<meta http-equiv=x content="text/html; charset=shift_jis"><p>返品は三十日</p>'
    text = load("b.html", page.encode("shift_jis")).documents[0].document.text
    assert text.strip() == "返品は三十日"


def test_a_page_without_content_and_one_without_end(load):
    with pytest.raises(FileRejected, match="loaded by a script"):
        load("app.html", "<div id=root></div><script>render()</script>")
    with pytest.raises(FileRejected, match="nests more than"):
        load("deep.html", "<div>" * 200_000)
    assert load("flat.html", "<p>word<br>" * 20_000).documents


def test_a_layout_table_is_read_as_paragraphs(load):
    page = "<table><tr><td><h2>Left</h2><p>One.</p></td><td><h2>Right</h2>Two.</td></tr></table>"
    assert sections(load("a.html", page)) == {"Left": "One.", "Right": "Two."}


def test_html_inside_of_markdown_is_text(load):
    text = """# Guide

<p align="center">Centred <b>words</b></p>

<details><summary>Is it safe?</summary>

It is *safe*.

</details>

<table><tr><th>Size</th><th>Price</th><th>Days</th></tr><tr><td>L</td><td>4</td><td>2</td></tr></table>

<div style="display:none">

Hidden *words*.

</div>

<img src="a.png" alt="From above" width="40">

The end.
"""
    loaded = load("guide.md", text)
    assert sections(loaded) == {
        "Guide": "Centred words\nSize: L; Price: 4; Days: 2\n\nThe end.",
        "Is it safe?": "It is safe.",
    }
    assert [(r.target, r.alt) for r in loaded.documents[0].references] == [("a.png", "From above")]


def test_what_only_looks_like_an_element_is_text(load):
    text = "Write <your name> & press <kbd>Enter</kbd>.\n\n<Model number>\n\nDone<br>so.\n"
    told = load("a.md", text).documents[0].document.text
    assert told == "Write <your name> & press Enter.\n\n<Model number>\nDone\nso.\n\n"


def test_a_spreading_cell_cannot_fill_the_memory(load):
    row = "<tr>" + "<td colspan=999999 rowspan=999999>x</td>" * 50 + "</tr>"
    text = load("a.html", f"<p>Text.</p><table>{row * 20}</table>").documents[0].document.text
    assert len(text) < 200_000


def test_alternative_text_is_read_once(load):
    figure = (
        '<figure><img src="a.png" alt="A b c d e"><figcaption>A b c d e f</figcaption></figure>'
    )
    text = load("a.html", f"{figure}<p>Text.</p>").documents[0].document.text
    assert text.split() == ["A", "b", "c", "d", "e", "f", "Text."]
    picture = '<p>Text.</p><img src="a.png" alt="A kettle  on a\nstove"><p>More.</p>'
    assert "\nA kettle on a stove\n" in load("a.html", picture).documents[0].document.text
