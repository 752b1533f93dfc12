"""The brake on guessing passwords: after some failures each further try has to wait, twice as long each time.

It counts per account, whether it exists or not, and per network address; it lives in this process and forgets.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from famulus.kernel.errors import TooMany

FREE_PER_ACCOUNT = 5
FREE_PER_ADDRESS = 30
"""A whole class may sit behind one address."""
LONGEST_WAIT = 60.0
"""Seconds; short enough that nobody can keep somebody else out for long."""
MEMORY = 15 * 60.0
"""Seconds without a failure after which a key is forgotten."""
KEYS = 10_000


class TooManyFailures(TooMany):
    """Too many failed sign-ins; wait a little before the next try."""

    code = "too_many_failures"


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Brake:
    """Failed sign-ins by key, at most `keys` of them; the one longest without a failure makes room."""

    def __init__(self, *, keys: int = KEYS, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._keys = keys
        self._clock = clock

    def check(self, email: str, address: str | None) -> None:
        """Raise `TooManyFailures`, saying how many seconds to wait, unless a try is free now."""
        wait = max(self._wait(key, free) for key, free in _keys(email, address))
        if wait > 0:
            raise TooManyFailures(
                f"Too many failed sign-ins; try again in {int(wait) + 1} seconds.", retry_after=int(wait) + 1
            )

    def failed(self, email: str, address: str | None) -> None:
        """Count a failure."""
        for key, _ in _keys(email, address):
            failures = self._known(key) or _Failures(0, 0)
            failures.count += 1
            failures.last = self._clock()
            self._failures[key] = failures
            self._failures.move_to_end(key)
        while len(self._failures) > self._keys:
            self._failures.popitem(last=False)

    def succeeded(self, email: str) -> None:
        """Forget the account's failures. Those of the address stay: a guesser may have an account, too."""
        self._failures.pop(f"account {email}", None)

    def _known(self, key: str) -> _Failures | None:
        failures = self._failures.get(key)
        if failures is not None and self._clock() - failures.last > MEMORY:
            del self._failures[key]
            return None
        return failures

    def _wait(self, key: str, free: int) -> float:
        failures = self._known(key)
        if failures is None or failures.count < free:
            return 0
        wait = min(2.0 ** min(failures.count - free, 10), LONGEST_WAIT)
        return failures.last + wait - self._clock()


def _keys(email: str, address: str | None) -> list[tuple[str, int]]:
    keys = [(f"account {email}", FREE_PER_ACCOUNT)]
    if address is not None:
        keys.append((f"address {_network(address)}", FREE_PER_ADDRESS))
    return keys


def _network(address: str) -> str:
    """Whoever has one IPv6 address has the other 2⁶⁴ of its network as well."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
