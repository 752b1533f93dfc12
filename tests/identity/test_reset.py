"""A new password by mail: whose account it is from then on."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from famulus.identity import email_tokens
from famulus.identity.accounts import create_account
from famulus.identity.gate import Gate
from famulus.identity.models import ForeignIdentity
from famulus.identity.recovery import reset_password
from famulus.kernel.database import Database
from famulus.kernel.tables import utc_now

EMAIL = "ada@school.example"


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate(strict=True)
    yield gate
    gate.close()


@pytest.mark.parametrize(("verified", "left"), [(False, 0), (True, 1)])
async def test_ways_in_from_outside_that_came_with_a_mere_claim_end(
    database: Database, gate: Gate, verified: bool, left: int
) -> None:
    """Somebody may have come from their own provider with an address that is Ada's."""
    async with database.write() as session:
        account = await create_account(
            session, email=EMAIL, name="Ada", password_hash=None, verified=verified
        )
        session.add(
            ForeignIdentity(
                issuer="https://id.example",
                subject="1",
                user_id=account.id,
                organization_id=None,
                claimed_at=None,
                created_at=utc_now(),
            )
        )
        issued = await email_tokens.issue(session, account.id, "reset", EMAIL)

    after = await reset_password(database, gate, issued.token, "an entirely new password")

    assert after.email_verified
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(ForeignIdentity)) == left
