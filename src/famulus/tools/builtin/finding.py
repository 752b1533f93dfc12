"""Finding what somebody names, within what they see.

What is not found, or may be several things, goes back to the model. Nothing is guessed: a place that was not named is
the one where the person is, or it is asked for.
"""

from collections.abc import Awaitable
from typing import TypeVar

from famulus.campus import lookup
from famulus.campus.courses import CourseCard
from famulus.campus.lookup import Ambiguous, Unknown
from famulus.campus.schemas.courses import LessonSummary
from famulus.campus.schemas.organizations import OrganizationOut
from famulus.campus.schemas.people import EnrolmentOut, MemberOut
from famulus.campus.schemas.places import ProjectOut, TrackOut
from famulus.kernel.errors import NotFound
from famulus.tools.contract import Lack, Retry, ToolContext

T = TypeVar("T")
UNKNOWN = "Ask the person what is meant, or list what there is."
WHERE = "Say in which organization: give `organization`, by name. Ask the person which one is meant."


async def found(finding: Awaitable[T]) -> T:
    """What a look-up finds. Raises `Retry`, with the candidates where there are several."""
    try:
        return await finding
    except Ambiguous as error:
        lack = Lack(meant=error.name, choices=error.candidates)
        raise Retry(
            error.detail, lack, advice="Ask the person which one is meant, and call again."
        ) from error
    except Unknown as error:
        lack = Lack(meant=error.name, choices=error.candidates)
        raise Retry(error.detail, lack, advice=UNKNOWN) from error
    except NotFound as error:
        raise Retry(error.detail, advice=UNKNOWN) from error


async def organization(context: ToolContext, name: str, *, archived: bool = False) -> OrganizationOut:
    """An organization by name or id."""
    return await found(
        lookup.organization_by_name(context.session, context.principal, name, archived=archived)
    )


async def organization_id(context: ToolContext, name: str | None) -> str:
    """The id of the organization that is named, else of the one where the person is."""
    if name is not None:
        return (await organization(context, name)).id
    if context.principal.organization_id is None:
        raise Retry(WHERE, Lack(("organization",)))
    return context.principal.organization_id


async def project(context: ToolContext, name: str, *, archived: bool = False) -> ProjectOut:
    """A project by name or id."""
    return await found(lookup.project_by_name(context.session, context.principal, name, archived=archived))


async def track(
    context: ToolContext, name: str, project_name: str | None = None, *, archived: bool = False
) -> TrackOut:
    """A track by name or id, within a project if one is named."""
    within = None if project_name is None else (await project(context, project_name)).id
    looking = lookup.track_by_name(
        context.session, context.principal, name, project_id=within, archived=archived
    )
    return await found(looking)


async def course(context: ToolContext, name: str, *, archived: bool = False) -> CourseCard:
    """A course by title or id."""
    return await found(lookup.course_by_name(context.session, context.principal, name, archived=archived))


async def course_here(context: ToolContext, name: str | None) -> str:
    """The id of the course that is named, else of the one in which the person is speaking."""
    if name is not None:
        return (await course(context, name)).id
    if context.course_id is None:
        said = "Say in which course: give `course`, by title. Ask the person which one is meant."
        raise Retry(said, Lack(("course",)))
    return context.course_id


async def course_meant(context: ToolContext, name: str | None) -> CourseCard:
    """The same with its title."""
    return await course(context, await course_here(context, name))


async def lesson(
    context: ToolContext, name: str, course_name: str | None = None, *, archived: bool = False
) -> LessonSummary:
    """A lesson by id; or by title or path, within a course."""
    within = None
    if course_name is not None or not name.startswith("lsn_"):
        within = await course_here(context, course_name)
    looking = lookup.lesson_by_name(context.session, context.principal, within, name, archived=archived)
    return await found(looking)


async def student(context: ToolContext, course_id: str, who: str) -> EnrolmentOut:
    """Somebody who learns in a course, by name, address or id."""
    return await found(lookup.student_by_name(context.session, context.principal, course_id, who))


async def member(context: ToolContext, within: str, who: str) -> MemberOut:
    """Somebody who belongs to an organization, by name or address."""
    return await found(lookup.member_by_name(context.session, context.principal, within, who))
