"""What tests of knowledge share: two tenants, served by the campus and the knowledge room."""

from collections.abc import AsyncIterator

import pytest

from famulus.doors.rest import CAMPUS
from famulus.kernel.database import Database
from famulus.knowledge.routes import router as knowledge
from famulus.knowledge.store import Owner
from tests.support.rooms import World, build_world, serving


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants and their people, behind the routes of both rooms."""
    async with serving(database, *CAMPUS, knowledge) as client:
        yield await build_world(database, client)


@pytest.fixture
def owner(world: World) -> Owner:
    """The course that the teacher teaches and the student learns."""
    return Owner(world.ours, world.course)
