"""How many statements a piece of work takes, so that a test can hold it against how much there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import event

from famulus.kernel.database import Database


@dataclass
class Count:
    """Statements so far."""

    statements: int = 0


@contextmanager
def counting(database: Database) -> Iterator[Count]:
    """Counts what goes to the database; an executemany is one."""
    count = Count()

    def one_more(*_arguments: object) -> None:
        count.statements += 1

    event.listen(database.engine.sync_engine, "before_cursor_execute", one_more)
    try:
        yield count
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", one_more)
