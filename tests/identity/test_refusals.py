"""What is written down of people from outside who were not let in: enough to see it, too little to fill a table with."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select, update

from famulus.identity import brake
from famulus.identity.models import Attempts, AuditEntry
from famulus.identity.refusals import REFUSED, Refusal, note
from famulus.kernel.database import Database
from tests.identity.test_foreign import me, trusting
from tests.support.oidc_provider import OidcProvider


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as provider:
        yield provider


async def noted(database: Database) -> list[AuditEntry]:
    async with database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action == REFUSED).order_by(AuditEntry.id)
        return list(await session.scalars(query))


@pytest.mark.parametrize(
    ("given", "claims", "why"),
    [
        ({}, {"aud": "somebody-else"}, "it was made for somebody else"),
        ({}, {"iss": "https://elsewhere.example"}, "its issuer is not trusted"),
        ({"provision": False}, {}, "foreign_refused"),
        ({}, {"exp": int(time.time()) - 3600}, None),
    ],
)
async def test_a_token_that_lets_nobody_in(
    database: Database, provider: OidcProvider, given: dict[str, Any], claims: dict[str, Any], why: str | None
) -> None:
    async with trusting(database, provider, **given) as client:
        assert (await me(client, provider, **claims)).status_code in (401, 403)
    found = [
        (one.after and one.after["why"], one.after and one.after["way"]) for one in await noted(database)
    ]
    assert found == ([] if why is None else [(why, "token")]), "one that has run out is no refusal"


async def test_what_was_sent_is_not_kept(database: Database, provider: OidcProvider) -> None:
    token = provider.mint(provider.claims(sub="ada", iss="https://elsewhere.example"))
    forged = provider.mint(provider.claims(sub="mallory"), key=ECKey.generate_key("P-256", {"kid": "x"}))
    async with trusting(database, provider, provision=False) as client:
        for each in (token, forged, provider.mint(provider.claims(sub="bo"))):
            await client.get("/api/auth/me", headers={"Authorization": f"Bearer {each}"})
    names = [one.thing_name for one in await noted(database)]
    assert names == ["an issuer that is not trusted", provider.url, provider.url]
    for one in await noted(database):
        told = f"{one.thing_id} {one.thing_name} {one.after}"
        assert not [word for word in ("mallory", "elsewhere", token, forged) if word in told]


async def test_a_flood_does_not_fill_the_table(database: Database) -> None:
    free = brake.REFUSALS_FROM.free
    for _ in range(3):
        for _ in range(free + 5):
            await note(database, Refusal("token", "it is not signed"))
        async with database.write() as session:  # the wait is over, and nothing is forgotten
            await session.execute(update(Attempts).values(last_at=Attempts.last_at - 61))
    found = await noted(database)
    assert [one.after and one.after["slowed"] for one in found] == [False] * (free - 1) + [True]
