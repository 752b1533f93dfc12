"""Bytes under a name: a folder of this machine, or a bucket (S3, Google, Azure) by its URL. The only user of obstore.

Its calls are made in threads: its own event loop would outlive ours.
"""

import asyncio
import os
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from famulus.kernel.errors import NotFound, Unavailable

CLIENT: Any = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}
RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
"""Of a bucket; left alone it would be asked for three minutes, while somebody waits."""
CLOUDS = ("AWS", "AZURE", "GOOGLE")
"""What the names of their variables begin with."""


class BlobMissing(NotFound):
    """What was stored here is no longer there."""

    code = "blob_missing"


class Blobs:
    """A place for bytes. Names are of our own making."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self._folder = folder
        self._url = url

    async def put(self, name: str, data: bytes) -> None:
        """Store bytes under a name, in place of what was there. Raises Unavailable."""
        try:
            await self._do(self._obstore.put, name, data)
        except BlobMissing as error:
            raise Unavailable("The store of files is not there; see FAMULUS_ATTACHMENT_URL.") from error

    async def get(self, name: str) -> bytes:
        """What is stored. Raises BlobMissing or Unavailable."""
        return await self._do(self._get, name)

    def _get(self, store: Any, name: str) -> bytes:
        return bytes(self._obstore.get(store, name).bytes())

    async def delete(self, *names: str) -> None:
        """Forget what is stored; what is not there needs no forgetting. Raises Unavailable."""
        for name in names:
            try:
                await self._do(self._obstore.delete, [name])
            except BlobMissing:
                continue

    async def _do(self, call: Any, *arguments: Any) -> Any:
        try:
            return await asyncio.to_thread(lambda: call(self._store, *arguments))
        except FileNotFoundError as error:
            raise BlobMissing() from error
        except (OSError, self._obstore.exceptions.BaseError) as error:
            raise Unavailable("The store of files does not answer; try again shortly.") from error

    @cached_property
    def _obstore(self) -> Any:
        import obstore  # lazy: takes 15 MB, for who stores files

        return obstore

    @cached_property
    def _store(self) -> Any:
        # lazy: see above
        from obstore.store import LocalStore, from_url

        if self._url is None:
            return LocalStore(self._folder, mkdir=True)
        options: Any = {**CLIENT, "allow_http": _in_clear()}
        return from_url(self._url, client_options=options, retry_config=RETRIES)


def _in_clear() -> bool:
    """Whether the bucket's own variables allow HTTP: options that are given take the place of theirs, all of them."""
    return any(os.environ.get(f"{cloud}_ALLOW_HTTP", "").lower() in ("1", "true") for cloud in CLOUDS)
