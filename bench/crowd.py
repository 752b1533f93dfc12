"""A very large organization, written straight into a database: what lists have to page through at the same price.

50,000 people · 10,000 courses in 1,000 tracks of 100 projects · 100,000 enrolments, 40,000 of them in one course ·
1,000,000 audit entries · 2,000 organizations beside it. What the other rooms keep there is in `crowd_rooms`.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from famulus.kernel.ids import moment

PEOPLE, PROJECTS, TRACKS, COURSES, LESSONS = 50_000, 100, 1_000, 10_000, 1_000
ENROLMENTS, IN_ONE_COURSE, AUDIT, TASKS, INVITATIONS = 100_000, 40_000, 1_000_000, 10_000, 10_000
ORGANIZATIONS, ACTORS, OWN_COURSES, QUIZZES = 2_000, 500, 100, 10_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STAMPS = ("created_at", "updated_at")
AT = (BEGAN, BEGAN)
ACTIONS = ("course.change", "lesson.create", "lesson.change", "enrolment.create", "membership.create")
LEVELS = ("beginner", "intermediate", "advanced")
Row = tuple[Any, ...]
Table = tuple[str, tuple[str, ...], Iterator[Row]]
"""Its name, columns and rows."""


def when(n: int) -> datetime:
    """The moment of the n-th thing."""
    return BEGAN + timedelta(seconds=n)


def id_of(prefix: str, n: int) -> str:
    """The id of the n-th thing, as the server makes them: it sorts by time."""
    return f"{prefix}_{moment(when(n))}{n:016d}"


def person_name(n: int) -> str:
    return f"Person {n:05d}"


def email(n: int) -> str:
    return f"p{n}@bench.example"


def own_email(who: str) -> str:
    """The address of one of those who ask."""
    return f"{who}@famulus.example"


def _listed(n: int) -> tuple[str, str]:
    return person_name(n).casefold(), email(n)


ORGANIZATION = id_of("org", 0)


def tables(accounts: Mapping[str, str]) -> Iterator[Table]:
    """Everything. `accounts` are the ids of admin, teacher, student and lone, who are there already."""
    yield "organizations", ("id", "name", "name_key", *STAMPS), _organizations()
    yield "users", ("id", "email", "name", "name_key", "profile", "locale", *FLAGS, *STAMPS), _people()
    yield (
        "memberships",
        ("organization_id", "user_id", "role", "person_key", "email_key", "created_at"),
        _members(accounts),
    )
    yield "projects", ("id", "organization_id", "name", "name_key", "description", *STAMPS), _projects()
    yield "tracks", (
        "id", "organization_id", "project_id", "name", "name_key", "description", "level", *STAMPS
    ), _tracks()  # fmt: skip
    yield "courses", (
        "id", "organization_id", "track_id", "position", "title", "title_key", "description", "published", *STAMPS
    ), _courses()  # fmt: skip
    yield "lessons", (
        "id", "course_id", "title", "title_key", "path", "body", "position", "published", *STAMPS
    ), _lessons()  # fmt: skip
    yield "quizzes", (
        "id", "course_id", "title", "status", "questions", "question_count", *STAMPS
    ), _quizzes()  # fmt: skip
    yield (
        "enrolments",
        ("course_id", "user_id", "role", "person_key", "email_key", "created_at"),
        _enrolments(accounts),
    )
    yield "audit_entries", (
        "id", "at", "actor_id", "actor_role", "organization_id", "action", "thing_id", "thing_name", "after"
    ), _audit(accounts)  # fmt: skip
    yield "tasks", (
        "id", "user_id", "title", "title_key", "description", "due_at", "due_first", "due_last", "done_at", *STAMPS
    ), _tasks(accounts["student"])  # fmt: skip
    yield "invitations", (
        "id", "organization_id", "email", "role", "course_ids", "token_hash", "state", "expires_at", *STAMPS
    ), _invitations()  # fmt: skip


FLAGS = ("site_admin", "suspended", "service")


def _organizations() -> Iterator[Row]:
    yield ORGANIZATION, "Bench", "bench", *AT
    for n in range(1, ORGANIZATIONS + 1):
        yield id_of("org", n), f"School {n:04d}", f"school {n:04d}", *AT


def _people() -> Iterator[Row]:
    for n in range(PEOPLE):
        name = person_name(n)
        yield id_of("usr", n), email(n), name, name.casefold(), "{}", "en", False, n % 1000 == 7, False, *AT


def _members(accounts: Mapping[str, str]) -> Iterator[Row]:
    roles = {"admin": "organization_admin", "teacher": "teacher", "student": "student", "lone": "student"}
    for who, role in roles.items():
        yield ORGANIZATION, accounts[who], role, who, own_email(who), BEGAN
    for n in range(PEOPLE):
        role = "teacher" if n < ACTORS else "student"
        yield ORGANIZATION, id_of("usr", n), role, *_listed(n), when(n)


def _projects() -> Iterator[Row]:
    for n in range(PROJECTS):
        yield id_of("prj", n), ORGANIZATION, f"Project {n:03d}", f"project {n:03d}", "", *AT


def _tracks() -> Iterator[Row]:
    for n in range(TRACKS):
        name, project = f"Track {n:04d}", id_of("prj", n % PROJECTS)
        yield id_of("trk", n), ORGANIZATION, project, name, name.lower(), "", LEVELS[n % 3], *AT


def _courses() -> Iterator[Row]:
    for n in range(COURSES):
        title, track = f"Course {n:05d}", id_of("trk", n % TRACKS)
        yield (
            id_of("crs", n), ORGANIZATION, track, n // TRACKS, title, title.lower(), "", n % 10 > 0 or n < OWN_COURSES,
            when(n), when(n),
        )  # fmt: skip


def _lessons() -> Iterator[Row]:
    """Many in the first course, one in every other."""
    for n in range(LESSONS + COURSES - 1):
        course, title = max(0, n - LESSONS + 1), f"Lesson {n:05d}"
        body = "Water runs downhill. " * 50
        yield (
            id_of("les", n), id_of("crs", course), title, title.lower(), f"{n}.md", body, n, n % 10 > 0, *AT
        )  # fmt: skip


def _quizzes() -> Iterator[Row]:
    """All of the first course; few of them are still to be reviewed."""
    question = '{"kind":"true_false","prompt":"Does water run downhill?","answer":true,"explanation":""}'
    for n in range(QUIZZES):
        status = "draft" if n % 1000 == 3 else "approved"
        yield id_of("quz", n), id_of("crs", 0), f"Quiz {n}", status, f"[{question}]", 1, *AT


def _enrolments(accounts: Mapping[str, str]) -> Iterator[Row]:
    for n in range(OWN_COURSES):
        yield id_of("crs", n), accounts["student"], "student", "student", own_email("student"), when(n)
        yield id_of("crs", n), accounts["teacher"], "teacher", "teacher", own_email("teacher"), when(n)
    yield id_of("crs", COURSES - 1), accounts["lone"], "student", "lone", own_email("lone"), BEGAN
    for n in range(IN_ONE_COURSE):
        yield id_of("crs", 0), id_of("usr", n), "student", *_listed(n), when(n)
    for n in range(ENROLMENTS - IN_ONE_COURSE):
        course, person = 1 + n % (COURSES - 1), n % PEOPLE
        role = "teacher" if person < ACTORS else "student"
        yield id_of("crs", course), id_of("usr", person), role, *_listed(person), when(n)


def _audit(accounts: Mapping[str, str]) -> Iterator[Row]:
    """Most of what 500 teachers did; each hundredth entry is the student's, each two thousandth another school's."""
    actors = [id_of("usr", n) for n in range(ACTORS)]
    courses = [id_of("crs", n) for n in range(COURSES)]
    for n in range(AUDIT):
        number = n % COURSES
        actor = accounts["student"] if n % 100 == 3 else actors[n % ACTORS]
        place = id_of("org", 1) if n % 2000 == 9 else ORGANIZATION
        yield (
            id_of("aud", n), when(n), actor, "teacher", place, ACTIONS[n % 5], courses[number], f"Course {number:05d}",
            '{"published":true}',
        )  # fmt: skip


def due(n: int) -> datetime | None:
    """Some tasks are due at no time."""
    return when(n * 60) if n % 4 else None


def _tasks(student: str) -> Iterator[Row]:
    never, ever = datetime(9000, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)
    for n in range(TASKS):
        title, at = f"Task {n:05d}", due(n)
        done = when(n) if n % 3 == 0 else None
        yield (
            id_of("tsk", n), student, title, title.lower(), "", at, at or never, at or ever, done, when(n), when(n)
        )  # fmt: skip


def _invitations() -> Iterator[Row]:
    states = ("open", "accepted", "accepted", "withdrawn")
    for n in range(INVITATIONS):
        late = BEGAN if n % 100 == 0 else datetime(2099, 1, 1, tzinfo=UTC)
        yield (
            id_of("inv", n), ORGANIZATION, f"i{n}@bench.example", "student", "[]", f"invitation {n}", states[n % 4],
            late, *AT,
        )  # fmt: skip


def fill(url: str, everything: Iterator[Table]) -> None:
    """Write tables into a migrated database, and have the database look at what it has."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        _fill_sqlite(str(address.database), everything)
    else:
        dsn = address.set(drivername="postgresql").render_as_string(hide_password=False)
        asyncio.run(_fill_postgres(dsn, everything))


def _fill_sqlite(path: str, everything: Iterator[Table]) -> None:
    """Without ANALYZE: nobody runs it on the SQLite of a server."""
    connection = connected(path)
    for table, columns, rows in everything:
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - constants
        connection.executemany(statement, (_as_text(row) for row in rows))
    connection.commit()
    connection.close()


def connected(path: str) -> sqlite3.Connection:
    """A connection for much at once, which nobody would miss."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA cache_size = -500000")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _as_text(row: Sequence[Any]) -> list[Any]:
    return [value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value for value in row]


async def _fill_postgres(dsn: str, everything: Iterator[Table]) -> None:
    """With VACUUM ANALYZE: autovacuum does it on a server."""
    connection = await asyncpg.connect(dsn)
    for table, columns, rows in everything:
        for chunk in _chunks(rows, 50_000):
            await connection.copy_records_to_table(table, columns=columns, records=chunk)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk
