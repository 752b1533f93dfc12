"""Pages by their addresses: each fetched once, if its host's robots.txt lets us, and kept in a folder to be read."""

import asyncio
import mimetypes
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from famulus.kernel.errors import FamulusError
from famulus.kernel.http import Outbound
from famulus.knowledge.files import FileRef, Limits
from famulus.knowledge.parse import format_of
from famulus.knowledge.walk import Listing, Remark

AGENT = "Famulus"
SECONDS = 20.0
PAUSE = 0.2
"""Seconds between two requests, which all go one after another."""
MOST_SECONDS = 400.0
"""For all of them together, within what a job may take."""
ROBOTS_BYTES = 500_000
OK, SERVER_ERROR = 200, 500
_ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
}


async def fetch_all(outbound: Outbound, urls: Sequence[str], folder: Path, limits: Limits) -> Listing:
    """The pages at these addresses as files of `folder`; what cannot be had is named, and the rest goes on."""
    listing = Listing()
    rules: dict[str, Any] = {}
    left = limits.total_bytes
    until = time.monotonic() + MOST_SECONDS
    for number, url in enumerate(dict.fromkeys(urls)):
        if time.monotonic() > until:
            listing.failed.append(
                Remark(url, "The addresses before it took too long; make them two sources.")
            )
            continue
        if number:
            await asyncio.sleep(PAUSE)
        try:
            if not await _allowed(outbound, url, rules):
                listing.skipped.append(Remark(url, "The host's robots.txt does not allow it."))
                continue
            ref = await _fetched(outbound, url, folder / str(number), min(limits.file_bytes, left))
        except FamulusError as error:
            listing.failed.append(Remark(url, error.detail))
            continue
        if isinstance(ref, str):
            listing.failed.append(Remark(url, ref))
        else:
            left -= ref.size
            listing.files.append(ref)
    return listing


async def _allowed(outbound: Outbound, url: str, rules: dict[str, Any]) -> bool:
    """What the host says in its robots.txt; one without any allows everything, one that is down nothing."""
    import protego  # lazy: for lists of addresses alone

    parts = urlsplit(url)
    host = f"{parts.scheme}://{parts.netloc}"
    if host not in rules:
        answer = await outbound.fetch(
            f"{host}/robots.txt", headers={"User-Agent": AGENT}, max_bytes=ROBOTS_BYTES, timeout=SECONDS
        )
        text = answer.body.decode("utf-8", errors="replace") if answer.status == OK else ""
        if answer.status >= SERVER_ERROR:
            text = "User-agent: *\nDisallow: /"
        rules[host] = protego.Protego.parse(text)
    return bool(rules[host].can_fetch(url, AGENT))


async def _fetched(outbound: Outbound, url: str, place: Path, most: int) -> FileRef | str:
    answer = await outbound.fetch(url, headers={"User-Agent": AGENT}, max_bytes=most, timeout=SECONDS)
    if answer.status != OK:
        return f"It answers {answer.status}."
    kind = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    name = Path(urlsplit(answer.url).path).name or "index"
    if format_of(name) is None or kind in _ENDINGS:
        name = f"{Path(name).stem or 'index'}{_ENDINGS.get(kind) or mimetypes.guess_extension(kind) or ''}"
    if format_of(name) is None:
        return f"This kind of file is not read ({kind[:60]})."
    await asyncio.to_thread(place.write_bytes, answer.body)
    return FileRef(url, os.fsencode(place), len(answer.body), name=name)
