"""What every test may ask for. The parts that stand for something outside live in tests/support.

A test that asks for `database` runs twice, on SQLite and on PostgreSQL, each time on a migrated copy of its own, so
real commits, many sessions and crashes are no problem.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

from famulus.kernel.database import Database
from tests.support.databases import sqlite_template
from tests.support.statements import share_compiled_statements

SLOW = (HealthCheck.too_slow,)
"""What a busy machine makes of a test: nothing that says anything of the code."""

pytest_plugins = [
    "tests.support.browser",
    "tests.support.bucket",
    "tests.support.first_cases",
    "tests.support.node",
    "tests.support.postgres",
    "tests.support.reused",
    "tests.support.serving",
    "tests.support.sharing",
]


def pytest_configure() -> None:
    """Have what goes wrong logged as it is in use: pictures of a stack with its locals take a second each."""
    ConsoleRenderer.get_active().exception_formatter = plain_traceback
    share_compiled_statements()
    settings.register_profile(
        "untimed", settings(), deadline=None, suppress_health_check=[*settings().suppress_health_check, *SLOW]
    )
    settings.load_profile("untimed")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def dialect(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    return str(request.param)


@pytest.fixture
async def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of a migrated, empty database of the test's own."""
    if dialect == "sqlite":
        path = tmp_path / "famulus.db"
        shutil.copy(await sqlite_template(), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    async with request.getfixturevalue("reused").borrowed() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database of the test's own, with a bus."""
    opened = Database(database_url)
    yield opened
    await opened.close()
