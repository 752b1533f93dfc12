"""Sources that are read again and again: repositories, addresses, documents of APIs, for a course or for everybody."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select, text, update

from famulus.doors.rest import CAMPUS
from famulus.kernel.database import Database
from famulus.kernel.http import Outbound
from famulus.kernel.jobs import Later, Worker
from famulus.kernel.live import Live
from famulus.kernel.settings import Settings, load_settings
from famulus.kernel.tables import utc_now
from famulus.knowledge import walk
from famulus.knowledge.gather import Gatherer
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.jobs import FORSAKEN, SCHEDULED_JOB, SOURCE_JOB, SourceKeeper
from famulus.knowledge.models import Source
from famulus.knowledge.places import OUTSIDE
from famulus.knowledge.pool import FEW
from famulus.knowledge.routes import router as knowledge
from famulus.knowledge.store import Owner
from tests.knowledge.papers import write
from tests.support.docs_openapi import document
from tests.support.rooms import World, build_world, serving
from tests.support.waiting import until
from tests.support.web_server import WebServer


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(source_folders=[str(tmp_path)], allowed_private_hosts=["127.0.0.1"])


@pytest.fixture
async def world(database: Database, settings: Settings) -> AsyncIterator[World]:
    async with serving(database, *CAMPUS, knowledge, settings=settings) as client:
        yield await build_world(database, client)


async def run_jobs(database: Database, settings: Settings) -> None:
    """Do what has been asked for, as a worker does."""
    outbound = Outbound(settings.allowed_private_hosts)
    keeper = SourceKeeper(database, Gatherer(database, outbound, settings), Live())
    async with database.write() as session:
        rows = await session.execute(
            text("DELETE FROM jobs WHERE kind = :kind RETURNING payload"), {"kind": SOURCE_JOB}
        )
        payloads = [json.loads(row[0]) for row in rows]
    for payload in payloads:
        await keeper.handle(payload)
    await outbound.close()


def repository(place: Path, files: dict[str, str]) -> Path:
    write(place, files)
    run = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", str(place)]
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "All")):
        subprocess.run([*run, *words], check=True, capture_output=True)
    return place


async def created(world: World, who: str, **body: Any) -> dict[str, Any]:
    answer = await world[who].post("/api/v1/sources", {"name": "New", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def seen(world: World, id: str, who: str = "site") -> dict[str, Any]:
    return (await world[who].get(f"/api/v1/sources/{id}")).json()


async def found(world: World, who: str, question: str) -> list[str]:
    answer = await world[who].get("/api/v1/search", q=question)
    return [item["title"] for item in answer.json()["items"]]


async def test_a_repository_is_checked_out_and_followed(
    world: World, database: Database, settings: Settings, tmp_path: Path
) -> None:
    place = repository(
        tmp_path / "repo", {"docs/wheels.md": "# Wheels\n\nRound.", "src/a.py": "def spin(): ..."}
    )
    source = await created(
        world, "site", kind="git", location=str(place), course_id=world.course, exclude=["src/*"]
    )
    assert (source["state"], source["organization_id"]) == ("waiting", world.ours)

    await run_jobs(database, settings)

    now = await seen(world, source["id"])
    assert (now["state"], now["documents"], now["error"]) == ("ready", 1, None)
    assert now["skipped"] == [{"path": "*", "reason": "The patterns of this source leave out 1 files."}]
    assert await found(world, "student", "round") == ["Wheels"]

    (place / "docs/wheels.md").rename(place / "docs/tyres.md")
    repository(place, {})
    before = await _chunk_ids(database)
    await world["site"].post(f"/api/v1/sources/{source['id']}/run", {})
    await run_jobs(database, settings)
    assert await _chunk_ids(database) == before, "a file that moves keeps its chunks"
    (row,) = (await world["site"].get(f"/api/v1/sources/{source['id']}/documents")).json()["items"]
    assert row["path"] == "docs/tyres.md"


async def _chunk_ids(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.execute(text("SELECT id FROM chunks ORDER BY id"))).scalars())


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("https://10.0.0.1/a.git", "not on the public internet"),
        ("http://localhost:1/a.git", "not on the public internet"),
    ],
)
async def test_a_repository_that_cannot_be_had_says_why(
    world: World, database: Database, settings: Settings, place: str, reason: str
) -> None:
    source = await created(world, "teacher", kind="git", location=place, course_id=world.course)

    await run_jobs(database, settings)

    now = await seen(world, source["id"], "teacher")
    assert now["state"] == "failed"
    assert reason in now["error"]


async def test_addresses_are_read_as_robots_and_hosts_allow(
    world: World, database: Database, settings: Settings
) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(
            text="<main><h1>Axles</h1><p>Axles hold wheels.</p></main>", content_type="text/html"
        )

    async def robots(request: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nDisallow: /private")

    async def nothing(request: web.Request) -> web.Response:
        return web.Response(status=404)

    async with WebServer({"/axles": page, "/robots.txt": robots, "/gone": nothing}) as server:
        urls = [f"{server.url}/{name}" for name in ("axles", "private/x", "gone")]
        source = await created(
            world, "admin", kind="urls", organization_id=world.ours, urls=[*urls, "http://10.0.0.1/x"]
        )
        await run_jobs(database, settings)

    now = await seen(world, source["id"], "admin")
    assert (now["state"], now["documents"]) == ("ready", 1)
    assert await found(world, "student", "axles") == ["Axles"]
    assert "/private/x" not in server.paths
    reasons = {row["path"]: row["reason"] for row in now["skipped"]}
    assert reasons[urls[1]] == "The host's robots.txt does not allow it."
    assert reasons[urls[2]] == "It answers 404."
    assert "not a public address" in reasons["http://10.0.0.1/x"]


async def test_what_is_global_is_there_for_everybody(
    world: World, database: Database, settings: Settings
) -> None:
    async def api(request: web.Request) -> web.Response:
        return web.json_response(document())

    async with WebServer({"/openapi.json": api}) as server:
        source = await created(world, "site", kind="openapi", location=f"{server.url}/openapi.json")
        await run_jobs(database, settings)

    assert (source["organization_id"], source["course_id"]) == (None, None)
    for who in ("student", "stranger", "idle", "site"):
        answer = await world[who].get("/api/v1/search", q="How do I create a track by API?")
        assert answer.json()["items"][0]["symbol"] == "create_track", who
    assert (await world["admin"].delete(f"/api/v1/sources/{source['id']}")).status_code == 403
    assert (await world["site"].delete(f"/api/v1/sources/{source['id']}")).status_code == 204
    assert await found(world, "student", "create a track by API") == []


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("teacher", {"course": True}, 201),
        ("student", {"course": True}, 403),
        ("stranger", {"course": True}, 404),
        ("admin", {"ours": True}, 201),
        ("teacher", {"ours": True}, 403),
        ("their_admin", {"ours": True}, 404),
        ("site", {}, 201),
        ("admin", {}, 403),
    ],
)
async def test_who_may_make_a_source(world: World, who: str, body: dict[str, bool], status: int) -> None:
    scope = {"course_id": world.course} if body.get("course") else {}
    scope |= {"organization_id": world.ours} if body.get("ours") else {}
    new = {"kind": "git", "name": "Code", "location": "https://example.org/a.git", **scope}

    assert (await world[who].post("/api/v1/sources", new)).status_code == status


@pytest.mark.parametrize(
    ("who", "change", "status"),
    [
        ("teacher", {"kind": "folder", "location": "/etc"}, 403),
        ("site", {"kind": "folder", "location": "/etc"}, 422),
        ("site", {"kind": "git", "location": "/etc"}, 422),
        ("teacher", {"location": "https://me:secret@example.org/a.git"}, 422),
        ("teacher", {"location": "ext::sh -c id"}, 422),
        ("teacher", {"location": "-c"}, 422),
        ("teacher", {"ref": "--upload-pack=id"}, 422),
        ("teacher", {"schedule": "now and then"}, 422),
        ("teacher", {"schedule": "* * * * * *"}, 422),
        ("teacher", {"kind": "urls"}, 422),
    ],
)
async def test_what_may_not_be_a_source(world: World, who: str, change: dict[str, str], status: int) -> None:
    new = {"kind": "git", "name": "Code", "location": "https://example.org/a.git", "course_id": world.course}

    answer = await world[who].post("/api/v1/sources", new | change)

    assert answer.status_code == status, answer.text


async def test_a_schedule_asks_again_until_it_is_changed(
    world: World, database: Database, settings: Settings
) -> None:
    source = await created(
        world,
        "teacher",
        kind="git",
        location="https://example.org/a.git",
        course_id=world.course,
        schedule="0 4 * * *",
    )
    keeper = SourceKeeper(database, Gatherer(database, Outbound(), settings), Live())

    async def waiting(kind: str) -> list[dict[str, Any]]:
        async with database.read() as session:
            rows = await session.execute(text("SELECT payload FROM jobs WHERE kind = :kind"), {"kind": kind})
            return [json.loads(row[0]) for row in rows]

    (planned,) = await waiting(SCHEDULED_JOB)
    async with database.write() as session:
        await session.execute(text("DELETE FROM jobs"))
    await keeper.scheduled(planned)
    assert await waiting(SOURCE_JOB) == [{"source_id": source["id"]}]
    assert await waiting(SCHEDULED_JOB) == [planned]

    path = f"/api/v1/sources/{source['id']}"
    assert (await world["teacher"].patch(path, {"schedule": None})).json()["schedule"] is None
    async with database.write() as session:
        await session.execute(text("DELETE FROM jobs"))
    await keeper.scheduled(planned)
    assert await waiting(SOURCE_JOB) == []


@pytest.mark.slow
async def test_a_run_that_is_cut_short_is_finished_by_the_next(
    world: World, database: Database, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "many", {f"{n:03}.md": f"# Number {n}\n\nText number {n}." for n in range(200)})
    source = await created(
        world, "site", kind="folder", location=str(tmp_path / "many"), course_id=world.course
    )
    keeper = SourceKeeper(database, Gatherer(database, Outbound(), settings), Live())

    begun = asyncio.create_task(keeper.handle({"source_id": source["id"]}))
    while (await seen(world, source["id"]))["done"] == 0:
        await asyncio.sleep(0.01)
    begun.cancel()
    await asyncio.wait([begun])
    half = await seen(world, source["id"])
    await keeper.handle({"source_id": source["id"]})

    assert half["state"] == "indexing"
    assert 0 < half["done"] < 200
    assert half["total"] == 200
    now = await seen(world, source["id"])
    assert (now["state"], now["documents"], now["chunks"]) == ("ready", 200, 200)


async def test_an_upload_cannot_be_read_anew(world: World, database: Database) -> None:
    async with database.write() as session:
        await session.execute(
            text(
                "INSERT INTO sources (id, organization_id, course_id, kind, name, location, state, documents, chunks,"
                " failed, created_at, updated_at) VALUES ('src_up', :ours, :course, 'upload', 'a', 'a', 'ready', 0, 0, 0,"
                " '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')"
            ),
            {"ours": world.ours, "course": world.course},
        )

    answer = await world["teacher"].post("/api/v1/sources/src_up/run", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "source_fixed")


async def test_a_folder_of_the_server_is_its_operators_alone(world: World, tmp_path: Path) -> None:
    """Though it be in somebody's own course, and though somebody else have named it."""
    write(tmp_path / "plans", {"a.md": "# A"})
    source = await created(
        world, "site", kind="folder", location=str(tmp_path / "plans"), course_id=world.course
    )
    place = f"/api/v1/sources/{source['id']}"

    for who, status in (("teacher", 403), ("admin", 403), ("site", 200)):
        assert (await world[who].patch(place, {"name": f"Of {who}"})).status_code == status
    for who, status in (("teacher", 403), ("admin", 403), ("site", 202)):
        assert (await world[who].post(f"{place}/run", {})).status_code == status


async def test_a_source_that_takes_long_is_read_step_by_step(
    world: World, database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "SETTLED", 0)
    write(tmp_path / "long", {f"{n}.md": f"# Number {n}\n\nText number {n}." for n in range(4)})
    source = await created(
        world, "site", kind="folder", location=str(tmp_path / "long"), course_id=world.course
    )
    keeper = SourceKeeper(database, Gatherer(database, Outbound(), settings, step=0.0), Live())
    seen_so_far: list[tuple[str, int, int]] = []

    for _ in range(3):
        with pytest.raises(Later):
            await keeper.handle({"source_id": source["id"]})
        now = await seen(world, source["id"])
        seen_so_far.append((now["state"], now["done"], now["total"]))
    await keeper.handle({"source_id": source["id"]})

    assert seen_so_far == [("indexing", n, 4) for n in (1, 2, 3)]
    now = await seen(world, source["id"])
    assert (now["state"], now["documents"], now["done"]) == ("ready", 4, 4)


async def test_an_attempt_that_breaks_off_says_so_and_the_next_one_mends_it(
    world: World, database: Database, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "few", {"a.md": "# Wheels\n\nRound."})
    source = await created(
        world, "site", kind="folder", location=str(tmp_path / "few"), course_id=world.course
    )
    keeper = SourceKeeper(database, Gatherer(database, Outbound(), settings), Live())
    between: list[dict[str, Any]] = []

    async def breaks_once(payload: Any) -> None:
        if not between:
            between.append({})
            raise LookupError("/secret/place")
        between.append(await seen(world, source["id"]))
        await keeper.handle(payload)

    worker = Worker(
        database,
        {SOURCE_JOB: breaks_once},
        "here",
        told={SOURCE_JOB: keeper.broke_off},
        backoff=0.01,
        poll=0.02,
    )
    await worker.start()

    async def ready() -> bool:
        return (await seen(world, source["id"]))["state"] == "ready"

    await until(ready)
    await worker.stop()
    assert between[1]["state"] == "failed"
    assert between[1]["error"].startswith("Reading broke off (LookupError).")
    assert (await seen(world, source["id"]))["error"] is None


async def test_a_run_that_nobody_goes_on_with_is_taken_over(
    world: World, database: Database, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "few", {"a.md": "# Wheels\n\nRound."})
    source = await created(
        world, "site", kind="folder", location=str(tmp_path / "few"), course_id=world.course
    )
    keeper = SourceKeeper(database, Gatherer(database, Outbound(), settings), Live())

    async def left(ago: timedelta, kind: str = "folder") -> dict[str, Any]:
        async with database.write() as session:
            since = {"state": "indexing", "updated_at": utc_now() - ago, "error": None, "kind": kind}
            await session.execute(update(Source).values(since))
            await session.execute(text("DELETE FROM jobs"))
        await keeper.forsaken({})
        return await seen(world, source["id"])

    async def asked() -> int:
        async with database.read() as session:
            return await session.scalar(text(f"SELECT count(*) FROM jobs WHERE kind = '{SOURCE_JOB}'")) or 0

    assert ((await left(FORSAKEN / 2))["state"], await asked()) == ("indexing", 0)
    assert ((await left(FORSAKEN * 2, "lessons"))["state"], await asked()) == ("indexing", 0)
    now = await left(FORSAKEN * 2, "upload")
    assert (now["state"], now["error"][:21], await asked()) == ("failed", "Reading was cut short", 0)
    assert ((await left(FORSAKEN * 2))["state"], await asked()) == ("waiting", 1)
    await keeper.handle({"source_id": source["id"]})
    assert (await seen(world, source["id"]))["state"] == "ready"


async def test_a_folder_is_only_gone_on_with_where_the_operator_lets_the_server_read(
    world: World, database: Database, settings: Settings, tmp_path: Path
) -> None:
    """A command that was killed may have read any; a link does not lead out of those that are allowed."""
    owner = Owner(world.ours, world.course)
    allowed, link = write(tmp_path / "allowed", {"a.md": "# Hub"}), tmp_path / "allowed" / "link"
    link.symlink_to(write(tmp_path / "elsewhere", {"a.md": "# Wheels\n\nRound."}), target_is_directory=True)
    narrow = settings.model_copy(update={"source_folders": (allowed,)})
    keeper = SourceKeeper(database, Gatherer(database, Outbound(), narrow), Live())
    id = (await ingest_path(database, owner, tmp_path / "elsewhere")).source_id
    assert id is not None

    for place in (tmp_path / "elsewhere", link):
        async with database.write() as session:
            left = {"state": "indexing", "updated_at": utc_now() - FORSAKEN * 2, "location": str(place)}
            await session.execute(update(Source).values(left))
        await keeper.forsaken({})
        assert (await seen(world, id))["state"] == "waiting"
        await keeper.handle({"source_id": id})
        now = await seen(world, id)
        assert (now["state"], now["documents"]) == ("failed", 1), "what was read is kept"
        assert now["error"] == OUTSIDE


async def test_who_goes_on_reading_says_so_before_the_first_batch(
    world: World, database: Database, tmp_path: Path
) -> None:
    owner, many = Owner(world.ours, world.course), {f"{n}.md": f"# Wheel {n}" for n in range(FEW)}
    id = (await ingest_path(database, owner, write(tmp_path / "many", {"a.md": "# Axle"}))).source_id
    assert id is not None
    async with database.write() as session:
        long_ago = {"state": "indexing", "updated_at": utc_now() - FORSAKEN * 2, "done": 0}
        await session.execute(update(Source).values(long_ago))

    reading = asyncio.create_task(ingest_path(database, owner, write(tmp_path / "many", many)))

    async def is_read() -> bool:
        async with database.read() as session:
            row = (await session.execute(select(Source.state, Source.done, Source.updated_at))).one()
        return row[:2] == ("indexing", 0) and row[2] > utc_now() - FORSAKEN

    await until(is_read)
    assert (await reading).added == FEW


async def test_a_search_says_that_there_is_more_to_read(
    world: World, database: Database, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "few", {"a.md": "# Wheels\n\nRound."})

    async def reading(who: str) -> int:
        answer = await world[who].get("/api/v1/search", q="round wheels")
        return answer.json()["reading"]

    assert await reading("student") == 0
    await created(world, "site", kind="folder", location=str(tmp_path / "few"), course_id=world.course)
    assert (await reading("student"), await reading("stranger")) == (1, 0)
    await run_jobs(database, settings)
    assert await reading("student") == 0
