"""An outage: every connection to a PostgreSQL database ends at once, as when its server is started again."""

from famulus.kernel.database import Database
from famulus.kernel.lane_postgres import connect

PATIENCE = 60
"""Seconds: a machine may stand still for longer than a server waits."""


async def cut(database: Database, *then: tuple[str, tuple[object, ...]]) -> None:
    """End every connection, then run statements as somebody else would."""
    connection = await connect(database.dsn)
    await connection.execute(f"SET statement_timeout = {PATIENCE * 1000}")
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        timeout=PATIENCE,
    )
    for statement, values in then:
        await connection.execute(statement, *values, timeout=PATIENCE)
    await connection.close()
