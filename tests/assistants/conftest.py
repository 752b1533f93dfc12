"""What tests of the registry share: two tenants, served, with the assistant that a fresh server has."""

from collections.abc import AsyncIterator

import pytest

from famulus.assistants.registry import ensure_default
from famulus.assistants.routes import router as assistants
from famulus.doors.rest import CAMPUS
from famulus.kernel.database import Database
from tests.support.rooms import World, build_world, serving


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants and their people, behind the routes of campus and registry."""
    async with serving(database, *CAMPUS, assistants) as client:
        world = await build_world(database, client)
        async with database.write() as session:
            await ensure_default(session)
        yield world
