"""Putting things away and taking them out again: nothing is lost, and who may not do this no longer finds them."""

from sqlalchemy import ColumnElement, not_
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.models import Course, Lesson, Organization, Project, Quiz, Task, Track
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.errors import Conflict
from famulus.kernel.tables import utc_now

Archivable = Organization | Project | Track | Course | Lesson | Quiz | Task


class Archived(Conflict):
    """What is archived cannot be added to or gone into; restore it first."""

    code = "archived"


async def put_away(
    session: AsyncSession, principal: Principal, row: Archivable, thing: audit.Thing, *, away: bool
) -> bool:
    """Archive or restore a row and write it down; False when it was so already. Rights are the caller's to ask."""
    if (row.archived_at is not None) == away:
        return False
    row.archived_at = utc_now() if away else None
    row.updated_at = utc_now()
    await session.flush()
    action = "archive" if away else "restore"
    audit.record(session, principal, f"{access.NAMES[type(row)]}.{action}", thing)
    return True


def require_in_use(place: Organization | Project | Track | Course, name: str) -> None:
    """Raise `Archived` when a place that something is to be added to has been put away."""
    if place.archived_at is not None:
        raise Archived(
            f"The {access.NAMES[type(place)]} {name!r} is archived; restore it before you add to it."
        )


def on_shelf(kind: type[Archivable], *, archived: bool) -> ColumnElement[bool]:
    """For lists: what has been put away, or what has not."""
    return not_(access.in_use(kind)) if archived else access.in_use(kind)
