"""A very large organization, written straight into a database: what lists have to page through at the same price.

50,000 people · 10,000 courses in 1,000 tracks of 100 projects · 100,000 enrolments, 40,000 of them in one course ·
1,000,000 audit entries · 10,000 tasks of one person
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

PEOPLE, PROJECTS, TRACKS, COURSES = 50_000, 100, 1_000, 10_000
ENROLMENTS, IN_ONE_COURSE, AUDIT, TASKS = 100_000, 40_000, 1_000_000, 10_000
ORGANIZATION = "org_bench"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = ("course.change", "lesson.create", "lesson.change", "enrolment.create", "membership.create")
Rows = Iterator[tuple[Any, ...]]


def when(n: int) -> datetime:
    """The moment of the n-th thing."""
    return BEGAN + timedelta(seconds=n)


def person(n: int) -> str:
    return f"usr_bench{n:08d}"


def course(n: int) -> str:
    return f"crs_bench{n:08d}"


def course_title(n: int) -> str:
    return f"Course {n:05d}"


def person_name(n: int) -> str:
    return f"Person {n:05d}"


def entry(n: int) -> str:
    return f"aud_bench{n:08d}"


def tables(admin: str, student: str) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """Every table's name, columns and rows. `admin` and `student` are accounts that exist."""
    at = (BEGAN, BEGAN)
    yield "organizations", ("id", "name", "name_key", *STAMPS), iter([(ORGANIZATION, "Bench", "bench", *at)])
    yield (
        "users",
        ("id", "email", "name", "site_admin", "suspended", "service", "locale", "profile", *STAMPS),
        (
            (person(n), f"p{n}@bench.example", person_name(n), False, False, False, "en", "{}", *at)
            for n in range(PEOPLE)
        ),
    )
    yield (
        "memberships",
        ("organization_id", "user_id", "role", "person_key", "created_at"),
        _members(admin, student),
    )
    yield (
        "projects",
        ("id", "organization_id", "name", "name_key", "description", *STAMPS),
        (
            (f"prj_bench{n:08d}", ORGANIZATION, f"Project {n:03d}", f"project {n:03d}", "", *at)
            for n in range(PROJECTS)
        ),
    )
    yield "tracks", (
        "id", "organization_id", "project_id", "name", "name_key", "description", "level", *STAMPS
    ), _tracks()  # fmt: skip
    yield "courses", (
        "id", "organization_id", "track_id", "position", "title", "title_key", "description", "published", *STAMPS
    ), _courses()  # fmt: skip
    yield "enrolments", ("course_id", "user_id", "role", "person_key", "created_at"), _enrolments(student)
    yield "audit_entries", (
        "id", "at", "actor_id", "actor_role", "organization_id", "action", "thing_id", "thing_name", "after"
    ), _audit()  # fmt: skip
    yield "tasks", ("id", "user_id", "title", "description", "due_at", *STAMPS), _tasks(student)


STAMPS = ("created_at", "updated_at")


def _members(admin: str, student: str) -> Rows:
    yield ORGANIZATION, admin, "organization_admin", "admin", BEGAN
    yield ORGANIZATION, student, "student", "student", BEGAN
    for n in range(PEOPLE):
        role = "teacher" if n < 500 else "student"
        yield ORGANIZATION, person(n), role, person_name(n).casefold(), when(n)


def _tracks() -> Rows:
    levels = ("beginner", "intermediate", "advanced")
    for n in range(TRACKS):
        name = f"Track {n:04d}"
        project = f"prj_bench{n % PROJECTS:08d}"
        yield f"trk_bench{n:08d}", ORGANIZATION, project, name, name.lower(), "", levels[n % 3], BEGAN, BEGAN


def _courses() -> Rows:
    for n in range(COURSES):
        title = course_title(n)
        track = f"trk_bench{n % TRACKS:08d}"
        yield (
            course(n),
            ORGANIZATION,
            track,
            n // TRACKS,
            title,
            title.lower(),
            "",
            n % 10 > 0,
            when(n),
            when(n),
        )


def _enrolments(student: str) -> Rows:
    for n in range(100):
        yield course(n), student, "student", "student", when(n)
    for n in range(IN_ONE_COURSE):
        yield course(0), person(n), "student", person_name(n).casefold(), when(n)
    for n in range(ENROLMENTS - IN_ONE_COURSE - 100):
        yield (
            course(1 + n % (COURSES - 1)),
            person(n % PEOPLE),
            "student",
            person_name(n % PEOPLE).casefold(),
            when(n),
        )


def _audit() -> Rows:
    for n in range(AUDIT):
        number = n % COURSES
        yield (
            entry(n), when(n), person(n % 500), "teacher", ORGANIZATION, ROLES[n % len(ROLES)], course(number),
            course_title(number), '{"published":true}',
        )  # fmt: skip


def _tasks(student: str) -> Rows:
    for n in range(TASKS):
        due = when(n * 60) if n % 4 else None
        yield f"tsk_bench{n:08d}", student, f"Task {n:05d}", "", due, when(n), when(n)


async def fill(url: str, admin: str, student: str) -> None:
    """Write it all into a migrated database, and have the database look at what it has."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        _fill_sqlite(str(address.database), admin, student)
    else:
        await _fill_postgres(
            address.set(drivername="postgresql").render_as_string(hide_password=False), admin, student
        )


def _fill_sqlite(path: str, admin: str, student: str) -> None:
    connection = sqlite3.connect(path)
    for table, columns, rows in tables(admin, student):
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - constants
        connection.executemany(statement, (_as_text(row) for row in rows))
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()


def _as_text(row: Sequence[Any]) -> list[Any]:
    return [value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value for value in row]


async def _fill_postgres(dsn: str, admin: str, student: str) -> None:
    connection = await asyncpg.connect(dsn)
    for table, columns, rows in tables(admin, student):
        for chunk in _chunks(rows, 50_000):
            await connection.copy_records_to_table(table, columns=columns, records=chunk)
    await connection.execute("ANALYZE")
    await connection.close()


def _chunks(rows: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk
