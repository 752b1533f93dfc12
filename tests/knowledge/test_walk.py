"""Which files a folder, a zip or a file has, and which are left alone."""

import os
import stat
import zipfile
from pathlib import Path

import pytest

from famulus.knowledge.errors import NothingToRead, UnreadableArchive
from famulus.knowledge.files import Limits, Reader
from famulus.knowledge.walk import Listing, survey
from tests.knowledge.papers import pack, write


def names(listing: Listing) -> list[str]:
    return [ref.path for ref in listing.files]


def reasons(listing: Listing) -> dict[str, str]:
    return {remark.path: remark.reason for remark in listing.skipped}


def test_a_folder_is_read_in_order_whatever_its_depth(tmp_path: Path) -> None:
    write(tmp_path, {"b.md": "b", "a/c.HTML": "c", "a/b/d.txt": "d", "a.pdf": "x"})

    assert names(survey(tmp_path, Limits())) == ["a.pdf", "a/b/d.txt", "a/c.HTML", "b.md"]


def test_a_file_is_itself(tmp_path: Path) -> None:
    listing = survey(write(tmp_path, {"x.bin": "text"}) / "x.bin", Limits(), name="notes.md")

    assert names(listing) == ["notes.md"]
    with Reader(Limits()) as reader:
        assert reader.read(listing.files[0]) == b"text"


def test_what_is_left_out_has_a_reason(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.md": "secret"})
    root = write(
        tmp_path / "root",
        {"a.md": "a", ".hidden.md": "x", ".git/x.md": "x", "node_modules/x.md": "x", "i.png": "x"},
    )
    (root / "out.md").symlink_to(outside / "secret.md")
    (root / "away").symlink_to(outside)
    (root / "loop.md").symlink_to(root / "loop.md")
    (root / "in.md").symlink_to(root / "a.md")
    os.mkfifo(root / "pipe.md")

    listing = survey(root, Limits())

    assert names(listing) == ["a.md", "in.md"]
    assert reasons(listing) == {
        ".git/": "Hidden folders are left out.",
        ".hidden.md": "Hidden files are left out.",
        "away/": "Links to folders are not followed.",
        "loop.md": "A link that leads nowhere.",
        "node_modules/": "This folder belongs to a tool.",
        "out.md": "A link that leads out of the folder is not followed.",
        "pipe.md": "This is not an ordinary file.",
        "*.png": "This kind of file is not read (1 of them).",
    }


def test_what_a_documentation_builder_put_beside_its_pages(tmp_path: Path) -> None:
    pages = {
        "index.html": "",
        "genindex-A.html": "",
        "search.html": "",
        "_sources/index.rst.txt": "",
        "objects.inv": "",
    }
    write(tmp_path / "built", pages)
    write(tmp_path, {"search.html": "", "_sources/mine.txt": ""})

    assert names(survey(tmp_path, Limits())) == ["_sources/mine.txt", "built/index.html", "search.html"]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text("x")

    (ref,) = survey(tmp_path, Limits()).files

    assert ref.path == "caf\ufffd.md"
    with Reader(Limits()) as reader:
        assert reader.read(ref) == b"x"


def test_nothing_at_that_place(tmp_path: Path) -> None:
    with pytest.raises(NothingToRead):
        survey(tmp_path / "nowhere", Limits())


def test_a_zip_is_read_without_unpacking(tmp_path: Path) -> None:
    listing = survey(pack(tmp_path / "x.zip", {"b.md": "bb", "sub/a.html": "a"}), Limits())

    assert names(listing) == ["b.md", "sub/a.html"]
    with Reader(Limits()) as reader:
        assert [reader.read(ref) for ref in listing.files] == [b"bb", b"a"]


def test_names_in_a_zip_that_are_not_followed(tmp_path: Path) -> None:
    bad = {"../up.md": "x", "/top.md": "x", "C:/x.md": "x", "a/../../up.md": "x", "inner.zip": "x"}
    place = pack(tmp_path / "x.zip", {**bad, "__MACOSX/a.md": "x", ".a.md": "x", "good.md": "x"})
    with zipfile.ZipFile(place, "a") as archive:
        link = zipfile.ZipInfo("link.md")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    listing = survey(place, Limits())

    assert names(listing) == ["good.md"]
    assert set(reasons(listing)) == {*bad, "__MACOSX/a.md", ".a.md", "link.md"}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(), "many times its size"),
        (Limits(total_bytes=1_000_000, ratio=100_000), "more than 1,000,000 bytes"),
        (Limits(files=1, ratio=100_000), "at most 1"),
    ],
)
def test_a_bomb_is_refused_whole(tmp_path: Path, limits: Limits, message: str) -> None:
    place = pack(tmp_path / "x.zip", {"a.md": b"\0" * 5_000_000, "b.md": "b"})

    with pytest.raises(UnreadableArchive, match=message):
        survey(place, limits)


def test_a_zip_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UnreadableArchive):
        survey(write(tmp_path, {"x.zip": "PK no zip"}) / "x.zip", Limits())


def test_a_file_too_large_is_not_read_further_than_that(tmp_path: Path) -> None:
    (ref,) = survey(pack(tmp_path / "x.zip", {"a.md": "x" * 2_000}), Limits()).files

    with Reader(Limits(file_bytes=1_000)) as reader:
        outcome = reader.attempt(ref)

    assert "at most 1,000 bytes" in getattr(outcome, "reason", "")
