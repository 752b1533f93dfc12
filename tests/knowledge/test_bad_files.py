"""Bad files: each is named with its reason, and the rest goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings
from famulus.knowledge.errors import UnreadableArchive
from famulus.knowledge.files import Limits
from famulus.knowledge.ingest import Terms, ingest_path, limits_of
from famulus.knowledge.store import Owner
from tests.knowledge.office import docx, epub, locked_zip, packed, slides, workbook
from tests.knowledge.papers import pdf
from tests.support.rooms import World

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
LOCKED = OLE + "EncryptedPackage".encode("utf-16-le")
BOMB = packed({"word/document.xml": b" " * 30_000_000})
DRM = '<encryption><CipherReference URI="OPS/text/c0.xhtml"/></encryption>'
WHOLE = docx([("", "Some text that is long enough to be packed into something. " * 20)])


def sparse(path: Path) -> None:
    """A gigabyte of nothing that takes no place on the disk."""
    with path.open("wb") as file:
        file.truncate(1_000_000_000)


def link(path: Path) -> None:
    """A link to a file outside of the folder."""
    outside = path.parent.parent / "secret.md"
    outside.write_text("# Secret\n\nNot for here.")
    path.symlink_to(outside)


def holding(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


FAILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "broken.pdf": (holding(b"%PDF-1.7 and nothing more"), "This is not a readable PDF."),
    "cut.pdf": (holding(pdf([["Text"]])[:200]), "This is not a readable PDF."),
    "locked.pdf": (holding(pdf([["Text"]], locked=True)), "This PDF is locked by a password."),
    "scan.pdf": (holding(pdf([[]])), "This PDF holds no text; it may be a scan."),
    "huge.txt": (sparse, "This file is too large; at most 1,000,000 bytes are read."),
    "program.md": (holding(b"\x7fELF\x02\x01\x01\0" + bytes(range(256)) * 9), "This is binary data, not text."),
    "noise.md": (holding(bytes(range(1, 32)) * 99), "This is binary data, not text."),
    "empty.md": (holding(b" \n"), "There is nothing in this file."),
    "locked.docx": (holding(LOCKED), "This file is locked by a password."),
    "locked.xlsx": (holding(LOCKED), "This file is locked by a password."),
    "old.pptx": (holding(OLE), "This is an old format; save it as PPTX."),
    "bomb.docx": (holding(BOMB), "This file would unpack to many times its size."),
    "bomb.epub": (holding(BOMB), "This file would unpack to many times its size."),
    "cut.docx": (holding(WHOLE[:300]), "This is not a readable DOCX file."),
    "other.docx": (holding(packed({"a.txt": "a"})), "This is not a readable DOCX file."),
    "other.xlsx": (holding(packed({"a.txt": "a"})), "This is not a readable XLSX file."),
    "other.pptx": (holding(packed({"a.txt": "a"})), "This is not a readable PPTX file."),
    "other.epub": (holding(packed({"a.txt": "a"})), "This is not a readable EPUB file."),
    "none.docx": (holding(docx([("", " ")])), "There is no text in this file."),
    "none.xlsx": (holding(workbook({"Empty": []})), "There is no text in this file."),
    "none.pptx": (holding(slides([])), "There is no text in this file."),
    "sealed.epub": (holding(epub("B", [("C", "Text.")], encryption=DRM)), "This book is locked against copying."),
    "broken.ipynb": (holding(b'{"cells": [3]}'), "This is not a readable notebook."),
    "openapi.json": (holding(b"{}"), "This is no OpenAPI document: `openapi` with a version is missing."),
    "bundle.js": (holding(b"var a=1;" * 9_000), "This code has been minified or generated; it is not read."),
}  # fmt: skip
"""By name, how the file is made and why it cannot be read."""


async def test_each_bad_file_is_named_and_the_rest_goes_on(
    world: World, database: Database, owner: Owner, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "good.md").write_text("# Good\n\nA good text.")
    (folder / "western.txt").write_bytes("Grüße aus Köln, naïve café.".encode("cp1252"))
    for name, (make, _) in FAILED.items():
        make(folder / name)
    link(folder / "linked.md")
    limits = limits_of(load_settings(source_file_bytes=1_000_000))

    report = await ingest_path(database, owner, folder, terms=Terms(limits))

    assert {remark.path: remark.reason for remark in report.failed} == {
        name: reason for name, (_, reason) in FAILED.items()
    }
    assert [(remark.path, remark.reason) for remark in report.skipped] == [
        ("linked.md", "A link that leads out of the folder is not followed.")
    ]
    assert [remark.path for remark in report.notes] == ["western.txt"]
    assert report.chunks == 2
    again = await ingest_path(database, owner, folder, terms=Terms(limits))
    assert (again.added, again.changed, again.unchanged) == (0, 0, len(FAILED) + 2)
    assert len(again.failed) == len(FAILED)


async def test_a_bad_file_is_seen_with_its_reason(
    world: World, database: Database, owner: Owner, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "locked.docx").write_bytes(LOCKED)
    report = await ingest_path(database, owner, tmp_path / "folder")

    (row,) = (await world["teacher"].get(f"/api/v1/sources/{report.source_id}/documents")).json()["items"]

    assert (row["state"], row["error"]) == ("failed", "This file is locked by a password.")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed({"a.md": b"a" * 30_000_000}), "many times its size"),
        (packed({f"{n}.md": "a" for n in range(30)}), "at most 20 are read"),
        (b"PK\x03\x04 and nothing more", "cannot be read"),
    ],
)
async def test_a_bad_archive_is_refused_as_a_whole(
    database: Database, owner: Owner, tmp_path: Path, data: bytes, reason: str
) -> None:
    (tmp_path / "all.zip").write_bytes(data)

    with pytest.raises(UnreadableArchive, match=reason):
        await ingest_path(database, owner, tmp_path / "all.zip", terms=Terms(Limits(files=20)))


async def test_locked_files_of_an_archive_are_left_out(
    world: World, database: Database, owner: Owner, tmp_path: Path
) -> None:
    (tmp_path / "all.zip").write_bytes(locked_zip({"a.md": "# A", "b.md": "# B"}))

    report = await ingest_path(database, owner, tmp_path / "all.zip")

    assert {(remark.path, remark.reason) for remark in report.skipped} == {
        (name, "This file is locked by a password.") for name in ("a.md", "b.md")
    }


def test_the_operator_sets_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BYTES", "20000"), ("SECONDS", "2.5"), ("MEMORY", "600000000")):
        monkeypatch.setenv(f"FAMULUS_SOURCE_FILE_{name}", value)
    monkeypatch.setenv("FAMULUS_SOURCE_FILES", "7")

    limits = limits_of(load_settings())

    assert (limits.file_bytes, limits.seconds, limits.memory, limits.files) == (20_000, 2.5, 600_000_000, 7)
