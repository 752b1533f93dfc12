"""A new password by mail: whose account it is from then on."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from famulus.campus.arrivals import Arrival, arrive
from famulus.identity import email_tokens, keys
from famulus.identity.foreign import Claimed
from famulus.identity.foreigners import AddressTaken
from famulus.identity.gate import Gate
from famulus.identity.keys import KeyWish
from famulus.identity.models import AuditEntry, Purpose
from famulus.identity.principal import Principal
from famulus.identity.recovery import open_link, reset_password
from famulus.kernel.database import Database
from famulus.kernel.errors import Unauthenticated
from famulus.kernel.issuers import TrustedIssuer
from famulus.kernel.settings import Settings

EMAIL = "ada@school.example"
ISSUER = TrustedIssuer(issuer="https://id.example", audience=("famulus",))


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate(strict=True)
    yield gate
    gate.close()


async def come(database: Database, *, verified: bool) -> Arrival:
    """Somebody comes from outside with Ada's address."""
    return await arrive(database, ISSUER, Claimed(ISSUER.issuer, "1", EMAIL, verified, "Ada"))


async def mailed(database: Database, purpose: Purpose, user_id: str) -> str:
    async with database.write() as session:
        return (await email_tokens.issue(session, user_id, purpose, EMAIL)).token


async def reset(database: Database, gate: Gate, user_id: str) -> None:
    """Ada reads her mail and sets a password."""
    token = await mailed(database, "reset", user_id)
    assert (await reset_password(database, gate, token, "an entirely new password")).email_verified


async def key_of(database: Database, user_id: str) -> str:
    """A key that whoever is signed in to the account makes."""
    principal = Principal(user_id=user_id, name="Ada", email=EMAIL, session_id="ses_1")
    async with database.write() as session:
        return (await keys.make_own_key(session, principal, KeyWish(name="x", scopes=("read",)))).key


@pytest.mark.parametrize("confirmed", [False, True])
async def test_a_way_in_that_came_with_a_mere_claim_ends(
    database: Database, gate: Gate, confirmed: bool
) -> None:
    """Also where its owner has opened the link that whoever made the claim had sent to her."""
    claimed = (await come(database, verified=False)).account.id
    if confirmed:
        token = await mailed(database, "verify", claimed)
        async with database.write() as session:
            await open_link(session, Settings(), token)

    await reset(database, gate, claimed)

    with pytest.raises(AddressTaken):
        await come(database, verified=False)
    async with database.read() as session:
        ended = await session.scalars(select(AuditEntry.before).where(AuditEntry.action == "account.unlink"))
        assert ended.all() == [{"issuer": ISSUER.issuer, "subject": "1"}]


@pytest.mark.parametrize("first", [True, False])
async def test_one_whose_issuer_vouches_for_the_address_stays(
    database: Database, gate: Gate, first: bool
) -> None:
    """From the first time on or since; what it says later takes nothing back."""
    account = (await come(database, verified=first)).account.id
    assert (await come(database, verified=True)).account.email_verified

    await reset(database, gate, account)

    assert (await come(database, verified=False)).account.id == account


async def test_an_issuer_vouches_after_the_address_was_confirmed(database: Database, gate: Gate) -> None:
    account = (await come(database, verified=False)).account.id
    token = await mailed(database, "verify", account)
    async with database.write() as session:
        await open_link(session, Settings(), token)
    await come(database, verified=True)

    await reset(database, gate, account)

    assert (await come(database, verified=False)).account.id == account


@pytest.mark.parametrize("confirmed", [False, True])
async def test_keys_from_before_the_address_was_confirmed_end(
    database: Database, gate: Gate, confirmed: bool
) -> None:
    """Those since are of somebody who reads the mail, and stay."""
    account = (await come(database, verified=False)).account.id
    early = await key_of(database, account)
    later: str | None = None
    if confirmed:
        token = await mailed(database, "verify", account)
        async with database.write() as session:
            await open_link(session, Settings(), token)
        later = await key_of(database, account)

    await reset(database, gate, account)

    async with database.read() as session:
        with pytest.raises(Unauthenticated):
            await keys.resolve(session, early)
        if later is not None:
            assert (await keys.resolve(session, later)).account.id == account
        ended = await session.scalars(select(AuditEntry.action).where(AuditEntry.action == "api_key.revoke"))
        assert len(ended.all()) == 1
