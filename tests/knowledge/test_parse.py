"""Files become pieces: by headings, with anchors, of a size that fits an answer."""

import contextlib
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from famulus.knowledge.blocks import Parsed, Piece, Slugs, Unparsable, slug
from famulus.knowledge.cut import LONGEST, OVERLAP, TARGET
from famulus.knowledge.files import Limits
from famulus.knowledge.parse import FORMATS, parse
from tests.knowledge.papers import pdf

LESSON = """---
title: "Told by the front matter"
---
# Topics

Intro to *topics*. See [the next page](02-next.md#x) and [the docs](https://docs.ros.org/).

## Quality of service

Text about `QoS`.

### Depth

| Name | Meaning |
|---|---|
| depth | how many |

## Code

```python
# not a heading
node = Node("a")
```

## Code

Again.
"""

SPHINX = """<!doctype html><html><head><title>pathlib — Paths — Docs</title><style>p{}</style></head><body>
<div class="related" role="navigation"><ul><li><a href="/">index</a></li></ul></div>
<div class="body" role="main"><section id="module-pathlib">
<h1><code>pathlib</code> — Paths<a class="headerlink" href="#module-pathlib" title="Link">¶</a></h1>
<p>Classes that stand for <em>paths</em> of a file system, and what you can do with them in a program.</p>
<section id="concrete"><h2>Concrete paths<a class="headerlink" href="#concrete">¶</a></h2>
<p>They touch the disk, which the pure ones do not, so that they may be slow, and may fail in ways of their own.</p>
<dl class="py method"><dt class="sig" id="pathlib.Path.glob"><span>Path.</span><span>glob</span>(<em>pattern</em>)\
<a class="headerlink" href="#pathlib.Path.glob">¶</a></dt>
<dd><p>Yield all files that match the pattern below this path, whatever their kind may be, in no certain order.</p>
<div class="highlight-python3 notranslate"><div class="highlight"><pre><span>for</span> p <span>in</span>\
 Path().glob("*"):
    print(p)
</pre></div></div><p>It does not follow links to folders unless it is told to, and then it does not look for loops.</p>
</dd></dl>
<ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul>
<table class="docutils"><tr><th>Flag</th><th>Use</th></tr><tr><td>a|b</td><td>both</td></tr></table>
</section></section></div>
<div class="sphinxsidebar"><p>sidebar words</p></div><script>var hidden = 1;</script><footer>foot words</footer>
</body></html>"""


def pieces(content: str | bytes, name: str = "a.md") -> list[Piece]:
    return parsed(content, name).pieces


def parsed(content: str | bytes, name: str = "a.md") -> Parsed:
    return parse(content.encode() if isinstance(content, str) else content, name)


def long(words: int, sentence: int = 12) -> str:
    """Prose of so many words."""
    return " ".join(f"word{n}" + ("." if n % sentence == sentence - 1 else "") for n in range(words))


# --- Markdown -------------------------------------------------------------------------------------


def test_markdown_by_headings() -> None:
    found = parsed(LESSON.replace("## Code", long(120) + "\n\n## Code"))

    assert found.title == "Told by the front matter"
    assert [(piece.heading_path, piece.anchor) for piece in found.pieces] == [
        (("Topics",), "topics"),
        (("Topics", "Quality of service", "Depth"), "depth"),
        (("Topics", "Code"), "code"),
    ]


def test_the_first_heading_is_the_title_and_no_part_of_the_path() -> None:
    found = parsed(f"# Topics\n\n{long(60)}\n\n## Depth\n\n{long(60)}")

    assert found.title == "Topics"
    assert [(piece.heading_path, piece.anchor) for piece in found.pieces] == [
        ((), "topics"),
        (("Depth",), "depth"),
    ]


def test_markdown_keeps_its_marks_but_no_links_that_lead_nowhere() -> None:
    text = pieces(LESSON)[0].text

    assert "See the next page and [the docs](https://docs.ros.org/)." in text
    assert "| depth | how many |" in text
    assert "`QoS`" in text


def test_code_is_no_heading_and_stays_whole() -> None:
    code = "\n".join(f"line_{n} = {n}  # a comment of some length" for n in range(40))
    (piece,) = [
        piece for piece in pieces(f"# A\n\nIntro.\n\n```python\n{code}\n```") if "line_0" in piece.text
    ]

    assert f"```python\n{code}\n```" in piece.text
    assert TARGET < len(piece.text) <= LONGEST + TARGET


def test_endless_code_is_cut_between_lines_and_fenced_again() -> None:
    code = "\n".join(f"line_{n:04} = {n}" for n in range(400))
    found = pieces(f"```c\n{code}\n```")

    assert len(found) > 4
    for piece in found:
        assert piece.text.startswith("```c\nline_")
        assert piece.text.endswith("\n```")
    assert "".join(piece.text.count("line_") * "x" for piece in found) == "x" * 400


def test_endless_prose_is_cut_between_sentences_and_overlaps() -> None:
    text = long(1_000)
    found = pieces(text, "a.txt")

    assert all(len(piece.text) <= TARGET for piece in found)
    assert all(piece.text.endswith(".") for piece in found[:-1])
    for before, after in pairwise(found):
        shared = max(n for n in range(OVERLAP + 1) if before.text.endswith(after.text[:n]))
        assert shared > 0
    assert all(f"word{n}" in " ".join(piece.text for piece in found) for n in range(1_000))


def test_a_word_without_end_is_cut_all_the_same() -> None:
    found = pieces("x" * 5_000, "a.txt")

    assert sum(len(piece.text) for piece in found) >= 5_000
    assert all(len(piece.text) <= TARGET for piece in found)


def test_tiny_sections_share_a_piece() -> None:
    found = pieces("# A\n\n" + "\n\n".join(f"## Part {n}\n\nShort {n}." for n in range(5)))

    assert len(found) == 1
    assert "**Part 3**\n\nShort 3." in found[0].text


def test_slugs_are_those_of_the_page() -> None:
    slugs = Slugs()

    assert slug("What's *new* in 2.0?") == "whats-new-in-20"
    assert [slugs.of("Setup"), slugs.of("Setup"), slugs.of("Café au lait")] == [
        "setup",
        "setup-1",
        "café-au-lait",
    ]


# --- HTML -----------------------------------------------------------------------------------------


def test_a_reference_page_keeps_headings_anchors_and_definitions() -> None:
    found = parsed(SPHINX, "pathlib.html")

    assert found.title == "pathlib — Paths"
    assert [(piece.heading_path, piece.anchor) for piece in found.pieces] == [
        ((), "module-pathlib"),
        (("Concrete paths", "Path.glob(pattern)"), "pathlib.Path.glob"),
        (("Concrete paths",), "concrete"),
    ]


def test_a_reference_page_keeps_code_lists_and_tables() -> None:
    text = "\n\n".join(piece.text for piece in pieces(SPHINX, "pathlib.html"))

    assert '```python3\nfor p in Path().glob("*"):\n    print(p)\n```' in text
    assert "- one\n- two\n  - inner" in text
    assert "| a\\|b | both |" in text
    for gone in ("sidebar words", "foot words", "hidden", "index", "¶", "p{}"):
        assert gone not in text


def test_several_signatures_share_a_description() -> None:
    page = """<main><h1>A</h1><dl><dt id="f">f()</dt><dt id="g">g()</dt><dd><p>Both do it.</p></dd></dl></main>"""

    (piece,) = pieces(page, "a.html")

    assert piece.text.splitlines()[-1] == "Both do it."
    assert "g()" in piece.text


def test_loose_text_and_broken_markup() -> None:
    page = "<div id=content>loose <b>bold</b> words<p>a paragraph<div>inner<br>line</div> tail</table></div>"

    (piece,) = pieces(page, "a.htm")

    assert piece.text == "loose bold words\n\na paragraph\n\ninner line\n\ntail"


def test_a_page_without_structure_is_read_as_an_article() -> None:
    paragraphs = "".join(f"<p>{long(40)}</p>" for _ in range(4))
    page = f"<html><body><div class='x'><div>Buy now!</div>{paragraphs}</div></body></html>"

    assert "word39" in pieces(page, "a.html")[0].text


def test_html_as_deep_as_the_sea() -> None:
    page = "<div>" * 1_500 + "deep words" + "</div>" * 1_500

    assert "deep words" in pieces(page, "a.html")[0].text


# --- PDF ------------------------------------------------------------------------------------------


def test_a_pdf_knows_its_pages() -> None:
    found = parsed(
        pdf([["The first page speaks of wheels."], [], ["The third speaks of axles."]], "Manual"), "a.pdf"
    )

    assert found.title == "Manual"
    assert [(piece.page, piece.anchor, piece.text) for piece in found.pieces] == [
        (1, "page=1", "The first page speaks of wheels."),
        (3, "page=3", "The third speaks of axles."),
    ]


def test_words_parted_at_the_end_of_a_line_are_joined() -> None:
    (piece,) = pieces(pdf([["The local-", "ization of a robot"]]), "a.pdf")

    assert piece.text == "The localization of a robot"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf([["secret"]], locked=True), "password"),
        (b"%PDF-1.4 and no more", "not a readable PDF"),
        (pdf([["cut"]])[:200], "not a readable PDF"),
        (pdf([[]]), "scan"),
    ],
)
def test_a_pdf_that_cannot_be_read(data: bytes, reason: str) -> None:
    with pytest.raises(Unparsable, match=reason):
        parse(data, "a.pdf")


# --- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text", "noted"),
    [
        ("größer".encode(), "größer", False),
        ("größer".encode("utf-8-sig"), "größer", False),
        ("größer".encode("utf-16"), "größer", False),
        ("größer".encode("latin-1"), "größer", True),
        (b"a \x81 b", "a \ufffd b", True),
        (b"a\x07b", "ab", False),
    ],
)
def test_encodings(data: bytes, text: str, noted: bool) -> None:
    found = parsed(data, "a.txt")

    assert found.pieces[0].text == text
    assert bool(found.notes) == noted


def test_a_page_says_its_own_encoding() -> None:
    page = '<meta charset="iso-8859-2"><main><h1>Łódź</h1><p>x</p></main>'.encode("iso-8859-2")

    assert parsed(page, "a.html").title == "Łódź"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing"),
        (b" \n\t ", "nothing"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "binary"),
        (bytes(range(1, 256)) * 9, "binary"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, reason: str) -> None:
    with pytest.raises(Unparsable, match=reason):
        parse(data, "a.md")


def test_other_kinds_are_not_read() -> None:
    with pytest.raises(Unparsable, match="kind"):
        parse(b"x", "a.exe")


@settings(deadline=None)  # the first of a kind loads its parser
@given(st.binary(max_size=400), st.sampled_from([ending for ending in FORMATS if ending != ".pdf"]))
def test_any_bytes_are_read_or_refused(data: bytes, ending: str) -> None:
    try:
        found = parse(data, f"a{ending}").pieces
    except Unparsable:
        return
    assert found
    for piece in found:
        assert piece.text.strip()
        assert "\0" not in piece.text
        assert piece.text.encode()


def test_the_limits_are_written_in_one_place() -> None:
    assert Limits().file_bytes < Limits().total_bytes


@pytest.mark.slow
@pytest.mark.parametrize(
    "sign", ["[", "![", "[x](", "<!--", "`", "*", "> ", "- ", "| a ", "\n\n", "<div>", "&", "#"]
)
def test_no_sign_takes_an_hour(sign: str) -> None:
    started = time.thread_time()
    for ending in (".md", ".html"):
        with contextlib.suppress(Unparsable):
            parse((sign * 20_000).encode(), f"a{ending}")

    assert time.thread_time() - started < 60
