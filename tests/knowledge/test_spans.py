"""Where passages stand in their document: each is one stretch of it, none of it is lost, and answers stay whole.

Texts are compared letter by letter without what is only form: blanks, fences of code, marks of headings and of weight.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from famulus.knowledge.blocks import Piece
from famulus.knowledge.cut import LONGEST, OVERLAP
from famulus.knowledge.parse import parse

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "examples" / "robotics-course"
ANSWERS = Path(__file__).with_name("answers.jsonl")
"""Questions on the demo course, with the stretch of a lesson that answers each."""
WHOLE = 1.0
"""The least share of those answers that stand in one passage. Measured: 43 of 43."""
_FORM = re.compile(r"^\s*(?:```.*|#{1,6} )|\*\*|\s+", re.MULTILINE)
Span = tuple[int, int]


def bare(text: str) -> str:
    """A text without what is only form."""
    return _FORM.sub("", text)


def spans_of(document: str, pieces: Sequence[Piece]) -> list[Span]:
    """Where each piece stands in the bare document: one behind the other, but for where neighbours overlap."""
    found: list[Span] = []
    whole, floor = bare(document), 0
    for piece in pieces:
        said = bare(piece.text)
        first = whole.find(said, floor)
        assert first >= 0, f"no stretch of the document: {piece.text[:80]!r}"
        found.append((first, first + len(said)))
        floor = max(first + 1, first + len(said) - OVERLAP)
    return found


def within_one(document: str, spans: Sequence[Span], answer: str) -> bool:
    """Whether an answer, which stands in the document once, stands in one of the spans."""
    whole, said = bare(document), bare(answer)
    assert whole.count(said) == 1, f"not once in its document: {answer!r}"
    first = whole.index(said)
    return any(start <= first and first + len(said) <= end for start, end in spans)


def lost(document: str, spans: Sequence[Span]) -> list[str]:
    """What of the bare document is in no span, but for its headings, which passages have apart."""
    headings = {bare(line) for line in document.split("\n") if line.startswith("#")}
    whole = bare(document)
    edges = [(0, 0), *spans, (len(whole), len(whole))]
    gaps = [whole[before[1] : after[0]] for before, after in pairwise(edges)]
    for name in sorted(headings, key=len, reverse=True):
        gaps = [gap.replace(name, "") for gap in gaps]
    return [gap for gap in gaps if gap]


@cache
def lesson(name: str) -> tuple[str, list[Piece]]:
    """A lesson of the demo without its title, and its pieces."""
    data = (LESSONS / name).read_bytes()
    return data.decode().split("\n", 1)[1], parse(data, name).pieces


def test_passages_of_the_demo_course_are_stretches_of_its_lessons() -> None:
    for path in sorted(LESSONS.glob("[01]*.md")):
        document, pieces = lesson(path.name)
        assert lost(document, spans_of(document, pieces)) == [], path.name


def test_answers_in_the_demo_course_stand_in_one_passage_each() -> None:
    rows = [json.loads(line) for line in ANSWERS.read_text("utf-8").splitlines()]
    whole: list[bool] = []
    for row in rows:
        document, pieces = lesson(row["lesson"])
        whole.append(within_one(document, spans_of(document, pieces), row["answer"]))

    apart = [row["question"] for row, one in zip(rows, whole, strict=True) if not one]
    assert sum(whole) / len(rows) >= WHOLE, apart


_number = st.integers(1, 40)


@st.composite
def sentence(draw: st.DrawFn) -> str:
    """Some words and a full stop; what makes it the only one of its kind is added later."""
    return " ".join(["word"] * draw(_number))


paragraph = st.lists(sentence(), min_size=1, max_size=14).map(lambda found: ("text", found))
code = st.lists(st.integers(1, 60), min_size=1, max_size=40).map(
    lambda sizes: ("code", ["x" * size for size in sizes])
)
table = st.lists(sentence(), min_size=1, max_size=12).map(lambda found: ("table", found))
heading = st.integers(2, 4).map(lambda level: ("heading", ["#" * level]))
page = st.lists(st.one_of(paragraph, code, table, heading), min_size=1, max_size=14)


def written(blocks: list[tuple[str, list[str]]]) -> tuple[str, list[str]]:
    """A page of Markdown, and answers in it: each sentence, row and line, and sentences side by side."""
    parts: list[str] = []
    answers: list[str] = []
    for n, (kind, rows) in enumerate(blocks):
        lines = [f"{row} n{n}r{k}." for k, row in enumerate(rows)]
        if kind == "heading":
            parts.append(f"{rows[0]} Heading n{n}")
        elif kind == "code":
            parts.append("\n".join(["```python", *lines, "```"]))
            answers += lines
        elif kind == "table":
            cells = [f"| {line} |" for line in lines]
            parts.append("\n".join([f"| Head n{n} |", "|---|", *cells]))
            answers += cells
        else:
            parts.append(" ".join(lines))
            answers += [*lines, *(" ".join(two) for two in pairwise(lines))]
    return "\n\n".join(parts), [answer for answer in answers if len(answer) <= OVERLAP]


@settings(max_examples=60, deadline=None)
@given(page)
@example([("text", ["word"]), ("heading", ["##"]), ("heading", ["##"]), ("text", ["word"])])
def test_any_page_is_cut_into_stretches_of_itself_with_answers_whole(
    blocks: list[tuple[str, list[str]]],
) -> None:
    document, answers = written(blocks)
    pieces = parse(document.encode(), "page.md").pieces
    spans = spans_of(document, pieces)

    if any(kind != "heading" for kind, _ in blocks):
        assert lost(document, spans) == []
    assert all(len(piece.text) <= LONGEST for piece in pieces)
    apart = [answer for answer in answers if not within_one(document, spans, answer)]
    assert apart == []
