"""What tests of identity share: a client of its routes."""

from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient

from famulus.doors.rest import CAMPUS, IDENTITY
from famulus.kernel.database import Database
from tests.support.rooms import serving


@pytest.fixture
async def client(database: Database) -> AsyncIterator[AsyncClient]:
    """Somebody who is not signed in."""
    async with serving(database, *IDENTITY, *CAMPUS) as client:
        yield client
