"""People with tokens of a trusted issuer, against a real one: accounts, roles and organizations follow the claims."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from joserfc.jwk import ECKey
from sqlalchemy import event, text

from famulus.campus import organizations
from famulus.campus.memberships import add_member
from famulus.campus.schemas.organizations import NewOrganization
from famulus.campus.schemas.people import NewMember
from famulus.doors.rest import CAMPUS
from famulus.identity import administration
from famulus.identity.accounts import create_account, find_by_email
from famulus.identity.foreign import ForeignTokens
from famulus.identity.jwks import MAX_AGE, PAUSE, STALE, IssuerKeys, IssuerSilent
from famulus.identity.routes.keys import router as keys
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.http import Outbound
from famulus.kernel.issuers import TrustedIssuer
from famulus.kernel.settings import load_settings
from tests.support.docs_markdown import blocks
from tests.support.oidc_provider import OidcProvider
from tests.support.rooms import SITE, serving


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    with OidcProvider() as provider:
        yield provider


@pytest.fixture
def provider(running: OidcProvider) -> OidcProvider:
    """The provider as it was at first."""
    running.keys, running.down = running.keys[:1], False
    return running


@asynccontextmanager
async def trusting(database: Database, provider: OidcProvider, **more: Any) -> AsyncIterator[AsyncClient]:
    """A client of an application that trusts the provider, as `more` says."""
    settings = load_settings(**provider.settings(**more))
    async with serving(database, keys, *CAMPUS, settings=settings) as client:
        yield client


async def me(client: AsyncClient, provider: OidcProvider, **claims: Any) -> Response:
    """Who the bearer of such a token is."""
    token = provider.mint(provider.claims(**claims))
    return await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})


async def place(client: AsyncClient, provider: OidcProvider, **claims: Any) -> tuple[str | None, str | None]:
    """Where and as what the bearer of such a token is."""
    found = (await me(client, provider, **claims)).json()
    return (found["organization"] and found["organization"]["name"], found["role"])


async def found(database: Database, *names: str) -> list[str]:
    """Organizations of these names; returns their ids."""
    async with database.write() as session:
        made = [
            await organizations.create_organization(session, SITE, NewOrganization(name=each))
            for each in names
        ]
    return [each.id for each in made]


async def test_somebody_new_gets_an_account_a_place_and_a_role(
    database: Database, provider: OidcProvider
) -> None:
    await found(database, "North")
    async with trusting(database, provider) as client:
        first = (await me(client, provider, school="north", roles=["x", "pupil", "staff"])).json()
        again = (await me(client, provider, school="North", roles="staff")).json()

    assert first["user"]["email"] == "ada@school.example"
    assert first["user"]["name"] == "Ada"
    assert (first["organization"]["name"], first["role"]) == ("North", "teacher"), "the strongest role counts"
    assert again["user"]["id"] == first["user"]["id"]
    async with database.read() as session:
        account = await find_by_email(session, "ada@school.example")
    assert account is not None
    assert account.email_verified, "the issuer says so, and a teacher may teach"


async def test_place_and_role_follow_the_claims(database: Database, provider: OidcProvider) -> None:
    await found(database, "North", "South")
    now = int(time.time())
    async with trusting(database, provider) as client:
        said = [
            await place(client, provider, school="North", roles=["pupil"], iat=now - 50),
            await place(client, provider, school="North", roles=["head"], iat=now - 40),
            await place(client, provider, school="North", roles=["gardener"], iat=now - 30),
            await place(client, provider, school="South", roles=["staff"], iat=now - 20),
            await place(client, provider, school="North", roles=["head"], iat=now - 45),
            await place(client, provider, iat=now - 10),
        ]
        memberships = (await me(client, provider, iat=now - 10)).json()["memberships"]

    assert said == [
        ("North", "student"),
        ("North", "organization_admin"),
        ("North", "student"),
        ("South", "teacher"),
        ("South", "teacher"),  # an older token does not bring back what a newer one has taken
        (None, None),
    ]
    assert memberships == []


async def test_what_somebody_here_has_given_stays(database: Database, provider: OidcProvider) -> None:
    north, south = await found(database, "North", "South")
    async with trusting(database, provider) as client:
        user = (await me(client, provider, school="North")).json()["user"]["id"]
        async with database.write() as session:
            new = NewMember(email="ada@school.example", role="organization_admin")
            await add_member(session, SITE, south, new)
        await me(client, provider)
        left = (await me(client, provider)).json()

    assert left["user"]["id"] == user
    assert [each["organization"]["id"] for each in left["memberships"]] == [south]
    assert north != south


async def test_nothing_is_written_where_nothing_differs(database: Database, provider: OidcProvider) -> None:
    await found(database, "North")
    async with trusting(database, provider) as client:
        await me(client, provider, school="North", roles="staff")
        written: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
            if not statement.startswith(("SELECT", "BEGIN", "PRAGMA")):
                written.append(statement)

        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        for number in range(3):
            assert (await me(client, provider, school="North", roles="staff", jti=str(number))).is_success

    assert written == []


async def test_many_first_requests_at_once_make_one_account(
    database: Database, provider: OidcProvider
) -> None:
    await found(database, "North")
    async with trusting(database, provider) as client:
        answers = await asyncio.gather(
            *(me(client, provider, school="North", jti=str(number)) for number in range(8))
        )

    assert {each.status_code for each in answers} == {200}
    assert len({each.json()["user"]["id"] for each in answers}) == 1


async def test_an_address_alone_is_nobody(database: Database, provider: OidcProvider) -> None:
    async with database.write() as session:
        await create_account(session, email="ada@school.example", name="Old Ada", password_hash=None)
    async with trusting(database, provider) as client:
        refused = await me(client, provider)
    async with trusting(database, provider, link_by_email=True) as client:
        unverified = await me(client, provider, email_verified=False)
        linked = await me(client, provider)

    assert (refused.status_code, refused.json()["code"]) == (403, "foreign_address_taken")
    assert unverified.status_code == 403
    assert linked.json()["user"]["name"] == "Old Ada"


async def test_a_site_admin_is_not_linked_by_address(database: Database, provider: OidcProvider) -> None:
    async with database.write() as session:
        await create_account(
            session, email="ada@school.example", name="Root", password_hash=None, site_admin=True
        )
    async with trusting(database, provider, link_by_email=True) as client:
        assert (await me(client, provider)).status_code == 403
    roles = {"head": "site_admin"}
    async with trusting(database, provider, link_by_email=True, allow_site_admin=True, roles=roles) as client:
        assert (await place(client, provider, roles="head")) == (None, "site_admin")
        assert (await place(client, provider, roles="other")) == (None, None), "and may be taken away"


async def test_who_comes_without_an_account_where_none_is_made(
    database: Database, provider: OidcProvider
) -> None:
    async with trusting(database, provider, provision=False) as client:
        refused = await me(client, provider)

    assert (refused.status_code, refused.json()["code"]) == (403, "foreign_refused")


async def test_a_suspended_person_stays_out(database: Database, provider: OidcProvider) -> None:
    async with trusting(database, provider) as client:
        user = (await me(client, provider)).json()["user"]["id"]
        async with database.write() as session:
            await administration.suspend(session, None, user)
        refused = await me(client, provider)

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


async def test_claims_without_an_address(database: Database, provider: OidcProvider) -> None:
    async with trusting(database, provider) as client:
        bare = (await me(client, provider, email=None, email_verified=None, name=None)).json()
        odd = (await me(client, provider, sub="b", email="no address", name="a\0b")).json()
    async with trusting(database, provider, require_verified_email=True) as client:
        refused = [
            (await me(client, provider, email_verified=each)).status_code for each in (None, False, "true", 1)
        ]

    assert bare["user"]["email"].endswith("@foreign.invalid")
    assert odd["user"]["name"] == "Somebody"
    assert refused == [401] * 4


async def test_organizations_by_id_by_name_and_made(database: Database, provider: OidcProvider) -> None:
    [north] = await found(database, "North")
    async with trusting(database, provider, organizations="id") as client:
        assert await place(client, provider, school=north, roles="staff") == ("North", "teacher")
        assert await place(client, provider, school="North", roles="staff") == (None, None)
    async with trusting(database, provider) as client:
        assert await place(client, provider, sub="b", email="b@x.test", school="West") == (None, None)
    async with trusting(database, provider, create_organizations=True) as client:
        assert await place(client, provider, sub="b", email="b@x.test", school="West") == ("West", "student")
    only = ["North"]
    async with trusting(database, provider, create_organizations=True, only_organizations=only) as client:
        assert await place(client, provider, sub="c", email="c@x.test", school="East") == (None, None)
    async with trusting(database, provider, default_organization="North", default_role=None) as client:
        assert await place(client, provider, sub="d", email="d@x.test") == (None, None)
        assert await place(client, provider, sub="d", email="d@x.test", roles="pupil") == ("North", "student")


async def test_an_archived_organization_takes_nothing_away(
    database: Database, provider: OidcProvider
) -> None:
    """Until it is in use again the person is nowhere; then they are what they were."""
    [north] = await found(database, "North")

    async def archive(since: datetime | None) -> None:
        value = since if since is None or database.dialect == "postgresql" else since.replace(tzinfo=None)
        async with database.write() as session:
            await session.execute(
                text("UPDATE organizations SET archived_at = :at WHERE id = :id"), {"at": value, "id": north}
            )

    async with trusting(database, provider) as client:
        said = [await place(client, provider, school="North", roles="staff")]
        await archive(datetime.now(UTC))
        said.append(await place(client, provider, school="North", roles="staff", jti="2"))
        await archive(None)
        said.append(await place(client, provider, school="North", roles="staff", jti="3"))

    assert said == [("North", "teacher"), (None, None), ("North", "teacher")]


async def test_claims_deep_inside_and_with_dots_in_their_names(
    database: Database, provider: OidcProvider
) -> None:
    await found(database, "North")
    names = {
        "role": "realm_access.roles",
        "organization": "https://school.example/name",
        "email": ["who", "mail"],
    }
    claims = {
        "realm_access": {"roles": ["head"]},
        "https://school.example/name": "North",
        "who": {"mail": "deep@x.test"},
    }
    async with trusting(database, provider, claims=names) as client:
        inside = (await me(client, provider, **claims)).json()

    assert (inside["user"]["email"], inside["role"]) == ("deep@x.test", "organization_admin")


async def test_id_tokens_only_where_they_are_wanted(database: Database, provider: OidcProvider) -> None:
    async with trusting(database, provider, accept_id_tokens=True, audience=[]) as client:
        assert (await me(client, provider, aud="famulus", nonce="n")).status_code == 200
        assert (await me(client, provider, aud="famulus-api")).status_code == 401
    async with trusting(database, provider, audience=[]) as client:
        assert (await me(client, provider)).status_code == 401, "it is there for signing in only"


async def test_a_foreign_token_makes_no_keys(database: Database, provider: OidcProvider) -> None:
    """They would outlive it."""
    async with trusting(database, provider) as client:
        headers = {"Authorization": f"Bearer {provider.mint()}"}
        answer = await client.post(
            "/api/v1/api-keys", json={"name": "x", "scopes": ["read"]}, headers=headers
        )

    assert (answer.status_code, answer.json()["code"]) == (403, "needs_session")


async def test_the_memory_does_not_outlive_the_token(database: Database, provider: OidcProvider) -> None:
    async with trusting(database, provider, leeway=0) as client:
        await me(client, provider)  # so that the next needs no account to be made
        end = time.time() + 1.5
        headers = {"Authorization": f"Bearer {provider.mint(provider.claims(exp=end))}"}
        first = (await client.get("/api/auth/me", headers=headers)).status_code
        await asyncio.sleep(end + 0.01 - time.time())
        second = (await client.get("/api/auth/me", headers=headers)).status_code

    assert (first, second) == (200, 401)


class Clock:
    """A time that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def keys_of(provider: OidcProvider, **more: Any) -> AsyncIterator[tuple[IssuerKeys, Clock]]:
    issuer = TrustedIssuer(issuer=provider.url, audience=("famulus-api",), **more)
    outbound, clock = Outbound(["127.0.0.1"]), Clock()
    try:
        yield IssuerKeys(issuer, outbound, plain_hosts=("127.0.0.1",), clock=clock), clock
    finally:
        await outbound.close()


async def test_a_new_key_is_found_and_made_up_ones_are_not_asked_for(provider: OidcProvider) -> None:
    async with keys_of(provider) as (known, clock):
        old = provider.keys[0].kid
        assert len(await known.candidates(old, "RS256")) == 1
        asked = provider.asked["/jwks"]
        clock.now += PAUSE
        provider.rotate(keep=True)
        assert len(await known.candidates(provider.keys[-1].kid, "RS256")) == 1, "asked for at once"
        assert len(await known.candidates(old, "RS256")) == 1
        for number in range(50):
            assert await known.candidates(f"made up {number}", "RS256") == []
        assert provider.asked["/jwks"] == asked + 1
        clock.now += PAUSE
        await known.candidates("made up", "RS256")
        assert provider.asked["/jwks"] == asked + 2


async def test_keys_outlive_a_silent_issuer_for_some_hours(provider: OidcProvider) -> None:
    async with keys_of(provider) as (known, clock):
        kid = provider.keys[0].kid
        await known.candidates(kid, "RS256")
        provider.down = True
        clock.now += MAX_AGE + 1
        assert len(await known.candidates(kid, "RS256")) == 1
        clock.now += STALE
        with pytest.raises(IssuerSilent):
            await known.candidates(kid, "RS256")
        provider.down = False
        clock.now += PAUSE
        assert len(await known.candidates(kid, "RS256")) == 1, "and are there again with it"


async def test_a_key_that_was_withdrawn_is_gone_with_the_next_fetch(provider: OidcProvider) -> None:
    async with keys_of(provider) as (known, clock):
        kid = provider.keys[0].kid
        await known.candidates(kid, "RS256")
        provider.rotate()
        clock.now += MAX_AGE + 1
        assert await known.candidates(kid, "RS256") == []


async def test_keys_fit_their_algorithm_and_use(provider: OidcProvider) -> None:
    provider.keys = [provider.keys[0], ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"})]
    async with keys_of(provider) as (known, _):
        assert [key.kid for key in await known.candidates(None, "ES256")] == ["curve"]
        assert await known.candidates("curve", "RS256") == []


async def test_an_issuer_is_asked_over_tls_and_never_inside(provider: OidcProvider) -> None:
    """The address of the keys comes from a document; it cannot lead to where nobody wanted to go."""
    issuer = TrustedIssuer(issuer=provider.url, audience=("a",), jwks_url="https://169.254.169.254/keys")
    outbound = Outbound()
    try:
        for known in (IssuerKeys(issuer, outbound), ForeignTokens([issuer], outbound).keys[provider.url]):
            with pytest.raises(IssuerSilent):
                await known.candidates("first", "RS256")
    finally:
        await outbound.close()


GOOD = {"issuer": "https://login.example", "audience": "a"}


@pytest.mark.parametrize(
    "issuers",
    [
        [{"issuer": "https://login.example"}],
        [{**GOOD, "issuer": "http://login.example"}],
        [{**GOOD, "issuer": "login.example"}],
        [{**GOOD, "jwks_url": "http://login.example/keys"}],
        [{**GOOD, "algorithms": ["HS256"]}],
        [{**GOOD, "algorithms": ["none"]}],
        [{**GOOD, "algorithms": []}],
        [{**GOOD, "client_id": "c"}],
        [{**GOOD, "roles": {"root": "site_admin"}}],
        [{**GOOD, "roles": {"x": "king"}}],
        [{**GOOD, "unknown": 1}],
        [GOOD, GOOD],
    ],
    ids=str,
)
def test_issuers_that_cannot_be_trusted_stop_the_start(issuers: list[Any]) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(trusted_issuers=issuers)


def test_the_examples_of_the_documentation_are_settings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "sign-in-from-outside.md").read_text("utf-8")
    written = re.findall(r"FAMULUS_TRUSTED_ISSUERS='(.*?)'", page, re.DOTALL)
    written += [block.text for block in blocks(page) if block.language == "json"]

    assert len(written) == 3
    for example in written:
        assert load_settings(trusted_issuers=json.loads(example)).trusted_issuers
    said = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", page, re.MULTILINE))))
    assert set(TrustedIssuer.model_fields) - said == {"issuer"}


def test_signing_in_elsewhere_needs_an_address_to_come_back_to() -> None:
    issuers = [{**GOOD, "id": "x", "client_id": "c"}]

    assert load_settings(trusted_issuers=issuers).trusted_issuers[0].label == "x"
    with pytest.raises(ConfigurationError, match="PUBLIC_URL"):
        load_settings(trusted_issuers=issuers, environment="production")
