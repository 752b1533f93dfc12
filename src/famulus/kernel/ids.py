"""Ids: a prefix by kind and a UUIDv7 (RFC 9562 §5.7) in 26 characters of Crockford base32, so that they sort by time.

A counter in the random bits keeps the ids of one process in order within a millisecond.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAIRS = tuple(a + b for a in ALPHABET for b in ALPHABET)
_STOCK = 4096
"""Random bytes fetched at once."""


class _Clock:
    """The last value given out: 48 bits of milliseconds, then 74 bits that only grow within one millisecond."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.millisecond = 0
        self.tail = 0
        self.stock, self.left, self.process = b"", 0, 0

    def tick(self) -> tuple[int, int]:
        now = time.time_ns() // 1_000_000
        with self.lock:
            if now > self.millisecond:
                self.millisecond, self.tail = now, self._random(10) >> 7
            else:
                self.tail += 1 + self._random(4)
            return self.millisecond, self.tail

    def _random(self, size: int) -> int:
        """A number of so many bytes, from a stock: each way to the system takes longer than the rest of an id."""
        if self.left < size or self.process != os.getpid():  # a fork gives out no bytes of its parent's
            self.stock, self.left, self.process = os.urandom(_STOCK), _STOCK, os.getpid()
        self.left -= size
        return int.from_bytes(self.stock[self.left : self.left + size])


_clock = _Clock()


def new_id(prefix: str) -> str:
    """A fresh id such as `thr_01k8…`: `prefix`, an underscore and 26 characters."""
    millisecond, tail = _clock.tick()
    rand_a, rand_b = tail >> 62 & 0xFFF, tail & (1 << 62) - 1
    value = millisecond << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return f"{prefix}_{''.join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])}"


def moment(time: datetime) -> str:
    """How the part after the prefix begins of every id that is made in the millisecond of a time."""
    value = max(0, (time - _EPOCH) // timedelta(milliseconds=1))
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(40, -1, -10)])


def time_of(beginning: str) -> datetime:
    """The millisecond that `moment` was asked for; raises ValueError for what no id begins with."""
    value = 0
    for character in beginning:
        value = value << 5 | ALPHABET.index(character)
    return _EPOCH + timedelta(milliseconds=value)
