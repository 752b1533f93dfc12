"""Reading the audit: who may, by what, and at a price that does not grow with its length."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert, text

from famulus.campus import auditing
from famulus.campus.auditing import Wanted
from famulus.identity.models import AuditEntry
from famulus.identity.principal import Principal
from famulus.kernel.ids import moment, new_id
from famulus.kernel.paging import Paging
from famulus.kernel.tables import utc_now
from tests.support.counting import counting
from tests.support.rooms import World

PATH = "/api/v1/audit"


async def read(world: World, who: str, limit: int = 100, **params: object) -> list[dict]:
    found, after = [], {}
    while True:
        answer = await world[who].get(PATH, limit=limit, **params, **after)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            return found
        after = {"after": answer.json()["next"]}


async def test_who_reads_what(world: World) -> None:
    everything = await read(world, "site")
    ours = await read(world, "admin")
    theirs = await read(world, "their_admin")

    assert {one["organization_id"] for one in ours} == {world.ours}
    assert {one["organization_id"] for one in theirs} == {world.theirs}
    assert [one for one in everything if one["organization_id"] == world.ours] == ours
    assert {one["organization_id"] for one in everything} >= {world.ours, world.theirs}
    assert [one["id"] for one in everything] == sorted((one["id"] for one in everything), reverse=True)
    for who, status in (("teacher", 403), ("student", 403), ("idle", 403)):
        assert (await world[who].get(PATH)).status_code == status, who
    assert (await world["admin"].get(PATH, organization_id=world.theirs)).status_code == 404
    assert (await world.client.get(PATH)).status_code == 401


async def test_an_entry_tells_who_what_and_from_where(world: World) -> None:
    await world["admin"].patch(f"/api/v1/courses/{world.course}", {"title": "Robots II"})
    [newest, *_] = await read(world, "admin")

    assert newest["actor_id"] == world["admin"].id
    assert newest["actor_name"] == "Admin"
    assert (newest["actor_role"], newest["action"]) == ("organization_admin", "course.change")
    assert (newest["thing_id"], newest["thing_name"]) == (world.course, "Robots II")
    assert (newest["before"], newest["after"]) == ({"title": "Robots"}, {"title": "Robots II"})


async def test_what_can_be_asked_for(world: World) -> None:
    await world["admin"].patch(f"/api/v1/courses/{world.course}", {"title": "Robots II"})
    whole = await read(world, "site")

    for name, value in (
        ("organization_id", world.ours),
        ("actor_id", world["admin"].id),
        ("thing_id", world.course),
        ("action", "course.change"),
        ("action", "course."),
        ("action", "enrol"),
        ("action", "membership."),
    ):
        expected = [one for one in whole if str(one[name]).startswith(value)]
        for limit in (1, 100):
            assert await read(world, "site", limit, **{name: value}) == expected, (name, value)
        assert expected, (name, value)
    assert await read(world, "site", action="nothing.") == []
    assert await read(world, "admin", action="organization.") == [
        one
        for one in whole
        if one["action"].startswith("organization.") and one["organization_id"] == world.ours
    ]


async def test_days_are_a_range(world: World) -> None:
    before, now = utc_now() - timedelta(hours=1), utc_now() + timedelta(seconds=1)

    assert await read(world, "admin", **{"from": before.isoformat(), "to": now.isoformat()}) == await read(
        world, "admin"
    )
    assert await read(world, "admin", to=before.isoformat()) == []
    assert await read(world, "admin", **{"from": now.isoformat()}) == []
    assert await read(world, "admin", **{"from": "0001-01-01T00:00:00Z"}) == await read(world, "admin")
    assert await read(world, "admin", to="0001-01-01T00:00:00Z") == []
    for wrong in ("yesterday", "2026-01-01T00:00:00"):
        assert (await world["admin"].get(PATH, **{"from": wrong})).status_code == 422, wrong


async def test_two_questions_at_once_are_refused(world: World) -> None:
    answer = await world["admin"].get(PATH, actor_id=world["admin"].id, action="course.")

    assert answer.status_code == 422
    assert {field["path"] for field in answer.json()["fields"]} == {"actor_id", "action"}


async def long(world: World, count: int) -> None:
    """A long history of several organizations, people and actions."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "id": f"aud_{moment(begin + timedelta(seconds=n))}{new_id('x')[-16:]}",
            "at": begin + timedelta(seconds=n),
            "actor_id": f"usr_{n % 97}",
            "organization_id": (world.ours, world.theirs, None)[n % 3],
            "action": f"thing{n % 11}.{('create', 'change', 'remove')[n % 7 % 3]}",
            "thing_id": f"thg_{n % 1009}",
        }
        for n in range(count)
    ]
    async with world.database.write() as session:
        for start in range(0, count, 5000):
            await session.execute(insert(AuditEntry), rows[start : start + 5000])
        if world.database.dialect == "postgresql":
            await session.execute(text("ANALYZE audit_entries"))


BY: tuple[dict[str, str], ...] = (
    {},
    {"actor_id": "usr_5"},
    {"action": "thing3."},
    {"action": "thing3.create"},
    {"thing_id": "thg_7"},
)


@pytest.mark.slow
async def test_every_question_is_answered_by_an_index(world: World) -> None:
    await long(world, 20_000)
    since = datetime(2026, 1, 1, 1, tzinfo=UTC)
    for who, place, by in itertools.product(("site", "admin"), (None, world.ours), BY):
        wanted = Wanted(place, **by, since=since, until=since + timedelta(hours=4))
        plans = await plans_of(world, await world.principal(who), wanted)
        for plan in plans:
            assert "SCAN audit_entries\n" not in plan + "\n", plan
            assert "Seq Scan on audit_entries" not in plan, plan
            assert by == {"action": "thing3."} or "TEMP B-TREE" not in plan, plan
        assert 0 < len(plans) <= 2


async def plans_of(world: World, principal: Principal, wanted: Wanted) -> list[str]:
    """How the database goes about each statement that lists entries."""
    statements: list[tuple[str, object]] = []

    def keep(
        _connection: object, _cursor: object, statement: str, parameters: object, *_rest: object
    ) -> None:
        if "audit_entries" in statement:
            statements.append((statement, parameters))

    sqlite = world.database.dialect == "sqlite"
    event.listen(world.database.engine.sync_engine, "before_cursor_execute", keep)
    async with world.database.read() as session:
        found = await auditing.list_entries(session, principal, Paging(20), wanted)
        event.remove(world.database.engine.sync_engine, "before_cursor_execute", keep)
        assert found.items
        await session.execute(text("SELECT 1" if sqlite else "SET LOCAL enable_seqscan = off"))
        connection = await session.connection()
        explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        return [
            "\n".join(
                str(tuple(row)) for row in await connection.exec_driver_sql(explain + statement, parameters)
            )
            for statement, parameters in statements
        ]


async def test_the_same_statements_however_many(world: World) -> None:
    admin = await world.principal("admin")

    async def cost(limit: int) -> int:
        async with world.database.read() as session:
            with counting(world.database) as count:
                await auditing.list_entries(session, admin, Paging(limit), Wanted(action="course."))
        return count.statements

    assert await cost(1) == await cost(100)
