"""Uniqueness is the database's to decide, whoever comes first; here its refusal becomes the rule that was broken."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from famulus.kernel.errors import Conflict

_UNIQUE = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
_FOREIGN_KEY = frozenset({"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"})


class Vanished(Conflict):
    """Something that this refers to was removed at the same moment; look again."""

    code = "vanished"


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


def _kind(error: IntegrityError) -> str:
    """The SQLSTATE on PostgreSQL, the name of the extended result code on SQLite."""
    original = error.orig
    for name in ("sqlstate", "sqlite_errorname"):
        kind = getattr(original, name, None)
        if isinstance(kind, str):
            return kind
    return ""
