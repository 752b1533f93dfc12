"""How long a page of 50 takes in a very large organization, at its beginning, in its middle and near its end.

Through the whole server over HTTP, one request after another; `bench/lists --write` puts the table into the docs.
"""

import argparse
import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlencode

from bench import crowd
from bench.run import FAMULUS, ROOT, call, free_port, postgres_database, started, wait_until_up, write_table

from famulus.kernel.paging import encode_key

DOCUMENT = ROOT / "docs" / "reference" / "bench-lists.md"
SAMPLES, WARM = 40, 5
PASSWORD = "a long enough password"
SITE, ADMIN, STUDENT = "site@bench.example", "admin@bench.example", "student@bench.example"
DEPTHS = (("first", 0.0), ("middle", 0.5), ("last", 0.98))
GOAL = 30.0
"""Milliseconds."""


@dataclass(frozen=True)
class List:
    """A list to page through; `key` gives the sort values at a fraction of its length."""

    name: str
    path: str
    who: str = ADMIN
    query: tuple[tuple[str, str], ...] = ()
    key: Callable[[float], list[object]] | None = None


def by_number(count: int, values: Callable[[int], list[object]]) -> Callable[[float], list[object]]:
    """The sort values of the row at a fraction of `count` rows."""
    return lambda fraction: values(int(count * fraction))


def newest_first(count: int, values: Callable[[int], list[object]]) -> Callable[[float], list[object]]:
    """The same for a list that begins with the last row."""
    return lambda fraction: values(int(count * (1 - fraction)))


def title(n: int) -> list[object]:
    return [crowd.course_title(n).lower(), crowd.course(n)]


def made(n: int) -> list[object]:
    return [crowd.when(n), crowd.course(n)]


def name(n: int) -> list[object]:
    return [crowd.person_name(n).casefold(), crowd.person(n)]


ORGANIZATION = f"/api/v1/organizations/{crowd.ORGANIZATION}"
ENROLMENTS = f"/api/v1/courses/{crowd.course(0)}/enrolments"
NEWEST = (("sort", "-created_at"),)
AUDIT = newest_first(crowd.AUDIT, lambda n: [crowd.entry(n)])
LISTS = (
    List("courses, by title", "/api/v1/courses", key=by_number(crowd.COURSES, title)),
    List("courses, newest first", "/api/v1/courses", query=NEWEST, key=newest_first(crowd.COURSES, made)),
    List("one's own courses (100)", "/api/v1/courses/my", STUDENT, key=by_number(100, title)),
    List("members (50,000), by name", f"{ORGANIZATION}/members", key=by_number(crowd.PEOPLE, name)),
    List("members who teach", f"{ORGANIZATION}/members", query=(("role", "teacher"),)),
    List("people of one course (40,000)", ENROLMENTS, key=by_number(crowd.IN_ONE_COURSE, name)),
    List("audit entries (1,000,000)", "/api/v1/audit", key=AUDIT),
    List("audit entries of one kind", "/api/v1/audit", query=(("action", "lesson.create"),), key=AUDIT),
    List("audit entries, whole site", "/api/v1/audit", SITE, key=AUDIT),
    List("tracks (1,000)", "/api/v1/tracks", query=(("organization_id", crowd.ORGANIZATION),)),
    List("projects (100)", "/api/v1/projects"),
    List("tasks (10,000), by due date", "/api/v1/tasks", STUDENT, query=(("sort", "due_at"),)),
    List("accounts (50,000)", "/api/v1/accounts", SITE),
)  # fmt: skip


def main() -> None:
    """Fill a database, serve it, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument(
        "--write", action="store_true", help="write the table into docs/reference/bench-lists.md"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        database = stack.enter_context(postgres_database()) if options.postgres else None
        port, tokens = serve(stack, database)
        lines: list[str] = []
        for line in measured(port, tokens):
            print(line, flush=True)
            lines.append(line)
    if options.write:
        write_table(DOCUMENT, "\n".join(lines), "postgresql" if options.postgres else "sqlite")


def serve(stack: ExitStack, database: str | None) -> tuple[int, dict[str, str]]:
    """A server over a filled database; its port and the tokens of those who ask."""
    folder, port = stack.enter_context(tempfile.TemporaryDirectory()), free_port()
    url = database or f"sqlite+aiosqlite:///{folder}/famulus.db"
    env = {
        "FAMULUS_DATA_DIR": folder, "FAMULUS_DATABASE_URL": url, "LOG_LEVEL": "WARNING", "FAMULUS_PORT": str(port),
        "FAMULUS_MODEL": "offline",
    }  # fmt: skip
    run(env, "migrate")
    for email in (SITE, ADMIN, STUDENT):
        run(
            env,
            "user",
            "create",
            email,
            "--name",
            "Bench",
            "--password",
            PASSWORD,
            *(["--site-admin"] * (email == SITE)),
        )
    began = time.monotonic()
    process = stack.enter_context(started([sys.executable, "-c", FAMULUS, "serve"], 0, env))
    assert process
    wait_until_up(port, began)
    sign_in = {"password": PASSWORD, "session_mode": "api"}
    tokens = {
        email: str(call(port, "/api/auth/login", {"email": email, **sign_in})["access_token"])
        for email in (SITE, ADMIN, STUDENT)
    }
    ids = {email: call(port, "/api/auth/me", token=token)["user"]["id"] for email, token in tokens.items()}
    asyncio.run(crowd.fill(url, ids[ADMIN], ids[STUDENT]))
    time.sleep(3)  # what was known of people before they belonged anywhere is forgotten by then
    return port, tokens


def run(env: dict[str, str], *words: str) -> None:
    """One command of ours."""
    command = [sys.executable, "-c", FAMULUS, *words]
    subprocess.run(command, env={**os.environ, **env}, check=True, timeout=120, stdout=subprocess.DEVNULL)


def measured(port: int, tokens: dict[str, str]) -> Iterator[str]:
    """The table, line by line."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    yield "| list | " + " | ".join(f"{depth} p50, ms | p95, ms" for depth, _ in DEPTHS) + " | goal |"
    yield "|---|" + "--:|" * (2 * len(DEPTHS)) + "---|"
    for each in LISTS:
        cells: list[str] = []
        for _, fraction in DEPTHS:
            if fraction and each.key is None:
                cells += ["", ""]
                continue
            query = dict(each.query) | {"limit": "50"}
            if fraction and each.key is not None:
                query["after"] = encode_key(each.key(fraction))
            times = timed(connection, f"{each.path}?{urlencode(query)}", tokens[each.who])
            cells += [f"{statistics.median(times):.1f}", f"{times[int(len(times) * 0.95)]:.1f}"]
        yield f"| {each.name} | " + " | ".join(cells) + f" | ≤ {GOAL:.0f} ms |"


def timed(connection: http.client.HTTPConnection, path: str, token: str) -> list[float]:
    """The times of one request again and again, sorted, in milliseconds."""
    times: list[float] = []
    for n in range(WARM + SAMPLES):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200 or not json.loads(body)["items"]:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:300]!r}")
        if n >= WARM:
            times.append(took)
    return sorted(times)


if __name__ == "__main__":
    main()
