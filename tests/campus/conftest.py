"""What tests of the campus share: two tenants, served."""

from collections.abc import AsyncIterator

import pytest

from famulus.doors.rest import CAMPUS
from famulus.kernel.database import Database
from tests.support.rooms import World, build_world, serving


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants and their people, behind the campus's routes."""
    async with serving(database, *CAMPUS) as client:
        yield await build_world(database, client)
