"""Forged, foreign and odd credentials, against the real server: each is a 401 of the one shape, and nothing breaks."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.support.oidc_provider import OidcProvider, coded
from tests.support.problems import assert_problem
from tests.support.raw import raw
from tests.support.serving import Served, furnished

ME = "/api/auth/me"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, provider: OidcProvider
) -> Iterator[Served]:
    """A server that trusts the provider."""
    folder = tmp_path_factory.mktemp("tokens")
    with furnished(str(request.param), folder, request, **provider.settings()) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with served.client() as nobody:
        yield nobody


def bearer(token: str) -> dict[str, bytes]:
    return {"Authorization": b"Bearer " + token.encode()}


def by_hmac(provider: OidcProvider, header: dict[str, Any], secret: bytes) -> str:
    """A token whose signature is one of HS256 with a secret of the attacker's choice."""
    signed = f"{coded(header)}.{coded(provider.claims())}"
    return f"{signed}.{coded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def forgeries(provider: OidcProvider) -> dict[str, str]:
    """S01: by what is wrong with it."""
    key, other = provider.keys[-1], RSAKey.generate_key(2048, {"kid": provider.keys[-1].kid})
    good = provider.mint()
    head, body, signature = good.split(".")
    pem = key.as_pem(private=False)
    now = int(time.time())

    def says(**claims: Any) -> str:
        return provider.mint(provider.claims(**claims))

    plain = {"alg": "none", "typ": "JWT"}
    return {
        "none": f"{coded(plain)}.{body}.",
        "None, with the old signature": f"{coded({'alg': 'None'})}.{body}.{signature}",
        "no algorithm": f"{coded({'kid': key.kid})}.{body}.{signature}",
        "the public key as a secret": by_hmac(provider, {"alg": "HS256", "kid": key.kid}, pem),
        "the public key in JSON as a secret": by_hmac(
            provider, {"alg": "HS256", "kid": key.kid}, json.dumps(key.as_dict(private=False)).encode()
        ),
        "an empty secret": by_hmac(provider, {"alg": "HS256", "kid": "../../dev/null"}, b""),
        "signed by a secret in the token": provider.mint(
            key=OctKey.generate_key(256, {"kid": key.kid}), alg="HS256"
        ),
        "an algorithm that is not allowed": provider.mint(alg="PS256"),
        "of another kind of key": provider.mint(key=ECKey.generate_key("P-256", {"kid": key.kid})),
        "of another key": provider.mint(key=other),
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "half of the signature": good[: -len(signature) // 2],
        "another body": f"{head}.{coded(provider.claims(sub='somebody else'))}.{signature}",
        "unknown crit": provider.mint(crit=["exp"], exp=now),
        "crit b64": provider.mint(crit=["b64"], b64=True),
        "kid as a path": provider.mint(kid="../../../../etc/passwd"),
        "kid as SQL": provider.mint(kid="' OR '1'='1"),
        "kid as an address": provider.mint(kid=f"{provider.url}/jwks"),
        "kid as a number": f"{coded({'alg': 'RS256', 'kid': 7})}.{body}.{signature}",
        "kid as a list": f"{coded({'alg': 'RS256', 'kid': [key.kid]})}.{body}.{signature}",
        "jku": provider.mint(key=other, kid="theirs", jku=f"{provider.url}/elsewhere"),
        "x5u": provider.mint(key=other, kid="theirs", x5u=f"{provider.url}/elsewhere"),
        "jwk": provider.mint(key=other, kid="theirs", jwk=other.as_dict(private=False)),
        "no end": says(exp=None),
        "an end that is no number": says(exp="never"),
        "an end that is true": says(exp=True),
        "an end beyond all time": says(exp=1e300),
        "ended": says(exp=now - 61),
        "not yet": says(nbf=now + 120),
        "made in the future": says(iat=now + 120),
        "for somebody else": says(aud="another-api"),
        "for nobody": says(aud=None),
        "for the client alone": says(aud="famulus"),
        "of an issuer that only looks alike": says(iss=provider.url + "/"),
        "of another issuer": says(iss="https://accounts.evil.example"),
        "of no issuer": says(iss=None),
        "an issuer that is a list": says(iss=[provider.url]),
        "of nobody": says(sub=None),
        "of a number": says(sub=7),
        "a logout token": provider.mint(typ="logout+jwt"),
        "a DPoP proof": provider.mint(typ="dpop+jwt"),
        "a refresh token": says(typ="Refresh"),
        "a refresh token by another word": says(token_use="refresh"),
        "an ID token": says(nonce="n"),
        "an ID token by its name": says(typ="ID"),
        "events": says(events={"http://schemas.openid.net/event/backchannel-logout": {}}),
        "a megabyte": f"{head}.{coded(b'x' * 700_000)}.{signature}",
        "more than is read": provider.mint(provider.claims(padding="x" * 20_000)),
        "odd bytes": "eyJ\u00e9.\u00e9.\u00e9",
        "not JSON": f"eyJ{coded(b'junk')}.{coded(b'junk')}.{signature}",
        "JSON that is no object": f"{coded(['eyJ'])}.{coded(7)}.{signature}",
        "deep JSON": f"{coded({'alg': 'RS256'})}.{coded(b'[' * 9000)}.{signature}",
        "five parts": f"{good}.a.b",
    }  # fmt: skip


def test_s01_forged_tokens_of_an_issuer(client: Client, provider: OidcProvider) -> None:
    assert client.get(ME, headers=bearer(provider.mint())).status_code == 200, "one that is good is taken"
    before = provider.asked["/elsewhere"]
    answers = set[str]()
    for what, token in forgeries(provider).items():
        response = client.get(ME, headers=bearer(token))
        assert response.status_code == 401, f"{what}: {response.status_code} {response.text[:200]}"
        assert_problem(response, 401, "unauthenticated")
        answers.add(response.json()["detail"])
    assert len(answers) == 1, "nothing tells what was wrong"
    assert provider.asked["/elsewhere"] == before, "an address in a token is never asked"
    assert client.get(ME, headers=bearer(provider.mint())).status_code == 200


def test_s01_a_token_of_an_issuer_opens_nothing_else(client: Client, provider: OidcProvider) -> None:
    token = provider.mint()
    assert_problem(client.get(ME, headers={"X-API-Key": token}), 401, "unauthenticated")
    assert_problem(client.get(ME, headers={"Cookie": f"famulus_session={token}"}), 401, "unauthenticated")
    assert_problem(client.post("/api/auth/refresh", json={"refresh_token": token[:200]}), 401)


ODD = (
    b"' OR 1=1 --", b"fmk_' OR '1'='1", b'fmk_"; DROP TABLE users; --', b"fms_%00", b"fmk_%00", b"fmk_\xc3\xa9",
    b"fmk_\xff\xfe\xfd", b"\xf0\x9f\xa4\x96", b"fmk_", b"fmk_" + b"A" * 43, b"fmk_" + b"x" * 100_000, b"x" * 100_000,
    b"eyJ" + b"x" * 100_000 + b".y.z", b"eyJ..", b"fma_\\x00", b"null", b"{}", b"..", b"eyJ.eyJ.",
)  # fmt: skip


def test_s03_odd_credentials(client: Client) -> None:
    for odd in ODD:
        for headers in (
            {"Authorization": b"Bearer " + odd},
            {"Authorization": odd},
            {"X-API-Key": odd},
            {"Cookie": b"famulus_session=" + odd},
        ):
            response = client.get(ME, headers=headers)
            assert response.status_code == 401, f"{headers}: {response.status_code}"
            assert_problem(response, 401, "unauthenticated")
    assert_problem(client.get(ME, headers={"X-API-Key": ""}), 401, "unauthenticated")


def test_s03_a_byte_that_no_header_has_is_refused_before_anybody_looks(served: Served) -> None:
    for name in (b"Authorization: Bearer fmk_", b"X-API-Key: ", b"Cookie: famulus_session="):
        answer = raw(served, b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\n" + name + b"a\0b\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401")), answer[:200]


def test_s03_the_first_credential_counts(client: Client, served: Served) -> None:
    """One that is wrong is not replaced by another that would do."""
    good = served.academy.people["student"].token
    for headers in (
        {"Authorization": "Bearer wrong", "Cookie": f"famulus_session={good}"},
        {"X-API-Key": "wrong", "Cookie": f"famulus_session={good}"},
        {"Authorization": "Bearer wrong", "X-API-Key": good},
        {"X-API-Key": good},
    ):
        assert_problem(client.get(ME, headers=headers), 401, "unauthenticated")


def test_s01_without_issuers_a_good_token_is_nobody_s(embedded: Served, provider: OidcProvider) -> None:
    with embedded.client() as client:
        assert_problem(client.get(ME, headers=bearer(provider.mint())), 401, "unauthenticated")
