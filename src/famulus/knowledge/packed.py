"""Formats that are zips inside (Office, EPUB): opened only where they are not locked and unpack within bounds."""

import io
import zipfile

from famulus.knowledge.blocks import Unparsable

UNPACKED = 300_000_000
"""Bytes of all its parts together."""
MEMBERS = 10_000
RATIO = 300
"""How many times its packed size a part of over a megabyte may unpack to."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How Office files begin that are locked, or older than 2007."""
_LOCKED = "EncryptedPackage".encode("utf-16-le")


def opened(data: bytes, kind: str) -> zipfile.ZipFile:
    """The parts of a file; raises `Unparsable` with the reason. `kind` is what it should be, such as `EPUB`."""
    if data.startswith(_OLE):
        locked = _LOCKED in data
        raise Unparsable(
            "This file is locked by a password." if locked else f"This is an old format; save it as {kind}."
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unparsable(f"This is not a readable {kind} file.") from error
    members = archive.infolist()
    bombs = any(
        each.file_size > 1_000_000 and each.file_size > RATIO * max(1, each.compress_size) for each in members
    )
    if bombs or len(members) > MEMBERS or sum(each.file_size for each in members) > UNPACKED:
        raise Unparsable("This file would unpack to many times its size.")
    if any(each.flag_bits & 0x1 for each in members):
        raise Unparsable("This file is locked by a password.")
    return archive
