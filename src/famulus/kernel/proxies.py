"""Proxies in front: whose word is believed about where a request comes from.

Whoever is not in the list says nothing that counts. Of a trusted proxy's list of hops the rightmost counts that is no
trusted proxy itself: further left stands what the client has written. A proxy passes on whichever of the three headers
it does not know, so where they disagree none is believed, and the connection itself is where the request comes from.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Headers = Iterable[tuple[bytes, bytes]]
_FORWARDED_FOR = re.compile(r'(?:^|;)\s*for=(?:"([^"]*)"|([^;"\s]*))', re.IGNORECASE)
_IPV4_PORT = re.compile(r"([0-9.]+):\d{1,5}")
_IPV6_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d{1,5})?")


class Proxies:
    """The proxies that are trusted, by address or network."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(each, strict=False) for each in trusted)

    def trusts(self, peer: str | None) -> bool:
        """Whether the other end of the connection is one of them."""
        address = _address(peer or "")
        return address is not None and self._is_ours(address)

    def client(self, peer: str | None, headers: Headers) -> str | None:
        """Where a request comes from."""
        if not self._networks or not self.trusts(peer):
            return peer
        found = {self._claimed(name, values) for name, values in _kinds(headers)}
        if len(found) != 1:
            return peer
        return found.pop() or peer

    def scheme(self, peer: str | None, headers: Headers) -> str | None:
        """`http` or `https`, where a trusted proxy says how people reach it."""
        if not self._networks or not self.trusts(peer):
            return None
        said = [value for name, value in headers if name == b"x-forwarded-proto"]
        last = said[-1].rpartition(b",")[2].strip().lower() if said else b""
        return last.decode() if last in (b"http", b"https") else None

    def _claimed(self, kind: bytes, values: list[str]) -> str | None:
        """The address that one kind of header comes to; None when it makes no sense."""
        hops = ",".join(values).split(",") if kind != b"x-real-ip" else values
        for hop in reversed(hops):
            address = _address(_hop(kind, hop))
            if address is None:
                return None
            if not self._is_ours(address):
                return str(address)
        return str(address) if hops and (address := _address(_hop(kind, hops[0]))) else None

    def _is_ours(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _kinds(headers: Headers) -> Iterator[tuple[bytes, list[str]]]:
    """The headers that speak of it, each with all its lines in order."""
    told: dict[bytes, list[str]] = {}
    for name, value in headers:
        if name in (b"x-forwarded-for", b"forwarded", b"x-real-ip"):
            told.setdefault(name, []).append(value.decode("latin-1"))
    yield from told.items()


def _hop(kind: bytes, text: str) -> str:
    if kind != b"forwarded":
        return text
    found = _FORWARDED_FOR.search(text)
    return "" if found is None else found[1] or found[2] or ""


def _address(text: str) -> Address | None:
    """The address in a hop, without its port; one of IPv4 in the clothes of IPv6 is one of IPv4."""
    text = text.strip()
    if with_port := _IPV4_PORT.fullmatch(text) or _IPV6_PORT.fullmatch(text):
        text = with_port[1]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
