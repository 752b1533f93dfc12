"""What acting costs: turns with one tool call that changes something, and what ten thousand of them leave behind."""

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from bench.measure import resident_bytes
from bench.run import DOCUMENT as BESIDE
from bench.run import (
    SHORT_STREAMS,
    SHORT_TOKENS,
    SHORT_TURNS,
    WARM_TURNS,
    Server,
    famulus,
    free_port,
    load,
    postgres_database,
    started,
    write_table,
)

DOCUMENT = BESIDE.with_name("bench-tools.md")
TALKING, ACTING = f"bench-{SHORT_TOKENS}-0", f"act-{SHORT_TOKENS}-0"
SOAK_STREAMS, SOAK_TURNS, SOAK_WARM = 50, 200, 40


def per_turn(server: Server, model: str) -> float:
    """Milliseconds of CPU for one turn with this model."""
    load(server, model, SHORT_STREAMS, WARM_TURNS, SHORT_TOKENS)
    result = load(server, model, SHORT_STREAMS, SHORT_TURNS, SHORT_TOKENS)
    return result.cpu / result.tally.turns * 1e3


def descriptors(server: Server) -> int:
    """Open files and connections."""
    return len(list(Path(f"/proc/{server.process}/fd").iterdir()))


def threads(server: Server) -> int:
    """Threads of the process."""
    return len(list(Path(f"/proc/{server.process}/task").iterdir()))


def table(server: Server) -> str:
    """The figures in Markdown."""
    talking, acting = per_turn(server, TALKING), per_turn(server, ACTING)
    load(server, ACTING, SOAK_STREAMS, SOAK_WARM, SHORT_TOKENS)
    before = resident_bytes(server.process), descriptors(server), threads(server)
    load(server, ACTING, SOAK_STREAMS, SOAK_TURNS, SHORT_TOKENS)
    after = resident_bytes(server.process), descriptors(server), threads(server)
    growth = (after[0] / before[0] - 1) * 100
    turns = f"{SOAK_STREAMS * SOAK_TURNS:,}"
    rows = (
        ("CPU per turn with one tool call (10 tokens), ms", f"{acting:.2f}", "≤ 4 ms"),
        ("CPU per turn without one, ms", f"{talking:.2f}", ""),
        ("Ratio", f"{acting / talking:.2f}", ""),
        (
            f"Resident memory after {turns} turns at {SOAK_STREAMS} at once, growth in %",
            f"{growth:.1f}",
            "< 5 %",
        ),
        ("Open files and connections before and after", f"{before[1]} → {after[1]}", "no more"),
        ("Threads before and after", f"{before[2]} → {after[2]}", "no more"),
    )
    return "\n".join(
        ["| measure | Famulus | goal |", "|---|--:|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    )


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="store in a PostgreSQL of its own")
    parser.add_argument(
        "--write", action="store_true", help="write the table into docs/reference/bench-tools.md"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(started([sys.executable, "bench/upstream.py", str(port)], 1))
        if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {1})
        database = stack.enter_context(postgres_database()) if options.postgres else None
        result = table(famulus(stack, f"http://127.0.0.1:{port}/v1", database))
    print(result)
    if options.write:
        write_table(DOCUMENT, result, "postgresql" if options.postgres else "sqlite")


if __name__ == "__main__":
    main()
