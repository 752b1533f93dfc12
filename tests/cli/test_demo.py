"""The demo: two organizations, every role, real courses; loaded once, and as the tutorial shows it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest
from httpx2 import Client
from sqlalchemy import text

from famulus.assistants.given import given_instructions
from famulus.assistants.template import check_instructions
from famulus.cli.demo import PASSWORD, examples, read_course, seed_demo
from famulus.cli.demo_plan import ASSISTANTS
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.runs.context import Situation, Voice, instructions
from tests.support.academy import Academy
from tests.support.serving import Served, migrated_database, serving, settings_for

T = TypeVar("T")
TABLES = (
    "organizations",
    "users",
    "memberships",
    "projects",
    "tracks",
    "courses",
    "lessons",
    "enrolments",
    "tasks",
)
SEEN = {
    "site": ("site_admin", "Famulus for the Site", []),
    "admin": ("organization_admin", "Famulus for Organizations", ["Introduction", "Python"]),
    "teacher": ("teacher", "Famulus for Teachers", ["Introduction", "Python"]),
    "student": ("student", "Famulus", ["Introduction"]),
    "both": ("student", "Famulus", ["Python"]),
    "harbor-admin": ("organization_admin", "Famulus for Organizations", ["Statistics"]),
    "harbor-student": ("student", "Famulus", ["Statistics"]),
}
"""By person: their role, who answers them, and the first words of their courses' titles."""


def with_demo(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something to the database."""

    async def run() -> T:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


async def counted(database: Database) -> dict[str, int]:
    """How many rows of everything there are."""
    async with database.read() as session:
        return {
            name: (await session.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()
            for name in TABLES
        }


@pytest.fixture(scope="module")
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with the demo."""
    folder = tmp_path_factory.mktemp("demo")
    with migrated_database("sqlite", folder, request) as url:
        assert with_demo(url, seed_demo)
        with serving(settings_for(url, folder), Academy({})) as served:
            yield served


@contextmanager
def signed_in(demo: Served, name: str) -> Iterator[Client]:
    """Somebody of the demo."""
    with demo.client() as client:
        person = {"email": f"{name}@famulus.local", "password": PASSWORD, "session_mode": "api"}
        answer = client.post("/api/auth/login", json=person)
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def items(client: Client, path: str, **params: str) -> list[dict[str, Any]]:
    """What a list shows."""
    found: list[dict[str, Any]] = client.get(f"/api/v1/{path}", params=params).json()["items"]
    return found


@pytest.mark.parametrize("name", SEEN)
def test_everybody_of_the_demo_finds_what_is_theirs(demo: Served, name: str) -> None:
    role, assistant, courses = SEEN[name]
    with signed_in(demo, name) as client:
        me = client.get("/api/auth/me").json()
        resolved = client.get("/api/v1/assistants/resolve").json()
        mine = (
            []
            if name == "site"
            else [one["title"].split()[0].strip(":") for one in items(client, "courses/my")]
        )

    assert (me["role"], resolved["name"], mine) == (role, assistant, courses)


def test_one_person_belongs_to_both_organizations_in_different_roles(demo: Served) -> None:
    with signed_in(demo, "both") as client:
        me = client.get("/api/auth/me").json()
        roles = {each["organization"]["name"]: each["role"] for each in me["memberships"]}
        harbor = next(each["organization"]["id"] for each in me["memberships"] if each["role"] == "teacher")
        client.post("/api/auth/switch", json={"organization_id": harbor})
        taught = [one["my_role"] for one in items(client, "courses/my")]

    assert roles == {"Demo Academy": "student", "Harbor School": "teacher"}
    assert taught == ["teacher"]


def test_the_robotics_course_stands_in_a_track_and_people_have_tasks(demo: Served) -> None:
    with signed_in(demo, "student") as client:
        [course] = items(client, "courses/my")
        track = client.get(f"/api/v1/tracks/{course['track_id']}").json()
        project = client.get(f"/api/v1/projects/{track['project_id']}").json()
        tasks = items(client, "tasks")
        found = client.get("/api/v1/search", params={"q": "What is a confidence interval?"}).json()["items"]

    assert (project["name"], track["name"], track["level"]) == (
        "Robotics Lab",
        "Mobile Robots",
        "intermediate",
    )
    assert [task["due_at"] is None for task in tasks] == [False, False, True, True]
    assert all("confidence" not in each["quote"] for each in found), (
        "the other organization's course is not theirs"
    )


@pytest.mark.parametrize(
    ("name", "question", "title"),
    [
        ("both", "Why is 0.1 + 0.2 not 0.3?", "Values and Names"),
        ("both", "What does a KeyError mean?", "Functions and Errors"),
        ("harbor-student", "What is Simpson's paradox?", "Correlation and Cause"),
        ("harbor-student", "When is the median better than the mean?", "Summaries: Centre and Spread"),
        ("student", "What does the inflation layer do?", "Nav2: Costmaps, Planners and Controllers"),
    ],
)
def test_the_courses_answer_questions(demo: Served, name: str, question: str, title: str) -> None:
    with signed_in(demo, name) as client:
        found = client.get("/api/v1/search", params={"q": question, "limit": "3"}).json()["items"]

    assert title in [each["title"] for each in found]


def test_loading_again_changes_nothing(demo: Served) -> None:
    url = demo.settings.database
    before = with_demo(url, counted)

    assert not with_demo(url, seed_demo)

    assert with_demo(url, counted) == before


def test_every_lesson_of_the_examples_is_one_of_a_course() -> None:
    for folder in sorted(examples().iterdir()):
        lessons = read_course(folder).lessons
        files = {path.name for path in folder.glob("*.md")} - {"README.md"}
        assert {lesson.path for lesson in lessons} == files
        assert all(
            Path(lesson.path).stem[:2].isdigit() and lesson.body.startswith("# ") for lesson in lessons
        )


@pytest.mark.parametrize(("role", "name"), ASSISTANTS)
def test_the_demo_s_instructions_can_be_rendered(role: Any, name: str) -> None:
    said = given_instructions(role)
    check_instructions(said)
    person = Principal("usr_1", "Ada", "ada@example.org", role, "org_1", "Night School")
    told = instructions(
        Situation(Voice(name, said), person, "Robots", None, (), searched=False, today=date(2026, 11, 20))
    )
    assert told.startswith(f"You are {name}. Ada ")
    assert 'in the course "Robots"' in told


def test_the_demo_knows_this_server_s_own_api(demo: Served) -> None:
    for name in ("student", "harbor-student", "site"):
        with signed_in(demo, name) as client:
            found = client.get("/api/v1/search", params={"q": "How do I create a track by the API?"}).json()
        assert found["items"][0]["symbol"] == "create_track", name
        assert found["items"][0]["fits"], name
