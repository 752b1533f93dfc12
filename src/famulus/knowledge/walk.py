"""Which files a place has: a folder, one file, or a zip. Nothing is unpacked to disk and nothing outside is followed.

Skipped, each with its reason: hidden files, links that lead out, kinds that are not read, and what a documentation
builder put beside its pages (Sphinx marks its folder with `objects.inv`).
"""

import os
import stat
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from famulus.knowledge.errors import NothingToRead, UnreadableArchive
from famulus.knowledge.files import FileRef, Limits
from famulus.knowledge.parse import format_of

LONGEST_PATH = 1_000
SETTLED = 2_000_000_000
"""Nanoseconds since a file was touched, after which its times tell a later change from this one everywhere."""
_BESIDE_PAGES = frozenset(("_sources", "_static", "_images", "_downloads", "_modules"))
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one file that people should know."""

    path: str
    reason: str


@dataclass(slots=True)
class Listing:
    """What is there to be read, by name, and what is left out."""

    files: list[FileRef] = field(default_factory=list[FileRef])
    skipped: list[Remark] = field(default_factory=list[Remark])
    failed: list[Remark] = field(default_factory=list[Remark])


def survey(place: Path, limits: Limits, name: str | None = None) -> Listing:
    """The files of a folder, of a zip, or the one file itself (as `name`). Slow: ask in a thread.

    Raises `NothingToRead`, or `UnreadableArchive` for a zip that is broken or would unpack beyond the limits.
    """
    root = place.resolve()
    listing = Listing()
    if root.is_dir():
        found = _folder(root, listing)
    elif not root.is_file():
        raise NothingToRead(f"There is no file or folder at {str(place)!r}.")
    elif (name or root.name).lower().endswith(".zip"):
        found = _archive(root, limits, listing)
    else:
        status = root.stat()
        ref = FileRef(shown(name or root.name), os.fsencode(root), status.st_size, stamp=_stamp(status))
        found = iter([ref])
    _sort_out(list(found), limits, listing)
    return listing


def _sort_out(found: list[FileRef], limits: Limits, listing: Listing) -> None:
    builders = {
        str(PurePosixPath(ref.path).parent) for ref in found if PurePosixPath(ref.path).name == "objects.inv"
    }
    unread: Counter[str] = Counter()
    seen: set[str] = set()
    for ref in sorted(found, key=lambda ref: ref.path):
        if format_of(ref.path) is None:
            unread[PurePosixPath(ref.path).suffix.lower() or "(no ending)"] += 1
        elif len(ref.path) > LONGEST_PATH:
            listing.skipped.append(Remark(ref.path[:LONGEST_PATH], "The path is too long."))
        elif builders and _beside_pages(ref.path, builders):
            unread["(indexes and sources of a documentation builder)"] += 1
        elif ref.path in seen:
            listing.skipped.append(Remark(ref.path, "Another file has the same name."))
        else:
            seen.add(ref.path)
            listing.files.append(ref)
    for kind, count in sorted(unread.items()):
        name = f"*{kind}" if kind.startswith(".") else kind
        listing.skipped.append(Remark(name, f"This kind of file is not read ({count:,} of them)."))
    if len(listing.files) > limits.files:
        raise UnreadableArchive(
            f"There are {len(listing.files):,} files; at most {limits.files:,} are read at once."
        )


def _beside_pages(path: str, builders: set[str]) -> bool:
    inner = PurePosixPath(path)
    for builder in (str(parent) for parent in inner.parents if str(parent) in builders):
        first, name = inner.relative_to(builder).parts[0], inner.name
        if (
            first in _BESIDE_PAGES
            or name.startswith("genindex")
            or name in ("search.html", "py-modindex.html")
        ):
            return True
    return False


def _folder(root: Path, listing: Listing) -> Iterator[FileRef]:
    waiting = [(os.fspath(root), "")]
    while waiting:
        folder, inside = waiting.pop()
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            reason = f"This folder cannot be opened: {os.strerror(error.errno or 5)}."
            listing.failed.append(Remark(shown(inside.rstrip("/") or "."), reason))
            continue
        for entry in entries:
            if _is_folder(entry):
                if _enters(entry, inside, listing):
                    waiting.append((entry.path, f"{inside}{entry.name}/"))
            elif (ref := _on_disk(entry, shown(f"{inside}{entry.name}"), root, listing)) is not None:
                yield ref


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _enters(entry: os.DirEntry[str], inside: str, listing: Listing) -> bool:
    reason = ""
    if entry.name.startswith("."):
        reason = "Hidden folders are left out."
    elif entry.is_symlink():
        reason = "Links to folders are not followed."
    elif entry.name in ("node_modules", "__pycache__", "__MACOSX"):
        reason = "This folder belongs to a tool."
    if reason:
        listing.skipped.append(Remark(shown(f"{inside}{entry.name}/"), reason))
    return not reason


def _on_disk(entry: os.DirEntry[str], name: str, root: Path, listing: Listing) -> FileRef | None:
    if entry.name.startswith("."):
        listing.skipped.append(Remark(name, "Hidden files are left out."))
        return None
    try:
        if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(root):
            listing.skipped.append(Remark(name, "A link that leads out of the folder is not followed."))
            return None
        status = entry.stat()
    except (OSError, RuntimeError):  # a loop of links is either, by version
        listing.skipped.append(Remark(name, "A link that leads nowhere."))
        return None
    if not stat.S_ISREG(status.st_mode):
        listing.skipped.append(Remark(name, "This is not an ordinary file."))
        return None
    return FileRef(name, os.fsencode(entry.path), status.st_size, stamp=_stamp(status))


def _stamp(status: os.stat_result) -> str:
    """What a file looks like from outside; empty where it may yet change without looking any different."""
    touched = max(status.st_mtime_ns, status.st_ctime_ns)
    if touched > time.time_ns() - SETTLED:
        return ""
    return f"{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_ino}"


def shown(name: str) -> str:
    """A file's name as text that can be stored: a file system allows any bytes."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def _archive(place: Path, limits: Limits, listing: Listing) -> Iterator[FileRef]:
    try:
        with zipfile.ZipFile(place) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableArchive() from error
    _refuse_bombs(members, limits)
    location, stamp = os.fsencode(place), _stamp(place.stat())
    for member in members:
        reason = _reason_against(member)
        if reason:
            listing.skipped.append(Remark(member.filename[:LONGEST_PATH], reason))
        else:
            yield FileRef(member.filename, location, member.file_size, member.filename, stamp=stamp)


def _refuse_bombs(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.files:
        raise UnreadableArchive(
            f"The archive holds {len(members):,} files; at most {limits.files:,} are read."
        )
    if sum(member.file_size for member in members) > limits.total_bytes:
        raise UnreadableArchive(f"The archive would unpack to more than {limits.total_bytes:,} bytes.")
    for member in members:
        if member.file_size > 1_000_000 and member.file_size > limits.ratio * max(1, member.compress_size):
            raise UnreadableArchive(
                "The archive would unpack to many times its size; pack it again without that file."
            )


def _reason_against(member: zipfile.ZipInfo) -> str:
    """Why a file of a zip is left out; empty when it is read."""
    name = member.filename
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
        return "A name that points out of the archive is not followed."
    if stat.S_ISLNK(member.external_attr >> 16):
        return "Links inside an archive are not followed."
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return "Hidden files are left out."
    if member.flag_bits & _ENCRYPTED:
        return "This file is locked by a password."
    if name.lower().endswith(".zip"):
        return "An archive inside an archive is not opened."
    return ""
