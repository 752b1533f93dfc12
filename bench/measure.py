"""CPU time and resident memory of a process and its children, from /proc."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def _tree(root: int) -> list[int]:
    found = [root]
    for process in found:
        for tasks in Path(f"/proc/{process}/task").glob("*/children"):
            found += [int(child) for child in tasks.read_text().split()]
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree so far; its resolution is a clock tick, usually 10 ms."""
    total = 0
    for process in _tree(root):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_bytes(root: int) -> int:
    """Resident memory of the tree."""
    return sum(int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE for process in _tree(root))
