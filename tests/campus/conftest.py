"""What tests of the campus share: two tenants, served."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from famulus.campus.models import Enrolment, Membership
from famulus.doors.rest import CAMPUS
from famulus.identity.directory import directory
from famulus.identity.models import User
from famulus.kernel.database import Database
from tests.support.rooms import World, build_world, serving


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants and their people, behind the campus's routes."""
    async with serving(database, *CAMPUS) as client:
        yield await build_world(database, client)
    await _require_listed(database)


async def _require_listed(database: Database) -> None:
    """However somebody came into a place, its list has the name and the address that the account has."""
    async with database.read() as session:
        for table in (Membership, Enrolment):
            person = directory().add_columns(User.name_key).subquery()
            other = (table.person_key != person.c.name_key) | (table.email_key != person.c.email)
            query = select(person.c.email).join(table, table.user_id == person.c.id).where(other)
            assert (await session.scalars(query)).all() == [], table.__tablename__
