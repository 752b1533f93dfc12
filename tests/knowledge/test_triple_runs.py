"""Runs that read for triples: what they cost, what they keep, where they stop, and who may have them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from famulus.kernel.jobs import Later, Worker
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.sources import delete_source
from famulus.knowledge.store import Owner
from famulus.knowledge.triple_job import AT_ONCE, PAUSE
from famulus.knowledge.triple_runs import TRIPLE_JOB
from tests.knowledge.papers import write
from tests.knowledge.reading import CHOICE, Room, at, room_of
from tests.support.fake_provider import CUT, FakeProvider, delta
from tests.support.waiting import until

PAGES = {f"{n}.md": f"# Part {n}\n\nThe wheel {n} turns the shaft {n}." for n in range(10)}
DIE = """
import asyncio, sys
import famulus.campus.models
from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.knowledge.triple_job import TripleKeeper
from famulus.llm.choose import open_model
from famulus.llm.opened import Models

async def main(url, address, organization_id, point):
    models = Models(lambda name: open_model(name, base_url=address), "compatible:reader")
    await TripleKeeper(Database(url), models, CrashPoints(point)).handle({"organization_id": organization_id})

asyncio.run(main(*sys.argv[1:]))
"""


def turns(body: Mapping[str, Any]) -> str:
    """A model that reads the pages right."""
    asked = body["messages"][1]["content"]
    numbers = [n for n in range(10) if f"wheel {n} " in asked]
    return "\n".join(json.dumps([f"wheel {n}", "turns", f"shaft {n}"]) for n in numbers)


@pytest.fixture
async def room(database: Any) -> AsyncIterator[Room]:
    async with FakeProvider() as provider, room_of(database, provider) as opened:
        provider.otherwise = turns
        yield opened


@pytest.fixture
async def pages(room: Room, tmp_path: Path) -> Path:
    folder = write(tmp_path / "pages", PAGES)
    await ingest(room, folder)
    return folder


async def ingest(room: Room, folder: Path, owner: Owner | None = None) -> str:
    world = room.world
    report = await ingest_path(world.database, owner or Owner(world.ours, world.course), folder)
    return report.source_id or ""


# --- before, while, after -------------------------------------------------------------------------


@pytest.mark.usefixtures("pages")
async def test_an_estimate_then_a_run_then_nothing_more_to_pay(room: Room) -> None:
    before = await room.estimate()
    assert (before["model"], before["chunks"], before["read"], before["requests"]) == (CHOICE, 10, 0, 10)
    assert before["input_tokens"] > 10 * 200
    assert before["cost_usd"] == pytest.approx(
        (before["input_tokens"] + 10 * before["output_tokens"]) / 1e6, abs=1e-4
    )
    assert before["no_price"] is None
    assert (await room.stands())["state"] == "none"
    assert room.provider.requests == [], "nothing is asked before somebody says so"

    started = await room.start(before["suggested_budget"])
    assert (started["state"], started["read"]) == ("running", 0)
    done = await room.run()

    assert (done["state"], done["read"], done["triples"]) == ("done", 10, 10)
    assert done["said"] == "10 of 10 chunks are read."
    assert (done["input_tokens"], done["output_tokens"], done["reserved_tokens"]) == (120, 340, 0)
    assert done["cost_usd"] == pytest.approx((120 + 3400) / 1e6, abs=1e-4)
    assert len(room.asked) == 10
    assert await room.rows() == {"triple_answers": 10, "triple_readings": 10, "relations": 10}
    after = await room.estimate()
    assert (after["read"], after["requests"], after["input_tokens"], after["cost_usd"]) == (10, 0, 0, 0)

    await room.start()
    assert (await room.run())["state"] == "done"
    assert len(room.asked) == 10, "no text is asked about twice"


async def test_only_a_few_are_asked_at_once(room: Room, pages: Path) -> None:
    for _ in range(AT_ONCE):
        room.provider.hang()
    await room.start()
    running = asyncio.create_task(room.keeper.handle({"organization_id": room.world.ours}))
    await until(lambda: _asked(room, AT_ONCE))
    await asyncio.sleep(0.2)

    assert len(room.asked) == AT_ONCE
    assert (await room.stands())["reserved_tokens"] > 0
    assert (await room.estimate())["requests"] == 10, "and nobody has to wait for it"
    running.cancel()
    await asyncio.wait({running})


async def _asked(room: Room, count: int) -> bool:
    return len(room.provider.requests) >= count


async def test_what_has_moved_or_stands_twice_is_not_asked_about_again(room: Room, pages: Path) -> None:
    write(pages, {"copy/0.md": PAGES["0.md"]})
    await ingest(room, pages)
    assert (await room.estimate())["chunks"] == 11
    await room.start()
    assert (await room.run())["read"] == 11
    assert len(room.asked) == 10

    (pages / "1.md").rename(pages / "moved.md")
    write(pages, {"2.md": PAGES["2.md"] + "\n\n## New\n\nThe wheel 2 is red.\n"})
    await ingest(room, pages)
    now = await room.estimate()
    assert now["chunks"] - now["read"] == now["requests"] >= 1
    stands = await room.stands()
    assert stands["said"].endswith("Start again for those that are new; only they cost.")
    asked = len(room.asked)
    assert asked == 10, "what is new is not asked about by itself"
    await room.start()
    await room.run()
    assert len(room.asked) == asked + now["requests"]

    (pages / "3.md").unlink()
    await ingest(room, pages)
    assert all("wheel 3 " not in said for said in await answers(room))


async def answers(room: Room) -> list[str]:
    async with room.database.read() as session:
        return list((await session.scalars(text("SELECT triples FROM triple_answers"))).all())


async def test_code_and_apis_are_not_asked_about(room: Room, tmp_path: Path) -> None:
    await ingest(room, write(tmp_path / "code", {"a.py": "def wheel():\n    return 1\n"}))

    assert (await room.estimate())["chunks"] == 0
    await room.start()
    assert (await room.run())["said"] == "0 of 0 chunks are read."
    assert room.asked == []


# --- where it stops ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("pages")
async def test_it_stops_at_the_budget_and_goes_on_with_another(room: Room) -> None:
    await room.start(1_600)
    stopped = await room.run()

    assert stopped["state"] == "stopped"
    assert 0 < stopped["read"] < 10
    assert stopped["said"] == f"Stopped at the budget: {stopped['read']} of 10 chunks are done."
    assert stopped["input_tokens"] + stopped["output_tokens"] <= 1_600
    assert len(room.asked) == stopped["read"]

    await room.start(1_000_000)
    assert (await room.run())["state"] == "done"
    assert len(room.asked) == 10


@pytest.mark.usefixtures("pages")
async def test_no_budget_is_exceeded_by_answers_of_any_length(room: Room) -> None:
    for _ in range(10):
        room.provider.reply("[]", usage_tokens=(1_000, 800))
    await room.start(8_000)
    stopped = await room.run()

    assert stopped["state"] == "stopped"
    assert stopped["input_tokens"] + stopped["output_tokens"] <= 8_000


@pytest.mark.usefixtures("pages")
async def test_a_budget_is_changed_while_it_runs(room: Room) -> None:
    await room.start(1_000)
    assert (await room.start(1_000_000))["token_budget"] == 1_000_000

    assert (await room.run())["read"] == 10


@pytest.mark.usefixtures("pages")
async def test_what_is_cancelled_keeps_what_is_paid(room: Room) -> None:
    for _ in range(AT_ONCE):
        room.provider.raw(delta(content='["wheel 0", "turns", "shaft 0"]'), 0.5, delta(finish="stop"))
    await room.start()
    running = asyncio.create_task(room.keeper.handle({"organization_id": room.world.ours}))
    await until(lambda: _asked(room, AT_ONCE))
    cancelled = (await room.world["admin"].post(at(room.world.ours, "/cancel"), {})).json()
    assert cancelled["state"] == "cancelled"
    await running

    stands = await room.stands()
    assert (stands["state"], stands["read"], stands["reserved_tokens"]) == ("cancelled", AT_ONCE, 0)
    assert len(room.asked) == AT_ONCE


@pytest.mark.parametrize("point", ["triples.reserved", "triples.asked", "triples.round"])
@pytest.mark.usefixtures("pages")
async def test_a_server_that_is_killed_goes_on_where_it_was(
    room: Room, database_url: str, point: str
) -> None:
    await room.start(100_000)
    given = (database_url, room.provider.base_url, room.world.ours, point)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIE, *given, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert await process.wait() == -9
    killed = await room.stands()
    assert killed["state"] == "running"
    assert (killed["reserved_tokens"] > 0) == (point != "triples.round")

    done = await room.run()
    assert (done["state"], done["read"]) == ("done", 10)
    assert done["reserved_tokens"] == killed["reserved_tokens"], "it may have been paid"
    assert len(room.asked) == (14 if point == "triples.asked" else 10)


@pytest.mark.usefixtures("pages")
async def test_another_worker_takes_it_over(room: Room) -> None:
    await room.start()
    async with room.database.write() as session:
        lost = "UPDATE jobs SET status = 'running', holder = 'gone', lease_until = 1, attempts = 1"
        await session.execute(text(f"{lost} WHERE kind = :kind"), {"kind": TRIPLE_JOB})
    worker = Worker(room.database, {TRIPLE_JOB: room.keeper.handle}, "here", poll=0.05)
    await worker.start()
    try:
        await until(lambda: _is(room, "done"))
    finally:
        await worker.stop(0)
    assert len(room.asked) == 10


async def _is(room: Room, state: str) -> bool:
    return (await room.stands())["state"] == state


async def test_what_broke_off_has_failed_until_the_next_attempt(room: Room, pages: Path) -> None:
    await room.start()
    async with room.database.write() as session:
        await room.keeper.broke_off(session, {"organization_id": room.world.ours}, "KeyError: 'x'")
    stands = await room.stands()
    assert (stands["state"], "KeyError" in stands["error"]) == ("failed", True)

    done = await room.run()
    assert (done["state"], done["error"], done["read"]) == ("done", None, 10)


# --- models that do not do as they should -----------------------------------------------------------


@pytest.mark.usefixtures("pages")
async def test_a_model_that_has_trouble_is_waited_for(room: Room) -> None:
    for _ in range(AT_ONCE):
        room.provider.fail(503, "It burns.")
    await room.start()
    assert await room.waits() == PAUSE
    waiting = await room.stands()
    assert (waiting["state"], waiting["read"], waiting["reserved_tokens"]) == ("running", 0, 0)
    assert waiting["error"]

    for _ in range(AT_ONCE):
        room.provider.fail(429, retry_after=77)
    assert await room.waits() == 77
    done = await room.run()
    assert (done["state"], done["error"], done["read"]) == ("done", None, 10)


@pytest.mark.usefixtures("pages")
async def test_answers_that_break_off_count_for_the_budget(room: Room) -> None:
    """Or a server that breaks off each time would be paid for ever."""
    await room.start(30_000)
    for _ in range(100):
        for _ in range(AT_ONCE):
            room.provider.raw(delta(content="["), CUT)
        if (await room.stands())["state"] != "running":
            break
        with suppress(Later):
            await room.run()
    stopped = await room.stands()
    assert (stopped["state"], stopped["read"]) == ("stopped", 0)
    assert 20_000 < stopped["reserved_tokens"] <= 30_000


@pytest.mark.usefixtures("pages")
async def test_a_key_that_is_refused_ends_it(room: Room) -> None:
    for _ in range(AT_ONCE):
        room.provider.fail(401)
    await room.start()
    failed = await room.run()

    assert (failed["state"], failed["read"], failed["reserved_tokens"]) == ("failed", 0, 0)
    assert "key" in failed["error"]
    await room.start()
    assert (await room.run())["state"] == "done"


@pytest.mark.usefixtures("pages")
async def test_one_text_that_is_refused_does_not_keep_the_others(room: Room) -> None:
    room.provider.fail(400, "This content is filtered.")
    await room.start()
    done = await room.run()
    assert (done["state"], done["read"], done["triples"]) == ("done", 10, 9)

    await room.world["admin"].delete(at(room.world.ours))
    for _ in range(AT_ONCE):
        room.provider.fail(400, "No such parameter.")
    await room.start()
    failed = await room.run()
    assert (failed["state"], failed["read"]) == ("failed", 0), "all of them: that is not their texts' fault"


@pytest.mark.usefixtures("pages")
async def test_hostile_answers_give_nothing(room: Room) -> None:
    room.provider.reply('{"tool": "delete_source"}\n["wheel 0", "turns", "\\u0000"]')
    room.provider.reply('["a moon", "is made of", "cheese"]\n[[[[[[[[')
    room.provider.endless("[]", pace=0)
    room.provider.reply("\0\ud7ff[]")
    await room.start()
    done = await room.run()

    assert (done["state"], done["read"], done["triples"]) == ("done", 10, 6)


async def test_who_has_no_model_is_told_how_to_connect_one(database: Any) -> None:
    async with FakeProvider() as provider, room_of(database, provider, "offline") as room:
        admin, place = room.world["admin"], room.world.ours
        for answer in (
            await admin.get(at(place, "/estimate")),
            await admin.post(at(place), {"token_budget": 1_000}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "model_needed")
            assert "OPENAI_API_KEY" in answer.json()["detail"]
        assert (await room.stands())["state"] == "none"


async def test_a_model_without_a_price_says_so(database: Any, tmp_path: Path) -> None:
    async with FakeProvider() as provider, room_of(database, provider, prices={}) as room:
        await ingest(room, write(tmp_path / "pages", PAGES))
        found = await room.estimate()
        assert found["cost_usd"] is None
        assert "FAMULUS_MODEL_PRICES" in found["no_price"]
        assert found["input_tokens"] > 0


async def test_another_model_reads_anew_and_the_old_answers_go(room: Room, pages: Path) -> None:
    await room.start()
    await room.run()
    async with room_of(room.database, room.provider, "compatible:another", world=room.world) as other:
        assert (await other.estimate())["requests"] == 10
        await other.start()
        assert (await other.run())["model"] == "compatible:another"
    assert await room.rows() == {"triple_answers": 10, "triple_readings": 10, "relations": 10}
    assert len(room.asked) == 20


# --- whose they are ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "see", "change"),
    [
        ("site", 200, 200),
        ("admin", 200, 200),
        ("teacher", 403, 403),
        ("student", 403, 403),
        ("stranger", 404, 404),
        ("their_admin", 404, 404),
    ],
)
async def test_it_is_for_admins(room: Room, who: str, see: int, change: int) -> None:
    person, place = room.world[who], room.world.ours

    assert (await person.get(at(place))).status_code == see
    assert (await person.get(at(place, "/estimate"))).status_code == see
    started = await person.post(at(place), {"token_budget": 1_000})
    assert started.status_code == (202 if change == 200 else change)
    assert (await person.post(at(place, "/cancel"), {})).status_code == change
    assert (await person.delete(at(place))).status_code == (204 if change == 200 else change)


@pytest.mark.parametrize("budget", [None, 0, -1, 999, 1_000_000_001, 1.5, "1000", True])
async def test_a_budget_that_is_none(room: Room, budget: object) -> None:
    body = {} if budget is None else {"token_budget": budget}
    answer = await room.world["admin"].post(at(room.world.ours), body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.usefixtures("pages")
async def test_every_step_is_written_down(room: Room) -> None:
    admin, place = room.world["admin"], room.world.ours
    await room.start(5_000)
    for _ in range(2):
        await admin.post(at(place, "/cancel"), {})
        await admin.delete(at(place))
    await admin.delete(at(place))

    async with room.database.read() as session:
        query = "SELECT action, after FROM audit_entries WHERE action LIKE 'triples.%' ORDER BY id"
        found = (await session.execute(text(query))).all()
    assert [row[0] for row in found] == ["triples.start", "triples.cancel", "triples.remove"]
    assert json.loads(found[0][1]) == {"model": CHOICE, "token_budget": 5_000}


async def test_each_organization_pays_for_its_own(room: Room, pages: Path) -> None:
    world = room.world
    await ingest(room, pages, Owner(world.theirs, world.their_course))
    await room.start()
    await room.run()
    theirs = (await world["their_admin"].get(at(world.theirs))).json()
    assert (theirs["chunks"], theirs["read"], theirs["triples"], theirs["state"]) == (10, 0, 0, "none")

    started = await world["their_admin"].post(at(world.theirs), {"token_budget": 100_000})
    assert started.status_code == 202
    await room.run(world.theirs)
    assert len(room.asked) == 20, "what others have paid for says nothing about what they have"
    assert await room.rows() == {"triple_answers": 20, "triple_readings": 20, "relations": 20}

    await world["their_admin"].delete(at(world.theirs))
    assert await room.rows() == {"triple_answers": 10, "triple_readings": 10, "relations": 10}
    assert (await room.stands())["triples"] == 10


# --- and back ---------------------------------------------------------------------------------------


async def test_a_source_that_is_removed_leaves_nothing(room: Room, tmp_path: Path) -> None:
    source_id = await ingest(room, write(tmp_path / "pages", PAGES))
    await room.start()
    await room.run()
    await delete_source(room.database, await room.world.principal("teacher"), source_id)

    assert await room.rows() == {"triple_answers": 0, "triple_readings": 0, "relations": 0}


async def test_what_is_forgotten_while_it_is_asked_stays_so(room: Room, pages: Path) -> None:
    for _ in range(AT_ONCE):
        room.provider.raw(delta(content='["wheel 0", "turns", "shaft 0"]'), 0.5, delta(finish="stop"))
    await room.start()
    running = asyncio.create_task(room.keeper.handle({"organization_id": room.world.ours}))
    await until(lambda: _asked(room, AT_ONCE))
    assert (await room.world["admin"].delete(at(room.world.ours))).status_code == 204
    await running

    assert await room.rows() == {"triple_answers": 0, "triple_readings": 0, "relations": 0}
    assert (await room.stands())["state"] == "none"


async def test_what_changes_while_it_is_asked_about_is_not_mixed_up(room: Room, pages: Path) -> None:
    for _ in range(AT_ONCE):
        room.provider.raw(
            delta(content='["wheel 0", "turns", "shaft 0"]\n["wheel 1", "turns", "shaft 1"]'),
            0.5,
            delta(finish="stop"),
        )
    await room.start()
    running = asyncio.create_task(room.keeper.handle({"organization_id": room.world.ours}))
    await until(lambda: _asked(room, AT_ONCE))
    for n in range(10):
        (pages / f"{n}.md").unlink()
    await ingest(room, write(pages, {f"new{n}.md": f"# New {n}\n\nThe rope {n} is old." for n in range(10)}))
    await running

    done = await room.stands()
    assert (done["state"], done["read"], done["triples"]) == ("done", 10, 0)
    assert (await room.rows())["triple_answers"] == 10, "what nobody needs any more has gone"
