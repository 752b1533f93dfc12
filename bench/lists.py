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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from urllib.parse import urlencode

from bench import crowd, crowd_rooms
from bench.questions import ADMIN, LONE, SITE, STUDENT, TEACHER, Question, path_of, questions
from bench.run import FAMULUS, ROOT, call, free_port, postgres_database, started, wait_until_up, write_table
from sqlalchemy import text

from famulus.kernel.database import Database
from tests.support.postgres import start_postgres

DOCUMENT = ROOT / "docs" / "reference" / "bench-lists.md"
SAMPLES, WARM = 40, 5
PASSWORD = "a long enough password"
WHO = (SITE, ADMIN, TEACHER, STUDENT, LONE)
DEPTHS = (("first", 0.0), ("middle", 0.5), ("last", 0.98))
GOAL = 30.0
"""Milliseconds."""


def main() -> None:
    """Fill a database, serve it, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the filled database, or use the kept one"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="only lists whose line has this text")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="requests for each page")
    parser.add_argument(
        "--write", action="store_true", help="write the table into docs/reference/bench-lists.md"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite+aiosqlite:///{folder}/famulus.db"
        if options.postgres:
            url = stack.enter_context(_kept_postgres() if options.keep else postgres_database())
        port, tokens = serve(stack, url, folder)
        lines: list[str] = []
        for line in measured(port, tokens, options.only, options.samples):
            print(line, flush=True)
            lines.append(line)
    if options.write:
        write_table(DOCUMENT, "\n".join(lines), "postgresql" if options.postgres else "sqlite")


@contextmanager
def _kept_postgres() -> Iterator[str]:
    """A database that is there the next time, too, on the server of the tests."""
    server, name = start_postgres(), "bench_lists"
    asyncio.run(server.create_once(name))
    yield server.url(name)


def serve(stack: ExitStack, url: str, folder: Path) -> tuple[int, dict[str, str]]:
    """A server over a filled database; its port and the tokens of those who ask."""
    port = free_port()
    env = {
        "FAMULUS_DATA_DIR": str(folder), "FAMULUS_DATABASE_URL": url, "LOG_LEVEL": "WARNING", "FAMULUS_PORT": str(port),
        "FAMULUS_MODEL": "offline", "FAMULUS_EMBEDDING": "none",
    }  # fmt: skip
    run(env, "migrate")
    accounts = asyncio.run(accounts_in(url))
    if not accounts:
        for who in WHO:
            admin = ["--site-admin"] * (who == SITE)
            run(env, "user", "create", crowd.own_email(who), "--name", who, "--password", PASSWORD, *admin)
        accounts = asyncio.run(accounts_in(url))
        crowd.fill(url, chain(crowd.tables(accounts), crowd_rooms.tables(accounts)))
    began = time.monotonic()
    stack.enter_context(started([sys.executable, "-c", FAMULUS, "serve"], 0, env))
    wait_until_up(port, began)
    sign_in = {"password": PASSWORD, "session_mode": "api"}
    tokens = {
        who: str(call(port, "/api/auth/login", {"email": crowd.own_email(who), **sign_in})["access_token"])
        for who in WHO
    }
    return port, tokens


async def accounts_in(url: str) -> dict[str, str]:
    """The ids of those who ask, where they have accounts."""
    database = Database(url)
    try:
        async with database.read() as session:
            rows = await session.execute(
                text("SELECT email, id FROM users WHERE email LIKE '%@famulus.example'")
            )
            return {address.split("@")[0]: id for address, id in rows.all()}
    finally:
        await database.close()


def run(env: dict[str, str], *words: str) -> None:
    """One command of ours."""
    command = [sys.executable, "-c", FAMULUS, *words]
    subprocess.run(command, env={**os.environ, **env}, check=True, timeout=300, stdout=subprocess.DEVNULL)


def measured(port: int, tokens: dict[str, str], only: str, samples: int) -> Iterator[str]:
    """The table, line by line, and the worst figure below it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    yield "| list | asked by | " + " | ".join(f"{depth} p50, ms | p95, ms" for depth, _ in DEPTHS) + " |"
    yield "|---|---|" + "--:|" * (2 * len(DEPTHS))
    worst = 0.0
    for each in questions():
        line = f"| `{each.route}` {each.what} | {each.who} |"
        if only not in line:
            continue
        for _, fraction in DEPTHS:
            if fraction and each.key is None:
                line += " | |"
                continue
            times = timed(connection, each, fraction, tokens[each.who], samples)
            late = times[int(len(times) * 0.95)]
            worst = max(worst, late)
            line += f" {statistics.median(times):.1f} | {late:.1f} |"
        yield line
    yield f"\nThe slowest p95 is {worst:.1f} ms; the goal is {GOAL:.0f} ms."


def timed(
    connection: http.client.HTTPConnection, asked: Question, fraction: float, token: str, samples: int
) -> list[float]:
    """The times of one request again and again, sorted, in milliseconds."""
    after = asked.after(fraction)
    query = asked.query | {"limit": "50"} | ({"after": after} if after else {})
    path = f"{path_of(asked.route)}?{urlencode(query)}"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    times: list[float] = []
    for n in range(WARM + samples):
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:300]!r}")
        json.loads(body)
        if n >= WARM:
            times.append(took)
    return sorted(times)


if __name__ == "__main__":
    main()
