"""What a model gets to see of the files that messages came with: pictures and PDFs as they are, where its wire takes
them, and of everything else the text.

Their content is data: nobody's instructions stand in it.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from famulus.conversations.attachments import Attachments
from famulus.conversations.parts import Attached, decode_parts
from famulus.conversations.sniffing import IMAGES, PDF, TEXT
from famulus.kernel.errors import NotFound
from famulus.knowledge.blocks import Parsed, Unreadable
from famulus.knowledge.files import FileRef, Limits
from famulus.knowledge.pool import parse_each
from famulus.llm.protocol import Enclosure
from famulus.runs.history import Enclosed
from famulus.runs.sql.read import Said

MOST_FILES, MOST_BYTES = 10, 30_000_000
"""Of one answer's history, the newest first."""
MOST_TEXT = 60_000
"""Characters of one file."""
SECONDS = 20.0
NATIVE = ("openai", "responses", "anthropic")
"""Kinds of models whose wires take a PDF as it is."""
SEES = ("openai", "responses", "anthropic", "compatible")
"""And a picture."""


async def enclosed(attachments: Attachments, rows: Sequence[Said], kind: str) -> dict[str, Enclosed]:
    """By attachment, what a model of this kind is given of the files of these messages."""
    found: dict[str, Enclosed] = {}
    left = MOST_BYTES
    sent = [part for row in reversed(rows) if '"attachment"' in row.parts for part in _files(row)]
    for part in sent[:MOST_FILES]:
        left -= part.size
        if left < 0:
            break
        try:
            data = (await attachments.read([part.id]))[part.id]
        except NotFound:
            found[part.id] = Enclosed(_quoted(part, None))
            continue
        found[part.id] = await _given(part, data, kind)
    return found


def _files(row: Said) -> list[Attached]:
    return [part for part in decode_parts(row.parts) if isinstance(part, Attached)]


async def _given(part: Attached, data: bytes, kind: str) -> Enclosed:
    whole = (part.mime_type in IMAGES and kind in SEES) or (part.mime_type == PDF and kind in NATIVE)
    if whole:
        return Enclosed(file=Enclosure(part.name, part.mime_type, data))
    if part.mime_type == TEXT:
        return Enclosed(_quoted(part, data.decode("utf-8", "replace")))
    return Enclosed(_quoted(part, None if part.mime_type in IMAGES else await _parsed(part, data)))


def _quoted(part: Attached, text: str | None) -> str:
    """A file's words inside marks that it cannot close."""
    name = part.name.replace('"', "'").replace("<", "‹")
    if text is None:
        return f'<file name="{name}" type="{part.mime_type}">(its content cannot be read here)</file>'
    return f'<file name="{name}">\n{text[:MOST_TEXT].replace("</file", "&lt;/file")}\n</file>'


async def _parsed(part: Attached, data: bytes) -> str | None:
    """The text of a PDF or an Office document, read beside the server; None where there is none."""
    outcomes: list[Parsed | Unreadable] = []

    async def take(_ref: FileRef, outcome: Parsed | Unreadable) -> None:
        outcomes.append(outcome)

    with tempfile.TemporaryDirectory(prefix="famulus-attachment-") as folder:
        suffix = ".pdf" if part.mime_type == PDF else PurePosixPath(part.name).suffix.lower()[:10]
        place = Path(folder) / f"file{suffix}"
        await asyncio.to_thread(place.write_bytes, data)
        ref = FileRef(place.name, str(place).encode(), len(data))
        await parse_each([ref], Limits(seconds=SECONDS), take)
    [outcome] = outcomes
    return "\n\n".join(piece.text for piece in outcome.pieces) if isinstance(outcome, Parsed) else None
