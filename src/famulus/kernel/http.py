"""Outbound HTTP: the one way to addresses that a person or a model has named, made so that it cannot be turned inwards.

A name is resolved once and the connection goes to the very addresses that were checked; so it is for every redirect.
Addresses of this machine, of private networks and of special use are refused, but for hosts the operator has allowed.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from multidict import CIMultiDict
from yarl import URL

from famulus.kernel.errors import BadRequest, Unavailable

TIMEOUT = 20.0
CONNECT_TIMEOUT = 10.0
MAX_BYTES = 10_000_000
REDIRECTS = 3
CONNECTIONS = 20
MAX_URL = 8000
USER_AGENT = "Famulus"

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 where public hosts live; everything that embeds an IPv4 address but 6to4 and Teredo is outside."""
SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # protocol assignments, Teredo among them
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
"""Of special use, though Python may call them global."""
NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
CREDENTIALS = ("authorization", "cookie", "proxy-authorization")


class OutboundRefused(BadRequest):
    """This address may not be asked from here."""

    code, title = "outbound_refused", "Address refused"


class OutboundTooLarge(BadRequest):
    """The answer of that address is larger than is accepted."""

    code, title = "outbound_too_large", "Answer too large"


class OutboundFailed(Unavailable):
    """That address did not give a usable answer."""

    code, title = "outbound_failed", "No answer"


@dataclass(frozen=True, slots=True)
class Response:
    """What an address answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """By name in any case; of repeated ones the first."""
    body: bytes
    """Decompressed."""
    url: str
    """Where it came from, after redirects."""


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the public Internet's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in GLOBAL_UNICAST:
        return False
    return parsed.is_global and not parsed.is_multicast and not any(parsed in network for network in SPECIAL)


class _CheckedResolver(AbstractResolver):
    """Gives out a name's addresses only if each of them may be connected to."""

    def __init__(self, inner: AbstractResolver, allowed: Collection[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if _bare(host) not in self._allowed and not all(is_public(each["host"]) for each in found):
            raise _private(host)
        return found

    async def close(self) -> None:
        await self._inner.close()


class Outbound:
    """The client; it connects when it is first needed. Build it once, `close` it at the end.

    `allowed_private_hosts` are names or numeric addresses as they stand in a URL; every other has to be public.
    """

    def __init__(
        self,
        allowed_private_hosts: Collection[str] = (),
        *,
        timeout: float = TIMEOUT,
        max_bytes: int = MAX_BYTES,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._allowed = frozenset(_bare(host) for host in allowed_private_hosts)
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

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
    ) -> Response:
        """One exchange, following at most `redirects` redirects; with 0 the redirect itself is the response.

        `timeout` is for everything together, in seconds. Raises OutboundRefused, OutboundFailed, OutboundTooLarge.
        """
        target = self._checked(url)
        request = _Request(method.upper(), CIMultiDict(headers or {}), body)
        limit = self._max_bytes if max_bytes is None else max_bytes
        seconds = self._timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(target, request, limit, redirects)
        except TimeoutError as error:
            raise OutboundFailed(f"{target.host} did not answer within {seconds:g} seconds.") from error

    async def _follow(self, url: URL, request: "_Request", limit: int, redirects: int) -> Response:
        hops = 0
        while True:
            response, location = await self._exchange(url, request, limit, follow=redirects > 0)
            if location is None:
                return response
            hops += 1
            if hops > redirects:
                raise OutboundFailed(f"{url.host} redirected more than {redirects} times.")
            target = self._checked(location, base=url)
            request = request.redirected(response.status, same_origin=target.origin() == url.origin())
            url = target

    async def _exchange(
        self, url: URL, request: "_Request", limit: int, *, follow: bool
    ) -> tuple[Response, str | None]:
        """The response; or, where it is a redirect to `follow`, one without its body, and where to."""
        try:
            async with self._open().request(
                request.method, url, headers=request.headers, data=request.body, allow_redirects=False
            ) as answer:
                headers = CIMultiDict(reversed(answer.headers.items()))
                location = headers.get("Location") if follow and answer.status in REDIRECTING else None
                body = b"" if location is not None else await _read(answer, limit)
                return Response(answer.status, _first(answer), body, str(answer.url)), location
        except (aiohttp.ClientError, OSError) as error:
            raise _ours(error, url) from error
        except ValueError as error:  # aiohttp's word for a header or a method that cannot be sent
            raise OutboundRefused(f"The request to {url.host} cannot be sent as it is.") from error
