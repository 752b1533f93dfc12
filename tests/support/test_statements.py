"""A statement is compiled once a process, however many engines its tests open."""

from pathlib import Path

from sqlalchemy import event, text
from sqlalchemy.sql import column, select

from famulus.kernel.database import Database


async def test_the_second_engine_compiles_nothing_anew(database_url: str, tmp_path: Path) -> None:
    states: list[str] = []
    for _ in range(2):
        database = Database(database_url)
        event.listen(
            database.engine.sync_engine,
            "after_cursor_execute",
            lambda _connection, _cursor, _statement, _values, context, _many: states.append(
                context.cache_hit.name
            ),
        )
        async with database.read() as session:
            await session.execute(
                select(column("one_of_a_kind")).select_from(text("(SELECT 1 AS one_of_a_kind) AS t"))
            )
        await database.close()

    assert states == ["CACHE_MISS", "CACHE_HIT"]
