"""Members and enrolments: lists that are searched and sorted, roles that change, an admin who has to stay."""

import asyncio

import pytest
from sqlalchemy import insert, text

from famulus.campus import bulk, enrolments, memberships, presence
from famulus.campus.memberships import LastAdmin
from famulus.campus.models import Membership, listed
from famulus.campus.schemas.people import BulkEnrolment, BulkLine, MemberChange, PeopleFilter
from famulus.identity import email_tokens
from famulus.identity.directory import Newcomer, new_user_id, open_accounts
from famulus.identity.principal import Principal
from famulus.kernel.errors import Forbidden, NotFound
from famulus.kernel.paging import Paging
from famulus.kernel.settings import load_settings
from famulus.kernel.tables import utc_now
from tests.support.counting import counting
from tests.support.rooms import World


def members(world: World, *rest: str) -> str:
    return "/".join((f"/api/v1/organizations/{world.ours}/members", *rest))


def learners(world: World, *rest: str) -> str:
    return "/".join((f"/api/v1/courses/{world.course}/enrolments", *rest))


async def names(world: World, path: str, **params: object) -> list[str]:
    """The names on a list, read page by page."""
    found: list[str] = []
    after: dict[str, object] = {}
    while True:
        page = (await world["admin"].get(path, limit=2, **params, **after)).json()
        found += [item["name"] for item in page["items"]]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def crowd(world: World, count: int, beginning: str = "Crowd") -> list[Newcomer]:
    """More members, added below the services."""
    newcomers = [
        Newcomer(new_user_id(), f"{beginning.lower()}{n}@example.org", f"{beginning} {n:05}")
        for n in range(count)
    ]
    async with world.database.write() as session:
        await open_accounts(session, newcomers)
        rows = [
            {"organization_id": world.ours, "user_id": one.id, "role": "student", **listed(one.name, one.email), "created_at": utc_now()}
            for one in newcomers
        ]  # fmt: skip
        await session.execute(insert(Membership), rows)
    return newcomers


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ["Admin", "Idle", "Student", "Teacher"]),
        ({"sort": "-name"}, ["Teacher", "Student", "Idle", "Admin"]),
        ({"sort": "created_at"}, ["Admin", "Teacher", "Student", "Idle"]),
        ({"sort": "-created_at"}, ["Idle", "Student", "Teacher", "Admin"]),
        ({"role": "student"}, ["Idle", "Student"]),
        ({"q": "ST"}, ["Student"]),
        ({"q": "IDLE@Fam"}, ["Idle"]),
        ({"q": "udent"}, []),
        ({"q": "%"}, []),
        ({"q": "stranger"}, []),
        ({"q": "te", "role": "student"}, []),
    ],
)
async def test_members_are_searched_and_sorted(
    world: World, params: dict[str, object], expected: list[str]
) -> None:
    assert await names(world, members(world), **params) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ["Student", "Teacher"]),
        ({"sort": "-name"}, ["Teacher", "Student"]),
        ({"sort": "-created_at"}, ["Student", "Teacher"]),
        ({"role": "teacher"}, ["Teacher"]),
        ({"q": "teacher@"}, ["Teacher"]),
    ],
)
async def test_people_of_a_course_are_searched_and_sorted(
    world: World, params: dict[str, object], expected: list[str]
) -> None:
    assert await names(world, learners(world), **params) == expected


async def test_accents_and_case_do_not_hide_anybody(world: World) -> None:
    await crowd(world, 1, "Élan")

    assert await names(world, members(world), q="e\u0301LAN") == ["Élan 00000"]


async def test_who_moves_to_another_address_is_found_by_it(world: World) -> None:
    async with world.database.write() as session:
        issued = await email_tokens.issue(session, world["student"].id, "change", "moved@example.org")
    async with world.database.write() as session:
        await presence.open_link(session, load_settings(), issued.token)

    for path in (members(world), learners(world)):
        assert await names(world, path, q="moved@") == ["Student"]
        assert await names(world, path, q="student@") == []


async def test_one_member(world: World) -> None:
    found = (await world["admin"].get(members(world, world["idle"].id))).json()

    assert (found["name"], found["role"], found["verified"]) == ("Idle", "student", True)
    stranger = await world["admin"].get(members(world, world["stranger"].id))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "no_member")


async def test_lists_of_people_take_the_same_statements_however_many_there_are(world: World) -> None:
    await crowd(world, 50)
    admin = await world.principal("admin")

    async def cost(limit: int) -> int:
        async with world.database.read() as session:
            with counting(world.database) as count:
                wanted = PeopleFilter(q="c")
                await memberships.list_members(session, admin, world.ours, Paging(limit), wanted)
                await enrolments.list_enrolments(session, admin, world.course, Paging(limit), wanted)
        return count.statements

    assert await cost(1) == await cost(100)


# --- Roles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["admin", "site"])
async def test_the_last_admin_stays(world: World, who: str) -> None:
    admin = members(world, world["admin"].id)

    demoted = await world[who].patch(admin, {"role": "student"})
    removed = await world[who].delete(admin)
    same = await world[who].patch(admin, {"role": "organization_admin"})

    assert (demoted.status_code, demoted.json()["code"]) == (409, "last_admin")
    assert (removed.status_code, removed.json()["code"]) == (409, "last_admin")
    assert same.status_code == 200
    await world[who].patch(members(world, world["idle"].id), {"role": "organization_admin"})
    assert (await world[who].delete(admin)).status_code == 204


async def test_of_two_admins_who_demote_each_other_one_stays(world: World) -> None:
    await world["admin"].patch(members(world, world["teacher"].id), {"role": "organization_admin"})
    first, second = await world.principal("admin"), await world.principal("teacher")

    async def demote(principal: Principal, user_id: str) -> None:
        async with world.database.write() as session:
            await memberships.change_member(
                session, principal, world.ours, user_id, MemberChange(role="student")
            )  # fmt: skip

    results = await asyncio.gather(
        demote(first, second.user_id), demote(second, first.user_id), return_exceptions=True
    )

    assert len([each for each in results if each is None]) == 1, results
    async with world.database.read() as session:
        left = text(
            "SELECT count(*) FROM memberships WHERE role = 'organization_admin' AND organization_id = :o"
        )
        assert (await session.execute(left, {"o": world.ours})).scalar_one() == 1
    assert isinstance(next(each for each in results if each is not None), LastAdmin | NotFound | Forbidden)


async def test_who_becomes_a_student_learns_what_they_taught(world: World) -> None:
    await world["admin"].patch(members(world, world["teacher"].id), {"role": "student"})
    await world["admin"].patch(members(world, world["teacher"].id), {"role": "teacher"})

    teacher = next(
        one for one in (await world["admin"].get(learners(world))).json()["items"] if one["name"] == "Teacher"
    )
    async with world.database.read() as session:
        written = text(
            "SELECT count(*) FROM audit_entries WHERE action = 'enrolment.change' AND thing_id = :id"
        )
        assert (await session.execute(written, {"id": world.course})).scalar_one() == 1

    assert teacher["role"] == "student", "what they taught does not come back by itself"


async def test_a_role_in_a_course_changes(world: World) -> None:
    await world["admin"].patch(members(world, world["student"].id), {"role": "teacher"})
    path = learners(world, world["student"].id)

    changed = await world["teacher"].patch(path, {"role": "teacher"})

    assert (changed.status_code, changed.json()["role"]) == (200, "teacher")
    assert (
        await world["student"].patch(f"/api/v1/courses/{world.course}", {"title": "Mine"})
    ).status_code == 200
    back = await world["teacher"].patch(path, {"role": "student"})
    pupil = await world["teacher"].patch(learners(world, world["idle"].id), {"role": "teacher"})
    assert (back.json()["role"], pupil.status_code) == ("student", 404)


async def test_a_student_cannot_be_made_to_teach(world: World) -> None:
    refused = await world["teacher"].patch(learners(world, world["student"].id), {"role": "teacher"})

    assert (refused.status_code, refused.json()["code"]) == (409, "not_a_teacher")


# --- Many at once -----------------------------------------------------------------------------------


def batch(world: World) -> list[dict[str, str]]:
    return [
        {"email": "IDLE@famulus.local"},
        {"user_id": world["student"].id},
        {"email": "stranger@famulus.local"},
        {"email": "nobody@famulus.local"},
        {"email": "no address"},
        {"user_id": world["idle"].id},
        {"user_id": world["admin"].id, "role": "teacher"},
        {"user_id": world["idle"].id, "email": "idle@famulus.local"},
        {"user_id": world["teacher"].id, "role": "student"},
    ]


OUTCOMES = [
    "enrolled",
    "already",
    "not_a_member",
    "unknown",
    "invalid",
    "already",
    "enrolled",
    "invalid",
    "invalid",
]


async def test_a_batch_tells_what_became_of_each_line(world: World) -> None:
    sent = {"people": batch(world), "mode": "valid"}

    report = (await world["admin"].post(learners(world, "bulk"), sent)).json()

    assert [line["outcome"] for line in report["lines"]] == OUTCOMES
    assert [line["line"] for line in report["lines"]] == list(range(1, 10))
    assert (report["applied"], report["enrolled"]) == (True, 2)
    assert await names(world, learners(world)) == ["Admin", "Idle", "Student", "Teacher"]


async def test_all_or_nothing(world: World) -> None:
    report = (await world["admin"].post(learners(world, "bulk"), {"people": batch(world)})).json()

    assert (report["applied"], report["enrolled"]) == (False, 0)
    assert [line["outcome"] for line in report["lines"]] == OUTCOMES
    assert await names(world, learners(world)) == ["Student", "Teacher"]
    fine = {"people": [{"email": "idle@famulus.local"}, {"user_id": world["student"].id}]}
    assert (await world["admin"].post(learners(world, "bulk"), fine)).json()["enrolled"] == 1
    assert (await world["admin"].post(learners(world, "bulk"), fine)).json()["applied"] is True


async def test_a_teacher_is_not_told_who_has_an_account(world: World) -> None:
    sent = {"people": [{"email": "stranger@famulus.local"}, {"email": "nobody@famulus.local"}]}

    lines = (await world["teacher"].post(learners(world, "bulk"), sent)).json()["lines"]

    assert {(line["outcome"], line["detail"]) for line in lines} == {("not_a_member", lines[0]["detail"])}


async def test_only_so_many_lines(world: World) -> None:
    sent = {"people": [{"user_id": "usr_x"}] * 1001}

    assert (await world["admin"].post(learners(world, "bulk"), sent)).status_code == 422


async def test_a_batch_takes_the_same_statements_however_long_it_is(world: World) -> None:
    newcomers = await crowd(world, 1000)
    admin = await world.principal("admin")

    async def cost(some: list[Newcomer]) -> int:
        people = [BulkLine(user_id=one.id) for one in some]
        with counting(world.database) as count:
            async with world.database.write() as session:
                report = await bulk.enrol_many(session, admin, world.course, BulkEnrolment(people=people))
        assert report.enrolled == len(some)
        return count.statements

    assert await cost(newcomers[:1]) == await cost(newcomers[1:])
