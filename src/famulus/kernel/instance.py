"""Which process this is, by a name whose life other processes of the same machine can check.

    place (machine, boot and process namespace) - process id - its start - random

After a crash the next start need not wait for leases that nobody will renew: it sees that their holder is gone. Where
that cannot be told for certain, on another machine or without /proc, a holder counts as alive and its lease decides.
"""

import hashlib
import os
import secrets
from pathlib import Path

PLACE = 8


def instance_name() -> str:
    """A new name for this process, different at each call."""
    process = os.getpid()
    return f"{_place()}-{process}-{_started(process) or 0}-{secrets.token_hex(4)}"


def is_gone(name: str) -> bool:
    """Whether the process of this name has certainly ended."""
    place, *numbers = name.split("-")[:3]
    if place != _place() or len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        return False
    process, start = map(int, numbers)
    try:
        return start != 0 and _started(process) != start
    except OSError:
        return False


def _started(process: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is none, or it waits to be buried."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return secrets.token_hex(PLACE // 2)  # nobody else's place, so nobody is ever taken for gone
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:PLACE]
