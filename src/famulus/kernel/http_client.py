"""The client behind `http`, on aiohttp: what an address is connected to is checked after its name is resolved."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from multidict import CIMultiDict
from yarl import URL

from famulus.kernel.http_answers import (
    OutboundFailed,
    OutboundRefused,
    OutboundTooLarge,
    OutboundUnreached,
    Response,
)

CONNECT_TIMEOUT = 10.0
CONNECTIONS = 20
MAX_URL = 8000
USER_AGENT = "Famulus"

SPECIAL = (
    "192.0.0.0/24",  # protocol assignments
    "192.88.99.0/24",  # 6to4 relays
    "2001::/23",  # protocol assignments, Teredo among them
    "2002::/16",  # 6to4
    "3fff::/20",  # documentation
)
"""Of special use, though Python may call them global."""
NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
Until = Callable[[bytearray], bool]
REDIRECTING = (301, 302, 303, 307, 308)
HARMLESS = ("accept", "accept-language", "content-type")
"""The headers of a request that another origin may see as well."""


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the public Internet's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and int(parsed) >> 125 != 0b001:
        return False  # outside 2000::/3 there are only mapped, translated, local and reserved addresses
    return parsed.is_global and not parsed.is_multicast and not any(parsed in each for each in _special())


@cache
def _special() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in SPECIAL)


class _CheckedResolver(AbstractResolver):
    """Gives out a name's addresses only if each of them may be connected to."""

    def __init__(self, inner: AbstractResolver, allowed: Collection[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if bare_host(host) not in self._allowed and not all(is_public(each["host"]) for each in found):
            raise _private(host)
        return found

    async def close(self) -> None:
        await self._inner.close()


class HttpClient:
    """Connections to public addresses, and to the private hosts that are allowed."""

    def __init__(
        self, allowed_private_hosts: Collection[str], resolver: AbstractResolver | None = None
    ) -> None:
        self._allowed = frozenset(bare_host(host) for host in allowed_private_hosts)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def fetch(
        self,
        url: str,
        *,
        method: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        max_bytes: int,
        seconds: float,
        redirects: int,
        until: Until | None = None,
    ) -> Response:
        """One exchange; see `Outbound.fetch`."""
        target = self._checked(url)
        request = _Request(method.upper(), CIMultiDict(headers or {}), body, until)
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(target, request, max_bytes, redirects)
        except TimeoutError as error:
            raise OutboundFailed(f"{target.host} did not answer within {seconds:g} seconds.") from error

    async def _follow(self, url: URL, request: "_Request", limit: int, redirects: int) -> Response:
        for hop in range(redirects + 1):
            answer, location = await self._exchange(url, request, limit, follow=redirects > 0)
            if location is None:
                return answer
            if hop < redirects:
                target = self._checked(location, base=url)
                request = request.redirected(answer.status, same_origin=target.origin() == url.origin())
                url = target
        raise OutboundFailed(f"{url.host} redirected more than {redirects} times.")

    async def _exchange(
        self, url: URL, request: "_Request", limit: int, *, follow: bool
    ) -> tuple[Response, str | None]:
        """The response; or, where it is a redirect to `follow`, one without its body, and where to."""
        try:
            async with self._open().request(
                request.method, url, headers=request.headers, data=request.body, allow_redirects=False
            ) as answer:
                location = answer.headers.get("Location") if follow and answer.status in REDIRECTING else None
                body = b"" if location is not None else await _read(answer, limit, request.until)
                return Response(answer.status, answer.headers, body, str(answer.url)), location
        except (aiohttp.ClientError, OSError) as error:
            raise _ours(error, url) from error
        except ValueError as error:  # aiohttp's word for a method or a header that cannot be sent
            raise OutboundRefused(f"The request to {url.host} cannot be sent as it is.") from error

    def _checked(self, text: str, *, base: URL | None = None) -> URL:
        """The address, if it may be asked as far as can be told before its name is resolved."""
        if len(text) > MAX_URL or NOT_IN_A_URL.search(text):
            raise OutboundRefused("The address is too long or contains characters that no URL may have.")
        try:
            url = URL(text) if base is None else base.join(URL(text))
        except ValueError as error:
            raise OutboundRefused("The address is not a URL.") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise OutboundRefused("Only http:// and https:// addresses can be asked.")
        if url.user is not None or url.password is not None:
            raise OutboundRefused("An address with a user name or a password in it is not asked.")
        if _is_address(url.host) and bare_host(url.host) not in self._allowed and not is_public(url.host):
            raise _private(url.host)
        return url

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=_CheckedResolver(self._resolver or ThreadedResolver(), self._allowed),
                use_dns_cache=False,
                limit=CONNECTIONS,
                force_close=True,  # a connection that went stale unnoticed would leave the outcome unknown
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
                trust_env=False,
                middlewares=(_once,),
            )
        return self._session


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    until: Until | None = None

    def redirected(self, status: int, *, same_origin: bool) -> "_Request":
        """What is sent to where a redirect points; another origin gets nothing that may be a credential."""
        headers = CIMultiDict(self.headers)
        if not same_origin:
            headers = CIMultiDict(
                (name, value) for name, value in headers.items() if name.lower() in HARMLESS
            )
        if (status == 303 and self.method != "HEAD") or (status in (301, 302) and self.method == "POST"):
            headers.popall("Content-Type", None)
            return _Request("GET", headers, None, self.until)
        return _Request(self.method, headers, self.body, self.until)


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request a second time: what the first came to is not known."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


async def _read(answer: aiohttp.ClientResponse, limit: int, until: Until | None = None) -> bytes:
    """The body; aiohttp decompresses in small steps, so a bomb is noticed long before it has gone off."""
    host = answer.url.host
    if answer.method != "HEAD" and (answer.content_length or 0) > limit:
        raise OutboundTooLarge(f"{host} answers with more than the {limit} bytes that are accepted.")
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if until is not None and until(body):
            answer.close()  # the rest is not waited for
            break
        if len(body) > limit:
            raise OutboundTooLarge(f"{host} answers with more than the {limit} bytes that are accepted.")
    return bytes(body)


def bare_host(host: str) -> str:
    """A host as it is compared: in lower case, without brackets and final dot, an address in its short spelling."""
    host = host.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")
    return str(ipaddress.ip_address(host)) if _is_address(host) else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _private(host: str) -> OutboundRefused:
    return OutboundRefused(
        f"{host} is not a public address. The operator can allow it in FAMULUS_ALLOWED_PRIVATE_HOSTS."
    )


def _ours(error: Exception, url: URL) -> OutboundFailed | OutboundRefused:
    """aiohttp's error in our words; the address is named without its path, which may hold a secret."""
    match error:
        case aiohttp.InvalidURL():
            return OutboundRefused(f"{url.host} is not the usual spelling of an address.")
        case aiohttp.ClientConnectorDNSError():
            return OutboundUnreached(f"The name {url.host} could not be resolved.")
        case aiohttp.ClientSSLError():
            return OutboundUnreached(f"{url.host} did not offer a valid certificate.")
        case aiohttp.ClientConnectorError():
            return OutboundUnreached(f"{url.host} could not be reached.")
        case _:
            return OutboundFailed(f"{url.host} broke off or did not speak HTTP as it should.")
