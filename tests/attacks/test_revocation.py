"""Rights that end (P13, A11): within five seconds, in every way in, on every instance, and for streams that are open."""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx2 import Client
from sqlalchemy import select, text

from famulus.conversations.attachments import PURGE
from famulus.kernel.database import Database
from famulus.kernel.jobs import enqueue
from famulus.kernel.jobs_table import Job
from famulus.kernel.tables import Base
from tests.support.academy import PASSWORD, furnish, new_approval, new_key, new_task, new_thread, plant, vouch
from tests.support.problems import assert_problem
from tests.support.serving import ACTING, Served, migrated_database, serving, settings_for, wait_for
from tests.support.sse import Frame, frames_of

SOON = 5.0
SCRIPT = """\
One two three.
--- message
@when slowly
@rate 20
{words}
--- message
{acting}
""".format(words="word " * 120, acting=ACTING)


@dataclass(frozen=True)
class Instances:
    """Where something is done, and where it has to be in force: two instances on PostgreSQL, else one."""

    here: Served
    there: Served


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instances]:
    with instances(str(request.param), tmp_path_factory.mktemp("revoked"), request) as made:
        yield made


@contextmanager
def instances(dialect: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Instances]:
    script = folder / "slow.md"
    script.write_text(SCRIPT, encoding="utf-8")
    with migrated_database(dialect, folder, request) as url:
        academy = wait_for(plant(url))
        settings = settings_for(url, folder, model=f"scripted:{script}", heartbeat=1, run_lease=2)
        with serving(settings, academy) as here:
            furnish(academy, here.client)
            if dialect == "sqlite":
                yield Instances(here, here)
            else:
                with serving(settings, academy) as there:
                    yield Instances(here, there)


@dataclass
class Reader:
    """Reads a stream in a thread, to its end."""

    client: Client
    method: str
    path: str
    body: object = None

    def __post_init__(self) -> None:
        self.frames: list[Frame] = []
        self.ended_at = 0.0
        self.opened = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        assert self.opened.wait(10)

    def _read(self) -> None:
        given = {"json": self.body} if self.body is not None else {}
        headers = {"Accept": "text/event-stream"}
        with self.client.stream(self.method, self.path, headers=headers, **given) as response:
            assert response.status_code == 200
            for frame in frames_of(response):
                self.frames.append(frame)
                self.opened.set()
        self.ended_at = time.monotonic()

    def cut_within(self, seconds: float, since: float, said: tuple[str, int] = ("stream_ended", 401)) -> None:
        """Fail unless the stream has ended by then, with a word that a client understands."""
        self.thread.join(seconds + 5)
        assert not self.thread.is_alive(), "the stream hangs"
        assert self.ended_at - since <= seconds
        last = self.frames[-1]
        assert last.name == "error"
        assert (last.data["code"], last.data["status"]) == said
        assert last.id is None, "a client that resumes does so after the last event of the run"


@dataclass(frozen=True)
class Pupil:
    """A new member of our organization, with two sessions."""

    id: str
    email: str
    headers: dict[str, str]
    refresh_token: str
    elsewhere: dict[str, str]
    """The other session."""


def pupil(both: Instances) -> Pupil:
    email = f"{secrets.token_hex(6)}@famulus.local"
    organization = both.here.academy.ids["organization"]
    with both.here.client() as nobody, both.here.client("admin") as admin:
        account = {"email": email, "password": PASSWORD, "name": "Pupil", "session_mode": "api"}
        one = nobody.post("/api/auth/signup", json=account).json()
        login = {"email": email, "password": PASSWORD, "session_mode": "api"}
        two = nobody.post("/api/auth/login", json=login).json()
        with both.here.client("site") as site:
            vouch(site, email)
        made = admin.post(f"/api/v1/organizations/{organization}/members", json={"email": email})
        assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {one['access_token']}"}
    elsewhere = {"Authorization": f"Bearer {two['access_token']}"}
    return Pupil(made.json()["user_id"], email, headers, one["refresh_token"], elsewhere)


def sign_out(both: Instances, who: Pupil) -> None:
    with both.here.client() as client:
        assert client.post("/api/auth/logout", headers=who.headers).status_code == 204


def end_session(both: Instances, who: Pupil) -> None:
    with both.here.client() as client:
        sessions = client.get("/api/auth/sessions", headers=who.elsewhere).json()["items"]
        (other,) = [each["id"] for each in sessions if not each["current"]]
        assert client.delete(f"/api/auth/sessions/{other}", headers=who.elsewhere).status_code == 204


def change_password(both: Instances, who: Pupil) -> None:
    with both.here.client() as client:
        body = {"current_password": PASSWORD, "new_password": "an entirely new password"}
        changed = client.post("/api/auth/password", json=body, headers=who.elsewhere)
        assert changed.status_code == 204, changed.text


def suspend(both: Instances, who: Pupil) -> None:
    with both.here.client("site") as site:
        assert site.post(f"/api/v1/accounts/{who.id}/suspend").json()["suspended"] is True


def promote(both: Instances, who: Pupil) -> None:
    organization = both.here.academy.ids["organization"]
    with both.here.client("admin") as admin:
        path = f"/api/v1/organizations/{organization}/members/{who.id}"
        assert admin.patch(path, json={"role": "teacher"}).status_code == 200


def expel(both: Instances, who: Pupil) -> None:
    organization = both.here.academy.ids["organization"]
    with both.here.client("admin") as admin:
        assert admin.delete(f"/api/v1/organizations/{organization}/members/{who.id}").status_code == 204


Change = Callable[[Instances, Pupil], None]
ENDS_THE_SESSION: tuple[Change, ...] = (sign_out, end_session, change_password, suspend)
CHANGES_THE_RIGHTS: tuple[Change, ...] = (promote, expel)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [*ENDS_THE_SESSION, *CHANGES_THE_RIGHTS], ids=lambda change: change.__name__
)
def test_P13_A11_open_streams_end_and_their_runs_go_on(both: Instances, change: Change) -> None:
    who = pupil(both)
    with (
        both.there.client() as client,
        both.there.client() as one,
        both.there.client() as two,
        both.there.client() as three,
    ):
        for each in (client, one, two, three):
            each.headers.update(who.headers)
        thread = new_thread(client)
        started = Reader(one, "POST", f"/api/v1/threads/{thread}/runs", {"message": "Go slowly."})
        run = started.frames[0].data["run_id"]
        followed = Reader(two, "GET", f"/api/v1/runs/{run}/events")
        feed = Reader(three, "GET", "/api/v1/events")
        time.sleep(0.3)
        began = time.monotonic()
        change(both, who)
        for stream in (started, followed, feed):
            stream.cut_within(SOON, began)
        if change in ENDS_THE_SESSION:
            refused_soon(client, thread, run, began)
            refreshed = client.post("/api/auth/refresh", json={"refresh_token": who.refresh_token})
            assert_problem(refreshed, 401, "refresh_refused")
            if change is suspend:
                restore(both, who)
        again = both.there.client()
        again.headers.update(sign_in_again(both, who, change))
        wait_until_completed(again, run)
        again.close()


@pytest.mark.slow
@pytest.mark.parametrize("by", ["themselves", "key"])
def test_P13_A11_streams_of_a_course_end_for_who_has_left_it(both: Instances, by: str) -> None:
    """For them alone, and of this course alone; the run goes on, and what was said stays theirs."""
    who, other, course = pupil(both), pupil(both), both.here.academy.ids["course"]
    place = f"/api/v1/courses/{course}/enrolments"
    with both.here.client("admin") as admin, both.there.client() as client, both.there.client() as theirs:
        for one in (who, other):
            assert admin.post(place, json={"user_id": one.id}).status_code == 201
        client.headers.update(who.headers if by == "themselves" else _with_key(both, who))
        theirs.headers.update(other.headers)
        body = {"message": "Go slowly."}
        inside, outside = new_thread(client, course_id=course), new_thread(client)
        neighbour = new_thread(theirs, course_id=course)
        readers = [
            Reader(person, "POST", f"/api/v1/threads/{thread}/runs", body)
            for person, thread in ((client, inside), (client, outside), (theirs, neighbour))
        ]
        run = readers[0].frames[0].data["run_id"]
        followed = Reader(client, "GET", f"/api/v1/runs/{run}/events")
        time.sleep(0.3)
        began = time.monotonic()
        assert admin.delete(f"{place}/{who.id}").status_code == 204
        for stream in (readers[0], followed):
            stream.cut_within(SOON, began, ("course_left", 403))
        for stream in readers[1:]:
            stream.thread.join(30)
            assert stream.frames[-1].name == "run.completed"
        wait_until_completed(client, run)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["archived", "a draft again"])
def test_P13_A11_streams_of_a_course_end_for_who_learns_in_it_when_it_closes(
    both: Instances, how: str
) -> None:
    who, place = pupil(both), "/api/v1/courses"
    with both.here.client("admin") as admin, both.there.client() as client:
        made = admin.post(place, json={"title": f"Soon {how}", "published": True})
        course = made.json()["id"]
        assert admin.post(f"{place}/{course}/enrolments", json={"user_id": who.id}).status_code == 201
        client.headers.update(who.headers)
        inside, outside = new_thread(client, course_id=course), new_thread(client)
        body = {"message": "Go slowly."}
        readers = [
            Reader(client, "POST", f"/api/v1/threads/{thread}/runs", body) for thread in (inside, outside)
        ]
        time.sleep(0.3)
        began = time.monotonic()
        if how == "archived":
            done = admin.post(f"{place}/{course}/archive")
        else:
            done = admin.patch(f"{place}/{course}", json={"published": False})
        assert done.status_code == 200, done.text
        readers[0].cut_within(SOON, began, ("course_left", 403))
        readers[1].thread.join(30)
        assert readers[1].frames[-1].name == "run.completed"


def _with_key(both: Instances, who: Pupil) -> dict[str, str]:
    with both.here.client() as client:
        wish = {"name": "all", "scopes": ["read", "chat"]}
        key = client.post("/api/v1/api-keys", json=wish, headers=who.headers).json()["key"]
    return {"X-API-Key": key}


def refused_soon(client: Client, thread: str, run: str, since: float) -> None:
    """Every way in, on the other instance."""
    while client.get("/api/auth/me").status_code != 401 and time.monotonic() - since < SOON:
        time.sleep(0.1)
    stream = {"Accept": "text/event-stream"}
    for method, path, body, headers in (
        ("GET", "/api/auth/me", None, {}),
        ("GET", f"/api/v1/runs/{run}", None, {}),
        ("GET", f"/api/v1/runs/{run}/events", None, stream),
        ("GET", "/api/v1/events", None, stream),
        ("POST", f"/api/v1/threads/{thread}/runs", {"message": "Hello."}, stream),
        ("POST", f"/api/v1/runs/{run}/cancel", None, {}),
    ):
        assert_problem(client.request(method, path, json=body, headers=headers), 401, "unauthenticated")
    assert time.monotonic() - since <= SOON


def restore(both: Instances, who: Pupil) -> None:
    with both.here.client("site") as site:
        assert site.post(f"/api/v1/accounts/{who.id}/restore").json()["suspended"] is False


def sign_in_again(both: Instances, who: Pupil, change: Change) -> dict[str, str]:
    password = "an entirely new password" if change is change_password else PASSWORD
    with both.here.client() as client:
        login = {"email": who.email, "password": password, "session_mode": "api"}
        return {
            "Authorization": f"Bearer {client.post('/api/auth/login', json=login).json()['access_token']}"
        }


def wait_until_completed(client: Client, run: str) -> None:
    """The run was accepted, and is answered whoever watches."""
    for _ in range(300):
        status = client.get(f"/api/v1/runs/{run}").json()["status"]
        if status != "running":
            break
        time.sleep(0.1)
    assert status == "completed"


@pytest.mark.slow
@pytest.mark.parametrize("change", [suspend, expel], ids=lambda change: change.__name__)
def test_P13_a_question_that_waits_is_not_answered_for_who_is_out(both: Instances, change: Change) -> None:
    """What runs may end; what waits behind it must not begin."""
    who = pupil(both)
    academy = both.here.academy
    with both.here.client("admin") as admin, both.here.client() as client:
        client.headers.update(who.headers)
        course = academy.ids["course"]
        enrolled = admin.post(f"/api/v1/courses/{course}/enrolments", json={"user_id": who.id})
        assert enrolled.status_code == 201
        assistant = academy.ids["assistant"]
        queueing = {"settings": {"on_second_message": "enqueue"}}
        assert admin.patch(f"/api/v1/assistants/{assistant}", json=queueing).status_code == 200
        thread = new_thread(client, course_id=course, assistant_id=assistant)
        path = f"/api/v1/threads/{thread}/runs"
        first = client.post(path, json={"message": "Go slowly."}).json()["run"]["id"]
        second = client.post(path, json={"message": "And this?"}).json()["run"]
        assert second["status"] == "queued"
        change(both, who)
        ended = wait_for_runs(both, first, second["id"])
    assert ended[first] == ("completed", None)
    assert ended[second["id"]] == ("failed", "asker_gone")


def wait_for_runs(both: Instances, *ids: str) -> dict[str, tuple[str, str | None]]:
    """How runs ended, read in the database: their asker may not look any more."""

    async def read() -> dict[str, tuple[str, str | None]]:
        database = Database(both.here.settings.database)
        try:
            async with database.read() as session:
                rows = await session.execute(text("SELECT id, status, error FROM runs"))
                return {
                    row[0]: (row[1], json.loads(row[2])["code"] if row[2] else None)
                    for row in rows
                    if row[0] in ids
                }
        finally:
            await database.close()

    for _ in range(200):
        found = wait_for(read())
        if all(status in ("completed", "failed", "cancelled") for status, _ in found.values()):
            break
        time.sleep(0.2)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("by", ["themselves", "site"])
def test_P13_a_deleted_account_is_out_at_once_and_leaves_nothing(both: Instances, by: str) -> None:
    """With everything that can be had, and an answer being written: no row anywhere has a word of it, but the audit an id."""
    who, mark = pupil(both), f"m{secrets.token_hex(6)}"
    with both.here.client("admin") as admin, both.there.client() as client, both.there.client() as one:
        course = {"user_id": who.id}
        place = f"/api/v1/courses/{both.here.academy.ids['course']}/enrolments"
        assert admin.post(place, json=course).status_code == 201
        for each in (client, one):
            each.headers.update(who.headers)
        assert client.patch("/api/auth/me", json={"name": mark, "profile": {"goal": mark}}).status_code == 200
        new_task(client, mark), new_key(client), new_approval(client)
        thread = new_thread(client, title=mark, course_id=both.here.academy.ids["course"])
        sent = {"file": (f"{mark}.md", mark.encode(), "text/markdown")}
        file = client.post("/api/v1/attachments", files=sent).json()["id"]
        body = {"message": f"Go slowly, {mark}.", "attachments": [file]}
        started = Reader(one, "POST", f"/api/v1/threads/{thread}/runs", body)
        run = started.frames[0].data["run_id"]
        time.sleep(0.3)
        assert {"threads", "runs", "attachments", "tasks"} <= set(rows_with(both, who.id, mark))
        began = time.monotonic()
        delete_account(both, who, by)
        started.thread.join(SOON + 5)  # by the watch, or as its run is no more
        assert 0 < started.ended_at - began <= SOON
        refused_soon(client, thread, run, began)
    wait_for(_purged(both))
    time.sleep(1)  # whoever wrote the answer has noticed, and has written nothing more
    left = rows_with(both, who.id, who.email, mark, run, thread)
    assert set(left) == {"audit_entries"}
    assert mark not in str(left)
    assert who.email not in str(left)


def delete_account(both: Instances, who: Pupil, by: str) -> None:
    with both.here.client("site" if by == "site" else None) as client:
        if by == "site":
            answer = client.delete(f"/api/v1/accounts/{who.id}")
        else:
            answer = client.post("/api/auth/me/delete", json={"password": PASSWORD}, headers=who.elsewhere)
        assert answer.status_code == 204, answer.text


def rows_with(both: Instances, *words: str) -> dict[str, list[str]]:
    """Every row of every table that has one of these words, by table."""

    async def read() -> dict[str, list[str]]:
        database = Database(both.here.settings.database)
        try:
            async with database.read() as session:
                everything = {
                    table.name: [str(row) for row in await session.execute(select(table))]
                    for table in Base.metadata.sorted_tables
                }
        finally:
            await database.close()
        found = {
            name: [row for row in rows if any(word in row for word in words)]
            for name, rows in everything.items()
        }
        return {name: rows for name, rows in found.items() if rows}

    return wait_for(read())


async def _purged(both: Instances) -> None:
    """Have the hourly job done that removes files without an owner."""
    database = Database(both.here.settings.database)
    try:
        async with database.write() as session:
            await enqueue(session, PURGE.kind, {})
        for _ in range(100):
            async with database.read() as session:
                waiting = await session.scalar(select(Job.id).where(Job.kind == PURGE.kind))
            if waiting is None:
                return
            await asyncio.sleep(0.1)
    finally:
        await database.close()
    raise AssertionError("the job was not done")
