"""From bytes to pieces, by the ending of the name. Pure: no database, no network, no state."""

import hashlib
from collections.abc import Callable
from pathlib import PurePosixPath

from famulus.knowledge.blocks import Block, Content, Format, Parsed, Section, Unparsable, one_line
from famulus.knowledge.cut import cut
from famulus.knowledge.edges import joined
from famulus.knowledge.parse_code import LANGUAGES, parse_code
from famulus.knowledge.parse_openapi import is_openapi, parse_openapi
from famulus.knowledge.parse_pdf import parse_pdf
from famulus.knowledge.parse_text import decode, parse_text

FORMATS: dict[str, Format] = {
    **dict.fromkeys((".md", ".markdown", ".mdx"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".txt", ".text", ".rst"), "text"),
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    ".ipynb": "notebook",
    ".epub": "epub",
    **dict.fromkeys(LANGUAGES, "code"),
}
"""What can be read, by the ending of the name in lower case."""
BINARY: frozenset[Format] = frozenset(("pdf", "docx", "pptx", "xlsx", "epub"))
SIMPLE: frozenset[Format] = frozenset(("markdown", "html", "text", "openapi"))
"""What cannot bring down the process that reads it."""


def digest(data: bytes) -> str:
    """The hash by which content is known again."""
    return hashlib.sha256(data).hexdigest()


def format_of(path: str) -> Format | None:
    """The format that a name promises, if it is one that can be read."""
    return "openapi" if is_openapi(path) else FORMATS.get(PurePosixPath(path).suffix.lower())


def parse(data: bytes, path: str, place: str | None = None) -> Parsed:
    """The pieces of one file; raises `Unparsable` with the reason if it cannot be read.

    `place`: where it is in its source, if `path` only says what kind of file it is.
    """
    place = place or path
    format = format_of(path)
    if format is None:
        raise Unparsable("This kind of file is not read.")
    if not data.strip():
        raise Unparsable("There is nothing in this file.")
    content = _content(data, format, path, place)
    title = content.title or PurePosixPath(path).stem.replace("_", " ").replace("-", " ").strip() or path
    return cut_up(one_line(title), format, data, content, place)


def cut_up(title: str, format: Format, data: bytes, content: Content, place: str) -> Parsed:
    """Cut what was read at a place of its source; raises `Unparsable` if no text is in it."""
    pieces = cut(title, content.sections) or cut(title, _headings_only(content))
    if not pieces:
        raise Unparsable("There is no text in this file.")
    return Parsed(title, format, digest(data), len(data), joined(place, pieces), content.notes)


def _content(data: bytes, format: Format, path: str, place: str) -> Content:
    if format in BINARY:
        return _binary_parser(format)(data)
    text, notes = decode(data)
    match format:
        case "code":
            content = parse_code(text, path, place)
        case "openapi":
            content = parse_openapi(text, place)
        case _:
            content = _parser(format)(text)
    content.notes.extend(notes)
    return content


def _binary_parser(format: Format) -> Callable[[bytes], Content]:
    match format:
        case "docx" | "pptx" | "xlsx":
            from famulus.knowledge import parse_office  # lazy: libraries for one kind of file each

            return {
                "docx": parse_office.parse_docx,
                "pptx": parse_office.parse_pptx,
                "xlsx": parse_office.parse_xlsx,
            }[format]
        case "epub":
            from famulus.knowledge.parse_books import parse_epub  # lazy: likewise

            return parse_epub
        case _:
            return parse_pdf


def _parser(format: Format) -> Callable[[str], Content]:
    match format:
        case "html":
            from famulus.knowledge.parse_html import parse_html  # lazy: lxml, which a server seldom needs

            return parse_html
        case "markdown":
            from famulus.knowledge.parse_markdown import parse_markdown  # lazy: sixty modules for a rare need

            return parse_markdown
        case "notebook":
            from famulus.knowledge.parse_books import parse_notebook  # lazy: likewise

            return parse_notebook
        case "csv":
            from famulus.knowledge.parse_office import parse_csv  # lazy: likewise

            return parse_csv
        case _:
            return parse_text


def _headings_only(content: Content) -> list[Section]:
    """A page of nothing but headings says that much at least."""
    said = [
        content.title,
        *(section.heading_path[-1] for section in content.sections if section.heading_path),
    ]
    return [Section(blocks=[Block(heading) for heading in said if heading])]
