"""What every table is made of: the declarative base with its constraint names, and the two column types of our own."""

import json
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from sqlalchemy import DateTime, Dialect, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine


class Base(DeclarativeBase):
    """The declarative base of all rooms' tables."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time: timestamptz on PostgreSQL, sortable text on SQLite (whose driver would drop the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time {value!r} was given where an aware one is needed")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Folded(TypeDecorator[str]):
    """Text that is compared by code points on both databases, so that what begins with something is a range of it."""

    impl = String
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """What its values are; a key of a list is held against it."""
        return str

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        length = cast(String, self.impl_instance).length
        collation = "C" if dialect.name == "postgresql" else None
        return cast(type[String], type(self).impl)(length, collation)


class FoldedText(Folded):
    """The same of any length, for names whose column has always been one of text."""

    impl = Text
    cache_ok = True


class Json(TypeDecorator[Any]):
    """A JSON value kept as text on both databases: it is carried, never queried."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def utc_now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)
