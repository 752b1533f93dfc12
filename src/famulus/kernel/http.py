"""Outbound HTTP: the one way to addresses that a person or a model has named, made so that it cannot be turned inwards.

A name is resolved once and the connection goes to the very addresses that were checked; so it is for every redirect.
Addresses of this machine, of private networks and of special use are refused, but for hosts the operator has allowed.
`http_client` is how that is done.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from famulus.kernel.http_answers import Response

BY_A_TOOL = "famulus-tool-call"
"""The header in which a request says that a tool makes it, not a person."""
TIMEOUT = 20.0
MAX_BYTES = 10_000_000
REDIRECTS = 3


class Outbound:
    """The client; it connects when it is first needed. Build it once, `close` it at the end.

    `allowed_private_hosts` are names or numeric addresses as they stand in a URL; every other has to be public.
    `resolver` is aiohttp's kind of one, for who wants another than the system's.
    """

    def __init__(
        self,
        allowed_private_hosts: Collection[str] = (),
        *,
        timeout: float = TIMEOUT,
        max_bytes: int = MAX_BYTES,
        resolver: Any = None,
    ) -> None:
        self._allowed = allowed_private_hosts
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._resolver = resolver
        self._client: Any = None

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.close()

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,
        redirects: int = REDIRECTS,
        until: Callable[[bytearray], bool] | None = None,
    ) -> Response:
        """One exchange, following at most `redirects` redirects; with 0 the redirect itself is the response.

        `until` is shown the body as it grows, and says when the rest is not wanted: for streams that do not end.
        `timeout` is for everything together, in seconds. Raises OutboundRefused, OutboundFailed, OutboundTooLarge.
        """
        if self._client is None:
            # lazy: aiohttp, which many a server never needs
            from famulus.kernel.http_client import HttpClient

            self._client = HttpClient(self._allowed, self._resolver)
        return await self._client.fetch(
            url,
            method=method,
            headers=headers,
            body=body,
            max_bytes=self._max_bytes if max_bytes is None else max_bytes,
            seconds=self._timeout if timeout is None else timeout,
            redirects=redirects,
            until=until,
        )
