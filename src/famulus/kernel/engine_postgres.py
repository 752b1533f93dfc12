"""Ordinary sessions on PostgreSQL: asyncpg as SQLAlchemy adapts it, which also runs scripts of the fast lane."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_

from famulus.kernel.lane import Script
from famulus.kernel.lane_postgres import BUSY, LOST, SETTINGS, ours, run

PLANNING = {"plan_cache_mode": "force_custom_plan"}
"""PostgreSQL plans a statement for the values in it each time. What it would plan once for all values, from the sixth
time on, knows neither how much lies between two ids nor how many names begin so. The fast lane's statements are simple,
and keep their plans."""


def engine_of(url: URL) -> AsyncEngine:
    """The engine of a database."""
    engine = create_async_engine(
        url,
        pool_size=8,
        max_overflow=8,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # what people wrote does not belong into a traceback
        connect_args={"timeout": 10, "command_timeout": 15, "server_settings": {**SETTINGS, **PLANNING}},
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    return engine


class _Connection(AsyncAdapt_asyncpg_connection):
    __slots__ = ()
    _connection: Any

    def ping(self) -> None:
        """Raise unless the connection is alive, by beginning its transaction: that costs no way to the server more."""
        await_(self._start_transaction())

    async def run(self, script: Script) -> Any:
        """Run a whole script within the transaction."""
        try:
            if self._transaction is None:
                await self._start_transaction()
            return await run(self._connection, script)
        except (*LOST, *BUSY) as error:
            raise ours(error) from error

    run_last = run
    """Committing is a way of its own."""


def _connect(dialect: Any, _record: object, args: Any, options: Any) -> _Connection:
    usual = dialect.connect(*args, **options)
    return _Connection(usual.dbapi, usual._connection)
