"""Finding people and places by the names that somebody types: an operator, or a person speaking to an assistant."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from famulus.campus import access
from famulus.campus.courses import CourseCard
from famulus.campus.models import Course, Organization, Project, Track
from famulus.campus.presence import principal_of
from famulus.campus.schemas.organizations import OrganizationOut
from famulus.campus.schemas.places import ProjectOut, TrackOut
from famulus.identity.accounts import find_by_email, first_site_admin
from famulus.identity.principal import Principal
from famulus.identity.sessions import SignedIn
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.paging import begins_with
from famulus.kernel.text import fold

T = TypeVar("T", Organization, Project, Track, Course)
CANDIDATES = 5


class Ambiguous(Conflict):
    """Several things have this name; write the id of the one that is meant."""

    code = "ambiguous"


async def principal_by_email(session: AsyncSession, email: str | None) -> Principal:
    """The person with this address as they would be signed in; without one, the site's first admin."""
    account = await (find_by_email(session, email) if email else first_site_admin(session))
    if account is None:
        sentence = f"There is no account {email!r}." if email else "There is no site admin yet."
        raise NotFound(
            f"{sentence} Create one with `famulus user create`, or load the demo with `famulus seed`."
        )
    return await principal_of(session, SignedIn(account, session_id="", organization_id=None))


async def organization_by_name(session: AsyncSession, principal: Principal, name: str) -> OrganizationOut:
    """The one organization that the person sees whose id or name this is, or whose name begins so.

    Raises NotFound or Ambiguous, like all that follow.
    """
    found = await _one(session, principal, Organization, Organization.name_key, name)
    return OrganizationOut.model_validate(found)


async def project_by_name(session: AsyncSession, principal: Principal, name: str) -> ProjectOut:
    """The one project that the person sees whose id or name this is, or whose name begins so."""
    return ProjectOut.model_validate(await _one(session, principal, Project, Project.name_key, name))


async def track_by_name(session: AsyncSession, principal: Principal, name: str) -> TrackOut:
    """The one track that the person sees whose id or name this is, or whose name begins so."""
    return TrackOut.model_validate(await _one(session, principal, Track, Track.name_key, name))


async def course_by_name(session: AsyncSession, principal: Principal, name: str) -> CourseCard:
    """The one course that the person sees whose id or title this is, or whose title begins so."""
    course = await _one(session, principal, Course, Course.title_key, name)
    return CourseCard(course.id, course.organization_id, course.title, course.assistant_id)


async def _one(
    session: AsyncSession, principal: Principal, kind: type[T], key: InstrumentedAttribute[str], name: str
) -> T:
    """An exact name goes before a beginning, and what is in use before what is archived."""
    name = name.strip()
    visible = access.visible(principal, kind).order_by(key, kind.id).limit(CANDIDATES + 1)
    exact, beginning = or_(kind.id == name, key == fold(name)), begins_with(key, fold(name))
    here = access.in_use(kind)
    for condition in (and_(exact, here), exact, and_(beginning, here), beginning) if name else ():
        found = list(await session.scalars(visible.where(condition)))
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(name, found)
    raise NotFound(f"There is no {access.NAMES[kind]} {name!r} that {principal.email} may see.")


def _ambiguous(name: str, found: Sequence[Organization | Project | Track | Course]) -> Ambiguous:
    named = "; ".join(
        f"{one.title if isinstance(one, Course) else one.name} ({one.id})" for one in found[:CANDIDATES]
    )
    more = " and others" if len(found) > CANDIDATES else ""
    return Ambiguous(f"{name!r} may mean {named}{more}; write the id.")
