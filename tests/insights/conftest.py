"""What tests of insights share: two tenants behind the routes, and a way to have had conversations."""

from collections.abc import AsyncIterator

import pytest

from famulus.doors.rest import CAMPUS, insights
from famulus.kernel.database import Database
from tests.support.rooms import World, build_world, serving


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants and their people, behind the routes of the campus and of insights."""
    async with serving(database, insights, *CAMPUS) as client:
        yield await build_world(database, client)
