"""Small pictures of pictures, made with bounded memory."""

import asyncio
import io
import warnings

SIDE = 320
"""Pixels of the longer side, at most."""
MOST_PIXELS = 40_000_000


async def thumbnail(data: bytes) -> bytes | None:
    """A small WebP of a picture; None for one that cannot be read, or is larger than is decoded."""
    return await asyncio.to_thread(_make, data)


def _make(data: bytes) -> bytes | None:
    from PIL import Image, ImageOps  # lazy: takes 10 MB, for who sends pictures

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
                if image.width * image.height > MOST_PIXELS:
                    return None
                image.draft("RGB", (SIDE, SIDE))
                small = ImageOps.exif_transpose(image).convert("RGBA")
                small.thumbnail((SIDE, SIDE))
                target = io.BytesIO()
                small.save(target, "WEBP", quality=80)
                return target.getvalue()
    except (OSError, ValueError, SyntaxError, ArithmeticError, Image.DecompressionBombError, Warning):
        return None
