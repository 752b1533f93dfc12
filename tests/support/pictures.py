"""Pictures and documents to send."""

import io
import zipfile

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 480), mode: str = "RGB") -> bytes:
    """A picture of this kind; in mode `1`, of one bit a point, a huge one is made quickly."""
    target = io.BytesIO()
    Image.new(mode, size, "white" if mode == "1" else "teal").save(target, kind)
    return target.getvalue()


def office(folder: str = "word") -> bytes:
    """The outline of an Office document."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}/document.xml", "<document/>")
    return target.getvalue()


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
