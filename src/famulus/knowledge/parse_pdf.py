"""PDF by page. PDFium is C++ fed with strangers' files, so this runs in a worker process only (see pool.py)."""

import re

from famulus.knowledge.blocks import Block, Content, Section, Unparsable, one_line

_HYPHENATED = re.compile(r"(\w)[\u00ad\u2010\ufffe\x02-]\n(?=[a-zà-ÿ])")
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*|(?<=[.!?:])\n(?=[A-ZÀ-Þ0-9•])")


def parse_pdf(data: bytes) -> Content:
    """One section a page, numbered from 1; raises `Unparsable` for a broken, locked or scanned file."""
    import pypdfium2  # lazy: loads a library of 7 MB

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower() or "security" in str(error).lower()
        raise Unparsable(
            "This PDF is locked by a password." if locked else "This is not a readable PDF."
        ) from error
    try:
        sections: list[Section] = []
        for index in range(len(document)):
            text = str(document[index].get_textpage().get_text_bounded())  # pyright: ignore[reportUnknownMemberType]
            sections.append(Section(anchor=f"page={index + 1}", page=index + 1, blocks=_blocks(text)))
        title = one_line(document.get_metadata_value("Title") or "")  # pyright: ignore[reportUnknownMemberType]
    except pypdfium2.PdfiumError as error:
        raise Unparsable("This PDF is broken: not all of its pages can be read.") from error
    finally:
        document.close()
    if not any(section.blocks for section in sections):
        raise Unparsable("This PDF holds no text; it may be a scan.")
    return Content(title, sections)


def _blocks(text: str) -> list[Block]:
    joined = _HYPHENATED.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n"))
    return [Block(" ".join(part.split())) for part in _PARAGRAPH.split(joined) if part.strip()]
