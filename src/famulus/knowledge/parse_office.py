"""Office files: documents through HTML, presentations by slide, workbooks by sheet. In a worker process only."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, cast
from xml.parsers.expat import ExpatError

from famulus.knowledge.blocks import Block, Content, Section, Unparsable, one_line, slug
from famulus.knowledge.packed import opened
from famulus.knowledge.parse_html import parse_html
from famulus.knowledge.tables import MOST_ROWS, table_blocks

GROUP = 6
"""The kind of a shape that holds others."""
MOST_GROUPS = 20
"""Shapes grouped within groups."""
_SAMPLE = 20_000


def parse_docx(data: bytes) -> Content:
    """A Word document by its headings."""
    opened(data, "DOCX").close()
    import mammoth  # lazy: for Word documents alone

    library = cast(Any, mammoth)
    no_image = library.images.img_element(_without_image)
    try:
        found = library.convert_to_html(io.BytesIO(data), convert_image=no_image)
    except (ExpatError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise Unparsable("This is not a readable DOCX file.") from error
    if not found.value.strip():
        raise Unparsable("There is no text in this file.")
    return parse_html(f"<main>{found.value}</main>")


def _without_image(_: Any) -> dict[str, str]:
    return {"alt": ""}


def parse_pptx(data: bytes) -> Content:
    """A presentation: one section a slide, numbered from 1, with the notes of who speaks."""
    opened(data, "PPTX").close()
    import pptx  # lazy: for presentations alone

    try:
        presentation: Any = cast(Any, pptx).Presentation(io.BytesIO(data))
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise Unparsable("This is not a readable PPTX file.") from error
    sections = [_slide(number, slide) for number, slide in enumerate(presentation.slides, 1)]
    return Content(one_line(presentation.core_properties.title or ""), sections)


def _slide(number: int, slide: Any) -> Section:
    title = slide.shapes.title
    heading = one_line(title.text_frame.text) if title is not None else ""
    blocks: list[Block] = []
    for shape in _shapes(slide.shapes, 0):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if shape.has_table:
            blocks += table_blocks([cell.text for cell in row.cells] for row in shape.table.rows)
        elif shape.has_text_frame and shape.text_frame.text.strip():
            blocks.append(Block(_paragraphs(shape.text_frame)))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.strip()
        blocks += [Block(f"Notes: {notes}")] if notes else []
    if heading and not blocks:
        blocks = [Block(heading)]
    return Section((heading or f"Slide {number}",), f"slide={number}", blocks, page=number)


def _shapes(shapes: Iterable[Any], depth: int) -> Iterator[Any]:
    for shape in shapes:
        if shape.shape_type is not None and int(shape.shape_type) == GROUP and depth < MOST_GROUPS:
            yield from _shapes(shape.shapes, depth + 1)
        elif shape.has_text_frame or shape.has_table:
            yield shape


def _paragraphs(frame: Any) -> str:
    """Paragraphs as a list, indented by their level."""
    rows = [(each.level, one_line(each.text, 2_000)) for each in frame.paragraphs if each.text.strip()]
    return "\n".join(f"{'  ' * level}- {text}" for level, text in rows)


def parse_xlsx(data: bytes) -> Content:
    """A workbook: one section a sheet, with the values that its formulas had when it was saved."""
    opened(data, "XLSX").close()
    import openpyxl  # lazy: for workbooks alone

    try:
        book: Any = cast(Any, openpyxl).load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise Unparsable("This is not a readable XLSX file.") from error
    content = Content("", [])
    for sheet in book.worksheets:
        rows = list(sheet.iter_rows(values_only=True, max_row=MOST_ROWS))
        blocks = list(table_blocks(rows))
        if len(rows) == MOST_ROWS:
            content.notes.append(f"Of the sheet {sheet.title!r} only the first {MOST_ROWS:,} rows were read.")
        if blocks:
            content.sections.append(Section((one_line(sheet.title),), slug(sheet.title), blocks))
    return content


def parse_csv(text: str) -> Content:
    """A table of values with a head, parted by whatever stands most regularly between them."""
    try:
        dialect = csv.Sniffer().sniff(text[:_SAMPLE], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    notes: list[str] = []
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), dialect):
            if len(rows) == MOST_ROWS:
                notes.append(f"Only the first {MOST_ROWS:,} rows were read.")
                break
            rows.append(row)
    except csv.Error as error:
        raise Unparsable(f"This is not a readable CSV file: {error}.") from error
    return Content("", [Section(blocks=list(table_blocks(rows)))], notes)
