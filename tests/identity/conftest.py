"""What tests of identity share: a client of its routes."""

from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient

from famulus.doors.rest import CAMPUS
from famulus.identity.routes.sign_in import router as identity
from famulus.kernel.database import Database
from tests.support.rooms import serving


@pytest.fixture
async def client(database: Database) -> AsyncIterator[AsyncClient]:
    """Somebody who is not signed in."""
    async with serving(database, identity, *CAMPUS) as client:
        yield client
