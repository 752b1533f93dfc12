"""Every list of the API costs as many statements for a hundred items as for one, in each order, from any place."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bench.questions import questions
from httpx2 import Client
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.kernel.lane import Driver, MakeScript, Outcome, Script
from tests.doors.spares import spares
from tests.support.academy import PASSWORD
from tests.support.counting import Count, counting
from tests.support.openapi import operations, resolved
from tests.support.operations import CASES, filled, own_path
from tests.support.serving import Served, furnished, wait_for
from tests.support.waiting import seen_soon

TRIES, MANY_TRIES = 3, 15
"""The server has work of its own meanwhile, which only ever adds to a count: the smallest of some is the question's."""


@dataclass
class Counted:
    """A driver of the fast lane that notes every statement it passes on."""

    driver: Driver
    count: Count

    async def commit(self, scripts: list[MakeScript]) -> list[Outcome]:
        return await self.driver.commit(scripts)

    async def read(self, script: MakeScript) -> Any:
        return await self.driver.read(lambda: self._noted(script()))

    async def close(self) -> None:
        await self.driver.close()

    def _noted(self, script: Script) -> Script:
        try:
            statement = next(script)
            while True:
                self.count.statements += 1
                statement = script.send((yield statement))
        except StopIteration as end:
            return end.value


@contextmanager
def everything_counted(database: Database) -> Iterator[Count]:
    """Counts what sessions and the fast lane ask."""
    with counting(database) as count:
        database.lane.driver, own = Counted(database.lane.driver, count), database.lane.driver
        try:
            yield count
        finally:
            database.lane.driver = own


def lists(document: Any) -> dict[str, Any]:
    """Every operation that answers with a page of items, as the document says."""
    found: dict[str, Any] = {}
    for name, operation in operations(document).items():
        content = operation["responses"].get("200", {}).get("content", {})
        if name.startswith("GET ") and "application/json" in content:
            schema = resolved(document, content["application/json"]["schema"])
            if {"items", "next"} <= set(schema.get("properties", ())):
                found[name] = operation
    return found


def variants(document: Any, operation: Any) -> list[dict[str, str]]:
    """The list as it is, in each of its orders, and by a beginning."""
    asked = [each["name"] for each in operation.get("parameters", ()) if each.get("required")]
    found: list[dict[str, str]] = [{name: NEEDED[name] for name in asked if name in NEEDED}]
    for parameter in operation.get("parameters", ()):
        name, schema = parameter["name"], resolved(document, parameter["schema"])
        if name in ("sort", "order"):
            found += [{name: each} for each in schema["enum"] if each != "position"]  # that one takes a track
        elif name == "q":
            found += [{"q": "c"}, {"q": "t"}]
    return found


WHO = {
    "GET /api/v1/courses": "admin",
    "GET /api/v1/courses/my": "admin",
    "GET /api/v1/organizations": "site",
    "GET /api/v1/assistants": "site",
    "GET /courses/my": "admin",
    "GET /assistants": "site",
    "GET /api/v1/activity": "teacher",
}
"""Who has more of them than the one who asks elsewhere."""
NEEDED = {"entity": "Water"}
"""Without which there is no such list."""
WHOSE = {
    "GET /api/v1/sources/{id}/documents": {"id": "{lessons_source}"},
    "GET /api/v1/documents/{id}": {"id": "{long_document}"},
    "GET /api/v1/organizations/{organization_id}/members/{user_id}/activity": {"user_id": "{teacher_id}"},
}


def more(served: Served) -> dict[str, str]:
    """At least two of everything that is listed; returns the ids of what is there."""
    ids = spares(served)
    with served.client("admin") as admin, served.client("teacher") as teacher:
        peer = f"/api/v1/organizations/{ids['organization']}/members/{ids['peer_id']}"
        assert admin.patch(peer, json={"role": "teacher"}).status_code == 200
        assistant = f"/api/v1/assistants/{ids['assistant']}"
        assert teacher.patch(assistant, json={"instructions": "Help otherwise."}).status_code == 200
        sources = f"/api/v1/courses/{ids['course']}/sources"
        text = "\n\n".join(f"# Part {n}\n\n{'Water runs downhill. ' * 100}" for n in range(3))
        uploaded = teacher.post(sources, files={"file": ("long.md", text.encode())})
        documents = teacher.get(f"/api/v1/sources/{uploaded.json()['id']}/documents").json()
        ids["long_document"] = documents["items"][0]["id"]
        known = teacher.get("/api/v1/sources", params={"course_id": ids["course"]}).json()["items"]
        ids["lessons_source"] = next(each["id"] for each in known if each["kind"] == "lessons")
        student = {"email": "student@famulus.local", "password": PASSWORD, "session_mode": "api"}
        assert teacher.post("/api/auth/login", json=student).status_code == 200
    return ids


@dataclass(frozen=True)
class List:
    """A list of the API, asked by somebody who has some."""

    client: Client
    path: str
    count: Count

    def get(self, **query: str) -> Any:
        """An answer to a question."""
        answer = self.client.get(self.path, params=query, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def questions(self, query: dict[str, str], *, paged: bool) -> list[dict[str, str]]:
        """For many, for few, and for few from a place in the list; none where there are too few to tell."""
        whole = self.get(**query)["items"]
        if len(whole) < 2:
            return []
        if not paged:
            return [{**query, "after": whole[place]["id"]} for place in (0, -2)]
        few = {**query, "limit": "1"}
        return [{**query, "limit": "100"}, few, {**few, "after": self.get(**few)["next"]}]

    def statements(self, query: dict[str, str], tries: int = TRIES) -> int:
        """How many statements a question takes."""
        found: list[int] = []
        for _ in range(tries):
            before = self.count.statements
            self.get(**query)
            found.append(self.count.statements - before)
        assert min(found) > 0, f"{self.path} was not seen to ask anything"
        return min(found)


async def _jobs(served: Served) -> int:
    """Jobs that are still to be done, whose statements would be counted as well."""
    database = Database(served.settings.database)
    try:
        async with database.read() as session:
            left = "SELECT count(*) FROM jobs WHERE status <> 'failed'"
            return await session.scalar(text(left)) or 0
    finally:
        await database.close()


def test_the_benchmark_asks_every_list(document: Any) -> None:
    assert {each.route for each in questions()} == {name.removeprefix("GET ") for name in lists(document)}


@pytest.mark.slow
def test_a_list_takes_as_many_statements_for_many_items_as_for_one(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest, document: Any
) -> None:
    complaints: list[str] = []
    routes = lists(document)
    assert len(routes) >= 27
    with furnished(dialect, tmp_path, request) as served, ExitStack() as stack:
        ids = more(served)
        seen_soon(lambda: wait_for(_jobs(served)) == 0)
        count = stack.enter_context(everything_counted(served.app.state.database))
        for name, operation in routes.items():
            client = stack.enter_context(served.client(WHO.get(name, CASES[name].who)))
            places = filled({**own_path(name, CASES[name]), **WHOSE.get(name, {})}, ids)
            asked = List(client, name.removeprefix("GET ").format_map(places), count)
            paged = any(each["name"] == "limit" for each in operation["parameters"])
            for query in variants(document, operation):
                questions = asked.questions(query, paged=paged)
                if not questions and not query:
                    complaints.append(f"{name}: `more` makes fewer than two of these")
                statements = [asked.statements(each) for each in questions]
                if len(set(statements)) > 1:
                    statements = [asked.statements(each, MANY_TRIES) for each in questions]
                if len(set(statements)) > 1:
                    complaints.append(f"{name}: {statements} statements for {questions}")
    assert complaints == [], "\n".join(complaints)
