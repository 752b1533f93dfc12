"""What a file is, by its content. What somebody says of it is believed only where the content agrees. Pure."""

import io
import zipfile
from pathlib import PurePosixPath

OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif")
PDF, TEXT = "application/pdf", "text/plain"
UNTOLD = ("", "application/octet-stream", "binary/octet-stream")
TEXTUAL = (
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-",
    "application/yaml",
)
MEMBERS = 5_000
"""Entries of an archive that are looked at."""


def sniffed(data: bytes) -> str | None:
    """The MIME type of content that is taken; None for any other."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"%PDF-"):
        return PDF
    if data.startswith(b"PK\x03\x04"):
        return _office(data)
    return TEXT if data.strip() and _is_text(data) else None


def agrees(found: str, told: str, name: str) -> bool:
    """Whether what somebody says of a file, by its type or the ending of its name, is what was found."""
    kind = told.partition(";")[0].strip().lower()
    ending = PurePosixPath(name).suffix.lower()
    of_ending = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
    of_ending |= {".webp": "image/webp", ".pdf": PDF}
    if of_ending.get(ending, found) != found:
        return False
    if kind in UNTOLD:
        return True
    return kind == found or (found == TEXT and (kind.startswith(("text/", *TEXTUAL))))


def _office(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()[:MEMBERS]
    except (zipfile.BadZipFile, ValueError, OSError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    return next((kind for start, kind in OFFICE.items() if any(n.startswith(start) for n in names)), None)


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
