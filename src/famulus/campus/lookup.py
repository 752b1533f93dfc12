"""Finding people, organizations and courses by the names that an operator types."""

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.courses import CourseCard
from famulus.campus.models import Course, Organization
from famulus.campus.presence import principal_of
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.identity.accounts import find_by_email, first_site_admin
from famulus.identity.principal import Principal
from famulus.identity.sessions import SignedIn
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.text import fold

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


async def organization_by_name(session: AsyncSession, principal: Principal, name: str) -> OrganizationRef:
    """The organization that the person sees whose id or name this is."""
    query = access.visible(principal, Organization)
    key = fold(name.strip())
    found = await session.scalars(query.where(or_(Organization.id == name, Organization.name_key == key)))
    organization = found.first()
    if organization is None:
        raise NotFound(f"There is no organization {name!r} that {principal.email} may see.")
    return OrganizationRef(id=organization.id, name=organization.name)


async def course_by_name(session: AsyncSession, principal: Principal, name: str) -> CourseCard:
    """The one course that the person sees whose id or title this is, or whose title begins so."""
    key = fold(name.strip())
    visible = access.visible(principal, Course)
    exact = visible.where(or_(Course.id == name, Course.title_key == key))
    found = list(await session.scalars(exact.limit(CANDIDATES)))
    if not found:
        found = list(
            await session.scalars(
                visible.where(Course.title_key.startswith(key, autoescape=True)).limit(CANDIDATES)
            )
        )
    if not found:
        raise NotFound(f"There is no course {name!r} that {principal.email} may see.")
    if len(found) > 1:
        named = "; ".join(f"{course.title} ({course.id})" for course in found)
        raise Ambiguous(f"{name!r} may mean {named}; write the id.")
    course = found[0]
    return CourseCard(course.id, course.organization_id, course.title, course.assistant_id)
