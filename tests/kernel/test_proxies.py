"""Whose word is believed about where a request comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.kernel.proxies import Proxies

PROXIES = Proxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"])
PROXY, CLIENT = "10.0.0.1", "203.0.113.9"


def client(peer: str | None, *headers: tuple[str, str]) -> str | None:
    return PROXIES.client(peer, [(name.encode(), value.encode("latin-1")) for name, value in headers])


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ([], PROXY),
        ([("x-forwarded-for", CLIENT)], CLIENT),
        (
            [("x-forwarded-for", f"198.51.100.1, {CLIENT}")],
            CLIENT,
        ),  # further left stands what the client wrote
        ([("x-forwarded-for", f"{CLIENT}, 10.1.1.1, 192.0.2.7")], CLIENT),
        ([("x-forwarded-for", "10.1.1.1, 10.2.2.2")], "10.1.1.1"),  # somebody inside
        ([("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", CLIENT)], CLIENT),
        ([("x-forwarded-for", f"junk, {CLIENT}")], CLIENT),
        ([("x-forwarded-for", f"{CLIENT}, junk")], PROXY),
        ([("x-forwarded-for", f"{CLIENT},")], PROXY),
        ([("x-forwarded-for", "")], PROXY),
        ([("x-forwarded-for", "unknown")], PROXY),
        ([("x-forwarded-for", f"{CLIENT}:4711")], CLIENT),
        ([("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1"),
        ([("x-forwarded-for", "2001:DB8:0:0::1")], "2001:db8::1"),
        ([("x-forwarded-for", f"::ffff:{CLIENT}")], CLIENT),
        ([("x-forwarded-for", "127.0.0.1\0")], PROXY),
        ([("x-forwarded-for", "0x7f.1")], PROXY),
        ([("x-real-ip", CLIENT)], CLIENT),
        ([("x-real-ip", f"{CLIENT}, {CLIENT}")], PROXY),
        ([("x-real-ip", "'; DROP TABLE")], PROXY),
        ([("forwarded", f"for={CLIENT};proto=https;by=10.0.0.1")], CLIENT),
        ([("forwarded", f"For=198.51.100.1, for={CLIENT}")], CLIENT),
        ([("forwarded", 'for="[2001:db8::1]:4711"')], "2001:db8::1"),
        ([("forwarded", "for=_hidden")], PROXY),
        ([("forwarded", "for=unknown")], PROXY),
        ([("forwarded", "proto=https")], PROXY),
        ([("x-forwarded-for", CLIENT), ("x-real-ip", CLIENT)], CLIENT),
        (
            [("x-forwarded-for", CLIENT), ("x-real-ip", "198.51.100.1")],
            PROXY,
        ),  # one of them is the client's own
        ([("forwarded", "for=198.51.100.1"), ("x-forwarded-for", CLIENT)], PROXY),
        ([("forwarded", "nonsense"), ("x-forwarded-for", CLIENT)], PROXY),
    ],
    ids=str,
)
def test_what_a_trusted_proxy_says(headers: list[tuple[str, str]], wanted: str) -> None:
    assert client(PROXY, *headers) == wanted


@pytest.mark.parametrize("peer", [CLIENT, "192.0.2.8", "127.0.0.1", "", None, "testclient", "10.0.0.1.evil"])
def test_what_anybody_else_says(peer: str | None) -> None:
    assert client(peer, ("x-forwarded-for", "198.51.100.1"), ("x-real-ip", "198.51.100.1")) == peer
    assert PROXIES.scheme(peer, [(b"x-forwarded-proto", b"https")]) is None


def test_without_a_list_nobody_is_trusted() -> None:
    assert Proxies(()).client("127.0.0.1", [(b"x-forwarded-for", b"1.2.3.4")]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(b"https", "https"), (b"HTTP", "http"), (b"http, https", "https"), (b"javascript", None), (b"", None)],
)
def test_the_scheme(value: bytes, wanted: str | None) -> None:
    assert PROXIES.scheme(PROXY, [(b"x-forwarded-proto", value)]) == wanted


@given(st.text(max_size=60), st.sampled_from(["x-forwarded-for", "forwarded", "x-real-ip"]))
def test_nonsense_is_never_an_address(text: str, kind: str) -> None:
    value = text.encode("utf-8", "replace")
    found = PROXIES.client(PROXY, [(kind.encode(), value)])
    assert found is not None
    assert set(found) <= set("0123456789abcdef.:")
    assert len(found) <= 45
