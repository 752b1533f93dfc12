"""The storm: clients at work, a server that is killed again and again, and the verdict once it is calm.

A kill is planned at a step's boundary (the server dies at a crash point), at the moment of an acknowledgement, or at a
random time, its start-up included. The server is started again at once.
"""

import asyncio
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sqlalchemy.engine import make_url

from tests.crash.checker import resume_times, violations
from tests.crash.clients import Client
from tests.crash.history import History, Stored
from tests.crash.server import Server

POINTS = (
    "accept.before",
    "accept.committed",
    "context.built",
    "text",
    "tool.called",
    "tool.effect",
    "tool.kept",
    "tool.finished",
    "approval.before",
    "approval.committed",
    "finish.before",
    "finish.committed",
    "pulse.before",
    "pulse.committed",
    "claim.committed",
    "attempt.opened",
)
UNASKED = ("pulse", "claim")
"""Beginnings of the points that are reached without a message."""
UNREACHED = 20.0
"""Seconds after which a server that has not come to its crash point is killed all the same."""
CALM = 90.0
"""Seconds that everything begun may take to come to its end after the last kill."""


@dataclass(frozen=True)
class Plan:
    """How one life of the server ends."""

    kind: str
    """A crash point's name, `ack`, `time` or `start`."""
    count: int = 1
    """Which arrival at the point, or which acknowledgement."""
    seconds: float = 0.0


@dataclass
class Report:
    """What came of a storm."""

    kills: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """What they were, and when. A boundary that was not reached is called `time`: it was killed where it stood."""
    history: History = field(default_factory=History)
    stored: Stored = field(default_factory=Stored)
    violations: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    starts: list[float] = field(default_factory=list[float])
    """Seconds from a start to the first answer, where it was waited for."""

    @property
    def resumes(self) -> list[float]:
        """Seconds from kills to the next event, sorted."""
        return resume_times(self.history, [at for _, at in self.kills])

    def counts(self) -> dict[str, int]:
        """The figures of the summary."""
        statuses = Counter(str(run["status"]) for run in self.stored.runs.values())
        sends, journals = self.history.sends, self.stored.journals.values()
        return {
            "kills": len(self.kills),
            "at a boundary": sum(kind in POINTS for kind, _ in self.kills),
            "acknowledged": sum(send.outcome == "ok" for send in sends),
            "completed": statuses["completed"],
            "cancelled": statuses["cancelled"],
            "failed, shown": statuses["failed"],
            "taken over": sum(journal[-1].id.epoch > 1 for journal in journals if journal),
            "events seen": sum(len(stream.seen) for stream in self.history.streams),
            "reconnects": sum(stream.connections - 1 for stream in self.history.streams),
        }


def plans(count: int, chance: random.Random) -> list[Plan]:
    """So many plans: half at the boundaries in turn, the rest at acknowledgements, in start-up, at any time."""
    found: list[Plan] = []
    for number in range(count):
        if number % 2 == 0:
            point = POINTS[number // 2 % len(POINTS)]
            found.append(Plan(point, chance.randint(1, 80) if point == "text" else chance.randint(1, 3)))
        elif number % 8 == 1:
            found.append(Plan("ack", chance.randint(1, 3)))
        elif number % 8 == 5:
            found.append(Plan("start", seconds=chance.uniform(0.2, 2.0)))
        else:
            found.append(Plan("time", seconds=chance.uniform(0.1, 7.0)))
    return found


def plans_at(points: Sequence[str], times: int, chance: random.Random) -> list[Plan]:
    """Each of these boundaries so many times, in any order."""
    found = [Plan(point, chance.randint(1, 2)) for point in points for _ in range(times)]
    chance.shuffle(found)
    return found


async def storm(server: Server, planned: Sequence[Plan], *, people: int = 5, seed: int = 1) -> Report:
    """Have `people` at work while the server dies as planned; the verdict is the report's `violations`."""
    report, over, began = Report(), asyncio.Event(), time.monotonic()
    await server.start(_armed_first(planned))
    await server.ready()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        entering = [
            stack.enter_async_context(
                Client(lambda: server.url, report.history, random.Random(seed * 100 + n))
            )
            for n in range(people)
        ]
        clients = [await each for each in entering]
        talking = [asyncio.create_task(client.talk(over)) for client in clients]
        try:
            for plan in planned:
                report.kills.append(await _strike(server, plan, clients, report))
                await server.start(_armed_next(planned, len(report.kills)))
        finally:
            over.set()
        await _calm(talking, report)
        await _collect(clients, report)
    report.violations += [*violations(report.history, report.stored), *_integrity(server)]
    report.seconds = time.monotonic() - began
    return report


def _armed_first(planned: Sequence[Plan]) -> str | None:
    """As the next, unless the server would come there before anybody is at work."""
    return _armed_next(planned, 0) if planned and not planned[0].kind.startswith(UNASKED) else None


def _armed_next(planned: Sequence[Plan], number: int) -> str | None:
    plan = planned[number] if number < len(planned) else None
    return f"{plan.kind}:{plan.count}" if plan and plan.kind in POINTS else None


async def _strike(server: Server, plan: Plan, clients: Sequence[Client], report: Report) -> tuple[str, float]:
    """Have the server, just started, die as planned; how it died, and the time at which it was dead."""
    began = time.monotonic()
    if plan.kind == "start":
        await asyncio.sleep(plan.seconds)
    else:
        await server.ready()
        report.starts.append(time.monotonic() - began)
    if plan.kind == "time":
        await asyncio.sleep(plan.seconds)
    elif plan.kind == "ack":
        await _acknowledged(server, plan.count, clients)
    elif plan.kind in POINTS and await server.gone(within=UNREACHED):
        return plan.kind, time.monotonic()
    await server.kill()
    return "time" if plan.kind in POINTS else plan.kind, time.monotonic()


async def _acknowledged(server: Server, count: int, clients: Sequence[Client]) -> None:
    """Kill at the `count`-th acknowledgement from now, within the client's own step of the loop."""
    heard, left = asyncio.Event(), count

    def hear() -> None:
        nonlocal left
        left -= 1
        if left == 0 and server.process is not None and server.alive:
            server.process.kill()
            heard.set()

    for client in clients:
        client.acknowledged = hear
    try:
        async with asyncio.timeout(UNREACHED):
            await heard.wait()
    except TimeoutError:
        pass  # it is killed where it stands
    for client in clients:
        client.acknowledged = lambda: None


async def _calm(talking: Sequence[asyncio.Task[None]], report: Report) -> None:
    """Wait until everybody has seen the end of what they began."""
    done, waiting = await asyncio.wait(talking, timeout=CALM)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    failures = [task.exception() for task in done if not task.cancelled()]
    report.violations += [f"client: {failure}" for failure in failures if failure is not None]
    report.violations += [f"endless: a client still waited {CALM:.0f} s after the last kill"] * len(waiting)


async def _collect(clients: Sequence[Client], report: Report) -> None:
    threads = {send.thread_id for send in report.history.sends}
    owners = await asyncio.gather(*(client.own_threads() for client in clients))
    for client, own in zip(clients, owners, strict=True):
        await client.collect(report.stored, own & threads)


def _integrity(server: Server) -> list[str]:
    """What SQLite itself says of the file, once the server has left it."""
    url = make_url(server.database_url)
    if url.get_backend_name() != "sqlite":
        return []
    with sqlite3.connect(str(url.database)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        found += [f"foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    return [f"integrity: {line}" for line in found if line != "ok"]
