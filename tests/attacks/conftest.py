"""What attacks share: the ids of everything in the academy, and things to be used up."""

import pytest

from tests.doors.spares import spares
from tests.support.serving import Served


@pytest.fixture(scope="session")
def ids(server: Served) -> dict[str, str]:
    """The ids of the academy, and of things that are there to be used up."""
    return spares(server)
