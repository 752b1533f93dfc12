"""Uniqueness is the database's to decide, whoever comes first; here its refusal becomes the rule that was broken."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from famulus.kernel.errors import Conflict
from famulus.kernel.tables import Base

_UNIQUE = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
_FOREIGN_KEY = frozenset({"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"})


class Vanished(Conflict):
    """Something that this refers to was removed at the same moment; look again."""

    code = "vanished"


def insert_or(session: AsyncSession, kind: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that may go on to say what becomes of a row that is there already, in the session's dialect."""
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(kind)


@contextmanager
def duplicates_are(conflict: Conflict) -> Generator[None]:
    """Around a flush: a broken uniqueness rule is `conflict`; a row or reference that has just gone is `Vanished`."""
    try:
        yield
    except StaleDataError as error:
        raise Vanished() from error
    except IntegrityError as error:
        kind = _kind(error)
        if kind in _UNIQUE:
            raise conflict from error
        if kind in _FOREIGN_KEY:
            raise Vanished() from error
        raise


def is_orphan(error: BaseException | None) -> bool:
    """Whether a row was refused because what it refers to is not there: somebody has removed it meanwhile."""
    return error is not None and _kind(error) in _FOREIGN_KEY


def _kind(error: BaseException) -> str:
    """The SQLSTATE on PostgreSQL, the name of the extended result code on SQLite, through whichever library it came."""
    original = error.orig if isinstance(error, DBAPIError) else error
    for name in ("sqlstate", "sqlite_errorname"):
        kind = getattr(original, name, None)
        if isinstance(kind, str):
            return kind
    return ""
