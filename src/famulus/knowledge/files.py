"""Files to be read: on disk or inside a zip, named so that a worker process can open them itself."""

import lzma
import os
import zipfile
import zlib
from types import TracebackType
from typing import Self

from msgspec import Struct

from famulus.knowledge.blocks import Parsed, Unparsable, Unreadable
from famulus.knowledge.parse import digest, parse

_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
"""What a parser may raise over a file that nobody foresaw. Its own word for the expected is Unparsable."""
_TOO_LARGE = "This file is too large; at most {:,} bytes are read."


class Limits(Struct, frozen=True):
    """How much is read at most."""

    file_bytes: int = 50_000_000
    total_bytes: int = 2_000_000_000
    """All files of a zip together, unpacked."""
    files: int = 50_000
    ratio: int = 200
    """How many times its packed size a file of a zip may unpack to, once it is over a megabyte."""
    seconds: float = 30
    """For one file."""
    memory: int = 4_000_000_000
    """Bytes of address space of a process that reads; a file that wants more is the only one that suffers."""


class FileRef(Struct, frozen=True):
    """One file."""

    path: str
    """Its name inside the source, with slashes."""
    location: bytes
    """Where it is on disk, or the zip that holds it."""
    size: int
    member: str | None = None
    """Its name inside that zip."""
    name: str = ""
    """The file name that says what kind of file it is, where `path` does not."""
    stamp: str = ""
    """Its size, times and inode, or those of its zip; with the same stamp it is the same file. Empty: look inside."""


class Reader:
    """Reads files one after another; a zip stays open as long as its files are asked for."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._location = b""
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._archive is not None:
            self._archive.close()

    def read(self, ref: FileRef) -> bytes:
        """The content; raises `Unparsable` where it is too large, OSError and the zip's own errors otherwise."""
        limit = self._limits.file_bytes
        if ref.size > limit:
            raise Unparsable(_TOO_LARGE.format(limit))
        if ref.member is None:
            with open(ref.location, "rb") as file:  # noqa: PTH123 – a name of bytes, as the file system has it
                data = file.read(limit + 1)
        else:
            with self._opened(ref.location).open(ref.member) as file:
                data = file.read(limit + 1)
        if len(data) > limit:
            raise Unparsable(_TOO_LARGE.format(limit))
        return data

    def attempt(self, ref: FileRef) -> Parsed | Unreadable:
        """What is in the file, or why it could not be read."""
        data = b""
        try:
            data = self.read(ref)
            return parse(data, ref.name or ref.path, ref.path)
        except Unparsable as error:
            return Unreadable(str(error), digest(data))
        except _BROKEN:
            return Unreadable("This file is broken or cut short.", digest(data))
        except MemoryError:
            return Unreadable("This file needs more memory than a file may take.", digest(data))
        except OSError as error:
            return Unreadable(f"This file cannot be opened: {os.strerror(error.errno or 5)}.")
        except _FAULTS as error:
            return Unreadable(f"This file confused its parser ({type(error).__name__}).", digest(data))

    def fingerprint(self, ref: FileRef) -> str:
        """The hash of the content; empty where it cannot be read."""
        try:
            return digest(self.read(ref))
        except Unparsable:
            return digest(b"")  # as `attempt` has it of a file that is too large
        except (OSError, *_BROKEN, RuntimeError):
            return ""

    def _opened(self, location: bytes) -> zipfile.ZipFile:
        if self._archive is None or self._location != location:
            if self._archive is not None:
                self._archive.close()
            self._archive, self._location = zipfile.ZipFile(os.fsdecode(location)), location
        return self._archive
