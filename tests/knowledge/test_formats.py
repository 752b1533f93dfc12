"""Office files, tables, notebooks and books become pieces by their own structure."""

import json

import pytest

from famulus.knowledge.blocks import Piece
from famulus.knowledge.parse import parse
from tests.knowledge.office import docx, epub, slides, workbook

PARAGRAPH = (
    "A robot has two wheels and a camera, which sees what is in front of it, and it turns on the spot. " * 3
)


def outline(data: bytes, name: str) -> list[tuple[tuple[str, ...], int | None]]:
    return [(piece.heading_path, piece.page) for piece in parse(data, name).pieces]


def only(data: bytes | str, name: str) -> Piece:
    (piece,) = parse(data.encode() if isinstance(data, str) else data, name).pieces
    return piece


def test_a_word_document_is_cut_at_its_headings() -> None:
    data = docx([("Heading1", "Robots"), ("", PARAGRAPH), ("Heading2", "Wheels"), ("", PARAGRAPH)])

    found = parse(data, "robots.docx")

    assert (found.title, found.format) == ("Robots", "docx")
    assert [piece.heading_path for piece in found.pieces] == [(), ("Wheels",)]
    assert found.pieces[1].text == PARAGRAPH.strip()


def test_a_slide_is_a_piece_with_its_notes() -> None:
    data = slides([("Wheels", ["They turn. " * 20, "They brake."], "Show them."), ("Arms", [PARAGRAPH], "")])

    first, second = parse(data, "talk.pptx").pieces

    assert (first.heading_path, first.page, first.anchor) == (("Wheels",), 1, "slide=1")
    assert first.text.endswith("- They brake.\n\nNotes: Show them.")
    assert (second.heading_path, second.page) == (("Arms",), 2)


def test_a_workbook_is_cut_into_rows_under_their_head() -> None:
    rows: list[list[object]] = [["Part", "Price"], *([f"wheel {n}", n] for n in range(100))]

    found = parse(workbook({"Parts": rows, "Empty": [], "Notes": [["a|b"], [None], ["c"]]}), "parts.xlsx")

    parts = [piece for piece in found.pieces if piece.heading_path == ("Parts",)]
    assert len(parts) > 1
    assert all(piece.text.startswith("| Part | Price |\n|---|---|\n| wheel ") for piece in parts)
    assert sum(piece.text.count("| wheel ") for piece in parts) == 100
    assert found.pieces[-1].text.endswith("| a\\|b |\n|---|\n| c |")


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_csv_is_a_table(sign: str) -> None:
    text = "\n".join(sign.join(row) for row in (("name", "price"), ("wheel", "3"), ("arm", "40")))

    assert only(text, "parts.csv").text == "| name | price |\n|---|---|\n| wheel | 3 |\n| arm | 40 |"


def test_a_notebook_is_text_code_and_what_it_printed() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Robots\n", "\n", "They move."]},
        {"cell_type": "code", "source": "drive(3)", "outputs": [{"text": ["moved 3 m\n"]}]},
    ]

    found = parse(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode(), "a.ipynb")

    assert found.title == "Robots"
    assert found.pieces[0].text == "They move.\n\n```python\ndrive(3)\n```\n\n```\nmoved 3 m\n```"


def test_a_book_is_read_in_the_order_of_its_chapters() -> None:
    data = epub("Of Robots", [("Wheels", PARAGRAPH), ("Arms", PARAGRAPH)])

    found = parse(data, "book.epub")

    assert found.title == "Of Robots"
    assert [piece.heading_path for piece in found.pieces] == [("Wheels",), ("Arms",)]
