"""Lists at a constant price: as many statements for one item as for a hundred, each order served by an index."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.courses import create_course, list_courses, list_my_courses
from famulus.campus.lessons import create_lesson, list_lessons
from famulus.campus.organizations import list_organizations
from famulus.campus.projects import create_project, list_projects
from famulus.campus.quizzes import create_quiz, list_quizzes
from famulus.campus.schemas.courses import (
    AllCourseFilters,
    CourseFilters,
    LessonFilters,
    NewCourse,
    NewLesson,
)
from famulus.campus.schemas.places import NameFilters, NewProject, NewTrack, ProjectFilters, TrackFilters
from famulus.campus.schemas.quizzes import NewQuiz, QuizFilters
from famulus.campus.schemas.tasks import NewTask, TaskFilters
from famulus.campus.tasks import create_task, list_tasks
from famulus.campus.tracks import create_track, list_tracks
from famulus.identity.principal import Principal
from famulus.kernel.paging import Page, Paging
from tests.support.quizzes import questions
from tests.support.rooms import SITE, World

Ask = Callable[[AsyncSession, Principal, Paging], Awaitable[Page[Any]]]
SORTS = ("name", "-name", "created_at", "-created_at")
TITLES = ("title", "-title", "created_at", "-created_at")
DUE = ("due_at", "-due_at", "created_at", "-created_at")
STEERED = ("enable_seqscan", "enable_bitmapscan", "enable_sort")
"""What PostgreSQL is told to avoid, so that a small table shows whether there is an index for a large one."""


def lists(world: World, project: str, track: str, who: str) -> dict[str, Ask]:
    """Every list of places and tasks in each of its orders, by what it is."""
    found: dict[str, Ask] = {}
    for sort in SORTS:
        names = NameFilters.model_validate({"sort": sort})
        here = ProjectFilters.model_validate({"sort": sort})
        tracks = TrackFilters.model_validate({"sort": sort})
        inside = TrackFilters.model_validate({"sort": sort, "project_id": project})
        found[f"organizations {sort}"] = lambda s, p, g, f=names: list_organizations(s, p, f, g)
        found[f"projects {sort}"] = lambda s, p, g, f=here: list_projects(s, p, f, g)
        found[f"tracks {sort}"] = lambda s, p, g, f=tracks: list_tracks(s, p, f, g)
        found[f"tracks of a project {sort}"] = lambda s, p, g, f=inside: list_tracks(s, p, f, g)
    for sort in TITLES:
        every = AllCourseFilters.model_validate({"sort": sort})
        mine = CourseFilters.model_validate({"sort": sort})
        found[f"courses {sort}"] = lambda s, p, g, f=every: list_courses(s, p, f, g)
        found[f"my courses {sort}"] = lambda s, p, g, f=mine: list_my_courses(s, p, f, g)
    placed = AllCourseFilters(track_id=track, sort="position")
    found["courses of a track"] = lambda s, p, g: list_courses(s, p, placed, g)
    found["lessons"] = lambda s, p, g: list_lessons(s, p, world.course, LessonFilters(), g)
    if who != "student":
        drafts = QuizFilters(status="draft")
        found["quizzes"] = lambda s, p, g: list_quizzes(s, p, world.course, QuizFilters(), g)
        found["quizzes to review"] = lambda s, p, g: list_quizzes(s, p, world.course, drafts, g)
    for sort in DUE:
        due = TaskFilters.model_validate({"sort": sort})
        found[f"tasks {sort}"] = lambda s, p, g, f=due: list_tasks(s, p, f, g)
    return found


async def filled(world: World, principal: Principal) -> tuple[str, str]:
    """Three of everything; returns a project and a track."""
    async with world.database.write() as session:
        for n in range(3):
            project = await create_project(
                session, SITE, NewProject(name=f"Project {n}", organization_id=world.ours)
            )
        for n in range(3):
            track = await create_track(session, SITE, NewTrack(project_id=project.id, name=f"Track {n}"))
        for n in range(3):
            await create_course(session, SITE, NewCourse(title=f"Course {n}", track_id=track.id))
            new = NewLesson(title="More", path=f"{n}.md", body="")
            await create_lesson(session, SITE, world.course, new)
            quiz = NewQuiz.model_validate({"title": "Quiz", "questions": questions()})
            await create_quiz(session, SITE, world.course, quiz)
            await create_task(session, principal, NewTask(title=f"Task {n}"))
    return project.id, track.id


@pytest.mark.parametrize("who", ["site", "admin", "teacher", "student"])
async def test_a_list_costs_the_same_and_its_order_has_an_index(world: World, who: str) -> None:
    principal = await world.principal(who)
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    every = lists(world, *await filled(world, principal), who)
    event.listen(world.database.engine.sync_engine, "before_cursor_execute", note)
    complaints: list[str] = []
    for name, ask in every.items():
        statements: list[list[tuple[str, Any]]] = []
        after = None
        for limit in (1, 100, 1):  # the last from the middle of the list
            asked.clear()
            async with world.database.read() as session:
                found = await ask(session, principal, Paging(limit, after))
            statements.append(asked[:])
            after = after or found.next
        if len({len(each) for each in statements}) != 1:
            complaints.append(f"{name}: {[len(each) for each in statements]} statements")
        for statement, parameters in (statements[0][-1], statements[2][-1]):
            plan = await explained(world, statement, parameters)
            if sorts(plan):
                complaints.append(f"{name}: {statement}\n{plan}")
    assert complaints == [], "\n".join(complaints)


BEGINNINGS: dict[str, Ask] = {
    "organizations": lambda s, p, g: list_organizations(s, p, NameFilters(q="O"), g),
    "projects": lambda s, p, g: list_projects(s, p, ProjectFilters(q="Project"), g),
    "tracks": lambda s, p, g: list_tracks(s, p, TrackFilters(q="Track"), g),
    "courses": lambda s, p, g: list_courses(s, p, AllCourseFilters(q="Course"), g),
}


@pytest.mark.parametrize("who", ["site", "admin"])
@pytest.mark.parametrize("name", BEGINNINGS)
async def test_what_begins_so_is_a_range_of_an_index(world: World, who: str, name: str) -> None:
    principal = await world.principal(who)
    await filled(world, principal)
    asked: list[tuple[str, Any]] = []
    event.listen(
        world.database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, *_: asked.append((statement, parameters)),
    )
    async with world.database.read() as session:
        found = await BEGINNINGS[name](session, principal, Paging())
    plan = await explained(world, *asked[-1])

    assert found.items
    assert re.search(r"Index Cond:.*_key >= .*_key < |INDEX .*_key>\? AND \w+_key<\?", plan), plan


def sorts(plan: str) -> bool:
    """Whether a plan puts rows in order itself, but for equals within what an index has ordered."""
    return "TEMP B-TREE FOR ORDER BY" in plan or any(
        line.strip().removeprefix("->").strip().startswith("Sort  (") for line in plan.splitlines()
    )


async def explained(world: World, statement: str, parameters: Any) -> str:
    """How the database would go about a statement."""

    def explain(connection: Connection) -> str:
        if world.database.dialect == "postgresql":
            for name in STEERED:
                connection.exec_driver_sql(f"SET LOCAL {name} = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).all()
            return "\n".join(row[0] for row in rows)
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        return "\n".join(str(row[3]) for row in rows)

    async with world.database.engine.connect() as connection:
        return await connection.run_sync(explain)


def test_a_sort_is_told_from_what_an_index_gives() -> None:
    assert sorts("Limit  (cost=1)\n  ->  Sort  (cost=1)\n        Sort Key: name_key")
    assert not sorts("Limit  (cost=1)\n  ->  Incremental Sort  (cost=1)\n        Sort Key: name_key, id")
    assert sorts("SEARCH courses\nUSE TEMP B-TREE FOR ORDER BY")
    assert not sorts("SEARCH courses USING INDEX")
