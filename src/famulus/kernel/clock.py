"""The database's own clock as an expression, so that a lease trusts no instance's idea of the time."""

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from famulus.kernel.lane_postgres import CLOCK as POSTGRES
from famulus.kernel.lane_sqlite import CLOCK as SQLITE


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
