"""What a model gets to see of the files that messages came with: pictures and PDFs as they are, where its wire takes
them, and of everything else the text.

Their content is data: nobody's instructions stand in it.
"""

import asyncio
import tempfile
from collections import OrderedDict
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
MOST_KEPT = 32_000_000
"""Bytes of what is kept in memory, the used last; of one file a quarter of that."""
SECONDS = 20.0
NATIVE = ("openai", "responses", "anthropic")
"""Kinds of models whose wires take a PDF as it is."""
SEES = ("openai", "responses", "anthropic", "compatible")
"""And a picture."""
Key = tuple[str, bool]
"""A file, and whether it is given as it is."""


class Enclosures:
    """What models are given of files, kept for the next answers of a thread: read and parsed once, not each time."""

    def __init__(self, attachments: Attachments) -> None:
        self._attachments = attachments
        self._kept: OrderedDict[Key, Enclosed] = OrderedDict()
        self._size = 0

    async def of(self, rows: Sequence[Said], kind: str) -> dict[str, Enclosed]:
        """By attachment, what a model of this kind is given of the files of these messages."""
        found: dict[str, Enclosed] = {}
        left = MOST_BYTES
        sent = [part for row in reversed(rows) if '"attachment"' in row.parts for part in _files(row)]
        for part in sent[:MOST_FILES]:
            left -= part.size
            if left < 0:
                break
            found[part.id] = await self._one(part, whole=_is_whole(part, kind))
        return found

    async def _one(self, part: Attached, *, whole: bool) -> Enclosed:
        key = (part.id, whole)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        try:
            data = (await self._attachments.read([part.id]))[part.id]
        except NotFound:
            return Enclosed(_quoted(part, None))
        made = Enclosed(file=Enclosure(part.name, part.mime_type, data)) if whole else await _told(part, data)
        self._keep(key, made)
        return made

    def _keep(self, key: Key, made: Enclosed) -> None:
        if key in self._kept or _size(made) > MOST_KEPT // 4:
            return
        self._kept[key] = made
        self._size += _size(made)
        while self._size > MOST_KEPT:
            _, oldest = self._kept.popitem(last=False)
            self._size -= _size(oldest)


def _size(made: Enclosed) -> int:
    """Bytes, about."""
    return len(made.words) + (len(made.file.data) if made.file else 0)


def _is_whole(part: Attached, kind: str) -> bool:
    return (part.mime_type in IMAGES and kind in SEES) or (part.mime_type == PDF and kind in NATIVE)


def _files(row: Said) -> list[Attached]:
    return [part for part in decode_parts(row.parts) if isinstance(part, Attached)]


async def _told(part: Attached, data: bytes) -> Enclosed:
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
