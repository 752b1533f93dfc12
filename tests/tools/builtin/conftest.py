"""What tests of the platform's tools share: two tenants with projects, tracks and archives, and the tools at hand."""

from collections.abc import AsyncIterator

import pytest

from famulus.assistants.registry import Draft, create_assistant
from famulus.assistants.settings import AssistantSettings
from famulus.campus import courses, lessons, organizations, projects, tracks
from famulus.campus.schemas.courses import CourseChange, NewCourse, NewLesson
from famulus.campus.schemas.organizations import NewOrganization
from famulus.campus.schemas.places import NewProject, NewTrack
from famulus.identity.sessions import open_session
from famulus.kernel.database import Database
from tests.support.hands import Hands, hands_of
from tests.support.rooms import SITE, World, build_world, serving


@pytest.fixture
async def hands(database: Database) -> AsyncIterator[Hands]:
    """The world of `rooms`, with more in it:

    ours    the projects Data Science (tracks Basics with Robots in it, and Python) and Design (track Python);
            put away: the project Old, the track Past, the course Letters, the lesson Gone; the assistant Mira
    theirs  the project Theirs with the track Secret
    """
    async with serving(database) as client:
        made = hands_of(await build_world(database, client))
        await _furnish(made)
        yield made


async def _furnish(hands: Hands) -> None:
    world, ids = hands.world, hands.ids
    admin = await hands.who("admin")
    async with world.database.write() as session:
        for name, where in (
            ("Data Science", world.ours),
            ("Design", world.ours),
            ("Old", world.ours),
            ("Theirs", world.theirs),
        ):
            new = NewProject(name=name, organization_id=where)
            ids[name] = (await projects.create_project(session, SITE, new)).id
        for name, project in (
            ("Basics", "Data Science"),
            ("Past", "Data Science"),
            ("Python", "Data Science"),
            ("Python", "Design"),
            ("Secret", "Theirs"),
        ):
            track = NewTrack(project_id=ids[project], name=name)
            ids[f"{project}/{name}"] = (await tracks.create_track(session, SITE, track)).id
        put = CourseChange(track_id=ids["Data Science/Basics"])
        await courses.change_course(session, SITE, world.course, put)
        course = NewCourse(title="Letters", organization_id=world.ours)
        ids["Letters"] = (await courses.create_course(session, SITE, course)).id
        lesson = NewLesson(title="Gone", path="gone.md", body="")
        ids["Gone"] = (await lessons.create_lesson(session, SITE, world.course, lesson)).id
        ids["Closed"] = (
            await organizations.create_organization(session, SITE, NewOrganization(name="Closed"))
        ).id
        draft = Draft(
            "organization", "Mira", "Help.", AssistantSettings(), role="student", organization_id=world.ours
        )
        ids["Mira"] = (await create_assistant(session, admin, draft)).assistant.id
    await _put_away(world, ids)
    await _sign_in(hands, "admin", "student")


async def _put_away(world: World, ids: dict[str, str]) -> None:
    async with world.database.write() as session:
        await projects.archive_project(session, SITE, ids["Old"])
        await tracks.archive_track(session, SITE, ids["Data Science/Past"])
        await courses.archive_course(session, SITE, ids["Letters"])
        await lessons.archive_lesson(session, SITE, ids["Gone"])
        await organizations.archive_organization(session, SITE, ids["Closed"])


async def _sign_in(hands: Hands, *names: str) -> None:
    async with hands.world.database.write() as session:
        for name in names:
            hands.sessions[name] = (await open_session(session, hands.world[name].account, "api")).session_id
