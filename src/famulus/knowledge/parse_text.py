"""Plain text: paragraphs parted by empty lines; and how bytes become text at all."""

import re

from famulus.knowledge.blocks import Block, Content, Section, Unparsable

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{2,40})""", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_CONTROL = bytes((*range(9), *range(14, 32)))
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def parse_text(text: str) -> Content:
    """One section without a heading."""
    blocks = [Block(part) for part in _PARAGRAPH.split(text) if part.strip()]
    return Content("", [Section(blocks=blocks)])


def decode(data: bytes) -> tuple[str, list[str]]:
    """The text of a file, and a note where its encoding had to be guessed; raises `Unparsable` for binary data."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), []
    head = data[:8192]
    if b"\0" in head or len(head) - len(head.translate(None, _CONTROL)) > 8 + len(head) // 50:
        raise Unparsable("This is binary data, not text.")
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        return _guessed(data)


def _guessed(data: bytes) -> tuple[str, list[str]]:
    declared = _CHARSET.search(data[:4096])
    if declared is not None:
        try:
            return data.decode(declared[1].decode("ascii")), []
        except (LookupError, UnicodeError):
            pass  # a page that does not keep to what it declares is read like one that declares nothing
    return data.decode("cp1252", errors="replace"), [
        "Not UTF-8; read as Western European, some signs may be wrong."
    ]
