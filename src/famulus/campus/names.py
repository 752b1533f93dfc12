"""Names of places: each is unique beside its like without regard to case."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from famulus.campus.models import Course, Organization, Project, Track
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict

NameSort = Literal["name", "-name", "created_at", "-created_at"]
TitleSort = Literal["title", "-title", "created_at", "-created_at", "position"]
Named = Organization | Project | Track | Course
Order = tuple[Sequence[InstrumentedAttribute[Any]], bool]
"""The columns to sort by, the last of them unique, and whether downwards."""


def order_by(kind: type[Organization | Project | Track], sort: NameSort) -> Order:
    """The order of a list of named things. Ids sort by time of creation."""
    columns = [kind.name_key, kind.id] if sort in ("name", "-name") else [kind.id]
    return columns, sort.startswith("-")


async def write_named(session: AsyncSession, row: Named, taken: type[Conflict]) -> None:
    """Write a new or renamed thing; raises `taken`, which says so when the other one of this name is archived.

    The question before is for that sentence alone: whoever comes first is the database's to decide.
    """
    sentence = _sentence(row)
    kind = type(row)
    with session.no_autoflush:
        query = select(kind.archived_at).where(*_beside(row), kind.id != row.id)
        holder = (await session.execute(query)).first()
    if holder is not None:
        away = holder[0] is not None
        raise taken(f"{sentence} It is archived: restore it, or take another name." if away else sentence)
    with duplicates_are(taken(sentence)):
        await session.flush()


def _beside(row: Named) -> tuple[ColumnElement[bool], ...]:
    """Where another of this name would stand in the way."""
    match row:
        case Organization():
            return (Organization.name_key == row.name_key,)
        case Project():
            return Project.organization_id == row.organization_id, Project.name_key == row.name_key
        case Track():
            return Track.project_id == row.project_id, Track.name_key == row.name_key
        case Course():
            return Course.organization_id == row.organization_id, Course.title_key == row.title_key


def _sentence(row: Named) -> str:
    match row:
        case Organization():
            return f"There is an organization named {row.name!r} already."
        case Project():
            return f"The organization has a project {row.name!r} already."
        case Track():
            return f"The project has a track {row.name!r} already."
        case Course():
            return f"The organization has a course {row.title!r} already."
