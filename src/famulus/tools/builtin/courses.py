"""Tools for courses: what an organization teaches."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from famulus.campus import access, courses
from famulus.campus.contents import course_contents
from famulus.campus.lookup import track_names
from famulus.campus.schemas.courses import (
    AllCourseFilters,
    CourseChange,
    CourseFilters,
    CourseOut,
    NewCourse,
)
from famulus.campus.schemas.places import Description
from famulus.kernel.paging import Page, Paging
from famulus.kernel.text import Name
from famulus.tools.arguments import Arguments
from famulus.tools.builtin import finding
from famulus.tools.builtin.changing import (
    Changing,
    Found,
    Shelf,
    Wish,
    change_tool,
    shelf_tools,
    taken_back,
    wanted_of,
)
from famulus.tools.builtin.organizations import Which as WhichOrganization
from famulus.tools.builtin.tracks import Which as WhichTrack
from famulus.tools.builtin.wording import SHOWN, brief, counted, listing, quoted
from famulus.tools.contract import Done, Json, Preview, Retry, Tool, ToolContext, ToolFailed

Which = Annotated[Name, Field(description="The course's title, or its id.")]
NarrowedTrack = Annotated[
    Name | None, Field(description="The project that the track is in, where several have such.")
]
Role = Annotated[
    Literal["teaching", "learning"] | None,
    Field(description="Only those that the person teaches, or learns."),
]


class ListMyCourses(Arguments):
    """Which of the person's own courses."""

    role: Role = None
    organization: WhichOrganization | None = None
    """By default the one where the person is."""
    course: Name | None = None
    """The beginning of the title."""


class ListCourses(Arguments):
    """Which courses."""

    track: WhichTrack | None = None
    project: NarrowedTrack = None
    organization: WhichOrganization | None = None
    """Only for site admins; everybody else sees those of where they are."""
    words: Name | None = None
    """The beginning of the title."""
    published: bool | None = None
    archived: bool = False
    """Those that are archived, instead of those in use."""


class CreateCourse(Arguments):
    """A course to be; it is not published yet."""

    title: Name
    description: Description = ""
    track: WhichTrack | None = None
    project: NarrowedTrack = None
    organization: WhichOrganization | None = None
    """By default the one of the track, or where the person is."""


class UpdateCourse(Arguments):
    """What of a course is to be different; what is left away stays."""

    course: Which
    title: Name | None = None
    """What it is to be called."""
    description: Description | None = None
    track: WhichTrack | None = None
    """The track that it is to be in from now on."""
    project: NarrowedTrack = None
    out_of_track: bool | None = None
    """true takes it out of its track."""
    published: bool | None = None
    """Whether its students see it."""


class OneCourse(Arguments):
    """Which course."""

    course: Which


async def _list_mine(context: ToolContext, given: ListMyCourses) -> Done:
    session, principal = context.session, context.principal
    if given.organization is None:
        filters = CourseFilters(role=given.role, q=given.course)
        found = await courses.list_my_courses(session, principal, filters, Paging(SHOWN))
        return await _rows(context, found, " of yours")
    place = await finding.organization(context, given.organization)
    if place.id != principal.organization_id and not principal.is_site_admin:
        raise ToolFailed(
            f"Courses of {quoted(place.name)} are shown to whoever is there; switch to it with switch_role first."
        )
    all_filters = AllCourseFilters(role=given.role, q=given.course, organization_id=place.id)
    found = await courses.list_courses(session, principal, all_filters, Paging(SHOWN))
    return await _rows(context, found, f" of yours in {quoted(place.name)}")


async def _list(context: ToolContext, given: ListCourses) -> Done:
    track = place = None
    if given.track is not None:
        track = await finding.track(context, given.track, given.project)
    if given.organization is not None:
        place = await finding.organization(context, given.organization)
    filters = AllCourseFilters(
        track_id=track and track.id,
        organization_id=place and place.id,
        published=given.published,
        archived=given.archived,
        q=given.words,
        sort="title" if track is None else "position",
    )
    found = await courses.list_courses(context.session, context.principal, filters, Paging(SHOWN))
    return await _rows(context, found, f" in the track {quoted(track.name)}" if track else "")


async def _rows(context: ToolContext, found: Page[CourseOut], where: str) -> Done:
    names = await _names(context, [each.track_id for each in found.items])
    rows = [
        {
            "id": each.id,
            "title": each.title,
            "track": names.get(each.track_id or ""),
            "published": each.published,
            "lessons": each.lesson_count,
            "my_role": each.my_role,
            "description": brief(each.description),
        }
        for each in found.items
    ]
    first = tuple(f"What is in {quoted(each.title)}?" for each in found.items[:1])
    return listing(rows, "course", more=found.next is not None, where=where, next=first)


async def _names(context: ToolContext, ids: Sequence[str | None]) -> dict[str, str]:
    return await track_names(context.session, context.principal, {each for each in ids if each})


async def _create(context: ToolContext, given: CreateCourse) -> Done:
    made = await courses.create_course(context.session, context.principal, await _new(context, given))
    return Done(
        f"Created the course {quoted(made.title)}; it is not published yet.",
        {"id": made.id, "title": made.title, "track_id": made.track_id, "published": made.published},
        taken_back(context, "course", made.id, made.title),
        (f"Add a lesson to {quoted(made.title)}", f"Enrol students in {quoted(made.title)}"),
    )


async def _foresee_creation(context: ToolContext, given: CreateCourse) -> Preview:
    new = await _new(context, given)
    await access.require_in(
        context.session, context.principal, "create", "course", organization_id=new.organization_id
    )
    arguments = given.model_dump(exclude={"project"}) | {
        "track": new.track_id,
        "organization": new.organization_id,
    }
    where = await _names(context, [new.track_id])
    within = f" in the track {quoted(where[new.track_id])}" if new.track_id in where else ""
    return Preview(f"Create the course {quoted(new.title)}{within}", arguments)


async def _new(context: ToolContext, given: CreateCourse) -> NewCourse:
    track = None if given.track is None else await finding.track(context, given.track, given.project)
    if given.organization is None and track is not None:
        where = track.organization_id
    else:
        where = await finding.organization_id(context, given.organization)
    return NewCourse(
        title=given.title, description=given.description, track_id=track and track.id, organization_id=where
    )


async def _find(context: ToolContext, given: OneCourse, archived: bool) -> Found:
    card = await finding.course(context, given.course, archived=archived)
    found = await courses.get_course(context.session, context.principal, card.id)
    return Found(found.id, found.title, found.archived_at is not None)


async def _follows(context: ToolContext, found: Found) -> tuple[str, ...]:
    inside = await course_contents(context.session, context.principal, found.id, "archive")
    return (
        f"It has {counted(inside.lessons, 'lesson')} and {counted(inside.students, 'student')}.",
        "Who learns in it no longer finds it.",
    )


async def _read(context: ToolContext, given: UpdateCourse) -> Wish:
    card = await finding.course(context, given.course)
    found = await courses.get_course(context.session, context.principal, card.id)
    wanted = wanted_of(given, "course", "project")
    if given.track is not None and given.out_of_track:
        raise Retry("Give either `track` or `out_of_track`.")
    if given.track is not None:
        wanted["track"] = (await finding.track(context, given.track, given.project)).id
    if wanted.pop("out_of_track", False):
        wanted["track"] = None
    before = {
        "title": found.title,
        "description": found.description,
        "track": found.track_id,
        "published": found.published,
    }
    tracks = [found.track_id, given.track and str(wanted["track"])] if "track" in wanted else []
    return Wish(found.id, found.title, before, wanted, await _names(context, tracks))


async def _write(context: ToolContext, wish: Wish) -> str:
    given = dict(wish.wanted)
    if "track" in given:
        given["track_id"] = given.pop("track")
    change = CourseChange.model_validate(given)
    return (await courses.change_course(context.session, context.principal, wish.id, change)).title


async def _require(context: ToolContext, wish: Wish) -> None:
    await access.require_in(context.session, context.principal, "change", "course", course_id=wish.id)


def _as_arguments(values: Json) -> Json:
    """No track is said by another argument: models write null where they mean nothing by it."""
    given = dict(values)
    if "track" in given and given["track"] is None:
        del given["track"]
        given["out_of_track"] = True
    return given


CHANGED = Changing(
    "course",
    UpdateCourse,
    _read,
    _write,
    _require,
    "Change a course: its title or description, the track that it is in, whether it is published.",
    _as_arguments,
)
SHELF = Shelf(
    "course",
    OneCourse,
    _find,
    courses.archive_course,
    _follows,
    "Who learns in it no longer finds it.",
)


def tools() -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="list_my_courses",
            description="List the courses that the person learns or teaches.",
            parameters=ListMyCourses,
            effect="reads",
            act=_list_mine,
        ),
        Tool(
            name="list_courses",
            description="List the courses that the person sees, of a track or of all, by what the title begins with.",
            parameters=ListCourses,
            effect="reads",
            needs=("course", "see"),
            act=_list,
        ),
        Tool(
            name="create_course",
            description="Create a course, in a track or in none. It is not published yet; a teacher who creates one "
            "teaches it.",
            parameters=CreateCourse,
            effect="writes",
            needs=("course", "create"),
            act=_create,
            preview=_foresee_creation,
        ),
        change_tool(CHANGED),
        *shelf_tools(SHELF),
    )
