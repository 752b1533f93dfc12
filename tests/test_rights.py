"""Nobody sees or changes what is not theirs: every operation × every field that carries an id × whoever may ask.

The matrix is made from the application's own OpenAPI document, so a new route is in it or fails the test, and a server
with holes in it has to be caught by the same check.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import Request
from httpx2 import Client
from pydantic import BaseModel
from sqlalchemy import text

from famulus.identity.deps import CurrentPrincipal, ReadSession, WriteSession
from famulus.kernel.errors import FamulusError
from tests.support.academy import MARKS, furnish, new_thread, plant
from tests.support.cases import Case
from tests.support.openapi import body_properties
from tests.support.operations import CASES, filled, own_path, send
from tests.support.rights import Place, places, trials
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for
from tests.support.victims import askers, marks, own, victims

pytestmark = pytest.mark.slow

PROTECTED = {
    "id": "usr_x",
    "user_id": "usr_x",
    "organization_id": "org_x",
    "role": "site_admin",
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "status": "completed",
    "position": 999_999,
    "scope": "global",
    "site_admin": True,
    "is_admin": True,
    "suspended": False,
    "version": 9,
    "epoch": 9,
    "owner": "me",
    "thread_id": "thr_x",
    "run_id": "run_x",
    "course_id": "crs_x",
    "parent_id": "msg_x",
    "model": "scripted:/etc/passwd",
    "password_hash": "x",
    "titled_by": "model",
    "tenant_id": "org_x",
    "seq": 9,
    "state": "accepted",
    "token_hash": "x",
    "__proto__": {"role": "site_admin"},
    "session_id": "ses_x",
    "email_verified_at": "2020-01-01T00:00:00Z",
}

MAY = {"their_admin": ("teacher", "organization_admin"), "colleague": ("teacher",)}
"""The roles that somebody has in a world of their own."""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of these tests' own: what it holds is compared before and after."""
    folder = tmp_path_factory.mktemp("rights")
    with migrated_database(str(request.param), folder, request) as url:
        academy = wait_for(plant(url, colleague=True))
        with serving(settings_for(url, folder), academy) as served:
            furnish(academy, served.client)
            yield served


def test_a02_nobody_reaches_what_is_not_theirs(world: Served, document: Any) -> None:
    before = victims(world)
    assert all(before.values()), "every table holds something of ours"
    everybody = askers(world)
    clients: dict[str | None, Client] = {asker.who: world.client(asker.who) for asker in everybody}
    complaints = list(trials(clients, everybody, document))
    after = victims(world)
    changed = {name: rows - after[name] for name, rows in before.items() if rows - after[name]}
    for client in clients.values():
        client.close()
    assert complaints == [], "\n".join(complaints)
    assert changed == {}, "rows of ours are gone or different"


def test_a07_nobody_is_answered_anywhere(world: Served) -> None:
    """Operations without ids as well: but for signing in and health, nothing answers without a sign-in."""
    ids = own(world, "student")
    with world.client() as client:
        for operation, case in CASES.items():
            if case.who is not None:
                response = send(client, operation, ids)
                assert response.status_code == 401, f"{operation}: {response.status_code}"
                assert not [mark for mark in MARKS.values() if mark in response.text]


@pytest.mark.parametrize("who", ["student", "classmate", "peer", "their_admin", "colleague"])
def test_roles_are_needed_where_the_table_says(world: Served, who: str) -> None:
    """Operations on one's own world that take another role: 403, or 404 where there is nothing to see."""
    ids = own(world, who)
    with world.client(who) as client:
        for operation, case in CASES.items():
            if case.needs not in (None, *MAY.get(who, ())):
                response = send(client, operation, ids)
                seen = who != "peer" or "organizations" in operation or operation == "POST /api/v1/courses"
                assert response.status_code == 403 if seen else response.status_code in (403, 404), (
                    f"{operation}: {response.status_code}"
                )


def test_a06_lists_and_searches_hold_only_what_is_seen(world: Served, document: Any) -> None:
    """Without any id: what comes by itself, in lists, searches and resolutions."""
    for asker in askers(world)[1:]:
        with world.client(asker.who) as client:
            for path in (
                "organizations",
                "courses",
                "courses/my",
                "projects",
                "tracks",
                "tasks",
                "assistants",
                "threads",
                "sources",
                "assistants/resolve",
            ):
                response = client.get(f"/api/v1/{path}", params={"limit": "100"})
                assert response.status_code == 200, path
                assert not [mark for mark in asker.marks if mark in response.text], (asker.who, path)
            marked = " ".join(MARKS.values())
            for query in (
                marked,
                f"{marked} OR *",
                f'"{MARKS["draft"]}"',
                "canary* NEAR floods",
                "%",
                "canary dr*",
            ):
                found = client.get("/api/v1/search", params={"q": query, "limit": "20"})
                assert not [mark for mark in asker.marks if mark in found.text], (asker.who, query)


def test_an_answer_quotes_only_what_its_asker_reads(world: Served, tmp_path: Path) -> None:
    """The tool that searches is called by a model that obeys anybody; it still finds as the asker."""
    for who in ("student", "classmate"):
        with world.client(who) as client:
            for course in (None, world.academy.ids["course"]):
                thread = new_thread(client, course_id=course)
                path = f"/api/v1/threads/{thread}/runs"
                asked = {"message": "Search first: floods canary draft weirs rivers walls"}
                run = client.post(path, json=asked).json()["run"]["id"]
                events = client.get(f"/api/v1/runs/{run}/events").text
                assert "run.completed" in events
                assert not [mark for mark in marks("draft", "hidden", "their_lesson") if mark in events]


def test_a08_protected_fields_are_refused(world: Served, document: Any) -> None:
    """Whoever may do it cannot do more by saying so: an unknown or protected field is named and nothing happens."""
    before = victims(world)
    worlds = {case.who: own(world, case.who or "student") for case in CASES.values() if case.body is not None}
    for operation, case in CASES.items():
        if case.body is None:
            continue
        ids = worlds[case.who]
        method, _, template = operation.partition(" ")
        path = template.format_map(filled(own_path(operation, case), ids))
        known = body_properties(document, operation)
        with world.client(case.who) as client:
            for name, value in PROTECTED.items():
                if name not in known:
                    response = client.request(method, path, json={**filled(case.body, ids), name: value})
                    assert response.status_code == case.refusal, f"{operation}, {name}: {response.text}"
                    assert name in {field["path"] for field in response.json()["fields"]}
    after = victims(world)
    assert all(rows <= after[name] for name, rows in before.items())


def test_a03_an_id_of_one_s_own_choice_is_not_taken(world: Served) -> None:
    """Nor does somebody else's, in place of one's own, lead to their row."""
    ids = world.academy.ids
    with world.client("classmate") as client:
        mine = new_thread(client)
        for body in ({"message": "x", "thread_id": ids["thread"]}, {"message": "x", "run_id": ids["run"]}):
            assert client.post(f"/api/v1/threads/{mine}/runs", json=body).status_code == 422
        for parameters in ({"thread_id": ids["thread"]}, {"user_id": world.academy.people["student"].id}):
            found = client.get(f"/api/v1/threads/{mine}/messages", params=parameters).json()
            assert found["items"] == []
            assert MARKS["thread"] not in client.get("/api/v1/threads", params=parameters).text


def test_a_key_is_one_s_own(world: Served) -> None:
    """The same Idempotency-Key of somebody else, in their thread, gives neither their run nor their answer."""
    headers = {"Idempotency-Key": "shared-key"}
    with world.client("student") as student, world.client("classmate") as classmate:
        runs = [
            client.post(
                f"/api/v1/threads/{new_thread(client)}/runs", json={"message": "Hello."}, headers=headers
            ).json()["run"]["id"]
            for client in (student, classmate)
        ]
    assert runs[0] != runs[1]


def test_revoked_rights_are_gone_at_once(world: Served) -> None:
    """Withdrawn from a course: its lessons, sources and passages are not there, and its threads do not go on."""
    ids = dict(world.academy.ids)
    classmate = world.academy.people["classmate"]
    with world.client("teacher") as teacher, world.client("classmate") as client:
        thread = new_thread(client, course_id=ids["course"])
        paths = [
            f"/api/v1/courses/{ids['course']}",
            f"/api/v1/lessons/{ids['lesson']}",
            f"/api/v1/sources/{ids['source']}",
            f"/api/v1/passages/{ids['passage']}",
            f"/api/v1/documents/{ids['document']}",
        ]
        assert [client.get(path).status_code for path in paths] == [200] * 5
        place = f"/api/v1/courses/{ids['course']}/enrolments"
        assert teacher.delete(f"{place}/{classmate.id}").status_code == 204
        try:
            assert [client.get(path).status_code for path in paths] == [404] * 5
            refused = client.post(
                f"/api/v1/threads/{thread}/runs", json={"message": "Where does a river begin?"}
            )
            assert refused.status_code == 403
            assert client.get(f"/api/v1/threads/{thread}").status_code == 200, "their own words stay theirs"
        finally:
            assert teacher.post(place, json={"user_id": classmate.id}).status_code == 201


class ByThread(BaseModel):
    """A body that names somebody's thread."""

    thread_id: str


def leaky(app: Any) -> None:
    """Routes with the classic holes."""

    async def any_thread(
        thread_id: str, _principal: CurrentPrincipal, session: ReadSession
    ) -> dict[str, str]:
        row = await session.execute(text("SELECT title FROM threads WHERE id = :id"), {"id": thread_id})
        return {"title": cast(str, row.scalar_one_or_none())}

    async def by_body(body: ByThread, _principal: CurrentPrincipal, session: WriteSession) -> dict[str, str]:
        await session.execute(
            text("UPDATE threads SET title = 'taken' WHERE id = :id"), {"id": body.thread_id}
        )
        return {"done": "yes"}

    async def any_course(course_id: str, session: ReadSession, request: Request) -> dict[str, str]:
        row = await session.execute(text("SELECT title FROM courses WHERE id = :id"), {"id": course_id})
        return {"title": cast(str, row.scalar_one_or_none())}

    async def by_query(thread_id: str, _principal: CurrentPrincipal, session: ReadSession) -> dict[str, str]:
        row = await session.execute(text("SELECT title FROM threads WHERE id = :id"), {"id": thread_id})
        return {"title": cast(str, row.scalar_one_or_none())}

    async def breaks(run_id: str, _principal: CurrentPrincipal) -> None:
        raise FamulusError(run_id)

    app.add_api_route("/api/leaky/threads/{thread_id}", any_thread)
    app.add_api_route("/api/leaky/courses/{course_id}", any_course)
    app.add_api_route("/api/leaky/title", by_query)
    app.add_api_route("/api/leaky/runs/{run_id}", breaks)
    app.add_api_route("/api/leaky/rename", by_body, methods=["POST"])


LEAKY = {
    "GET /api/leaky/threads/{thread_id}": Case(),
    "POST /api/leaky/rename": Case(body={"thread_id": "{thread}"}),
    "GET /api/leaky/courses/{course_id}": Case(),
    "GET /api/leaky/title": Case(query={"thread_id": "{thread}"}),
    "GET /api/leaky/runs/{run_id}": Case(),
}


def test_a_server_with_holes_is_caught(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The same matrix, against the same server with five careless routes: each of them is named."""
    with migrated_database("sqlite", tmp_path, request) as url:
        academy = wait_for(plant(url, colleague=True))
        with serving(settings_for(url, tmp_path), academy, prepare=leaky) as served:
            furnish(academy, served.client)
            with served.client() as nobody:
                document = nobody.get("/openapi.json").json()
            with pytest.raises(KeyError, match="/api/leaky/threads"):
                list(places(document))
            everybody = askers(served)
            clients: dict[str | None, Client] = {asker.who: served.client(asker.who) for asker in everybody}
            only = {
                **document,
                "paths": {path: item for path, item in document["paths"].items() if "leaky" in path},
            }
            before = victims(served)
            complaints = list(trials(clients, everybody, only, LEAKY))
            after = victims(served)
            for client in clients.values():
                client.close()
    assert set(LEAKY) == {each.partition(" [")[0] for each in complaints}
    said = "\n".join(complaints)
    assert "GET /api/leaky/threads/{thread_id} [path" in said
    assert f"as classmate: shows ['{MARKS['thread']}']" in said
    assert "as None: answers nobody with 200" in said
    assert "answers 500" in said
    assert "answers 200 for what the asker does not see" in said
    assert before["threads"] - after["threads"], "and the changed row is noticed"


def test_the_matrix_has_every_place(document: Any) -> None:
    """Of a size that only shrinks when somebody has thought about it."""
    found = list(places(document))
    assert len(found) >= 60
    assert {place.where for place in found} == {"path", "query", "body", "header"}
    assert {
        "course",
        "thread",
        "run",
        "assistant",
        "organization",
        "project",
        "track",
        "task",
        "lesson",
        "passage",
        "source",
        "document",
        "user",
        "email",
        "anything",
    } <= {place.kind for place in found}
    assert Place("POST /api/v1/threads", "body", "assistant_id", "assistant") in found
