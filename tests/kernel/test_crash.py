"""Crash points: the process is really gone, at the arrival that was asked for and not before."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from famulus.kernel.crash import CrashPoints
points = CrashPoints(sys.argv[1] or None)
try:
    for name in ("accept", "journal", "journal", "finish"):
        points.reach(name)
        print(name, flush=True)
finally:
    print("cleaned up", flush=True)
"""


def run(armed: str) -> subprocess.CompletedProcess[str]:
    """The program above, armed so, until its end."""
    source = Path(__file__).parents[2] / "src"
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, armed],
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("armed", "survived"),
    [
        ("accept", []),
        ("journal", ["accept"]),
        ("journal:2", ["accept", "journal"]),
        ("finish", ["accept", "journal", "journal"]),
    ],
)
def test_the_process_dies_at_the_point(armed: str, survived: list[str]) -> None:
    done = run(armed)

    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split("\n")[:-1] == survived


@pytest.mark.parametrize("armed", ["", "elsewhere", "journal:3"])
def test_other_points_are_passed(armed: str) -> None:
    done = run(armed)

    assert done.returncode == 0
    assert done.stdout.split() == ["accept", "journal", "journal", "finish", "cleaned", "up"]
