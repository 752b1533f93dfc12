"""Starts a fake model server, a bare relay and Famulus, measures both under the same load, prints a table of ratios."""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import Stream, Tally, drive, post
from bench.measure import cpu_seconds, resident_bytes

from tests.support.postgres import start_postgres

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "reference" / "bench.md"
STREAMS, TOKENS, RATE = 100, 200, 25
ROUNDS, RAMP = 3, 2.0
"""How often both are given the paced load in turn, and the seconds over which its streams start."""
SHORT_TURNS, SHORT_STREAMS, SHORT_TOKENS = 50, 20, 10
WARM_TURNS = 5
EMAIL, PASSWORD = "bench@example.com", "a long enough password"
FAMULUS = "import sys; from famulus.cli.main import main; sys.argv[0] = 'famulus'; main()"


@dataclass
class Server:
    """A server under test."""

    name: str
    port: int
    process: int
    start_seconds: float
    requests: Callable[[str, int], list[bytes]]
    """Requests for a model and a number of streams."""
    idle: int
    """Bytes of resident memory, started and asked nothing yet."""
    mark: bytes
    """What each token event has exactly once."""
    stream: type[Stream] = Stream
    """How it is asked."""


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: list[str], core: int, env: dict[str, str] | None = None) -> Iterator[int]:
    """A process pinned to one core where there are two; its id."""
    pin = ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 and shutil.which("taskset") else []
    process = subprocess.Popen(
        [*pin, *command],
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def call(port: int, path: str, body: object = None, token: str | None = None) -> dict[str, Any]:
    """A JSON request and its answer."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.loads(reply.read() or b"null")


def wait_until_up(port: int, began: float) -> float:
    """Seconds from `began` until the server answers."""
    for _ in range(3000):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return time.monotonic() - began
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("the server did not start within 30 seconds")


def at_rest(process: int) -> int:
    """Bytes of resident memory, once what a start leaves to do is done."""
    time.sleep(2)
    return resident_bytes(process)


def relay(stack: ExitStack, upstream: str) -> Server:
    """The bare relay, started."""
    port, began = free_port(), time.monotonic()
    command = [sys.executable, "-m", "uvicorn", "bench.relay:app", "--port", str(port), "--no-access-log"]
    process = stack.enter_context(started(command, 0, {"UPSTREAM": upstream}))
    seconds = wait_until_up(port, began)

    def requests(model: str, streams: int) -> list[bytes]:
        body = {
            "model": model,
            "stream": True,
            "messages": [{"role": "user", "content": "Tell me about the sea."}],
        }
        return [post("/chat", body, {})] * streams

    return Server("bare relay", port, process, seconds, requests, at_rest(process), b'"content"')


def famulus(stack: ExitStack, upstream: str, database: str | None) -> Server:
    """Famulus with a fresh database and one person, started twice so that the second start is the one timed."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    port = free_port()
    env = {
        "FAMULUS_DATA_DIR": folder,
        "FAMULUS_MODEL": f"compatible:bench-{SHORT_TOKENS}-0",
        "FAMULUS_MODEL_BASE_URL": upstream,
        "LOG_LEVEL": "WARNING",
        "FAMULUS_PORT": str(port),
        **({"FAMULUS_DATABASE_URL": database} if database else {}),
    }
    for command in (
        ["migrate"],
        ["user", "create", EMAIL, "--name", "Bench", "--password", PASSWORD, "--site-admin"],
    ):
        subprocess.run(
            [sys.executable, "-c", FAMULUS, *command],
            env={**os.environ, **env},
            check=True,
            timeout=120,
            stdout=subprocess.DEVNULL,
        )
    began = time.monotonic()
    process = stack.enter_context(started([sys.executable, "-c", FAMULUS, "serve"], 0, env))
    seconds, idle = wait_until_up(port, began), at_rest(process)
    sign_in = {"email": EMAIL, "password": PASSWORD, "session_mode": "api"}
    token = str(call(port, "/api/auth/login", sign_in)["access_token"])
    assistants: dict[str, str] = {}

    def requests(model: str, streams: int) -> list[bytes]:
        if model not in assistants:
            new = {"scope": "global", "name": model, "instructions": "Be helpful."}
            new |= {"settings": {"model": f"compatible:{model}"}}
            assistants[model] = str(call(port, "/api/v1/assistants", new, token)["id"])
        # A thread with a title of its own: the model is not asked for one on top of the measured turns.
        thread = {"assistant_id": assistants[model], "title": "Bench"}
        threads = [str(call(port, "/api/v1/threads", thread, token)["id"]) for _ in range(streams)]
        headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
        message = {"message": "Tell me about the sea."}
        return [post(f"/api/v1/threads/{id}/runs", message, headers) for id in threads]

    return Server("Famulus", port, process, seconds, requests, idle, b"event: text.delta")


@dataclass
class Result:
    """What one server did under one load."""

    tally: Tally
    cpu: float
    """Seconds."""
    growth: int = 0
    """Bytes of resident memory at the peak above those before."""
    flowing: tuple[float, int] = (0.0, 0)
    """Seconds of CPU, and tokens that arrived, while every stream was open."""
    seconds: float = 0.0
    """From the first request to the last end."""


def load(server: Server, model: str, streams: int, turns: int, expected: int, ramp: float = 0.0) -> Result:
    """Drive one load from this process, watching the server's memory."""
    requests = server.requests(model, streams)
    before, memory, began = cpu_seconds(server.process), resident_bytes(server.process), time.monotonic()
    peak = memory

    tally, flowing = Tally(), (0.0, 0)

    async def everything() -> None:
        nonlocal peak

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, resident_bytes(server.process))
                await asyncio.sleep(0.5)

        async def flow() -> None:
            nonlocal flowing
            await asyncio.sleep(ramp + 0.3)
            cpu, arrived = cpu_seconds(server.process), tally.arrived
            await asyncio.sleep(expected / RATE - ramp - 0.6)
            flowing = cpu_seconds(server.process) - cpu, tally.arrived - arrived

        besides = [asyncio.create_task(watch()), *([asyncio.create_task(flow())] if ramp else [])]
        await drive(
            server.port,
            requests,
            tally,
            mark=server.mark,
            turns=turns,
            expected=expected,
            ramp=ramp,
            stream=server.stream,
        )
        for task in besides:
            task.cancel()

    asyncio.run(everything())
    seconds = time.monotonic() - began
    if tally.wrong:
        raise RuntimeError(
            f"{server.name}: {tally.wrong} of {tally.turns} answers had the wrong number of tokens"
        )
    return Result(tally, cpu_seconds(server.process) - before, peak - memory, flowing, seconds)


def measure_short(server: Server) -> dict[str, float]:
    """What a server costs at rest and for short turns; leaves it warm for many streams."""
    load(server, f"bench-{SHORT_TOKENS}-0", SHORT_STREAMS, WARM_TURNS, SHORT_TOKENS)
    short = load(server, f"bench-{SHORT_TOKENS}-0", SHORT_STREAMS, SHORT_TURNS, SHORT_TOKENS)
    load(server, f"bench-{TOKENS // 4}-{RATE * 2}", STREAMS, 1, TOKENS // 4)
    return {
        "start_s": server.start_seconds,
        "idle_mb": server.idle / 1e6,
        "loaded_mb": resident_bytes(server.process) / 1e6,
        "short_ms": short.cpu / short.tally.turns * 1e3,
    }


def summary(rounds: list[Result]) -> dict[str, float]:
    """The figures of the paced load."""
    firsts = sorted(first for each in rounds for first in each.tally.first_token)
    return {
        "token_us": sum(each.flowing[0] for each in rounds) / sum(each.flowing[1] for each in rounds) * 1e6,
        "whole_us": sum(each.cpu for each in rounds) / sum(each.tally.tokens for each in rounds) * 1e6,
        "stream_kb": max(each.growth for each in rounds) / STREAMS / 1e3,
        "first_p50_ms": firsts[len(firsts) // 2] * 1e3 - 1000 / RATE,
        "first_p99_ms": firsts[int(len(firsts) * 0.99)] * 1e3 - 1000 / RATE,
    }


def measure(servers: list[Server]) -> list[dict[str, float]]:
    """Every figure of each server; the paced load is given to them in turn, so that both have the same weather."""
    figures = [measure_short(server) for server in servers]
    rounds: list[list[Result]] = [[] for _ in servers]
    for _ in range(ROUNDS):
        for server, results in zip(servers, rounds, strict=True):
            results.append(load(server, f"bench-{TOKENS}-{RATE}", STREAMS, 1, TOKENS, ramp=RAMP))
    return [short | summary(results) for short, results in zip(figures, rounds, strict=True)]


ROWS = (
    ("CPU per relayed token while 100 streams flow, µs", "token_us", "≤ 1.0 × the relay"),
    ("The same with the turns' beginnings and ends, µs", "whole_us", ""),
    ("CPU per short turn (10 tokens), ms", "short_ms", "≤ 2 ms, stored"),
    ("Time to the first token above the upstream's, p50, ms", "first_p50_ms", ""),
    ("Time to the first token above the upstream's, p99, ms", "first_p99_ms", ""),
    ("Start until it answers, s", "start_s", "≤ 2 s"),
    ("Resident memory when started and idle, MB", "idle_mb", "≤ 120 MB"),
    ("Resident memory after a load, MB", "loaded_mb", ""),
    ("Memory per open stream, kB", "stream_kb", "≤ 30 kB"),
)


def table(ours: dict[str, float], theirs: dict[str, float]) -> str:
    """The figures side by side, in Markdown."""
    lines = ["| measure | Famulus | bare relay | ratio | goal |", "|---|--:|--:|--:|---|"]
    for title, key, goal in ROWS:
        ratio = f"{ours[key] / theirs[key]:.2f}" if theirs[key] > 0 else "–"
        lines.append(f"| {title} | {ours[key]:.2f} | {theirs[key]:.2f} | {ratio} | {goal} |")
    return "\n".join(lines)


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="store in a PostgreSQL of its own")
    parser.add_argument("--write", action="store_true", help="write the table into docs/reference/bench.md")
    options = parser.parse_args()
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(started([sys.executable, "bench/upstream.py", str(port)], 1))
        upstream = f"http://127.0.0.1:{port}/v1"
        if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {1})
        database = stack.enter_context(postgres_database()) if options.postgres else None
        ours, theirs = measure([famulus(stack, upstream, database), relay(stack, upstream)])
    result = table(ours, theirs)
    print(result)
    if options.write:
        write_table(DOCUMENT, result, "postgresql" if options.postgres else "sqlite")


@contextmanager
def postgres_database() -> Iterator[str]:
    """The address of an empty database of a PostgreSQL of our own."""
    server = start_postgres()
    name = asyncio.run(server.create())
    try:
        yield server.url(name)
    finally:
        asyncio.run(server.drop(name))


def write_table(document: Path, result: str, kind: str) -> None:
    """Put a table into its place in a page of the documentation."""
    text = document.read_text("utf-8")
    begin, end = f"<!-- bench: {kind} -->\n", "<!-- end -->"
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    document.write_text(f"{head}{begin}{result}\n{end}{tail}", "utf-8")


if __name__ == "__main__":
    main()
