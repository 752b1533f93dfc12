"""How long taking in a tree of files takes, and looking again; and what a chat notices of it meanwhile.

a tree ─▶ taken in ─▶ looked at again, in several states: unchanged, by content, with some files changed, moved, gone
turns one after another on a server at rest ─▶ the same while it takes a tree in
a document uploaded to a server at rest ─▶ found by a search
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.run import EMAIL, PASSWORD, Server, call, famulus, free_port, load, postgres_database, started

from famulus.campus.courses import course_card
from famulus.campus.seeding import PlannedCourse, PlannedOrganization, seed_organization
from famulus.cli.evaluating import ASKER
from famulus.kernel.database import Database
from famulus.kernel.migrate import upgrade
from famulus.knowledge.ingest import Report, Terms, ingest_path
from famulus.knowledge.store import Owner
from famulus.knowledge.walk import SETTLED

FILES, SOME = 10_000, 100
WORDS = "the lid of a pump opens when its valve has turned and water flows over the weir to a meadow".split()
GOAL, CHAT_GOAL = 5.0, 1.5
"""Seconds for an unchanged tree; how much longer a chat's first token may take."""
TURNS, ANSWER = 150, 10
ARRIVALS, ARRIVAL_GOAL = 20, 1.0
"""Documents, and seconds until words find one."""


def plant(root: Path, count: int, seed: int = 1) -> None:
    """So many Markdown files of about 1.5 kB, a hundred to a folder."""
    chance = random.Random(seed)
    for n in range(count):
        path = root / f"part{n // 100:03}" / f"page{n:05}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = [
            f"## Part {k}\n\n{' '.join(chance.choice(WORDS) for _ in range(120))} {n}." for k in range(2)
        ]
        path.write_text(f"# Page {n}\n\n" + "\n\n".join(parts))


async def measure(url: str, root: Path, pages: list[Path]) -> list[tuple[str, Report]]:
    """Each state of the tree in turn."""
    database, plain = Database(url), Terms()
    try:
        await upgrade(database)
        owner = await _course(database)
        found = [("new", await ingest_path(database, owner, root, terms=plain))]
        found.append(("unchanged", await ingest_path(database, owner, root, terms=plain)))
        found.append(
            ("unchanged, by content", await ingest_path(database, owner, root, terms=Terms(thorough=True)))
        )
        for what, change in _changes(pages[: min(SOME, len(pages) // 4)]):
            change()
            found.append((what, await ingest_path(database, owner, root, terms=plain)))
        await asyncio.sleep(SETTLED / 1e9)
        await ingest_path(database, owner, root, terms=plain)
        found.append(("unchanged again", await ingest_path(database, owner, root, terms=plain)))
        return found
    finally:
        await database.close()


async def _course(database: Database) -> Owner:
    course = PlannedCourse("Bench", "", ())
    async with database.write() as session:
        planted = await seed_organization(
            session, PlannedOrganization("Bench", (), (course,)), password_hash=""
        )
        assert planted is not None, "the database is new"
        card = await course_card(session, ASKER, planted[0])
        return Owner(card.organization_id, card.id)


def _changes(some: list[Path]) -> list[tuple[str, Callable[[], object]]]:
    def moved(page: Path) -> Path:
        return page.with_name(f"moved-{page.name}")

    return [
        (f"{len(some)} changed", lambda: [page.write_text(page.read_text() + "\nMore.\n") for page in some]),
        (f"{len(some)} moved", lambda: [page.rename(moved(page)) for page in some]),
        (f"{len(some)} removed", lambda: [moved(page).unlink() for page in some]),
    ]


def table(found: list[tuple[str, Report]]) -> str:
    """In Markdown."""
    lines = ["| the tree is | read | unchanged | removed | s |", "|---|--:|--:|--:|--:|"]
    for what, one in found:
        read = one.added + one.changed
        lines.append(f"| {what} | {read:,} | {one.unchanged:,} | {one.removed:,} | {one.seconds:.2f} |")
    return "\n".join(lines)


def beside_a_chat(stack: ExitStack, database: str | None, root: Path) -> str:
    """Times to the first token of turns one after another: at rest, then while `root` is taken in."""
    os.environ["FAMULUS_SOURCE_FOLDERS"] = json.dumps([str(root)])
    port = free_port()
    stack.enter_context(started([sys.executable, "bench/upstream.py", str(port)], 1))
    server = famulus(stack, f"http://127.0.0.1:{port}/v1", database)
    sign_in = {"email": EMAIL, "password": PASSWORD, "session_mode": "api"}
    token = str(call(server.port, "/api/auth/login", sign_in)["access_token"])
    _turns(server, 20)
    idle = _turns(server, TURNS)
    new = {"kind": "folder", "name": "Tree", "location": str(root)}
    source = call(server.port, "/api/v1/sources", new, token)["id"]
    busy: list[float] = []
    while (now := call(server.port, f"/api/v1/sources/{source}", None, token))["state"] in (
        "waiting",
        "indexing",
    ):
        busy += _turns(server, 10)
    p = [(_at(each, 0.5), _at(each, 0.95)) for each in (idle, busy)]
    return (
        f"First token, ms: at rest p50 {p[0][0]:.1f}, p95 {p[0][1]:.1f} ({len(idle)} turns); while {now['documents']:,}"
        f" files are taken in p50 {p[1][0]:.1f}, p95 {p[1][1]:.1f} ({len(busy)} turns): p95 × {p[1][1] / p[0][1]:.2f},"
        f" goal ≤ {CHAT_GOAL}"
    )


def arrivals(stack: ExitStack, database: str | None) -> str:
    """Seconds until a search finds a Markdown document that was uploaded to a server at rest, one after another."""
    server = famulus(stack, "http://127.0.0.1:9/v1", database)
    sign_in = {"email": EMAIL, "password": PASSWORD, "session_mode": "api"}
    token = str(call(server.port, "/api/auth/login", sign_in)["access_token"])
    school = call(server.port, "/api/v1/organizations", {"name": "Bench"}, token)["id"]
    new = {"title": "Bench", "organization_id": school}
    course = str(call(server.port, "/api/v1/courses", new, token)["id"])
    taken, found = zip(*(_arrival(server.port, token, course, n) for n in range(ARRIVALS)), strict=True)
    return (
        f"A document, until a search by words finds it, s: p50 {_at([*found], 0.5) / 1e3:.2f}, p95"
        f" {_at([*found], 0.95) / 1e3:.2f}, of which the upload took p50 {_at([*taken], 0.5) / 1e3:.2f}"
        f" ({ARRIVALS} documents), goal ≤ {ARRIVAL_GOAL:.0f}"
    )


def _arrival(port: int, token: str, course: str, n: int) -> tuple[float, float]:
    """Seconds that the upload took, and until it was found."""
    word = f"arrived{n}x"
    page = f"# Page {n}\n\n" + "\n\n".join(f"## Part {k}\n\n{' '.join(WORDS)} {word}." for k in range(8))
    border = "border-of-parts"
    head = f'content-disposition: form-data; name="file"; filename="page{n}.md"'
    body = f"--{border}\r\n{head}\r\n\r\n{page}\r\n--{border}--\r\n".encode()
    headers = {
        "content-type": f"multipart/form-data; boundary={border}",
        "authorization": f"Bearer {token}",
    }
    address = f"http://127.0.0.1:{port}/api/v1/courses/{course}/sources"
    began = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=20) as reply:
        reply.read()
    taken = time.perf_counter() - began
    while not call(port, f"/api/v1/search?q={word}", None, token)["items"]:
        time.sleep(0.01)
    return taken, time.perf_counter() - began


def _turns(server: Server, count: int) -> list[float]:
    return load(server, f"bench-{ANSWER}-0", 1, count, ANSWER).tally.first_token


def _at(seconds: list[float], share: float) -> float:
    return sorted(seconds)[int(share * (len(seconds) - 1))] * 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="store in a PostgreSQL of its own")
    parser.add_argument("--files", type=int, default=FILES, help="of the tree")
    parser.add_argument("--chat", action="store_true", help="also what a chat notices")
    parser.add_argument(
        "--arrival", action="store_true", help="only how long it takes until a document is found"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.arrival:
            print(arrivals(stack, stack.enter_context(postgres_database()) if options.postgres else None))
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = (
            stack.enter_context(postgres_database())
            if options.postgres
            else f"sqlite+aiosqlite:///{folder}/f.db"
        )
        root = folder / "tree"
        plant(root, options.files)
        time.sleep(SETTLED / 1e9)
        found = asyncio.run(measure(url, root, sorted(root.rglob("*.md"))))
        print(table(found))
        print(f"\nGoal for an unchanged tree of {FILES:,} files: ≤ {GOAL:.0f} s.")
        if options.chat:
            plant(folder / "more", options.files // 2, seed=2)
            more = stack.enter_context(postgres_database()) if options.postgres else None
            print(beside_a_chat(stack, more, folder / "more"))


if __name__ == "__main__":
    main()
