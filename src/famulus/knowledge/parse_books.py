"""Notebooks and electronic books: what is written in them goes the way of Markdown and HTML."""

import json
import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import unquote
from xml.etree import ElementTree

from famulus.knowledge.blocks import Content, Unparsable, one_line
from famulus.knowledge.packed import opened
from famulus.knowledge.parse_html import parse_html
from famulus.knowledge.parse_markdown import parse_markdown
from famulus.knowledge.parse_text import decode

OUTPUT = 500
"""Characters that are kept of what a cell has printed."""
_PAGES = ("application/xhtml+xml", "text/html")


def parse_notebook(text: str) -> Content:
    """A Jupyter notebook: its text by headings, its code in fences, the beginning of what that printed."""
    try:
        notebook: Any = json.loads(text)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        language = str(notebook.get("metadata", {}).get("kernelspec", {}).get("language") or "python")
        return parse_markdown("\n\n".join(part for cell in cells for part in _cell(cell, language)))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise Unparsable("This is not a readable notebook.") from error


def _cell(cell: Any, language: str) -> Iterator[str]:
    source = _joined(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") == "markdown":
        yield source
    elif cell.get("cell_type") == "heading":
        yield f"{'#' * int(cell.get('level', 1))} {source}"
    elif cell.get("cell_type") == "code" and source.strip():
        yield f"````{language}\n{source}\n````"
        for output in cell.get("outputs", ()):
            said = _joined(output.get("text") or output.get("data", {}).get("text/plain", "")).strip()
            if said:
                yield f"````\n{said[:OUTPUT]}\n````"


def _joined(text: Any) -> str:
    return "".join(map(str, cast(list[Any], text))) if isinstance(text, list) else str(text)


def parse_epub(data: bytes) -> Content:
    """A book by its chapters, in the order in which they are read."""
    with opened(data, "EPUB") as book:
        try:
            content = _book(book)
        except (KeyError, ElementTree.ParseError, StopIteration) as error:
            raise Unparsable("This is not a readable EPUB file.") from error
    return content


def _book(book: zipfile.ZipFile) -> Content:
    container = ElementTree.fromstring(book.read("META-INF/container.xml"))
    package = next(each.get("full-path", "") for each in container.iter() if each.tag.endswith("}rootfile"))
    tree = ElementTree.fromstring(book.read(package))
    pages = {
        each.get("id", ""): posixpath.normpath(
            posixpath.join(posixpath.dirname(package), unquote(each.get("href", "")))
        )
        for each in tree.iter()
        if each.tag.endswith("}item") and each.get("media-type") in _PAGES
    }
    spine = [each.get("idref", "") for each in tree.iter() if each.tag.endswith("}itemref")]
    title = next((each.text or "" for each in tree.iter() if each.tag.endswith("}title")), "")
    content = Content(one_line(title), [])
    if _locked(book, set(pages.values())):
        raise Unparsable("This book is locked against copying.")
    for page in (pages[id] for id in spine if id in pages):
        _add(content, decode(book.read(page))[0], page)
    return content


def _add(content: Content, text: str, page: str) -> None:
    """Add a chapter; one that is no page is noted and the others go on."""
    try:
        chapter = parse_html(text)
    except Unparsable as error:
        content.notes.append(f"{page}: {error}")
        return
    for section in chapter.sections:
        if chapter.title and section.heading_path[:1] != (chapter.title,):
            section.heading_path = (chapter.title, *section.heading_path)
        section.anchor = ""  # a book's pages have no addresses here
    content.sections += chapter.sections


def _locked(book: zipfile.ZipFile, pages: set[str]) -> bool:
    """Whether pages of it are encrypted; fonts often are, which is no matter."""
    if "META-INF/encryption.xml" not in book.namelist():
        return False
    tree = ElementTree.fromstring(book.read("META-INF/encryption.xml"))
    return any(unquote(each.get("URI", "")) in pages for each in tree.iter())
