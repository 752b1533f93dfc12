"""Who may do what to projects, tracks and what is put away: every identity against every address."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from famulus.campus.projects import create_project
from famulus.campus.schemas.places import NewProject, NewTrack
from famulus.campus.tracks import create_track
from tests.support.rooms import SITE, World

PEOPLE = ("site", "admin", "teacher", "student", "idle", "stranger", "their_admin")

# Method, address, body, then the status that each of PEOPLE gets.
TABLE = [
    ("GET", "projects/{project}", None, (200, 200, 200, 200, 200, 404, 404)),
    ("GET", "tracks/{track}", None, (200, 200, 200, 200, 200, 404, 404)),
    ("PATCH", "organizations/{ours}", {"name": "New 0"}, (200, 200, 403, 403, 403, 404, 404)),
    ("POST", "organizations/{ours}/archive", None, (200, 403, 403, 403, 403, 404, 404)),
    ("POST", "organizations/{ours}/restore", None, (200, 403, 403, 403, 403, 404, 404)),
    ("POST", "projects", {"name": "New 1", "organization_id": "{ours}"}, (201, 201, 403, 403, 403, 404, 404)),
    ("PATCH", "projects/{project}", {"name": "New 2"}, (200, 200, 403, 403, 403, 404, 404)),
    ("POST", "projects/{project}/archive", None, (200, 200, 403, 403, 403, 404, 404)),
    ("POST", "projects/{project}/restore", None, (200, 200, 403, 403, 403, 404, 404)),
    ("POST", "tracks", {"name": "New 3", "project_id": "{project}"}, (201, 201, 201, 403, 403, 404, 404)),
    ("PATCH", "tracks/{track}", {"name": "New 4"}, (200, 200, 200, 403, 403, 404, 404)),
    ("POST", "tracks/{track}/archive", None, (200, 200, 403, 403, 403, 404, 404)),
    ("POST", "tracks/{track}/restore", None, (200, 200, 403, 403, 403, 404, 404)),
    ("PUT", "tracks/{track}/courses", {"course_ids": []}, (204, 204, 204, 403, 403, 404, 404)),
    ("PATCH", "courses/{course}", {"track_id": "{track}"}, (200, 200, 200, 403, 404, 404, 404)),
    ("POST", "courses", {"title": "New 5", "track_id": "{track}"}, (201, 201, 201, 403, 403, 404, 404)),
    ("POST", "courses/{course}/archive", None, (200, 200, 200, 403, 404, 404, 404)),
    ("POST", "courses/{course}/restore", None, (200, 200, 200, 403, 404, 404, 404)),
    ("POST", "lessons/{lesson}/archive", None, (200, 200, 200, 403, 404, 404, 404)),
    ("POST", "lessons/{lesson}/restore", None, (200, 200, 200, 403, 404, 404, 404)),
    ("POST", "lessons/{draft}/archive", None, (200, 200, 200, 404, 404, 404, 404)),
]
ALLOWED = [
    (method, path, body, name)
    for method, path, body, statuses in TABLE
    for name, status in zip(PEOPLE, statuses, strict=True)
    if status < 300 and (name in ("admin", "teacher") or "organizations" in path)
]


@dataclass(frozen=True)
class Tree:
    """The two tenants, ours with a project and a track."""

    world: World
    project: str
    track: str

    async def ask(self, name: str, method: str, path: str, body: dict[str, object] | None) -> int:
        """The status that somebody gets."""
        world = self.world
        ids = {
            "ours": world.ours, "course": world.course, "lesson": world.lesson, "draft": world.draft,
            "project": self.project, "track": self.track,
        }  # fmt: skip
        sent = body and {k: v.format_map(ids) if isinstance(v, str) else v for k, v in body.items()}
        return (await world[name].ask(method, f"/api/v1/{path.format_map(ids)}", sent)).status_code


@pytest.fixture
async def tree(world: World) -> Tree:
    """Ours, with a project and a track in it."""
    async with world.database.write() as session:
        project = await create_project(session, SITE, NewProject(name="Data", organization_id=world.ours))
        track = await create_track(session, SITE, NewTrack(name="Basics", project_id=project.id))
    return Tree(world, project.id, track.id)


async def test_what_is_refused(tree: Tree) -> None:
    """All of it in one world, for nothing of it changes anything."""
    complaints = [
        f"{method} {path} as {name}: {got} instead of {status}"
        for method, path, body, statuses in TABLE
        for name, status in zip(PEOPLE, statuses, strict=True)
        if status >= 400 and (got := await tree.ask(name, method, path, body)) != status
    ]
    assert complaints == []


@pytest.mark.parametrize(("method", "path", "body", "name"), ALLOWED)
async def test_what_is_allowed(
    tree: Tree, method: str, path: str, body: dict[str, object] | None, name: str
) -> None:
    assert await tree.ask(name, method, path, body) in (200, 201, 204)


async def test_a_site_admin_may_do_all_of_it(tree: Tree) -> None:
    statuses = [await tree.ask("site", method, path, body) for method, path, body, _ in TABLE]

    assert [status for status in statuses if status not in (200, 201, 204)] == []


async def test_a_teacher_whose_address_is_not_verified_changes_no_track(tree: Tree) -> None:
    async with tree.world.database.write() as session:
        await session.execute(
            text("UPDATE users SET email_verified_at = NULL WHERE email = 'teacher@famulus.local'")
        )

    assert await tree.ask("teacher", "PATCH", "tracks/{track}", {"name": "New 4"}) == 403
    assert await tree.ask("teacher", "GET", "tracks/{track}", None) == 200
