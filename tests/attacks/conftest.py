"""What attacks share: the ids of everything in the academy, and things to be used up."""

from pathlib import Path

import pytest

from tests.doors.spares import spares
from tests.support.serving import Served


@pytest.fixture(scope="session")
def ids(server: Served) -> dict[str, str]:
    """The ids of the academy, and of things that are there to be used up."""
    return spares(server)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Attacks go through everything that there is, which takes its time."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)
