"""The database's own clock as an expression, so that a lease trusts no instance's idea of the time."""

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

POSTGRES = "extract(epoch from clock_timestamp())::float8"
SQLITE = "((julianday('now') - 2440587.5) * 86400.0)"


class clock(FunctionElement[float]):
    """The present in seconds since 1970, at the moment the statement asks."""

    name = "clock"
    type = Float(53)
    inherit_cache = True


@compiles(clock, "sqlite")
def _on_sqlite(_element: clock, _compiler: Any, **_: Any) -> str:
    return SQLITE


@compiles(clock, "postgresql")
def _on_postgres(_element: clock, _compiler: Any, **_: Any) -> str:
    return POSTGRES


def clock_of(dialect: str) -> str:
    """The same as SQL text, for a statement that is written as one."""
    return SQLITE if dialect == "sqlite" else POSTGRES
