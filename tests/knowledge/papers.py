"""Files to be read, made from nothing: a PDF of given pages, a zip of given files."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def pdf(pages: Sequence[Sequence[str]], title: str = "", *, locked: bool = False) -> bytes:
    """A PDF with these lines of Latin letters on its pages; `locked` claims an encryption nobody has the key to."""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids: list[int] = []
    for lines in pages:
        shown = " T* ".join(f"({line.replace('(', '').replace(')', '')}) Tj" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET".encode("latin-1")
        bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        bodies.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(bodies)
        )
        kids.append(len(bodies))
    bodies[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids),
        b" ".join(b"%d 0 R" % kid for kid in kids),
    )
    bodies.append(f"<< /Title ({title}) >>".encode("latin-1"))
    extra = b" /Info %d 0 R" % len(bodies)
    if locked:
        key = b"<" + b"41" * 32 + b">"
        bodies.append(b"<< /Filter /Standard /V 1 /R 2 /P -4 /O %s /U %s >>" % (key, key))
        extra += b" /Encrypt %d 0 R /ID [<41><41>]" % len(bodies)
    return _assembled(bodies, extra)


def _assembled(bodies: Sequence[bytes], extra: bytes) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(bodies) + 1
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return out + b"trailer << /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF" % (size, extra, start)


def pack(place: Path, files: Mapping[str, bytes | str]) -> Path:
    """A zip with these files."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return place


def write(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
