"""People in and out as CSV: every spreadsheet's way of writing it, a report by lines, and the same file twice."""

import time
from typing import Any

import pytest
from sqlalchemy import text

from famulus.campus.roster import MOST_BYTES, MOST_LINES, Unreadable, read_roster
from famulus.campus.rosters import Wishes, import_people
from famulus.kernel.errors import TooLarge
from tests.support.counting import counting
from tests.support.rooms import World

PEOPLE = """\
email,name,role,course,course_role
ada@example.org,Ada,teacher,Robots,teacher
bo@example.org,Bo,,robots,
idle@famulus.local,Not Idle,student,Robots,student
teacher@famulus.local,,,,
"""


def path(world: World) -> str:
    return f"/api/v1/organizations/{world.ours}/import"


async def sent(
    world: World, data: bytes | str, who: str = "admin", **params: str
) -> tuple[int, dict[str, Any]]:
    """An import over HTTP: its status and report."""
    content = data.encode() if isinstance(data, str) else data
    headers = {"Authorization": f"Bearer {world[who].token}"}
    files = {"file": ("people.csv", content)}
    answer = await world.client.post(path(world), files=files, params=params, headers=headers)
    return answer.status_code, answer.json()


async def everything(world: World) -> list[object]:
    """Who is there, in which roles and courses."""
    async with world.database.read() as session:
        return [
            sorted(map(tuple, (await session.execute(text(sql))).all()))
            for sql in (
                "SELECT id, email, name FROM users",
                "SELECT organization_id, user_id, role FROM memberships",
                "SELECT course_id, user_id, role FROM enrolments",
            )
        ]


async def test_people_come_in_and_the_same_file_changes_nothing(world: World) -> None:
    status, first = await sent(world, PEOPLE)
    after = await everything(world)
    _, second = await sent(world, PEOPLE)

    assert (status, first["applied"], first["lines"], first["failed"]) == (200, True, 4, 0)
    assert first["outcomes"] == {"created": 2, "enrolled": 1, "unchanged": 1}
    assert (first["accounts"], first["memberships"], first["enrolments"], first["changes"]) == (2, 2, 3, 0)
    assert second["outcomes"] == {"unchanged": 4}
    assert [second[each] for each in ("accounts", "memberships", "enrolments", "changes")] == [0, 0, 0, 0]
    assert await everything(world) == after
    enrolled = (await world["admin"].get(f"/api/v1/courses/{world.course}/enrolments")).json()["items"]
    assert [(one["name"], one["role"]) for one in enrolled] == [
        ("Ada", "teacher"),
        ("Bo", "student"),
        ("Idle", "student"),
        ("Student", "student"),
        ("Teacher", "teacher"),
    ]


async def test_an_imported_account_is_nobody_s_yet(world: World) -> None:
    await sent(world, PEOPLE)

    async with world.database.read() as session:
        query = text("SELECT password_hash, email_verified_at FROM users WHERE email = 'ada@example.org'")
        assert tuple((await session.execute(query)).one()) == (None, None)


async def test_a_dry_run_says_the_same_and_does_nothing(world: World) -> None:
    before = await everything(world)
    _, dry = await sent(world, PEOPLE, dry_run="true")

    assert (dry["applied"], dry["dry_run"]) == (False, True)
    assert await everything(world) == before
    _, wet = await sent(world, PEOPLE)
    assert wet == {**dry, "applied": True, "dry_run": False}


BAD = """\
email;role;course;course_role;name
ada@example.org;teacher;Robots;teacher;Ada
no address;;;;
;;;;Nobody
bo@example.org;king;;;
bo@example.org;;Unknown;;
bo@example.org;;Robots;teacher;
bo@example.org;student;Robots;student;Bo;more
bo@example.org
cy@example.org;;;teacher;Cy
cy@example.org;teacher;;;Cy
cy@example.org;student;;;Cy
admin@famulus.local;student;;;
"""


async def test_bad_lines_are_named_and_the_mode_decides(world: World) -> None:
    before = await everything(world)
    _, strict = await sent(world, BAD, update="true")
    assert strict["applied"] is False
    assert await everything(world) == before
    _, lax = await sent(world, BAD, update="true", mode="valid")

    assert [(one["line"], one["outcome"]) for one in lax["problems"]] == [
        (3, "invalid"),
        (4, "invalid"),
        (5, "invalid"),
        (6, "unknown_course"),
        (7, "not_a_teacher"),
        (8, "invalid"),
        (9, "invalid"),
        (10, "invalid"),
        (12, "invalid"),
        (13, "last_admin"),
    ]
    assert lax["problems"] == strict["problems"]
    assert (lax["applied"], lax["failed"], lax["accounts"]) == (True, 10, 2)
    names = [
        one["name"]
        for one in (await world["admin"].get(path(world).replace("import", "members"))).json()["items"]
    ]
    assert names == ["Ada", "Admin", "Cy", "Idle", "Student", "Teacher"]


async def test_roles_stay_unless_they_are_to_be_changed(world: World) -> None:
    asks = "email,role,course,course_role\nteacher@famulus.local,student,,\nidle@famulus.local,teacher,Robots,teacher\n"
    _, polite = await sent(world, asks, mode="valid")

    assert polite["changes"] == 0
    assert [one["line"] for one in polite["remarks"]] == [2]
    assert [one["outcome"] for one in polite["problems"]] == ["not_a_teacher"]
    _, firm = await sent(world, asks, update="true")
    assert (firm["applied"], firm["changes"], firm["enrolments"]) == (True, 2, 1)
    enrolled = (await world["admin"].get(f"/api/v1/courses/{world.course}/enrolments")).json()["items"]
    assert {one["name"]: one["role"] for one in enrolled} == {
        "Idle": "teacher",
        "Student": "student",
        "Teacher": "student",
    }
    assert (await sent(world, asks, update="true"))[1]["changes"] == 0


async def test_who_may(world: World) -> None:
    statuses = {name: (await sent(world, PEOPLE, name, dry_run="true"))[0] for name in world.people}

    assert statuses == {
        "site": 200,
        "admin": 200,
        "teacher": 403,
        "student": 403,
        "idle": 403,
        "stranger": 404,
        "their_admin": 404,
    }


async def test_every_change_is_written_down(world: World) -> None:
    await sent(world, PEOPLE)
    async with world.database.read() as session:
        query = text(
            "SELECT action, count(*) FROM audit_entries WHERE actor_id = :id GROUP BY action ORDER BY action"
        )
        written = dict((await session.execute(query, {"id": world["admin"].id})).all())

    assert written == {"account.create": 2, "membership.create": 2, "enrolment.create": 3}


@pytest.mark.slow
async def test_ten_thousand_lines_take_as_many_statements_as_one(world: World) -> None:
    admin = await world.principal("admin")

    async def cost(count: int, beginning: str) -> tuple[int, float]:
        lines = "".join(f"{beginning}{n}@example.org,{beginning} {n},Robots\n" for n in range(count))
        began = time.monotonic()
        with counting(world.database) as counted:
            report = await import_people(
                world.database, admin, world.ours, f"email,name,course\n{lines}".encode(), Wishes()
            )
        assert (report.accounts, report.enrolments) == (count, count)
        return counted.statements, time.monotonic() - began

    one, _ = await cost(1, "a")
    many, seconds = await cost(MOST_LINES, "b")
    assert one == many
    assert seconds < 60


# --- What spreadsheets write ------------------------------------------------------------------------

TABLE = 'email,name,course\r\nzoë@example.org,"Zoë, ""Z""",Größe\r\n'


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.encode("utf-16"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.encode("cp1252"),
        TABLE.replace("\r\n", "\n").encode(),
        (
            "sep=;\r\n" + TABLE.replace('"Zoë, ""Z"""', "X").replace(",", ";").replace("X", '"Zoë, ""Z"""')
        ).encode(),
        TABLE.replace('"Zoë, ""Z"""', "X").replace(",", "\t").replace("X", '"Zoë, ""Z"""').encode(),
        TABLE.replace("email,name", " EMAIL ,Name").encode(),
    ],
)
def test_a_file_is_read_however_it_was_saved(data: bytes) -> None:
    [line] = read_roster(data).lines

    assert (line.email, line.name, line.course) == ("zoë@example.org", 'Zoë, "Z"', "Größe")


def test_columns_stand_in_any_order_and_lines_keep_their_numbers() -> None:
    data = b'name,email\n\n"Two\nlines",a@example.org\n,b@example.org\nc,c@example.org,\n'
    roster = read_roster(data)

    assert [(line.number, line.name, line.email) for line in roster.lines] == [(5, None, "b@example.org")]
    assert [(line.number, line.who) for line in roster.bad] == [(3, "a@example.org"), (6, "c@example.org")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"name\nAda\n",
        b"email,shoe size\na@example.org,40\n",
        b"email,email\na@example.org,b@example.org\n",
        b'email\n"a@example.org\n',
        b"\x89PNG\r\n\x1a\n\x81\x8d",
        b"PK\x03\x04\x14\0\0\0",
        b"\xff\xfe\0",
    ],
)
def test_what_is_no_list_of_people_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_roster(data)


def test_a_file_has_a_largest_size() -> None:
    with pytest.raises(TooLarge):
        read_roster(b"email\n" + b"a@example.org\n" * (MOST_LINES + 1))
    with pytest.raises(TooLarge):
        read_roster(b"email\n" + b" " * MOST_BYTES)
    assert len(read_roster(b"email\n" + b"a@example.org\n" * MOST_LINES).lines) == MOST_LINES


async def test_refusals_over_http(world: World) -> None:
    status, problem = await sent(world, "nonsense")
    assert (status, problem["code"]) == (422, "unreadable_roster")
    assert (await sent(world, b"email\n" + b" " * MOST_BYTES))[0] == 413
    headers = {"Authorization": f"Bearer {world['admin'].token}"}
    assert (await world.client.post(path(world), data={"file": "text"}, headers=headers)).status_code == 422
